"""The planner that asks models: one plans and concludes, one writes and mends the scripts.

It proposes and nothing more: what it writes is reviewed, asked about and run like any other draft.
Claims are compared with the evidence by code; those that fail are returned once and then dropped as
gaps. A change is proposed only where one may run at all, and brings its roll back and post-check.
Trade-off: hypotheses live in the plan's parameters, so a resumed session has them and a model that
changes its mind is on record.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from core.answer import conclude, lowered, unsupported
from core.approval.draft import Draft
from core.approval.modes import CHANGES
from core.approval.redeem import Payload, reread
from core.checks.ruff import tidied
from core.checks.standards import WIDEST_LINE
from core.errors import IllegalEvent, ModelError
from core.events import AnswerGiven, Claim, PlanProposed, Pointer
from core.llm import forms, words
from core.llm.asking import Asker
from core.llm.model import Model
from core.llm.usage import ModelAnswered, Role
from core.packages import NONE, Packages
from core.repair import FOR_MODELS, Repairs
from core.sent_back import sent_back
from core.session import Session, Step
from sandbox.errors import RuntimeUnusable


@dataclass(slots=True)
class ModelPlanner:
    """`Mending` over models."""

    planner: Model
    coder: Model
    asker: Asker
    packages: Packages = NONE
    repairs: Repairs = FOR_MODELS
    width: int = WIDEST_LINE
    """Columns of a script that are in sight."""

    async def plan(self, session: Session, payload: Payload) -> PlanProposed | AnswerGiven:
        """See `Planner.plan`; raises ModelError."""
        del payload

        async def check(plan: forms.Plan) -> Sequence[str]:
            if plan.step:
                return (*_unknown_inputs(session, plan.step), *_no_change(session, plan.step))
            return _wrong(session, _claims(plan.answer)) if plan.answer else ()

        texts = words.for_planner(session, self.asker.fence)
        plan, _ = await self.asker.ask(self.planner, "plan", texts, check)
        return _answer(session, plan.answer) if plan.answer else _proposal(session, plan)

    async def generate(self, session: Session, step: Step, payload: Payload) -> Draft:
        """See `Planner.generate`; raises ModelError."""
        del payload
        texts = words.for_coder(session, step, self.packages.allowed)
        return await self._draft(session, step, "generate", texts)

    async def repair(self, session: Session, step: Step, payload: Payload, complaint: str) -> Draft:
        """See `Mending.repair`; raises ModelError."""
        if step.draft is None:
            raise IllegalEvent(f"{step.plan.step} has no draft to mend")
        why = _why(session, step, complaint, self.asker.fence)
        before = reread(step.draft, payload)
        texts = words.for_repair(session, step, self.packages.allowed, before, why)
        return await self._draft(session, step, "repair", texts)

    async def conclude(self, session: Session, payload: Payload) -> AnswerGiven:
        """See `Planner.conclude`; a model that fails is itself a gap, so that a session can end."""
        del payload
        texts = words.for_planner(session, self.asker.fence)

        async def check(answer: forms.Conclusion) -> Sequence[str]:
            return _wrong(session, _claims(answer))

        try:
            answer, _ = await self.asker.ask(self.planner, "conclude", texts, check)
        except ModelError as error:
            gaps = (*_gaps(session), f"the model could not conclude: {error}")
            return conclude("inconclusive", "", (), gaps)
        return _answer(session, answer)

    async def explain(self, session: Session, payload: Payload, question: str) -> str:
        """See `Explaining.explain`; raises ModelError."""
        step = session.steps[-1] if session.steps else None
        draft = reread(step.draft, payload) if step and step.draft else None
        texts = words.for_question(session, draft, question, self.asker.fence)
        answer, _ = await self.asker.ask(self.planner, "explain", texts, _anything)
        said: str = answer.text
        return said

    def spent(self) -> tuple[ModelAnswered, ...]:
        """See `Mending.spent`."""
        return self.asker.spent()

    async def _draft(self, session: Session, step: Step, role: Role, texts: Sequence[str]) -> Draft:
        """Return what the coder wrote; it is judged by the review, here its packages are locked.

        Names that can't be locked stay as they are, and the review blocks them.
        """
        requirements: tuple[str, ...] = ()

        async def check(code: forms.Code) -> Sequence[str]:
            nonlocal requirements
            lacking = _lacking(step, code)
            try:
                requirements = await self.packages.lock(code.requirements)
            except RuntimeUnusable as error:
                requirements = tuple(sorted(set(code.requirements)))
                return (f"requirements: {error}", *lacking)
            return lacking

        code, _ = await self.asker.ask(self.coder, role, texts, check)
        return await _draft(session, step, code, requirements, self.width)


async def _anything(answer: forms.Explanation) -> Sequence[str]:
    del answer
    return ()


def _proposal(session: Session, plan: forms.Plan) -> PlanProposed:
    step = plan.step
    if step is None:
        raise IllegalEvent("a plan without a step")
    return PlanProposed(
        step=f"S{len(session.steps) + 1}",
        title=step.title,
        why=step.why,
        work=step.work,
        workflow="",
        parameters={
            "task": step.task,
            "given": {each.name: each.value for each in step.parameters},
            "inputs": sorted(set(step.inputs)),
            "hypotheses": [{"text": each.text, "state": each.state} for each in plan.hypotheses],
        },
    )


async def _draft(
    session: Session, step: Step, code: forms.Code, requirements: tuple[str, ...], width: int
) -> Draft:
    regions = session.target.regions if session.target else ()
    cards = words.inputs_of(session, step)
    inputs = ((f"{card.card}.json", card.result) for card in cards if card.result)
    change = step.plan.work == "change"

    async def tidy(text: str | None, *, wanted: bool = change) -> bytes | None:
        return await asyncio.to_thread(tidied, text.encode(), width) if text and wanted else None

    script = await asyncio.to_thread(tidied, code.script.encode(), width)
    return Draft(
        step=step.plan.step,
        version=len(step.drafts) + 1,
        author="model",
        kind=step.plan.work,
        language="python",
        script=script,
        requirements=requirements,
        policy=forms.policy_of(code.allow),
        rollback=await tidy(code.rollback),
        post_check=await tidy(code.post_check),
        parameters={**step.plan.parameters.get("given", {}), "regions": list(regions)},
        inputs=tuple(sorted(inputs)),
        tests=await tidy(code.tests, wanted=True),
    )


def _why(session: Session, step: Step, complaint: str, fence: str) -> str:
    reason = sent_back(step, session.started.repairs)
    if reason == "reviews":
        return words.why_findings(step)
    if reason == "runs":
        return words.why_failed(step, complaint, fence)
    return words.why_rejected(step)


def _unknown_inputs(session: Session, step: forms.Step) -> Sequence[str]:
    known = {card.card for card in session.cards if card.result}
    return [f"inputs: {name} is no card with a result" for name in step.inputs if name not in known]


def _no_change(session: Session, step: forms.Step) -> Sequence[str]:
    """Return why a change is not to be proposed; the mode and a person decide about it later."""
    if step.work == "change" and session.ceiling < CHANGES:
        return (f"work: no change may run here, the highest tier is {session.ceiling}",)
    return ()


def _lacking(step: Step, code: forms.Code) -> tuple[str, ...]:
    """Return what a change does not bring; what still lacks then is a blocker of the review."""
    if step.plan.work != "change":
        return ()
    named = (("rollback", code.rollback), ("post_check", code.post_check))
    return tuple(f"{name}: a change needs one" for name, text in named if not text)


def _claims(answer: forms.Conclusion) -> list[Claim]:
    return [
        Claim(each.text, tuple(Pointer(e.card, e.pointer, e.value) for e in each.evidence))
        for each in answer.claims
    ]


def _problems(session: Session, claim: Claim) -> Sequence[str]:
    if not claim.evidence:
        return (f"{claim.text!r} names no evidence",)
    return unsupported(AnswerGiven("likely", "", (claim,), ()), session.cards)


def _wrong(session: Session, claims: Iterable[Claim]) -> Sequence[str]:
    return [problem for claim in claims for problem in _problems(session, claim)]


def _answer(session: Session, answer: forms.Conclusion) -> AnswerGiven:
    claims = _claims(answer)
    kept = [claim for claim in claims if not _problems(session, claim)]
    dropped = [f"dropped, unsupported: {each}" for each in _wrong(session, claims)]
    found = (*_gaps(session), *dropped)
    status = lowered(answer.status) if found else answer.status
    return conclude(status, answer.cause, kept, dict.fromkeys((*answer.gaps, *found)))


def _gaps(session: Session) -> list[str]:
    reasons = [gap.reason for gap in session.gaps]
    return [*reasons, f"stopped by a limit: {session.limit.detail}"] if session.limit else reasons
