"""A session is a fold over its events: `apply(session, fact) -> session`, pure.

Nothing about a session lives anywhere else, so the live screen, resuming after a crash and the
read-only replay are this one function. `apply` refuses (IllegalEvent) whatever can't follow: no run
without its approved request, no second decision, nothing after the end. Bulk events move counters
only; their text stays in the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from core.approval.draft import Target, Terms
from core.approval.modes import CHANGES, Rule, most, rule
from core.calls import AwsCalled, AwsIntended
from core.errors import IllegalEvent
from core.events import (
    AnswerGiven,
    CallerIdentified,
    DecisionMade,
    DecisionRequested,
    DraftGenerated,
    EvidenceAdded,
    Fact,
    GapRecorded,
    LimitReached,
    Mode,
    ModeChanged,
    NoteAdded,
    PlanProposed,
    ReviewFinished,
    RunFinished,
    RunInterrupted,
    RunOutput,
    RunStarted,
    SessionFinished,
    SessionResumed,
    SessionStarted,
    StopRequested,
)
from core.llm.usage import ModelAnswered
from core.repair import NONE as NO_REPAIRS
from core.repair import Repairs, sent_back
from core.runs import Run
from sandbox.job import Tier


@dataclass(frozen=True, slots=True)
class Step:
    """The one next thing worth knowing, as far as it has come."""

    plan: PlanProposed
    drafts: tuple[DraftGenerated, ...] = ()
    review: ReviewFinished | None = None
    """Of the latest draft; likewise the three below."""
    request: DecisionRequested | None = None
    decision: DecisionMade | None = None
    run: Run | None = None
    closed: bool = False
    """Evidence was added or a gap recorded."""
    refusals: int = 0
    """How many of its requests the mode has refused."""
    repaired: Repairs = NO_REPAIRS
    """How often its drafts went back, by what sent them."""

    @property
    def draft(self) -> DraftGenerated | None:
        """The latest version."""
        return self.drafts[-1] if self.drafts else None


@dataclass(frozen=True, slots=True)
class Session:
    """Everything known of an investigation."""

    started: SessionStarted
    started_at: int
    mode: Mode
    ceiling: Tier
    seq: int
    last_at: int
    waited_ms: int = 0
    """Time in which a person was asked or nobody worked; not counted against the budget."""
    requested_at: int = 0
    target: Target | None = None
    steps: tuple[Step, ...] = ()
    cards: tuple[EvidenceAdded, ...] = ()
    gaps: tuple[GapRecorded, ...] = ()
    notes: tuple[NoteAdded, ...] = ()
    requests: int = 0
    runs: int = 0
    model_cost: int = 0
    """Micro-dollars, as far as prices are known."""
    unpriced: int = 0
    """Answers of models whose price is not known."""
    aws_cost: int = 0
    """Micro-dollars that AWS calls are estimated to have cost."""
    refused: bool = False
    """The mode refused a change, or twice in one step: the session ends."""
    answer: AnswerGiven | None = None
    limit: LimitReached | None = None
    stopping: bool = False
    finished: SessionFinished | None = None

    @property
    def id(self) -> str:
        return self.started.session

    @property
    def step(self) -> Step | None:
        """The step that is being worked on; None between steps."""
        return self.steps[-1] if self.steps and not self.steps[-1].closed else None

    @property
    def open_run(self) -> Run | None:
        """The run that has begun and not ended."""
        step = self.step
        return step.run if step and step.run and step.run.ended is None else None

    @property
    def open_request(self) -> DecisionRequested | None:
        """The request that waits for its decision."""
        step = self.step
        return step.request if step and step.decision is None else None

    def terms(self, ceiling: Tier) -> Terms:
        """What an approval binds besides the draft; raises IllegalEvent when we are nobody yet."""
        if self.target is None:
            raise IllegalEvent("no draft can be approved before the caller is identified")
        return Terms("run", self.target, self.started.limits, ceiling, self.started.runtime)

    def rule(self, review: ReviewFinished) -> Rule:
        """What this session's mode does with a reviewed draft."""
        return rule(self.mode, review.tier, review.blockers, self.ceiling)


def begin(fact: Fact) -> Session:
    """Return the session that its first fact makes."""
    event = fact.event
    if not isinstance(event, SessionStarted):
        raise IllegalEvent(f"a session begins with session.started, not {event.kind}")
    _require(event.ceiling <= most(event.mode), fact, "no session in its mode has that ceiling")
    return Session(event, fact.at, event.mode, event.ceiling, fact.seq, fact.at)


def apply(session: Session, fact: Fact) -> Session:
    """Return the session after `fact`; raises IllegalEvent when it can't follow."""
    _require(session.finished is None, fact, "the session has ended")
    _require(fact.seq == session.seq + 1, fact, f"expected number {session.seq + 1}")
    handler = _HANDLERS.get(fact.event.kind)
    if handler is None:
        raise IllegalEvent(f"{fact.event.kind} can't follow (event {fact.seq})")
    return replace(handler(session, fact, fact.event), seq=fact.seq, last_at=fact.at)


