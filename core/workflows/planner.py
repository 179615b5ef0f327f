"""The planner that needs no model: it follows saved workflows from result to result.

The question's words choose the first workflow; each result chooses the next by the workflow's own
conditions; when none fits, the workflows' conclusions and claims make the answer. It knows nothing
of any particular incident. Trade-off: it can only find what somebody saved a workflow for, and says
so instead of guessing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from core.answer import conclude, fill, lowered
from core.approval.draft import Draft
from core.approval.redeem import Payload
from core.errors import NotThere, ResultUnreadable, WorkflowError
from core.events import AnswerGiven, Claim, EvidenceAdded, PlanProposed, Status
from core.evidence import read_result
from core.session import Session, Step
from core.workflows.model import Workflow, read_workflow, search

LIBRARY = Path(__file__).parent / "library"


def load_library(folder: Path = LIBRARY) -> dict[str, Workflow]:
    """Return the workflows below `folder` by name; raises WorkflowError."""
    found = {each.name: read_workflow(each) for each in sorted(folder.iterdir()) if each.is_dir()}
    for workflow in found.values():
        for onward in workflow.document.next:
            if onward.workflow not in found:
                raise WorkflowError(f"{workflow.name}: next: there is no {onward.workflow}")
    return found


@dataclass(frozen=True, slots=True)
class WorkflowPlanner:
    """`Planner` over a library of saved workflows."""

    library: Mapping[str, Workflow]
    first: str = ""
    """Name of the workflow to begin with; empty: the one whose words fit the question best."""

    async def plan(self, session: Session, payload: Payload) -> PlanProposed | AnswerGiven:
        proposal = self._onward(session, payload) if session.steps else self._first(session)
        return proposal or await self.conclude(session, payload)

    async def generate(self, session: Session, step: Step, payload: Payload) -> Draft:
        del payload
        workflow = self.library.get(step.plan.workflow)
        if workflow is None:
            raise WorkflowError(f"there is no workflow {step.plan.workflow!r}")
        regions = session.target.regions if session.target else ()
        return Draft(
            step=step.plan.step,
            version=1,
            author="workflow",
            kind=workflow.document.work,
            language="python",
            script=workflow.script,
            requirements=tuple(sorted(workflow.document.requirements)),
            policy=workflow.document.policy,
            rollback=None,
            post_check=None,
            parameters={**step.plan.parameters, "regions": list(regions)},
            inputs=(),
            tests=workflow.tests,
        )

    async def conclude(self, session: Session, payload: Payload) -> AnswerGiven:
        gaps = list(_gaps(session))
        status, cause = self._meaning(session, payload)
        if gaps:
            status = lowered(status)
        if not cause:
            gaps.append("no saved workflow says what this means")
        return conclude(status, cause, self._claims(session), gaps)

    def _first(self, session: Session) -> PlanProposed | None:
        if self.first:
            return self._proposal(session, self.first, {}, "somebody chose to begin with it")
        words = set(re.findall(r"[a-z0-9]+", session.started.question.lower()))
        scored = [
            (len(words & set(workflow.document.triggers)), name)
            for name, workflow in self.library.items()
        ]
        best, name = max(scored, key=lambda each: (each[0], -len(each[1])), default=(0, ""))
        return self._proposal(session, name, {}) if best else None

    def _onward(self, session: Session, payload: Payload) -> PlanProposed | None:
        step, card = session.steps[-1], session.cards[-1] if session.cards else None
        if card is None or card.step != step.plan.step or step.plan.workflow not in self.library:
            return None
        result = _result(card, step, payload)
        for onward in self.library[step.plan.workflow].document.next:
            if search(onward.when, result):
                given = {
                    name: _text(search(expression, result))
                    for name, expression in onward.parameters.items()
                }
                proposal = self._proposal(session, onward.workflow, given, onward.why)
                if not _was_done(session, proposal):
                    return proposal
        return None

    def _proposal(
        self, session: Session, name: str, given: Mapping[str, str], why: str = ""
    ) -> PlanProposed:
        document = self.library[name].document
        known = {"question": session.started.question, **given}
        return PlanProposed(
            step=f"S{len(session.steps) + 1}",
            title=document.title,
            why=why or document.why,
            work=document.work,
            workflow=name,
            parameters={each: known.get(each, "") for each in document.parameters},
        )

    def _meaning(self, session: Session, payload: Payload) -> tuple[Status, str]:
        explained = list(self._explained(session))
        while explained:
            card, step, workflow = explained[-1]
            result = _result(card, step, payload)
            known = _with_earlier(card, [each for each, _, _ in explained])
            for conclusion in workflow.document.conclude:
                if search(conclusion.when, result):
                    filled = _fill(conclusion.cause, known)
                    if filled:
                        return conclusion.status, filled.text
            explained.pop()
        return "inconclusive", ""

    def _claims(self, session: Session) -> Iterator[Claim]:
        for card, _, workflow in self._explained(session):
            for template in workflow.document.claims:
                claim = _fill(template, card)
                if claim and all(each.value is not None for each in claim.evidence):
                    yield claim

    def _explained(self, session: Session) -> Iterator[tuple[EvidenceAdded, Step, Workflow]]:
        steps = {step.plan.step: step for step in session.steps}
        for card in session.cards:
            step = steps[card.step]
            workflow = self.library.get(step.plan.workflow)
            if workflow:
                yield card, step, workflow


def _gaps(session: Session) -> Iterator[str]:
    for gap in session.gaps:
        yield gap.reason
    for card in session.cards:
        yield from (f"{card.card}: {error}" for error in card.errors)
        yield from (f"{card.card}: {each}" for each in card.coverage if ": incomplete" in each)
    for said in session.comments:
        yield f"said with a yes, and no saved workflow can take it up: {said}"
    if session.limit:
        yield f"stopped by a limit: {session.limit.detail}"
    if session.stopping:
        yield "stopped before it was answered"
    if not session.steps:
        yield "no saved workflow fits the question"


def _result(card: EvidenceAdded, step: Step, payload: Payload) -> Mapping[str, Any]:
    """Return what conditions look at: result.json, and the step's own parameters beside it."""
    result: Mapping[str, Any] = {}
    if card.result is not None:
        with suppress(ResultUnreadable):  # as the card says; nothing of it is used
            result = asdict(read_result(payload(card.result)))
    return {**result, "parameters": step.plan.parameters}


def _with_earlier(card: EvidenceAdded, cards: Iterable[EvidenceAdded]) -> EvidenceAdded:
    """Return a card that knows the facts of `cards` too, the latest of each name."""
    facts = {name: value for each in cards for name, value in each.facts.items()}
    return replace(card, facts=facts)


def _fill(template: str, card: EvidenceAdded) -> Claim | None:
    try:
        return fill(template, card)
    except NotThere:
        return None


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _was_done(session: Session, proposal: PlanProposed) -> bool:
    return any(
        (step.plan.workflow, step.plan.parameters) == (proposal.workflow, proposal.parameters)
        for step in session.steps
    )
