"""Commands about consent that a person gives at any time: another mode, a grant, its end.

Each function returns the event that says so, or why not, a sentence; the caller puts the event into
the loop's inbox. None of them answers the request that is open.
"""

from __future__ import annotations

from core.approval.grants import (
    Grant,
    GrantGiven,
    GrantRevoked,
    lasting,
    offer,
    offer_rehearsals,
    problem,
)
from core.approval.modes import Mode, ceiling_of
from core.events import ModeChanged, Surface
from core.state import Session


def other_mode(session: Session, mode: Mode, typed: str, identity: str) -> ModeChanged | str:
    """Return the change to `mode`; `typed` is what was typed as the account, where it is needed."""
    if session.target is None:
        return "the account is not known yet"
    if mode == session.mode:
        return f"it is {mode} mode already"
    if why := session.why_not(mode, typed):
        return why
    house = session.started.house
    ceiling = ceiling_of(mode, house.unattended, session.account.ceiling)
    return ModeChanged(identity, mode, ceiling, confirmed=typed)


def offers(session: Session, now: int) -> tuple[Grant, ...]:
    """Return the grants that can be given now: for what the open request wants, and no more.

    The first ends with the session; one more outlives it, for a saved script and that code only.
    """
    step, request = session.step, session.open_request
    if step is None or step.draft is None or request is None or request.rule != "ask":
        return ()
    name = session.next_grant
    if request.purpose == "rehearse":
        rehearsals = offer_rehearsals(name, session.target, now)
        return (rehearsals,) if rehearsals else ()
    if request.purpose != "run" or request.blockers:
        return ()
    exact = offer(name, session.target, request.tier, step.draft.policy, now)
    if exact is None:
        return ()
    # What a model or an operator wrote for this case is never met again to the letter.
    comes_back = step.draft.author in ("workflow", "file")
    code = lasting(exact, step.draft.code_digest, now)
    return (exact, code) if comes_back else (exact,)


def given(session: Session, grant: Grant, identity: str, surface: Surface) -> GrantGiven | str:
    """Return that a grant stands from now on."""
    if any(one.grant.grant == grant.grant for one in session.grants):
        return f"{grant.grant} was given before"
    return problem(grant, session.target) or GrantGiven(grant, identity, surface)


def revoked(session: Session, name: str, identity: str) -> GrantRevoked | str:
    """Return the end of a grant."""
    for one in session.grants:
        if one.grant.grant == name:
            return f"{name} has ended: {one.ended}" if one.ended else _end(name, identity)
    return f"there is no grant {name}"


def _end(name: str, identity: str) -> GrantRevoked:
    return GrantRevoked(name, identity, f"revoked by {identity}")