def fold(facts: Iterable[Fact]) -> Session:
    """Return the session that `facts` make; raises IllegalEvent."""
    iterator = iter(facts)
    first = next(iterator, None)
    if first is None:
        raise IllegalEvent("the journal holds no events")
    session = begin(first)
    for fact in iterator:
        session = apply(session, fact)
    return session


def _require(condition: bool, fact: Fact, why: str) -> None:
    if not condition:
        raise IllegalEvent(f"{fact.event.kind} can't follow: {why} (event {fact.seq})")


def _open_step(session: Session, fact: Fact, name: str) -> Step:
    step = session.step
    if step is None or step.plan.step != name:
        raise IllegalEvent(f"{fact.event.kind} can't follow: {name} is not open (event {fact.seq})")
    return step


def _with_step(session: Session, step: Step, **changes: Any) -> Session:
    return replace(session, steps=(*session.steps[:-1], replace(step, **changes)))


def _caller_identified(session: Session, fact: Fact, event: CallerIdentified) -> Session:
    _require(session.target is None, fact, "the caller is known")
    target = Target(
        source=session.started.source,
        partition=event.partition,
        account=event.account,
        role=event.role,
        regions=event.regions,
        alias=event.alias,
    )
    return replace(session, target=target)


def _model_answered(session: Session, _: Fact, event: ModelAnswered) -> Session:
    if event.cost is None:
        return replace(session, unpriced=session.unpriced + 1)
    return replace(session, model_cost=session.model_cost + event.cost)


def _plan_proposed(session: Session, fact: Fact, event: PlanProposed) -> Session:
    _require(session.target is not None, fact, "the caller is not known")
    _require(session.step is None and session.answer is None, fact, "a step or answer stands")
    _require(event.step == f"S{len(session.steps) + 1}", fact, "the step's number is wrong")
    return replace(session, steps=(*session.steps, Step(event)))


def _draft_generated(session: Session, fact: Fact, event: DraftGenerated) -> Session:
    step = _open_step(session, fact, event.step)
    _require(event.version == len(step.drafts) + 1, fact, "the version's number is wrong")
    reason = sent_back(step, session.started.repairs)
    _require(step.draft is None or bool(reason), fact, "the draft before it was not sent back")
    fresh = Step(step.plan, (*step.drafts, event), refusals=step.refusals)
    return _with_step(session, fresh, repaired=step.repaired.after(reason))


def _review_finished(session: Session, fact: Fact, event: ReviewFinished) -> Session:
    step = _open_step(session, fact, event.step)
    _require(step.draft is not None and step.review is None, fact, "no draft waits for a review")
    same = step.draft is not None and step.draft.draft_digest == event.draft_digest
    _require(same, fact, "it speaks about another draft")
    return _with_step(session, step, review=event)


def _decision_requested(session: Session, fact: Fact, event: DecisionRequested) -> Session:
    step = _open_step(session, fact, event.step)
    review = step.review
    if review is None or step.request is not None:
        raise IllegalEvent(f"{event.kind} can't follow: nothing to decide (event {fact.seq})")
    _require(event.request == f"R{session.requests + 1}", fact, "the request's number is wrong")
    _require(event.version == review.version, fact, "it asks about another version")
    expected = (review.tier, review.blockers, session.rule(review).outcome, session.ceiling)
    stated = (event.tier, event.blockers, event.rule, event.ceiling)
    _require(stated == expected, fact, "the rule is another")
    changed = _with_step(session, step, request=event)
    return replace(changed, requests=session.requests + 1, requested_at=fact.at)


def _decision_made(session: Session, fact: Fact, event: DecisionMade) -> Session:
    request, step = session.open_request, session.step
    if request is None or step is None or request.request != event.request:
        raise IllegalEvent(f"{event.kind} can't follow: no such open request (event {fact.seq})")
    _require(request.digest == event.digest, fact, "it speaks about another digest")
    if event.by == "mode":
        verb = {"run": "approve", "refuse": "reject"}.get(request.rule)
        _require(event.verb == verb, fact, "the mode does not decide that")
    else:
        _require(request.rule == "ask", fact, "nobody was asked")
    if event.verb == "approve" and request.blockers:
        _require(event.override_blockers, fact, "its blockers were not overridden")
    refused = event.by == "mode" and event.verb == "reject"
    refusals = step.refusals + refused
    changed = _with_step(session, step, decision=event, refusals=refusals)
    waited = fact.at - session.requested_at if event.by == "human" else 0
    return replace(
        changed,
        waited_ms=session.waited_ms + waited,
        stopping=session.stopping or event.verb == "stop",
        refused=session.refused or (refused and (request.tier >= CHANGES or refusals > 1)),
    )


