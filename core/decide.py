"""The whole loop as one pure function: `decide(session, now) -> Move`.

It looks only at the session and the clock, so resuming after kill -9, replaying and testing are the
same thing. A move is either an effect (who am I, consult the planner, review, ask a person,
run, distil) or `Record`: an event that follows from what is known and only has to be written down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.approval.draft import approval_digest
from core.canonical import canonical, sha256
from core.events import (
    DecisionMade,
    DecisionRequested,
    DraftGenerated,
    Event,
    GapRecorded,
    LimitReached,
    ReviewFinished,
    RunFinished,
    RunInterrupted,
    SessionFinished,
)
from core.llm.usage import dollars
from core.repair import sent_back
from core.runs import Run, unknown_calls
from core.session import Session, Step


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


Move = Identify | Consult | Review | Ask | Execute | Distil | Record | Done


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
    if session.limit or session.stopping or session.refused:
        return Consult("conclude")
    if detail := _used_up(session, now):
        return Record(LimitReached(*detail))
    if session.step is None:
        return Consult("plan")
    return _in_step(session, session.step)


def ending(session: Session) -> tuple[int, str]:
    """Return exit code and reason of a session that has nothing left to do (docs/exit_codes.md)."""
    decisions = [step.decision for step in session.steps if step.decision]
    if any(decision.verb == "stop" for decision in decisions):
        return 4, "stopped by a person's decision"
    if session.stopping:
        return 130, "stopped"
    if session.limit:
        return 5, f"a limit ended it: {session.limit.detail}"
    if session.refused:
        return 4, "refused: what was wanted is above what this mode may run"
    if not session.cards and session.gaps:
        turned_down = any(decision.verb in ("reject", "skip") for decision in decisions)
        return 4 if turned_down else 1, session.gaps[-1].reason
    if session.started.goal == "run":
        return _ending_of_run(session)
    return 0, "answered"


def busy_ms(session: Session, now: int) -> int:
    """Return the time that counts against the wall budget: waiting for a person does not."""
    until = session.requested_at if session.open_request else now
    return until - session.started_at - session.waited_ms


def _ending_of_run(session: Session) -> tuple[int, str]:
    run = session.steps[-1].run if session.steps else None
    if run is None or not isinstance(run.ended, RunFinished):
        return 1, "the script did not finish"
    if run.ended.outcome == "limit":
        return 5, f"the limit {run.ended.limit} ended the script"
    if run.ended.outcome != "exited" or run.ended.code:
        return 1, f"the script {describe_end(run.ended)}"
    return 0, "the script ran"


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
    ended = session.stopping or session.refused or session.limit is not None
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


def _in_step(session: Session, step: Step) -> Move:
    name, draft, review = step.plan.step, step.draft, step.review
    if draft is None:
        return Consult("generate", name)
    if reason := sent_back(step, session.started.repairs):
        return Consult("adopt" if reason == "edit" else "repair", name)
    if review is None:
        return Review(name)
    if step.request is None:
        return _request(session, draft, review)
    if step.decision is None:
        return _settle(step.request)
    if step.run:
        return _after_run(name, step.run)
    if step.decision.verb == "approve":
        return Execute(step.request.request)
    return Record(GapRecorded(name, _why_not(step.plan.title, step.decision)))


def _request(session: Session, draft: DraftGenerated, review: ReviewFinished) -> Record:
    preimage = session.terms(session.ceiling).preimage(draft.draft_digest)
    body, rule = canonical(preimage), session.rule(review)
    event = DecisionRequested(
        request=f"R{session.requests + 1}",
        step=draft.step,
        version=draft.version,
        purpose="run",
        digest=approval_digest(preimage),
        preimage=sha256(body),
        tier=review.tier,
        ceiling=session.ceiling,
        rule=rule.outcome,
        asks_because=rule.because,
        second_stage=rule.second_stage,
        blockers=review.blockers,
    )
    return Record(event, keep=body)


def _settle(request: DecisionRequested) -> Move:
    if request.rule == "ask":
        return Ask(request)
    return Record(
        DecisionMade(
            request=request.request,
            digest=request.digest,
            verb="approve" if request.rule == "run" else "reject",
            by="mode",
            identity="",
            surface="none",
            comment="; ".join(request.asks_because),
        )
    )


def _after_run(name: str, run: Run) -> Move:
    if isinstance(run.ended, RunInterrupted):
        unknown = f"; {unknown_calls(run)}" if run.unsettled else ""
        return Record(GapRecorded(name, f"run {run.started.run}: {run.ended.reason}{unknown}"))
    return Distil(name)


def _why_not(title: str, decision: DecisionMade) -> str:
    who = "the mode" if decision.by == "mode" else decision.identity
    did = {"reject": "rejected", "skip": "skipped"}.get(decision.verb, decision.verb)
    comment = f": {decision.comment}" if decision.comment else ""
    return f"{title}: {did} by {who}{comment}"
