"""Asking people: in time, by the rules of who may, and what they bring back."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.approval.approvers import Decision, FromList, InTurn, Nobody
from core.approval.house import HouseRules
from core.canonical import sha256
from core.errors import NoApprover, ResultUnreadable
from core.events import DecisionMade, RequestExpired, ResultTaken, ScriptHanded, Surface
from core.handing import Brought, read_brought, sorted_out
from core.people import NOBODY_BRINGS, People
from core.redact import Redactor
from sandbox.job import Sha

SECRET = "AKIA" + "Q" * 16


class Kept:
    """A journal's payloads, without its file."""

    def __init__(self, made: Any) -> None:
        self.payload = made.payload
        self.made = made

    async def keep(self, body: bytes) -> Sha:
        """Keep a payload."""
        kept: Sha = self.made.keep(body)
        return kept


class Silent:
    """Whoever is asked and never answers; knows whether the question was withdrawn."""

    surface: Surface = "plain"
    withdrawn = False

    async def __call__(self, *_: Any) -> Decision:
        """Wait for ever."""
        try:
            await asyncio.Event().wait()
        finally:
            self.withdrawn = True
        raise AssertionError("nobody answered")


class Brings:
    """Brings the same every time."""

    surface: Surface = "plain"

    def __init__(self, brought: Brought | Decision) -> None:
        self.brought = brought

    async def __call__(self, *_: Any) -> Brought | Decision:
        """Return it."""
        return self.brought


def people(folder: Path, approver: Any, taker: Any = NOBODY_BRINGS, *times: int) -> People:
    """Return people whose clock shows `times`, and the last of them from then on."""
    ticks: Iterator[int] = iter(times)
    last = times[-1] if times else 1_000
    redactor = Redactor(b"k" * 32, ())
    return People(approver, taker, "ada", folder, redactor, lambda: next(ticks, last))


def asked(story: Any, tier: int = 1, **settings: Any) -> Any:
    """Return a story with an open request."""
    made = story(**settings).identified().drafted().reviewed(tier)
    made.requested()
    return made


def decide(made: Any, who: People) -> Any:
    """Return what becomes of the story's open request."""
    return asyncio.run(who.decide(made.session.open_request, made.session, Kept(made)))  # type: ignore[arg-type]  # of the log only payloads are used


def hand_over(made: Any, who: People) -> list[Any]:
    """Return the events of a hand-over."""

    async def collect() -> list[Any]:
        request = made.session.open_request
        return [one async for one in who.hand_over(request, made.session, Kept(made))]  # type: ignore[arg-type]  # of the log only payloads are used

    return asyncio.run(collect())


def test_what_nobody_answers_expires(story: Any, tmp_path: Path) -> None:
    """When the request's time is over the question is withdrawn, and its end is the event."""
    made, silent = asked(story, house=HouseRules(request_ms=5)), Silent()

    event = decide(made, people(tmp_path, silent, NOBODY_BRINGS, 1_000, 1_000, 1_005))

    assert event == RequestExpired("R1")
    assert silent.withdrawn


def test_what_is_answered_in_time_is_decided(story: Any, tmp_path: Path) -> None:
    """The decision has all that the approver said, and the name of whoever sits here."""
    made = asked(story, house=HouseRules(request_ms=60_000))
    said = Decision("approve", "go on", seen=80, screen=b"screen", shown_ms=7)

    event = decide(made, people(tmp_path, FromList([said])))

    assert isinstance(event, DecisionMade)
    assert (event.identity, event.comment, event.seen, event.shown_ms) == ("ada", "go on", 80, 7)
    assert event.screen == sha256(b"screen")


