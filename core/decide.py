"""The whole loop as one pure function: `decide(session, now) -> Move`.

It looks only at the session and the clock, so resuming after kill -9, replaying and testing are the
same thing. A move is either an effect (who am I, consult the planner, review, ask a person, hand
over, run, distil) or `Record`: an event that follows from what is known and only has to be written
down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.approval.draft import Purpose, approval_digest
from core.approval.house import fallback
from core.approval.modes import ceiling_of, rule
from core.canonical import canonical, sha256
from core.deciding import expired
from core.events import (
    DecisionMade,
    DecisionRequested,
    DraftGenerated,
    Event,
    GapRecorded,
    GrantRevoked,
    LimitReached,
    ModeChanged,
    RequestExpired,
    RunFinished,
    RunInterrupted,
    SessionFinished,
)
from core.llm.usage import dollars
from core.runs import unknown_calls
from core.sent_back import sent_back
from core.state import Session
from core.step import Step, Turn


@dataclass(frozen=True, slots=True)
class Identify:
    """Find out who we are in AWS."""


@dataclass(frozen=True, slots=True)
class Consult:
    """Ask the planner: for the next step, its draft, a mended or edited draft, or an answer."""

    role: Literal["plan", "generate", "repair", "adopt", "conclude"]
    step: str = ""


@dataclass(frozen=True, slots=True)
class Review:
    """Check the latest draft of a step."""

    step: str


@dataclass(frozen=True, slots=True)
class Ask:
    """Put the open request to a person."""

    request: DecisionRequested


@dataclass(frozen=True, slots=True)
class HandOver:
    """Give a person the script of the open request, and take back what it found."""

    request: DecisionRequested


@dataclass(frozen=True, slots=True)
class Execute:
    """Redeem an approved request and run it, once."""

    request: str


@dataclass(frozen=True, slots=True)
class Distil:
    """Make an evidence card of what a finished run left."""

    step: str


@dataclass(frozen=True, slots=True)
class Record:
    """Write down an event that follows from what is known."""

    event: Event
    keep: bytes | None = None
    """A payload that the event names."""


@dataclass(frozen=True, slots=True)
class Done:
    """Nothing is left to do."""

    exit_code: int


Move = Identify | Consult | Review | Ask | HandOver | Execute | Distil | Record | Done


def decide(session: Session, now: int) -> Move:
    """Return the one next move; `now` in milliseconds since the epoch. Raises NotCanonical."""
    if session.finished:
        return Done(session.finished.exit_code)
    if run := session.open_run:
        return Record(RunInterrupted(run.started.run, _why_interrupted(session)))
    if session.answer or (session.started.goal == "run" and _nothing_left(session)):
        return Record(SessionFinished(*ending(session)))
    if session.target is None:
        return Record(SessionFinished(*ending(session))) if session.stopping else Identify()
    if why := _why_another_mode(session):
        return _fall_back(session, why)
    if session.limit or session.stopping or session.refused:
        return Consult("conclude")
    if event := _by_the_clock(session, now):
        return Record(event)
    if session.step is None:
        return Consult("plan")
    return _in_step(session, session.step, now)


def ending(session: Session) -> tuple[int, str]:
    """Return exit code and reason of a session that has nothing left to do (docs/exit_codes.md)."""
    turns = [turn for step in session.steps for turn in step.turns]
    verbs = [turn.decision.verb for turn in turns if turn.decision]
    if "stop" in verbs:
        return 4, "stopped by a person's decision"
    if session.stopping:
        return 130, "stopped"
    if session.limit:
        return 5, f"a limit ended it: {session.limit.detail}"
    if session.refused:
        return 4, "refused: what was wanted is above what this mode may run"
    if not session.cards and session.gaps:
        return 4 if "reject" in verbs or "skip" in verbs else 1, session.gaps[-1].reason
    if session.started.goal == "run":
        return _ending_of_run(session)
    return 0, "answered"


def busy_ms(session: Session, now: int) -> int:
    """Return the time that counts against the wall budget: waiting for a person does not."""
    until = session.requested_at if session.open_request else now
    return until - session.started_at - session.waited_ms


def _ending_of_run(session: Session) -> tuple[int, str]:
    step = session.steps[-1] if session.steps else None
    main = step.turn_to("run") if step else None
    if step is None or main is None or (main.run is None and main.taken is None):
        return 1, "the script did not finish"
    if main.taken:
        return 0, "a person ran the script"
    ended = main.run.ended if main.run else None
    check = step.turn_to("post-check")
    if check and check.run and not check.succeeded:
        return 1, "; ".join(aftermath(step))
    if not isinstance(ended, RunFinished):
        return 1, "the script did not finish"
    if ended.outcome == "limit":
        return 5, f"the limit {ended.limit} ended the script"
    if ended.outcome != "exited" or ended.code:
        return 1, f"the script {describe_end(ended)}"
    return 0, "the script ran"


def aftermath(step: Step) -> tuple[str, ...]:
    """Return what came of the post-check and the roll back of a change, a sentence each."""
    later = [turn for turn in step.turns if turn.request.purpose in ("post-check", "roll back")]
    return tuple(f"{turn.request.purpose}: {_what_became_of(turn)}" for turn in later)


def _what_became_of(turn: Turn) -> str:
    if turn.taken:
        return "done by hand"
    if turn.run is None:
        return _turned_down(turn.decision) if turn.decision else "never decided"
    name, ended = turn.run.started.run, turn.run.ended
    if turn.succeeded:
        return f"{name} succeeded"
    if isinstance(ended, RunFinished):
        return f"{name} failed: its script {describe_end(ended)}"
    return f"{name} did not finish: {ended.reason if ended else 'it runs'}"


def describe_end(ended: RunFinished) -> str:
    """Return how a run ended, in words that follow "the script"."""
    if ended.outcome == "exited":
        return f"ended with exit code {ended.code}"
    if ended.outcome == "killed":
        return f"was killed by signal {-(ended.code or 0)}"
    if ended.outcome == "limit":
        return f"hit its limit {ended.limit}"
    return "was lost: its sandbox died"


def _why_interrupted(session: Session) -> str:
    if session.stopping:
        return "stopped; the process tree is dead"
    return "its end was never recorded; the outcome is unknown and it is not run again"


def _nothing_left(session: Session) -> bool:
    refused = session.refused and not _why_another_mode(session)
    ended = session.stopping or refused or session.limit is not None
    return ended or (bool(session.steps) and session.step is None)


def _used_up(session: Session, now: int) -> tuple[str, str] | None:
    started = session.started
    if session.step is None and len(session.steps) >= started.most_steps:
        return "steps", f"{started.most_steps} steps were taken"
    if busy_ms(session, now) > started.most_ms:
        return "minutes", f"{started.most_ms // 60_000} minutes of work were used"
    if started.most_cost and session.model_cost >= started.most_cost:
        return "cost", f"the models have cost {dollars(session.model_cost)}"
    return None


def _fall_back(session: Session, why: str) -> Record:
    """Go on in a mode where nothing runs by itself, or not at all."""
    mode = fallback(session.account)
    if mode is None:
        return Record(SessionFinished(4, f"refused: {why}"))
    ceiling = ceiling_of(mode, session.started.house.unattended, session.account.ceiling)
    return Record(ModeChanged("", mode, ceiling, reason=why))


def _why_another_mode(session: Session) -> str:
    """Return why the session can't go on in its mode, or nothing."""
    if why := session.why_not(session.mode, session.confirmed):
        return why
    if session.refused and session.attended and fallback(session.account):
        return f"{session.mode} mode refused a change, or twice in one step"
    return ""


