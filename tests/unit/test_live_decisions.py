"""Each condition of a live decision is needed: where only it is broken, only it says no."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.approval.grants import GrantRevoked, offer
from core.approval.house import HouseRules
from core.approval.live import LIVE, why_not
from core.approval.redeem import redeem
from core.approval.switching import given, other_mode, revoked
from core.canonical import sha256
from core.decide import Ask, Execute, Record, decide
from core.errors import IllegalEvent, NotCountersigned
from core.events import DecisionMade, ModeChanged, RequestExpired, RunStarted
from core.step import Turn

Broken = Callable[[Any, Turn], tuple[Any, Turn]]
CHANGE = HouseRules(second_person=True, request_ms=60_000)
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ec2:DescribeVpcs", "Resource": "*"}],
}


def approved(story: Any, tier: int = 4, **settings: Any) -> Any:
    """Return a story whose change was approved by another person, over a blocker, in two stages."""
    made = story(house=CHANGE, **settings).identified().drafted().reviewed(tier, blockers=1)
    made.requested()
    made.decided(identity="grace", confirmed="shop", override_blockers=True)
    return made


def granted(story: Any, **settings: Any) -> Any:
    """Return a story whose second step a grant has approved."""
    made = story(**settings).identified().drafted(policy=POLICY).reviewed()
    made.requested()
    grant = offer("G1", made.session.target, 1, POLICY, made.now)
    assert grant is not None
    made.add(given(made.session, grant, "ada", "plain"))
    made.decided()
    made.run().evidence()
    made.drafted(policy=POLICY).reviewed()
    made.requested()
    made.add(next_event(made))
    return made


def changed(**fields: Any) -> Broken:
    """Break fields of the decision."""

    def broken(session: Any, turn: Turn) -> tuple[Any, Turn]:
        assert turn.decision is not None
        return session, replace(turn, decision=replace(turn.decision, **fields))

    return broken


BROKEN: dict[str, Broken] = {
    "approved": changed(verb="skip"),
    "same digest": changed(digest=sha256(b"other")),
    "in time": lambda session, turn: (session, replace(turn, decided_at=1_000_000)),
    "by its rule": lambda session, turn: (
        session,
        replace(turn, request=replace(turn.request, rule="refuse")),
    ),
    "over blockers": changed(override_blockers=False),
    "second stage": changed(confirmed="shop2"),
    "second person": changed(identity="somebody"),
    "going on": lambda session, turn: (replace(session, stopping=True), turn),
}


def next_event(made: Any) -> Any:
    """Return the event that follows by itself."""
    move = decide(made.session, made.now)
    assert isinstance(move, Record)
    return move.event


def without(name: str) -> dict[str, Any]:
    """Return every condition but one."""
    return {each: condition for each, condition in LIVE.items() if each != name}


@pytest.mark.parametrize("name", BROKEN)
def test_every_condition_is_needed(story: Any, name: str) -> None:
    """Broken alone, a condition refuses, and `redeem` with it; without it nothing would."""
    made = approved(story)
    step = made.session.step
    session, turn = BROKEN[name](made.session, step.turn)

    assert why_not(made.session, step, step.turn) == ""
    assert why_not(session, step, turn) == LIVE[name](session, step, turn) != ""
    assert why_not(session, step, turn, without(name)) == ""
    broken = replace(session, steps=(replace(step, turns=(turn,)),))
    with pytest.raises(NotCountersigned):
        redeem(broken, "R1", made.payload, {}, "AKIA")


def test_the_condition_that_a_request_works_once(story: Any) -> None:
    """A turn that ran is used, and only that condition says so."""
    made = approved(story)
    made.run()
    step = made.session.steps[-1]

    assert why_not(made.session, step, step.turns[0]) == "was used for X1"
    assert why_not(made.session, step, step.turns[0], without("once")) == ""


@pytest.mark.parametrize("how", ["revoked", "expired", "narrower", "another"])
def test_the_condition_that_a_grant_holds(story: Any, how: str) -> None:
    """What a grant has approved does not run when it does not hold, or never covered it."""
    made = granted(story)
    session, step = made.session, made.session.step
    (standing,) = session.grants
    given_then, turn = standing.given, step.turn
    assert why_not(session, step, turn) == ""
    if how == "revoked":
        standing = replace(standing, ended="revoked by ada")
    elif how == "expired":
        turn = replace(turn, decided_at=standing.grant.expires_at)
    elif how == "narrower":
        narrow = replace(given_then, grant=replace(given_then.grant, permissions=()))
        standing = replace(standing, given=narrow)
    else:
        turn = replace(turn, decision=replace(turn.decision, grant="G2"))
    session = replace(session, grants=(standing,))

    assert why_not(session, step, turn)
    assert why_not(session, step, turn, without("by its grant")) == ""


def test_all_conditions_have_a_case() -> None:
    """No condition is left without a test of its own."""
    assert {*BROKEN, "once", "by its grant"} == set(LIVE)


# ------------------------------------------------------------------ grants in a session
def test_a_grant_answers_the_next_and_names_itself(story: Any) -> None:
    """The request says which grant, the decision is by it, and the run follows."""
    made = granted(story)
    decision = made.session.step.decision

    assert (decision.by, decision.grant, decision.identity) == ("grant", "G1", "")
    assert decision.comment == "grant G1 covers tier 1, metadata reads"
    assert decide(made.session, made.now) == Execute("R2")


def test_a_grant_answers_no_open_request(story: Any) -> None:
    """Given while a request is open, it changes nothing about that request."""
    made = story().identified().drafted(policy=POLICY).reviewed()
    request = made.requested()
    grant = offer("G1", made.session.target, 1, POLICY, made.now)
    assert grant is not None
    made.add(given(made.session, grant, "ada", "plain"))

    assert decide(made.session, made.now) == Ask(request)


def test_what_rests_on_a_revoked_grant_is_asked(story: Any) -> None:
    """Revoked between the decision and the run, the same is put to a person."""
    made = granted(story)
    made.add(revoked(made.session, "G1", "ada"))

    request = made.requested()

    assert (request.request, request.rule, request.grant) == ("R3", "ask", "")


def test_a_grant_ends_visibly(story: Any) -> None:
    """When its time is over that is put on record before anything is asked."""
    made = granted(story, most_ms=9_000_000)
    made.run().evidence()
    made.now += 3_600_001

    move = decide(made.session, made.now)

    assert move == Record(GrantRevoked("G1", "", "expired"))


# ------------------------------------------------------------------ requests in time
def test_a_request_expires_and_is_asked_anew(story: Any) -> None:
    """Its end is on record, it decides nothing, and the same digest has a new name."""
    made = story(house=HouseRules(request_ms=1_000)).identified().drafted().reviewed()
    first = made.requested()
    made.now += 1_000

    move = decide(made.session, made.now)
    made.add(RequestExpired("R1"))
    second = made.requested()

    assert move == Record(RequestExpired("R1"))
    assert (second.request, second.digest) == ("R2", first.digest)
    assert second.expires_at == made.now + 1_000


@pytest.mark.parametrize("late", [False, True])
def test_a_late_yes_counts_for_nothing(story: Any, late: bool) -> None:
    """On record a millisecond too late, a decision runs nothing; in time it does."""
    made = story(house=HouseRules(request_ms=1_000)).identified().drafted().reviewed()
    made.requested()
    made.now += 1_000 if late else 999
    made.decided()

    move = decide(made.session, made.now)

    assert (move == Execute("R1")) is not late
    assert not late or made.requested().request == "R2"


def test_a_request_does_not_expire_before_its_time(story: Any) -> None:
    """A record that says so is refused."""
    made = story(house=HouseRules(request_ms=1_000)).identified().drafted().reviewed()
    made.requested()

    with pytest.raises(IllegalEvent, match="time has not come"):
        made.add(RequestExpired("R1"))


# ------------------------------------------------------------------ modes of a session
@pytest.mark.parametrize(
    ("source", "typed", "why"),
    [("live", "", "alias"), ("live", "shop2", "not this account"), ("live", "shop", "")],
)
def test_automated_mode_is_entered_by_the_accounts_name(
    story: Any, source: str, typed: str, why: str
) -> None:
    """On a live account the change is refused with a reason, in the command and in the record."""
    made = story(source=source).identified()
    answer = other_mode(made.session, "automated", typed, "ada")

    if why:
        assert why in str(answer)
        with pytest.raises(IllegalEvent, match=why):
            made.add(ModeChanged("ada", "automated", 2, confirmed=typed))
    else:
        made.add(answer)
        assert made.session.mode == "automated"


@pytest.mark.parametrize(("typed", "mode"), [("shop", "automated"), ("shop2", "guided")])
def test_a_start_that_names_another_account_falls_back(story: Any, typed: str, mode: str) -> None:
    """The session goes on in guided mode and says why; the ceiling is that of the mode."""
    house = HouseRules(confirmed=typed)
    made = story(source="live", mode="automated", ceiling=2, house=house).identified()
    move = decide(made.session, made.now)
    if isinstance(move, Record):
        assert isinstance(move.event, ModeChanged)
        made.add(move.event)
        assert "is not this account" in move.event.reason

    assert (made.session.mode, made.session.ceiling) == (mode, 2 if mode == "automated" else 4)


@pytest.mark.parametrize(("attended", "mode"), [(True, "guided"), (False, "automated")])
def test_a_refused_change_goes_back_to_whoever_can_be_asked(
    story: Any, attended: bool, mode: str
) -> None:
    """With a person the very draft is asked about in guided mode; without one it concludes."""
    made = story(mode="automated", ceiling=2, attended=attended).identified().drafted()
    made.reviewed(tier=4)
    made.requested()
    made.add(next_event(made))
    if attended:
        made.add(next_event(made))
        assert made.requested().rule == "ask"

    assert made.session.mode == mode


def test_a_run_for_another_purpose_does_not_fold(story: Any) -> None:
    """An approval to run is none to roll back."""
    made = approved(story)
    request = made.session.step.request

    with pytest.raises(IllegalEvent, match="asked for something else"):
        made.add(RunStarted("X1", "R1", "roll back", request.digest, "replayed", ()))


def test_a_person_does_not_answer_what_is_handed_over_with_a_yes(story: Any) -> None:
    """In manual mode nothing is approved: a result is brought, or the request turned down."""
    made = story(mode="manual").identified().drafted().reviewed()
    request = made.requested()

    with pytest.raises(IllegalEvent, match="handed over is not run here"):
        made.add(DecisionMade("R1", request.digest, "approve", "human", "ada", "plain"))
