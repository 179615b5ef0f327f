"""What is asked about a draft, and in which order: rehearsal, run, post-check, roll back."""

from __future__ import annotations

from typing import Any

import pytest

from core.answer import conclude
from core.approval.house import HouseRules
from core.approval.redeem import redeem
from core.approval.spec import read_spec
from core.decide import Consult, Distil, Execute, Record, decide
from core.errors import IllegalEvent
from core.events import GapRecorded, RunInterrupted, RunStarted
from core.evidence import distil
from core.repair import FOR_MODELS

CHANGE: dict[str, Any] = {"kind": "change", "rollback": b"undo()\n", "post_check": b"look()\n"}
ALWAYS = HouseRules(rehearse="always")


def changing(story: Any, tier: int = 4, **settings: Any) -> Any:
    """Return a story with a reviewed change."""
    return story(**settings).identified().drafted(**CHANGE).reviewed(tier)


def turn(made: Any, code: int = 0, verb: str = "approve", **fields: Any) -> Any:
    """Ask about what is due, decide, and run it where it was approved; returns the request."""
    request = made.requested()
    if request.rule == "ask":
        confirmed = "shop" if request.second_stage else ""
        made.decided(verb, confirmed=confirmed, **fields)
    else:
        made.add(next_event(made))
    if verb == "approve":
        made.run(code)
    return request


def next_event(made: Any) -> Any:
    """Return the event that follows by itself."""
    move = decide(made.session, made.now)
    assert isinstance(move, Record)
    return move.event


def ended(made: Any) -> Any:
    """Return the last move of the story's step."""
    return decide(made.session, made.now)


@pytest.mark.parametrize(
    ("codes", "purposes"),
    [
        ((0, 0), ["run", "post-check"]),
        ((0, 1, 0), ["run", "post-check", "roll back"]),
        ((1, 0), ["run", "post-check"]),
        ((1, 1, 1), ["run", "post-check", "roll back"]),
    ],
)
def test_a_change_goes_on_to_its_post_check_and_its_roll_back(
    story: Any, codes: tuple[int, ...], purposes: list[str]
) -> None:
    """Whether it is taken back is the post-check's word; each has request, digest and run."""
    made = changing(story)
    requests = [turn(made, code) for code in codes]

    assert [request.purpose for request in requests] == purposes
    assert len({request.digest for request in requests}) == len(codes)
    assert len({request.request for request in requests}) == made.session.runs == len(codes)
    assert ended(made) == Distil("S1")


@pytest.mark.parametrize(("code", "verb"), [(0, "skip"), (1, "skip"), (1, "reject")])
def test_a_post_check_that_nobody_makes(story: Any, code: int, verb: str) -> None:
    """Without its word the change's own end decides whether a roll back is offered."""
    made = changing(story)
    turn(made, code)
    turn(made, verb=verb)

    if code:
        assert turn(made).purpose == "roll back"
    assert ended(made) == Distil("S1")


def test_a_change_that_broke_off_is_looked_at(story: Any) -> None:
    """Its end is unknown: the post-check runs, and the gap tells both."""
    made = changing(story)
    request = made.requested()
    made.decided(confirmed="shop")
    made.add(RunStarted("X1", request.request, "run", request.digest, "replayed", ()))
    made.add(RunInterrupted("X1", "the launcher died"))

    assert turn(made).purpose == "post-check"
    gap = next_event(made)
    assert isinstance(gap, GapRecorded)
    assert gap.reason == "run X1: the launcher died; post-check: X2 succeeded"


def test_a_post_check_can_only_read(story: Any) -> None:
    """Its ceiling is tier 2 in what is approved and in what the gateway is told."""
    made = changing(story)
    turn(made)
    request = made.requested()
    made.decided()

    ready = redeem(made.session, request.request, made.payload, {}, "AKIA")

    assert (request.tier, request.ceiling, request.second_stage) == (2, 2, False)
    assert (read_spec(ready.spec).ceiling, read_spec(ready.spec).purpose) == (2, "post-check")
    assert ready.script == b"look()\n"


@pytest.mark.parametrize("mode", ["guided", "hybrid"])
def test_a_roll_back_is_offered_and_asked(story: Any, mode: str) -> None:
    """It runs the rollback, as a change of its own: a person, and two stages."""
    made = changing(story, mode=mode)
    turn(made)
    turn(made, code=1)
    request = made.requested()
    made.decided(confirmed="shop")

    ready = redeem(made.session, request.request, made.payload, {}, "AKIA")

    assert (request.rule, request.second_stage, request.tier) == ("ask", True, 4)
    assert ready.script == b"undo()\n"


def test_the_card_says_what_came_of_a_change(story: Any) -> None:
    """Post-check and roll back stand on the card, and a failed post-check is an error."""
    made = changing(story)
    for code in (0, 1, 0):
        turn(made, code)
    step = made.session.step

    card = distil(made.session, step, step.turns[0].run.ended, None, printed="", complaint="")

    assert card.run == "X1"
    assert card.after == (
        "post-check: X2 failed: its script ended with exit code 1",
        "roll back: X3 succeeded",
    )
    assert "did not work" in card.errors[0]