def _by_the_clock(session: Session, now: int) -> LimitReached | GrantRevoked | None:
    """Return what time or use has brought to its end.

    What has run becomes evidence, and a change is looked at and taken back where it has to be,
    whatever the limits say.
    """
    step = session.step
    main = step.turn_to("run") if step else None
    ran = main is not None and main.run is not None
    going_on = step is not None and ran and not sent_back(step, session.started.repairs)
    if not going_on and (detail := _used_up(session, now)):
        return LimitReached(*detail)
    if step and step.turn and not step.turn.is_over:
        return None
    over = (one for one in session.grants if not one.ended and one.over(now))
    return next((GrantRevoked(one.grant.grant, "", one.over(now)) for one in over), None)


def _in_step(session: Session, step: Step, now: int) -> Move:
    name = step.plan.step
    if step.draft is None:
        return Consult("generate", name)
    if reason := sent_back(step, session.started.repairs):
        return Consult("adopt" if reason == "edit" else "repair", name)
    if step.review is None:
        return Review(name)
    if step.turn and not step.turn.is_over:
        return _in_turn(step.turn, now)
    if purpose := session.due(step):
        return _request(session, step, step.draft, purpose, now)
    return _close(step)


def _in_turn(turn: Turn, now: int) -> Move:
    request = turn.request
    if turn.decision:
        return Execute(request.request)
    if expired(request, now):
        return Record(RequestExpired(request.request))
    if request.rule == "hand over":
        return HandOver(request)
    return Ask(request) if request.rule == "ask" else Record(_decided_by_rule(request))


