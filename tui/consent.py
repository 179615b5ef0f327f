"""What a person consents to beyond one request, as the screen shows it: modes and standing grants.

Pure, and safe to show. The rules themselves are in core/approval.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.approval.grants import Grant, Standing, offer_rehearsals, printed
from core.approval.modes import MODES, Mode, ceiling_of, needs_confirmation, promise
from core.approval.switching import offers
from core.llm.usage import dollars
from core.safe_text import safe_line
from core.session import Session
from tui.plain import timestamp

Wanted = Literal["this", "code", "rehearsals"]
"""What a grant is wanted for: what is asked now, its code in later sessions too, rehearsals."""
NOT_OFFERED: dict[Wanted, str] = {
    "this": "no grant is offered for this: only reads are, and only to the letter",
    "code": "no grant outlives the session here: only reads by a saved script do, to the letter",
    "rehearsals": "nothing can be granted before the account is known",
}
MODE_SIGNS: dict[Mode, str] = {"guided": "◆", "hybrid": "◈", "automated": "▷", "manual": "✎"}


@dataclass(frozen=True, slots=True)
class Choice:
    """A mode that could be entered."""

    mode: Mode
    sign: str
    promise: str
    current: bool
    why_not: str
    """Why it can't be entered here at all; empty when it can."""
    types_account: bool
    said: tuple[str, ...]
    """What is shown to whoever enters it: ceiling and budget."""


@dataclass(frozen=True, slots=True)
class StandingGrant:
    """A grant in the list."""

    name: str
    holds: bool
    state: str
    lines: tuple[str, ...]


def choices(session: Session) -> tuple[Choice, ...]:
    """Return every mode, with what it means in this session."""
    return tuple(_choice(session, mode) for mode in MODES)


def _choice(session: Session, mode: Mode) -> Choice:
    house, rules = session.started.house, session.account
    ceiling = ceiling_of(mode, house.unattended, rules.ceiling)
    allowed = mode in rules.modes
    return Choice(
        mode=mode,
        sign=MODE_SIGNS[mode],
        promise=promise(mode, ceiling, house.unattended),
        current=mode == session.mode,
        why_not="" if allowed else "not allowed in this account by the settings",
        types_account=needs_confirmation(mode, session.started.source),
        said=(
            f"{MODE_SIGNS[mode]} {mode.upper()}: {promise(mode, ceiling, house.unattended)}",
            f"ceiling: tier {ceiling}",
            f"budget: {budget(session)}",
            "A request that is open stays open: a change of mode answers nothing.",
        ),
    )


def budget(session: Session) -> str:
    """Return what the session may still use, a line."""
    started = session.started
    steps = max(0, started.most_steps - len(session.steps))
    worked = session.last_at - session.started_at - session.waited_ms
    minutes = max(0, started.most_ms - worked) // 60_000
    parts = [f"{steps} more steps of {started.most_steps}", f"{minutes} min of work"]
    if started.most_cost:
        left = max(0, started.most_cost - session.model_cost)
        parts.append(f"{dollars(left)} for models")
    parts.append(f"{dollars(max(0, started.most_aws_cost - session.aws_cost))} for AWS calls")
    return ", ".join(parts)


def standing(session: Session, now: int) -> tuple[StandingGrant, ...]:
    """Return every grant of a session, ended ones too."""
    return tuple(_standing(each, now) for each in session.grants)


def _standing(one: Standing, now: int) -> StandingGrant:
    over = one.ended or one.over(now)
    used = f"used {one.used} times by now" if one.used != 1 else "used once by now"
    if one.given.carried:
        used += f" here; given by {one.given.identity} in session {one.given.carried}"
    return StandingGrant(
        name=safe_line(one.grant.grant),
        holds=one.holds(now),
        state=safe_line(f"ended: {over}; {used}" if over else f"holds; {used}"),
        lines=grant_lines(one.grant),
    )


def grant_lines(grant: Grant) -> tuple[str, ...]:
    """Return the object that is given, all of it, with its end as a time of day."""
    end = f"{timestamp(grant.expires_at)} (UTC)"
    told = (each.replace(f"{grant.expires_at} ms since the epoch", end) for each in printed(grant))
    return tuple(safe_line(each) for each in told)


def offered(session: Session, now: int, wanted: Wanted = "this") -> Grant | None:
    """Return the grant that would cover what is wanted; None where none is offered."""
    if wanted == "rehearsals":
        return offer_rehearsals(session.next_grant, session.target, now)
    lasting = wanted == "code"
    found = (one for one in offers(session, now) if one.purpose == "run")
    return next((one for one in found if one.lasting == lasting), None)
