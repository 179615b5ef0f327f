"""Is there a live decision that lets a request run? Every condition, by name.

`redeem` asks before anything is made runnable, and the fold of a session's events asks again when a
run is on record. Each condition says why not, a sentence, or nothing; all must say nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from core.approval.house import names_account
from core.approval.modes import CHANGES
from core.events import DecisionMade, DecisionRequested
from core.state import Session
from core.step import Step, Turn

Condition = Callable[[Session, Step, Turn], str]


def why_not(
    session: Session, step: Step, turn: Turn, conditions: Mapping[str, Condition] | None = None
) -> str:
    """Return why the turn may not run now, or nothing; `conditions` are other ones than LIVE."""
    checked = (LIVE if conditions is None else conditions).values()
    return next((why for each in checked if (why := each(session, step, turn))), "")


def why_not_decided(
    session: Session, step: Step, request: DecisionRequested, decision: DecisionMade
) -> str:
    """Return why a person's yes can't be the answer to `request`, or nothing."""
    turn = Turn(request, decision)
    checked = (_same_digest, _by_its_rule, _over_blockers, _second_stage, _second_person)
    if decision.verb != "approve":
        return ""
    return next((why for each in checked if (why := each(session, step, turn))), "")


def requester(session: Session, step: Step) -> str:
    """Return who wants the latest draft to run: whoever edited it, else who began the session."""
    return step.edited_by or session.started.identity


def _approved(_: Session, __: Step, turn: Turn) -> str:
    if turn.decision is None:
        return "was not decided"
    return "" if turn.decision.verb == "approve" else "was not approved"


def _same_digest(_: Session, __: Step, turn: Turn) -> str:
    same = turn.decision is not None and turn.decision.digest == turn.request.digest
    return "" if same else "was approved with another digest"


def _in_time(_: Session, __: Step, turn: Turn) -> str:
    end = turn.request.expires_at
    human = turn.decision is not None and turn.decision.by == "human"
    late = human and end and turn.decided_at >= end
    return "was decided after it had expired" if late else ""


def _by_its_rule(_: Session, __: Step, turn: Turn) -> str:
    """A person answers what asks, the mode and grants what runs by itself."""
    if turn.decision is None:
        return ""
    if turn.decision.by == "human":
        return "" if turn.request.rule == "ask" else "asks nobody"
    return "" if turn.request.rule == "run" else "needs a person"


def _by_its_grant(session: Session, step: Step, turn: Turn) -> str:
    """What a grant answers rests on that grant, which nobody has revoked and which covers it."""
    decision, name = turn.decision, turn.request.grant
    if decision is None or (decision.by != "grant" and not name):
        return ""
    if decision.by != "grant" or decision.grant != name:
        return "rests on a grant, and was answered otherwise"
    standing = next((one for one in session.grants if one.grant.grant == name), None)
    if standing is None or standing.ended not in ("", "used up"):
        return f"rests on grant {name}, which does not hold"
    if turn.decided_at >= standing.grant.expires_at:
        return f"rests on grant {name}, which had expired"
    covered = session.fits(standing, step, turn.request.purpose)
    return "" if covered else f"is not covered by grant {name}"


def _over_blockers(_: Session, __: Step, turn: Turn) -> str:
    overridden = turn.decision is not None and turn.decision.override_blockers
    blocked = turn.request.blockers and not overridden
    return "has blocking findings that nobody overrode" if blocked else ""


def _second_stage(session: Session, _: Step, turn: Turn) -> str:
    if not turn.request.second_stage or turn.decision is None:
        return ""
    typed = names_account(turn.decision.confirmed, session.target)
    return "" if typed else "needs the account's alias typed, and it was not"


def _second_person(session: Session, step: Step, turn: Turn) -> str:
    """Where two people are wanted, the second is another than who wants it, and proves who it is.

    A command can say any name, so what it says is no proof.
    """
    decision = turn.decision
    if decision is None or not session.started.house.second_person or turn.request.tier < CHANGES:
        return ""
    own = decision.identity in ("", requester(session, step))
    if own or decision.by != "human" or decision.surface == "command":
        return f"is a change: somebody else than {requester(session, step)} has to decide it"
    return ""


def _once(_: Session, __: Step, turn: Turn) -> str:
    return f"was used for {turn.run.started.run}" if turn.run else ""


def _going_on(session: Session, _: Step, __: Turn) -> str:
    ended = session.finished or session.stopping or session.answer
    return "is of a session that has come to its end" if ended else ""


LIVE: Final[Mapping[str, Condition]] = {
    "approved": _approved,
    "same digest": _same_digest,
    "in time": _in_time,
    "by its rule": _by_its_rule,
    "by its grant": _by_its_grant,
    "over blockers": _over_blockers,
    "second stage": _second_stage,
    "second person": _second_person,
    "once": _once,
    "going on": _going_on,
}
"""Every condition, by name."""

ON_RECORD: Final = {name: each for name, each in LIVE.items() if name != "second stage"}
"""What the fold holds records to: sessions from before 2026-12 do not say what was typed."""