def _request(
    session: Session, step: Step, draft: DraftGenerated, purpose: Purpose, now: int
) -> Record:
    grant = session.granting(step, purpose, now)
    case = session.case(step, purpose, grant)
    preimage = session.terms(case.ceiling, purpose).preimage(draft.draft_digest)
    body, found = canonical(preimage), rule(case)
    # What the rules decide by themselves waits for nobody, so there is nothing to come too late.
    stands = 0 if found.outcome in ("run", "refuse") else session.started.house.request_ms
    event = DecisionRequested(
        request=f"R{session.requests + 1}",
        step=draft.step,
        version=draft.version,
        purpose=purpose,
        digest=approval_digest(preimage),
        preimage=sha256(body),
        tier=case.tier,
        ceiling=case.ceiling,
        rule=found.outcome,
        asks_because=found.because,
        second_stage=found.second_stage,
        blockers=case.blockers,
        expires_at=now + stands if stands else 0,
        grant=grant,
    )
    return Record(event, keep=body)


def _decided_by_rule(request: DecisionRequested) -> DecisionMade:
    return DecisionMade(
        request=request.request,
        digest=request.digest,
        verb="approve" if request.rule == "run" else "reject",
        by="grant" if request.grant and request.rule == "run" else "mode",
        identity="",
        surface="none",
        comment="; ".join(request.asks_because),
        grant=request.grant if request.rule == "run" else "",
    )


def _close(step: Step) -> Move:
    """Return the last move of a step: a card where its script ran to an end, else a gap."""
    name, main = step.plan.step, step.turn_to("run")
    run = main.run if main else None
    if main and (main.taken or (run and isinstance(run.ended, RunFinished))):
        return Distil(name)
    if run and isinstance(run.ended, RunInterrupted):
        unknown = f"; {unknown_calls(run)}" if run.unsettled else ""
        told = [f"run {run.started.run}: {run.ended.reason}{unknown}", *aftermath(step)]
        return Record(GapRecorded(name, "; ".join(told)))
    decision = step.decision
    why = _turned_down(decision) if decision else "never decided"
    return Record(GapRecorded(name, f"{step.plan.title}: {why}"))


def _turned_down(decision: DecisionMade) -> str:
    did = {"reject": "rejected", "skip": "skipped"}.get(decision.verb, decision.verb)
    comment = f": {decision.comment}" if decision.comment else ""
    return f"{did} by {decision.decider}{comment}"
