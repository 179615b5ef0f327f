"""Who says what to find out next: the port, and the planner of `countersign run`.

Three real implementations: `core.workflows.planner.WorkflowPlanner` works from saved workflows and
needs no model, `core.llm.planner.ModelPlanner` asks one, `FilePlanner` runs the one script that the
command line names. Planners propose; they never run anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

from core.answer import conclude
from core.approval.draft import Draft
from core.approval.redeem import Payload, reread
from core.errors import IllegalEvent
from core.events import AnswerGiven, PlanProposed
from core.iam.tighten import is_narrower
from core.llm.usage import ModelAnswered
from core.repair import Repairs
from core.session import Session, Step
from sandbox.job import Sha


class Planner(Protocol):
    """Proposes the next step, its draft, and in the end the answer."""

    async def plan(self, session: Session, payload: Payload) -> PlanProposed | AnswerGiven:
        """Return the one next thing worth knowing, or the answer when nothing more is."""
        ...

    async def generate(self, session: Session, step: Step, payload: Payload) -> Draft:
        """Return version 1 of a step's draft."""
        ...

    async def conclude(self, session: Session, payload: Payload) -> AnswerGiven:
        """Return the answer from what there is, with its gaps; called at most once."""
        ...


@runtime_checkable
class Mending(Planner, Protocol):
    """A planner that writes its drafts itself, can mend them, and costs money."""

    repairs: Repairs
    """How often it may be asked to; becomes a fact of the session."""

    async def repair(self, session: Session, step: Step, payload: Payload, complaint: str) -> Draft:
        """Return the next version of a step's draft; `complaint` is the end of its run's stderr.

        What is wrong stands in the step: findings, a failed run, or a reject with its reason.
        """
        ...

    def spent(self) -> tuple[ModelAnswered, ...]:
        """Return what was asked of models since the last call, answered or not."""
        ...


@runtime_checkable
class Explaining(Planner, Protocol):
    """A planner that answers questions about its work; costs money too."""

    async def explain(self, session: Session, payload: Payload, question: str) -> str:
        """Return what it says to a question about the session as it stands; raises ModelError."""
        ...

    def spent(self) -> tuple[ModelAnswered, ...]:
        """See `Mending.spent`."""
        ...


def repairs_of(planner: Planner) -> Repairs:
    """Return how often a session with this planner sends drafts back."""
    return planner.repairs if isinstance(planner, Mending) else Repairs()


@dataclass(frozen=True, slots=True)
class FilePlanner:
    """One step: the draft that was read from files."""

    draft: Draft
    title: str

    async def plan(self, session: Session, payload: Payload) -> PlanProposed | AnswerGiven:
        del session, payload
        return PlanProposed(
            step=self.draft.step,
            title=self.title,
            why="named on the command line",
            work=self.draft.kind,
            workflow="",
            parameters=dict(self.draft.parameters),
        )

    async def generate(self, session: Session, step: Step, payload: Payload) -> Draft:
        del session, step, payload
        return self.draft

    async def conclude(self, session: Session, payload: Payload) -> AnswerGiven:
        del payload
        return conclude("inconclusive", "", (), (gap.reason for gap in session.gaps))


def adopt(step: Step, payload: Payload) -> Draft:
    """Return the next version of a step's draft: as its operator edited it.

    Whoever only takes permissions away has not written the script, so its author stays. Any other
    edit makes it the operator's.
    """
    decision = step.decision
    if step.draft is None or decision is None:
        raise IllegalEvent(f"{step.plan.step} has no draft that was edited")
    before = reread(step.draft, payload)
    policy = before.policy if decision.policy is None else decision.policy
    after = replace(before, version=before.version + 1, policy=policy)
    only_narrower = is_narrower(before.policy, policy)
    if decision.requirements is not None:
        after, only_narrower = replace(after, requirements=decision.requirements), False
    if decision.edited is not None:
        after, only_narrower = replace(after, script=payload(decision.edited)), False
    if decision.parameters is not None:
        after, only_narrower = replace(after, parameters=decision.parameters), False
    if decision.beside is not None:
        after, only_narrower = _with_beside(after, decision.beside, payload), False
    return after if only_narrower else replace(after, author="operator")


def _with_beside(draft: Draft, beside: Mapping[str, Sha], payload: Payload) -> Draft:
    """Return a draft with other parts beside its script; an empty one is none."""
    read = {name: payload(content) or None for name, content in beside.items()}
    return replace(
        draft,
        rollback=read.get("rollback", draft.rollback),
        post_check=read.get("post_check", draft.post_check),
        tests=read.get("tests", draft.tests),
    )
