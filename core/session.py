"""A session is a fold over its events: `apply(session, fact) -> session`, pure.

Nothing about a session lives anywhere else, so the live screen, resuming after a crash and the
read-only replay are this one function. `apply` refuses (IllegalEvent) whatever can't follow: no run
without its approved request, no second decision, nothing after the end. Bulk events move counters
only; their text stays in the journal.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from core.approval.draft import Target
from core.approval.live import ON_RECORD, why_not
from core.approval.modes import most
from core.calls import AwsCalled, AwsIntended
from core.deciding import (
    decision_made,
    decision_requested,
    grant_given,
    grant_revoked,
    mode_changed,
    open_step,
    request_expired,
    require,
    result_taken,
    script_handed,
    with_step,
)
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
    GrantGiven,
    GrantRevoked,
    LimitReached,
    ModeChanged,
    NoteAdded,
    NoteAnswered,
    PackagesMissing,
    PlanProposed,
    RequestExpired,
    ResultTaken,
    ReviewFinished,
    RunFinished,
    RunInterrupted,
    RunOutput,
    RunStarted,
    ScriptHanded,
    SessionFinished,
    SessionResumed,
    SessionStarted,
    StopRequested,
)
from core.llm.usage import ModelAnswered
from core.runs import Run
from core.sent_back import sent_back
from core.state import Session
from core.step import Step

__all__ = ["Session", "Step", "apply", "begin", "fold", "target_of"]


def begin(fact: Fact) -> Session:
    """Return the session that its first fact makes."""
    event = fact.event
    if not isinstance(event, SessionStarted):
        raise IllegalEvent(f"a session begins with session.started, not {event.kind}")
    require(event.ceiling <= most(event.mode), fact, "no session in its mode has that ceiling")
    return Session(
        started=event,
        started_at=fact.at,
        mode=event.mode,
        ceiling=event.ceiling,
        seq=fact.seq,
        last_at=fact.at,
        confirmed=event.house.confirmed,
        attended=event.attended,
    )


def apply(session: Session, fact: Fact) -> Session:
    """Return the session after `fact`; raises IllegalEvent when it can't follow."""
    require(session.finished is None, fact, "the session has ended")
    require(fact.seq == session.seq + 1, fact, f"expected number {session.seq + 1}")
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


def target_of(started: SessionStarted, caller: CallerIdentified) -> Target:
    """Return the account that a session is about, as far as a digest binds it."""
    return Target(
        source=started.source,
        partition=caller.partition,
        account=caller.account,
        role=caller.role,
        regions=caller.regions,
        alias=caller.alias,
    )


def _caller_identified(session: Session, fact: Fact, event: CallerIdentified) -> Session:
    require(session.target is None, fact, "the caller is known")
    changed = replace(session, target=target_of(session.started, event))
    return replace(changed, ceiling=min(session.ceiling, changed.account.ceiling))


def _model_answered(session: Session, _: Fact, event: ModelAnswered) -> Session:
    if event.cost is None:
        return replace(session, unpriced=session.unpriced + 1)
    return replace(session, model_cost=session.model_cost + event.cost)


def _plan_proposed(session: Session, fact: Fact, event: PlanProposed) -> Session:
    require(session.target is not None, fact, "the caller is not known")
    require(session.step is None and session.answer is None, fact, "a step or answer stands")
    require(event.step == f"S{len(session.steps) + 1}", fact, "the step's number is wrong")
    return replace(session, steps=(*session.steps, Step(event)))


def _draft_generated(session: Session, fact: Fact, event: DraftGenerated) -> Session:
    step = open_step(session, fact, event.step)
    require(event.version == len(step.drafts) + 1, fact, "the version's number is wrong")
    reason = sent_back(step, session.started.repairs)
    require(step.draft is None or bool(reason), fact, "the draft before it was not sent back")
    edit = step.decision if reason == "edit" else None
    fresh = Step(
        plan=step.plan,
        drafts=(*step.drafts, event),
        refusals=step.refusals,
        repaired=step.repaired.after(reason),
        edited_by=edit.identity if edit else "",
    )
    return with_step(session, fresh)


def _review_finished(session: Session, fact: Fact, event: ReviewFinished) -> Session:
    step = open_step(session, fact, event.step)
    require(step.draft is not None and step.review is None, fact, "no draft waits for a review")
    same = step.draft is not None and step.draft.draft_digest == event.draft_digest
    require(same, fact, "it speaks about another draft")
    return with_step(session, step, review=event)


def _packages_missing(session: Session, _: Fact, event: PackagesMissing) -> Session:
    """Take in what was found out beside the work; it may come when nobody asks any more."""
    step = session.step
    if step is None or (step.plan.step, len(step.drafts)) != (event.step, event.version):
        return session
    return with_step(session, step, lacking=event.reason)