@pytest.mark.parametrize(
    ("who", "identity", "fits"),
    [("grace", "grace", True), ("somebody", "", True), ("ada", "", False), ("grace", "ada", False)],
)
def test_a_change_is_not_approved_by_whoever_wants_it(
    story: Any, tmp_path: Path, who: str, identity: str, fits: bool
) -> None:
    """Refused before it is on record; a proved name counts more than the one at this end."""
    made = asked(story, 4, identity="ada", house=HouseRules(second_person=True))
    said = Decision("approve", confirmed="shop", identity=identity)
    asking = People(FromList([said]), NOBODY_BRINGS, who, tmp_path, Redactor(b"k" * 32, ()), int)

    if fits:
        assert decide(made, asking).identity == (identity or who)
    else:
        with pytest.raises(NoApprover, match="somebody else than ada"):
            decide(made, asking)


def test_a_yes_without_its_second_stage_is_none(story: Any, tmp_path: Path) -> None:
    """Whatever approver says so: tier 3 without the account typed is no answer."""
    made = asked(story, 3)

    with pytest.raises(NoApprover, match="alias typed"):
        decide(made, people(tmp_path, FromList([Decision("approve")])))


def test_the_next_is_asked_where_one_can_not_answer(story: Any, tmp_path: Path) -> None:
    """The first answer counts, with the surface that it came from; without any nobody is there."""
    made = asked(story)
    other = FromList([Decision("skip")], surface="command")

    assert decide(made, people(tmp_path, InTurn((Nobody(), other)))).surface == "command"
    with pytest.raises(NoApprover):
        decide(made, people(tmp_path, InTurn((Nobody(), Nobody()))))


# ------------------------------------------------------------------ by hand
def test_a_hand_over_has_all_that_was_approved(story: Any, tmp_path: Path) -> None:
    """The intent with the hash of every file comes first, then the files, then the result."""
    body = json.dumps({"facts": {"key": SECRET}}).encode()
    made = asked(story, mode="manual")

    handed, taken = hand_over(made, people(tmp_path, Nobody(), Brings(Brought(result=body))))

    assert isinstance(handed, ScriptHanded)
    folder = Path(handed.folder)
    assert {name: sha256((folder / name).read_bytes()) for name in handed.files} == handed.files
    assert (folder / "script.py").read_bytes() == b"print('hello')\n"
    assert isinstance(taken, ResultTaken)
    assert SECRET.encode() not in made.payloads[taken.result]


def test_what_is_handed_over_can_be_turned_down(story: Any, tmp_path: Path) -> None:
    """A decision instead of a result: the step becomes a gap, nothing was run."""
    made = asked(story, mode="manual")

    *_, event = hand_over(made, people(tmp_path, Nobody(), Brings(Decision("skip", "no time"))))

    assert isinstance(event, DecisionMade)
    assert (event.verb, event.comment) == ("skip", "no time")


def test_nobody_brings_anything(story: Any, tmp_path: Path) -> None:
    """The script lies there all the same, and the error says where and how to go on."""
    made = asked(story, mode="manual")

    with pytest.raises(NoApprover, match="handed over in") as told:
        hand_over(made, people(tmp_path, Nobody()))

    assert "--result" in told.value.hint
    assert (tmp_path / made.session.id / "R1" / "INSTRUCTIONS.md").exists()


@pytest.mark.parametrize("body", [b"", b" \n", b"{", b'{"facts": 1}', b'{"more": {}}'])
def test_what_is_no_result_is_not_taken(body: bytes) -> None:
    """Nothing, and what begins like a result and is none, is refused with its place."""
    with pytest.raises(ResultUnreadable):
        sorted_out(body)


def test_results_and_texts_are_told_apart(tmp_path: Path) -> None:
    """An object is a result, all else is text; a file that is not there is said to be missing."""
    assert sorted_out(b' {"facts": {"n": 1}}').result == b' {"facts": {"n": 1}}'
    assert sorted_out(b"3 of 5 alarms fire\n").text == b"3 of 5 alarms fire\n"
    with pytest.raises(ResultUnreadable, match="No such file"):
        read_brought(tmp_path / "nothing")
