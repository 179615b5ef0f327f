"""The part of the fold that is about consent: requests, decisions, grants, modes, hand-overs.

Handlers of core/session.py. They refuse what the rules do not allow, so that a record in which
somebody was not asked never folds. What comes too late decides nothing, and the question is open.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from core.approval.draft import BESIDE
from core.approval.grants import Standing, lasting_name, problem
from core.approval.modes import CHANGES, ceiling_of, rule
from core.errors import IllegalEvent
from core.events import (
    DecisionMade,
    DecisionRequested,
    Fact,
    GrantGiven,
    GrantRevoked,
    ModeChanged,
    RequestExpired,
    ResultTaken,
    ScriptHanded,
)
from core.state import Session
from core.step import Step, Turn


def require(condition: bool, fact: Fact, why: str) -> None:
    """Raise IllegalEvent unless the condition holds."""
    if not condition:
        raise IllegalEvent(f"{fact.event.kind} can't follow: {why} (event {fact.seq})")


def open_step(session: Session, fact: Fact, name: str) -> Step:
    """Return the open step, which must have this name."""
    step = session.step
    if step is None or step.plan.step != name:
        raise IllegalEvent(f"{fact.event.kind} can't follow: {name} is not open (event {fact.seq})")
    return step


def with_step(session: Session, step: Step, **changes: Any) -> Session:
    """Return the session with its open step changed."""
    return replace(session, steps=(*session.steps[:-1], replace(step, **changes)))


def decision_requested(session: Session, fact: Fact, event: DecisionRequested) -> Session:
    """Take in a question; it must be the one that is due, by the rule that holds."""
    step = open_step(session, fact, event.step)
    if step.review is None or (step.turn is not None and not step.turn.is_over):
        raise IllegalEvent(f"{event.kind} can't follow: nothing to decide (event {fact.seq})")
    require(event.request == f"R{session.requests + 1}", fact, "the request's number is wrong")
    require(event.version == step.review.version, fact, "it asks about another version")
    require(event.purpose == session.due(step), fact, "it asks for something else")
    case = session.case(step, event.purpose, event.grant)
    expected = (case.tier, case.blockers, rule(case).outcome, case.ceiling)
    stated = (event.tier, event.blockers, event.rule, event.ceiling)
    require(stated == expected, fact, "the rule is another")
    if event.grant:
        granted = (one for one in session.grants if one.grant.grant == event.grant)
        covered = any(not one.ended and session.fits(one, step, event.purpose) for one in granted)
        require(covered, fact, f"grant {event.grant} does not cover it")
    changed = with_step(session, step, turns=(*step.turns, Turn(event)))
    return replace(changed, requests=session.requests + 1, requested_at=fact.at)


def decision_made(session: Session, fact: Fact, event: DecisionMade) -> Session:
    """Take in an answer; one that comes too late decides nothing, but for a stop."""
    request, step = session.open_request, session.step
    if request is None or step is None or request.request != event.request:
        raise IllegalEvent(f"{event.kind} can't follow: no such open request (event {fact.seq})")
    require(request.digest == event.digest, fact, "it speaks about another digest")
    _check_by_whom(fact, event, request)
    changed_parts = (event.policy, event.requirements, event.parameters, event.beside)
    edits = any(part is not None for part in changed_parts)
    require(not edits or event.verb == "edit", fact, "only an edit changes a draft")
    require(BESIDE.issuperset(event.beside or ()), fact, "a draft has no such part")
    if event.verb == "approve" and request.blockers:
        require(event.override_blockers, fact, "its blockers were not overridden")
    if event.verb != "stop" and _too_late(session, fact, event, request):
        return _asked_anew(session, fact, step)
    refused = event.by == "mode" and event.verb == "reject"
    refusals = step.refusals + refused
    decided = step.with_turn(decision=event, decided_at=fact.at)
    changed = with_step(session, decided, refusals=refusals)
    waited = fact.at - session.requested_at if event.by == "human" else 0
    return replace(
        changed,
        waited_ms=session.waited_ms + waited,
        stopping=session.stopping or event.verb == "stop",
        refused=session.refused or (refused and (request.tier >= CHANGES or refusals > 1)),
        grants=tuple(
            one.after_use() if event.by == "grant" and one.grant.grant == event.grant else one
            for one in session.grants
        ),
    )


def _check_by_whom(fact: Fact, event: DecisionMade, request: DecisionRequested) -> None:
    if event.by == "human":
        require(request.rule in ("ask", "hand over"), fact, "nobody was asked")
        handed = request.rule == "hand over" and event.verb == "approve"
        require(not handed, fact, "what is handed over is not run here")
        return
    verb = {"run": "approve", "refuse": "reject"}.get(request.rule)
    require(event.verb == verb, fact, f"the {event.by} does not decide that")
    granted = request.grant if event.by == "grant" else ""
    require((event.grant, request.grant) == (granted, granted), fact, "no such grant was asked")


def _too_late(
    session: Session, fact: Fact, event: DecisionMade, request: DecisionRequested
) -> bool:
    if event.by == "grant":
        granted = (one for one in session.grants if one.grant.grant == event.grant)
        return not any(one.holds(fact.at) for one in granted)
    return event.by == "human" and expired(request, fact.at)


def expired(request: DecisionRequested, now: int) -> bool:
    """Tell whether a request decides nothing any more."""
    return bool(request.expires_at) and now >= request.expires_at


def request_expired(session: Session, fact: Fact, event: RequestExpired) -> Session:
    """Forget the open request: the same is asked anew."""
    request, step = session.open_request, session.step
    if request is None or step is None or request.request != event.request:
        raise IllegalEvent(f"{event.kind} can't follow: no such open request (event {fact.seq})")
    require(expired(request, fact.at), fact, "its time has not come")
    return _asked_anew(session, fact, step)


def script_handed(session: Session, fact: Fact, event: ScriptHanded) -> Session:
    """Note where the script of the open request lies."""
    step = _handed_over(session, fact, event.request)
    return with_step(session, step.with_turn(handed=event))


def result_taken(session: Session, fact: Fact, event: ResultTaken) -> Session:
    """Take in what a person brought back for the open request."""
    step = _handed_over(session, fact, event.request)
    same = step.request is not None and step.request.digest == event.digest
    require(same, fact, "it speaks about another digest")
    changed = with_step(session, step.with_turn(taken=event))
    return replace(changed, waited_ms=session.waited_ms + fact.at - session.requested_at)


def mode_changed(session: Session, fact: Fact, event: ModeChanged) -> Session:
    """Go on in another mode; it answers nothing that a person was asked."""
    house = session.started.house
    most = ceiling_of(event.mode, house.unattended, session.account.ceiling)
    require(event.ceiling <= most, fact, "no session in this mode has that ceiling")
    if why := session.why_not(event.mode, event.confirmed):
        raise IllegalEvent(f"{event.kind} can't follow: {why} (event {fact.seq})")
    changed = replace(
        session,
        mode=event.mode,
        ceiling=event.ceiling,
        confirmed=event.confirmed,
        refused=False,
    )
    step, turn = session.step, session.step.turn if session.step else None
    if step is None or turn is None or turn.run or turn.taken or turn.request.rule == "ask":
        return changed
    if turn.decision and turn.decision.by == "human":
        return changed
    # What the old mode decided, or would have, is decided anew by the rules of the new one.
    return with_step(changed, step.without_turn())


def grant_given(session: Session, fact: Fact, event: GrantGiven) -> Session:
    """Let a grant stand."""
    grant = event.grant
    named = lasting_name(grant) if grant.lasting else session.next_grant
    require(grant.grant == named, fact, "the grant's name is wrong")
    known = any(one.grant.grant == grant.grant for one in session.grants)
    require(not known, fact, "it was given before")
    require(grant.lasting or not event.carried, fact, "it ended with the session it was given in")
    require(grant.expires_at > fact.at, fact, "it would have expired")
    if why := problem(grant, session.target):
        raise IllegalEvent(f"{event.kind} can't follow: {why} (event {fact.seq})")
    return replace(session, grants=(*session.grants, Standing(event)))


def grant_revoked(session: Session, fact: Fact, event: GrantRevoked) -> Session:
    """End a grant; what rests on it and has not run is decided anew."""
    standing = next((one for one in session.grants if one.grant.grant == event.grant), None)
    if standing is None or standing.ended:
        raise IllegalEvent(f"{event.kind} can't follow: no such grant holds (event {fact.seq})")
    if not event.identity:
        elsewhere = standing.grant.lasting and bool(event.reason)  # ended where it is kept
        over = elsewhere or event.reason == standing.over(fact.at)
        require(over, fact, "it has not come to its end")
    ended = tuple(
        replace(one, ended=event.reason or "revoked") if one is standing else one
        for one in session.grants
    )
    changed, step = replace(session, grants=ended), session.step
    rests = step is not None and step.request is not None and step.request.grant == event.grant
    if step is None or not rests or step.run or event.reason == "used up":
        return changed
    return with_step(changed, step.without_turn())


def _handed_over(session: Session, fact: Fact, request: str) -> Step:
    step, asked = session.step, session.open_request
    if step is None or asked is None or asked.request != request or asked.rule != "hand over":
        raise IllegalEvent(f"{fact.event.kind} can't follow: nothing to bring (event {fact.seq})")
    return step


def _asked_anew(session: Session, fact: Fact, step: Step) -> Session:
    """Return the session without its open request: the next move asks again."""
    changed = with_step(session, step.without_turn())
    return replace(changed, waited_ms=session.waited_ms + fact.at - session.requested_at)