def _run_started(session: Session, fact: Fact, event: RunStarted) -> Session:
    step, turn = session.step, session.step.turn if session.step else None
    if step is None or turn is None or turn.decision is None:
        raise IllegalEvent(f"{event.kind} can't follow: nothing was decided (event {fact.seq})")
    require(turn.request.request == event.request, fact, "the request is another")
    require(turn.request.purpose == event.purpose, fact, "it was asked for something else")
    require(turn.request.digest == event.digest, fact, "another digest was approved")
    if why := why_not(session, step, turn, ON_RECORD):
        raise IllegalEvent(f"{event.kind} can't follow: its request {why} (event {fact.seq})")
    require(event.run == f"X{session.runs + 1}", fact, "the run's number is wrong")
    run = Run(event, first_seq=fact.seq, last_seq=fact.seq)
    return replace(with_step(session, step.with_turn(run=run)), runs=session.runs + 1)


def _running(session: Session, fact: Fact, name: str) -> Run:
    run = session.open_run
    if run is None or run.started.run != name:
        raise IllegalEvent(f"{fact.event.kind} can't follow: {name} does not run ({fact.seq})")
    return run


def _with_run(session: Session, fact: Fact, run: Run) -> Session:
    return with_step(session, session.steps[-1].with_turn(run=replace(run, last_seq=fact.seq)))


def _run_output(session: Session, fact: Fact, event: RunOutput) -> Session:
    return _with_run(session, fact, _running(session, fact, event.run).printed())


def _aws_intended(session: Session, fact: Fact, event: AwsIntended) -> Session:
    run = _running(session, fact, event.run)
    require(event.number not in run.unsettled, fact, f"call {event.number} waits already")
    return _with_run(session, fact, run.intended(event))


def _aws_called(session: Session, fact: Fact, event: AwsCalled) -> Session:
    changed = _with_run(session, fact, _running(session, fact, event.run).called(event))
    return replace(changed, aws_cost=session.aws_cost + event.cost)


def _run_ended(session: Session, fact: Fact, event: RunFinished | RunInterrupted) -> Session:
    return _with_run(session, fact, replace(_running(session, fact, event.run), ended=event))


def _evidence_added(session: Session, fact: Fact, event: EvidenceAdded) -> Session:
    step = open_step(session, fact, event.step)
    main = step.turn_to("run")
    ended = main is not None and main.run is not None and isinstance(main.run.ended, RunFinished)
    by_hand = main is not None and main.taken is not None
    require(ended or by_hand, fact, "no run of this step has finished")
    require(event.by_hand == by_hand, fact, "who ran it is said wrongly")
    require(step.turn is None or step.turn.is_over, fact, "a request of this step stands")
    require(event.card == f"E{len(session.cards) + 1}", fact, "the card's number is wrong")
    changed = with_step(session, step, closed=True)
    return replace(changed, cards=(*session.cards, event))


def _gap_recorded(session: Session, fact: Fact, event: GapRecorded) -> Session:
    require(session.open_run is None, fact, "a run goes on")
    step = open_step(session, fact, event.step)
    changed = with_step(session, step, closed=True)
    return replace(changed, gaps=(*session.gaps, event))


def _answer_given(session: Session, fact: Fact, event: AnswerGiven) -> Session:
    require(session.answer is None and session.open_run is None, fact, "it is not the time")
    return replace(session, answer=event)


def _limit_reached(session: Session, fact: Fact, event: LimitReached) -> Session:
    require(session.limit is None, fact, "a limit was reached before")
    return replace(session, limit=event)


def _stop_requested(session: Session, _: Fact, __: StopRequested) -> Session:
    return replace(session, stopping=True)


def _note_added(session: Session, _: Fact, event: NoteAdded) -> Session:
    return replace(session, notes=(*session.notes, event))


def _note_answered(session: Session, _: Fact, event: NoteAnswered) -> Session:
    return replace(session, answered=(*session.answered, event))


def _session_resumed(session: Session, fact: Fact, event: SessionResumed) -> Session:
    idle = 0 if session.open_request else fact.at - session.last_at
    return replace(session, waited_ms=session.waited_ms + idle, attended=event.attended)


def _session_finished(session: Session, fact: Fact, event: SessionFinished) -> Session:
    require(session.open_run is None, fact, "a run goes on")
    return replace(session, finished=event)


_HANDLERS: dict[str, Callable[[Session, Fact, Any], Session]] = {
    CallerIdentified.kind: _caller_identified,
    ModelAnswered.kind: _model_answered,
    PlanProposed.kind: _plan_proposed,
    DraftGenerated.kind: _draft_generated,
    ReviewFinished.kind: _review_finished,
    PackagesMissing.kind: _packages_missing,
    DecisionRequested.kind: decision_requested,
    DecisionMade.kind: decision_made,
    RequestExpired.kind: request_expired,
    ScriptHanded.kind: script_handed,
    ResultTaken.kind: result_taken,
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
    NoteAnswered.kind: _note_answered,
    ModeChanged.kind: mode_changed,
    GrantGiven.kind: grant_given,
    GrantRevoked.kind: grant_revoked,
    SessionResumed.kind: _session_resumed,
    SessionFinished.kind: _session_finished,
}