def _run_started(session: Session, fact: Fact, event: RunStarted) -> Session:
    step = session.step
    if step is None or step.request is None or step.decision is None:
        raise IllegalEvent(f"{event.kind} can't follow: nothing was decided (event {fact.seq})")
    _require(step.run is None, fact, "its request was used")
    _require(step.request.request == event.request, fact, "the request is another")
    _require(step.decision.verb == "approve", fact, "its request was not approved")
    _require(step.decision.digest == event.digest, fact, "another digest was approved")
    _require(event.run == f"X{session.runs + 1}", fact, "the run's number is wrong")
    run = Run(event, first_seq=fact.seq, last_seq=fact.seq)
    return replace(_with_step(session, step, run=run), runs=session.runs + 1)


def _running(session: Session, fact: Fact, name: str) -> Run:
    run = session.open_run
    if run is None or run.started.run != name:
        raise IllegalEvent(f"{fact.event.kind} can't follow: {name} does not run ({fact.seq})")
    return run


def _with_run(session: Session, fact: Fact, run: Run) -> Session:
    return _with_step(session, session.steps[-1], run=replace(run, last_seq=fact.seq))


def _run_output(session: Session, fact: Fact, event: RunOutput) -> Session:
    return _with_run(session, fact, _running(session, fact, event.run).printed())


def _aws_intended(session: Session, fact: Fact, event: AwsIntended) -> Session:
    run = _running(session, fact, event.run)
    _require(event.number not in run.unsettled, fact, f"call {event.number} waits already")
    return _with_run(session, fact, run.intended(event))


def _aws_called(session: Session, fact: Fact, event: AwsCalled) -> Session:
    changed = _with_run(session, fact, _running(session, fact, event.run).called(event))
    return replace(changed, aws_cost=session.aws_cost + event.cost)


def _run_ended(session: Session, fact: Fact, event: RunFinished | RunInterrupted) -> Session:
    return _with_run(session, fact, replace(_running(session, fact, event.run), ended=event))


def _evidence_added(session: Session, fact: Fact, event: EvidenceAdded) -> Session:
    step = _open_step(session, fact, event.step)
    ended = step.run is not None and isinstance(step.run.ended, RunFinished)
    _require(ended, fact, "no run of this step has finished")
    _require(event.card == f"E{len(session.cards) + 1}", fact, "the card's number is wrong")
    changed = _with_step(session, step, closed=True)
    return replace(changed, cards=(*session.cards, event))


def _gap_recorded(session: Session, fact: Fact, event: GapRecorded) -> Session:
    _require(session.open_run is None, fact, "a run goes on")
    step = _open_step(session, fact, event.step)
    changed = _with_step(session, step, closed=True)
    return replace(changed, gaps=(*session.gaps, event))


def _answer_given(session: Session, fact: Fact, event: AnswerGiven) -> Session:
    _require(session.answer is None and session.open_run is None, fact, "it is not the time")
    return replace(session, answer=event)


def _limit_reached(session: Session, fact: Fact, event: LimitReached) -> Session:
    _require(session.limit is None, fact, "a limit was reached before")
    return replace(session, limit=event)


def _stop_requested(session: Session, _: Fact, __: StopRequested) -> Session:
    return replace(session, stopping=True)


def _note_added(session: Session, _: Fact, event: NoteAdded) -> Session:
    return replace(session, notes=(*session.notes, event))


def _mode_changed(session: Session, fact: Fact, event: ModeChanged) -> Session:
    _require(event.ceiling <= most(event.mode), fact, "no session in this mode has that ceiling")
    changed = replace(session, mode=event.mode, ceiling=event.ceiling)
    step = session.step
    if step is None or step.request is None or step.run or step.request.rule == "ask":
        return changed
    # What the old mode decided, or would have, is decided anew by the rules of the new one.
    return _with_step(changed, step, request=None, decision=None)


def _session_resumed(session: Session, fact: Fact, _: SessionResumed) -> Session:
    idle = 0 if session.open_request else fact.at - session.last_at
    return replace(session, waited_ms=session.waited_ms + idle)


def _session_finished(session: Session, fact: Fact, event: SessionFinished) -> Session:
    _require(session.open_run is None, fact, "a run goes on")
    return replace(session, finished=event)


_HANDLERS: dict[str, Callable[[Session, Fact, Any], Session]] = {
    CallerIdentified.kind: _caller_identified,
    ModelAnswered.kind: _model_answered,
    PlanProposed.kind: _plan_proposed,
    DraftGenerated.kind: _draft_generated,
    ReviewFinished.kind: _review_finished,
    DecisionRequested.kind: _decision_requested,
    DecisionMade.kind: _decision_made,
    RunStarted.kind: _run_started,
    RunOutput.kind: _run_output,
    AwsIntended.kind: _aws_intended,
    AwsCalled.kind: _aws_called,
    RunFinished.kind: _run_ended,
    RunInterrupted.kind: _run_ended,
    EvidenceAdded.kind: _evidence_added,
    GapRecorded.kind: _gap_recorded,
    AnswerGiven.kind: _answer_given,
    LimitReached.kind: _limit_reached,
    StopRequested.kind: _stop_requested,
    NoteAdded.kind: _note_added,
    ModeChanged.kind: _mode_changed,
    SessionResumed.kind: _session_resumed,
    SessionFinished.kind: _session_finished,
}