@pytest.mark.parametrize(
    ("code", "complaint", "errors"),
    [
        (1, "Traceback:\n  line 5\nKeyError: 'Name'\n\n", ("exit code 1: KeyError: 'Name'",)),
        (1, " \n", ("exit code 1",)),
        (1, "x" * 2_000, (f"exit code 1: {'x' * 300}",)),
        (0, "a warning\n", ()),
    ],
)
def test_the_card_ends_with_the_last_words_of_a_failing_script(
    story: Any, code: int, complaint: str, errors: tuple[str, ...]
) -> None:
    """Its last line of stderr says why it failed; what a sound one wrote there is no error."""
    made = changing(story)
    turn(made, code)
    step = made.session.step

    card = distil(
        made.session, step, step.turns[0].run.ended, None, printed="", complaint=complaint
    )

    assert card.errors == tuple(f"the script ended with {each}" for each in errors)


@pytest.mark.parametrize(
    ("codes", "exit_code"), [((0, 0), 0), ((0, 1, 0), 1), ((1, 0), 1), ((1, 1, 0), 1)]
)
def test_a_change_of_run_ends_by_its_post_check(
    story: Any, codes: tuple[int, ...], exit_code: int
) -> None:
    """`countersign run` is done when the change ran and its post-check agrees."""
    made = changing(story, goal="run")
    for code in codes:
        turn(made, code)
    made.evidence()

    assert next_event(made).exit_code == exit_code


def test_no_evidence_before_a_change_is_over(story: Any) -> None:
    """While a request about it stands, a step is not closed by a card."""
    made = changing(story)
    turn(made)
    made.requested()

    with pytest.raises(IllegalEvent, match="a request of this step stands"):
        made.evidence()


# ------------------------------------------------------------------ rehearsals
@pytest.mark.parametrize(
    ("mode", "rule"), [("guided", "ask"), ("hybrid", "run"), ("automated", "run")]
)
def test_a_rehearsal_comes_first(story: Any, mode: str, rule: str) -> None:
    """It has its own digest, tier 0 and no inputs; guided mode asks, the others go on."""
    ceiling = 2 if mode == "automated" else 4
    made = story(house=ALWAYS, mode=mode, ceiling=ceiling).identified().drafted().reviewed()

    rehearsal = turn(made)
    request = made.requested()

    assert (rehearsal.purpose, rehearsal.rule, rehearsal.tier) == ("rehearse", rule, 0)
    assert (request.purpose, request.tier) == ("run", 1)
    assert request.digest != rehearsal.digest


@pytest.mark.parametrize(
    ("settings", "fields", "blockers"),
    [
        ({"house": ALWAYS, "goal": "run"}, {}, 0),
        ({"house": ALWAYS, "mode": "manual"}, {}, 0),
        ({"house": ALWAYS}, {}, 1),
        ({"house": HouseRules(rehearse="change")}, {}, 0),
        ({}, CHANGE, 0),
    ],
)
def test_what_is_not_rehearsed(story: Any, settings: Any, fields: Any, blockers: int) -> None:
    """Not `run`, not by hand, not over blockers, and not against the setting."""
    made = story(**settings).identified().drafted(**fields).reviewed(blockers=blockers)

    assert made.requested().purpose == "run"


def test_a_failed_rehearsal_goes_back_to_whoever_wrote_it(story: Any) -> None:
    """A model's draft is mended like after a failed run, within the same bound."""
    made = story(house=ALWAYS, repairs=FOR_MODELS).identified()
    for _ in range(FOR_MODELS.runs):
        made.drafted(author="model").reviewed()
        turn(made, code=1)
        assert decide(made.session, made.now) == Consult("repair", "S1")
    made.drafted(author="model").reviewed()
    turn(made, code=1)

    request = made.requested()

    assert (request.purpose, request.rule) == ("run", "ask")
    assert "its rehearsal failed" in request.asks_because


@pytest.mark.parametrize(("mode", "rule"), [("hybrid", "ask"), ("automated", "refuse")])
def test_what_failed_its_rehearsal_does_not_run_by_itself(story: Any, mode: str, rule: str) -> None:
    """Hybrid mode asks, automated mode refuses."""
    ceiling = 2 if mode == "automated" else 4
    made = story(house=ALWAYS, mode=mode, ceiling=ceiling).identified().drafted().reviewed()
    turn(made, code=1)

    assert made.requested().rule == rule


@pytest.mark.parametrize(("verb", "goes_on"), [("skip", True), ("reject", False)])
def test_a_rehearsal_can_be_left_out(story: Any, verb: str, goes_on: bool) -> None:
    """Skipped, the run is asked about; rejected, the step is given up."""
    made = story(house=ALWAYS).identified().drafted().reviewed()
    turn(made, verb=verb, comment="no need")

    if goes_on:
        assert made.requested().purpose == "run"
    else:
        assert isinstance(next_event(made), GapRecorded)


# ------------------------------------------------------------------ what people say
def test_a_comment_with_a_yes_reaches_whoever_plans(story: Any) -> None:
    """It stands in the session's words, with the step, and only where a person said it."""
    made = story().identified().drafted().reviewed()
    turn(made, comment="look at the listener next")

    assert made.session.comments == ("S1: look at the listener next",)
    assert decide(made.session, made.now) == Distil("S1")
    assert conclude("inconclusive", "", (), made.session.comments).gaps == made.session.comments


def test_an_approved_turn_runs_once(story: Any) -> None:
    """The move after a yes is the run of that request, and after the run it is another."""
    made = changing(story)
    made.requested()
    made.decided(confirmed="shop")

    assert decide(made.session, made.now) == Execute("R1")
    made.run()
    assert next_event(made).request == "R2"
