"""What home shows: read from the ends of session files, safe to show, filtered by words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.answer import conclude
from core.codec import write
from core.events import Fact, ResultTaken, RunOutput, RunStarted, SessionFinished
from core.journal.store import Journal
from core.sessions import Overview, overview, overviews
from tui import homing
from tui.home_actions import HOME_ACTIONS, AtHome, why_not
from tui.homing import Here

HOSTILE = "a\x1b]52;c;x\x07b\u202ec\u200bd\x9be"
FORBIDDEN = {"enter", "space", "escape", "tab", "ctrl+m", "ctrl+j", "ctrl+i", "ctrl+h", "y"}
FOUND = Overview(
    "20261120T181203-a1b2c3", Path("/x.db"), question="why?", account="shop 1", last_at=1_000
)


def kept(folder: Path, facts: list[Fact], name: str = "20261120T181203-a1b2c3") -> Path:
    """Return the file of a session with these facts, unsealed."""
    path = folder / f"{name}.db"
    with Journal.create(path, name) as journal:
        journal.append([(fact.at, fact.event.kind, write(fact.event)) for fact in facts])
    return path


def test_a_file_tells_how_it_stands(tmp_path: Path, story: Callable[..., Any]) -> None:
    """Open, waiting for a decision, answered, failed: each from its last events."""
    told = story().identified().drafted().reviewed()
    told.requested()
    waiting = overview(kept(tmp_path / "a", told.facts))
    told.decided("reject", comment="no")
    opened = overview(kept(tmp_path / "b", told.facts))
    told.add(conclude("likely", "The disk is full.", [], []))
    ends = [SessionFinished(code, "done") for code in (0, 4)]
    ended = [
        overview(kept(tmp_path / str(end.exit_code), [*told.facts, Fact(99, 9_000, end)]))
        for end in ends
    ]

    states = [each.state for each in (waiting, opened, *ended)]
    assert states == ["waiting", "open", "answered", "failed"]
    assert (waiting.question, waiting.account) == ("why?", "shop 123456789012")
    assert (ended[0].status, ended[0].cause) == ("inconclusive", "The disk is full.")
    assert (ended[1].exit_code, ended[1].last_at) == (4, 9_000)


def test_what_is_handed_over_waits_too(tmp_path: Path, story: Callable[..., Any]) -> None:
    """Manual mode: it waits for what a person finds, and goes on when that was brought back."""
    told = story(mode="manual").identified().drafted().reviewed()
    request = told.requested()
    waiting = overview(kept(tmp_path / "a", told.facts))
    told.add(ResultTaken(request.request, request.digest, "ada", "tui", None, None))

    assert waiting.state == "waiting"
    assert overview(kept(tmp_path / "b", told.facts)).state == "open"


def test_a_long_session_is_told_from_its_ends(tmp_path: Path, story: Callable[..., Any]) -> None:
    """What was asked at the start and how it ended at the end, whatever lies between."""
    told = story().identified().drafted().reviewed()
    request = told.requested()
    told.decided()
    told.add(RunStarted("X1", request.request, "run", request.digest, "replayed", ()))
    for number in range(300):
        told.add(RunOutput("X1", "stdout", number, "x\n", 0))

    found = overview(kept(tmp_path, told.facts))

    assert (found.question, found.state, found.events) == ("why?", "open", len(told.facts))


def test_a_file_that_is_no_session_says_so(tmp_path: Path) -> None:
    """One broken file keeps no other from being listed."""
    (tmp_path / "b.db").write_bytes(b"nothing")
    (tmp_path / "a.db").write_bytes(b"")

    assert [(each.session, each.state) for each in overviews(tmp_path)] == [
        ("b", "unreadable"),
        ("a", "unreadable"),
    ]


def test_what_is_open_here_comes_first_and_once(story: Callable[..., Any]) -> None:
    """A session that is open at this screen hides its file; its state is that of now."""
    told = story().identified().drafted().reviewed()
    told.requested()
    here = Here("seat-1", "why?", told.session, asked=True, replay=False, problem="")
    files = [FOUND, replace(FOUND, session="20261119T000000-000000", state="answered")]

    found = homing.entries([here], files, 60_000)

    assert [(each.key, each.standing, each.here) for each in found] == [
        ("seat-1", "waiting", True),
        ("20261119T000000-000000", "answered", False),
    ]
    assert homing.caption(found, 3) == "2 of 3 · 1 waiting"


@pytest.mark.parametrize(
    ("wanted", "number"), [("", 1), ("WHY", 1), ("why open", 1), ("why sealed", 0), ("shop", 1)]
)
def test_a_filter_asks_for_every_word(wanted: str, number: int) -> None:
    """Words of question, account, name and state, in any order and case."""
    assert len(homing.entries([], [FOUND], 60_000, wanted)) == number


def test_nothing_of_a_file_talks_to_the_terminal() -> None:
    """Question, account, cause and problem are made visible wherever home shows them."""
    evil = replace(FOUND, question=HOSTILE, account=HOSTILE, cause=HOSTILE, status="likely")
    broken = replace(evil, state="unreadable", problem=HOSTILE, identity=HOSTILE, started_at=1)
    (entry,) = homing.entries([], [broken], 60_000)
    rows = [*homing.detail(broken, HOSTILE), *homing.library((), [evil])]

    shown = f"{entry.question}{entry.account}{''.join(row.name + row.value for row in rows)}"
    assert not set("\x1b\x07\u202e\u200b\x9b") & set(shown)
    assert shown.count("␛") >= 6


def test_the_last_questions_are_offered_once() -> None:
    """The newest first, each once, no more than a few."""
    files = [replace(FOUND, question=f"q{number % 10}") for number in range(30)]

    assert homing.recent(files) == tuple(f"q{number}" for number in range(homing.MOST_RECENT))


@pytest.mark.parametrize(
    ("seconds", "text"), [(59, "now"), (60, "1m"), (7_200, "2h"), (172_800, "2d")]
)
def test_an_age_is_as_short_as_its_column(seconds: int, text: str) -> None:
    """Minutes, hours, days."""
    assert homing.age(seconds * 1000) == text


def test_keys_of_home_name_one_action_each() -> None:
    """No key twice, none that people press without thinking."""
    keys = Counter(key for action in HOME_ACTIONS for key in action.keys)

    assert [key for key, times in keys.items() if times > 1] == []
    assert set(keys) & FORBIDDEN == set()


@pytest.mark.parametrize(
    ("now", "possible"),
    [
        (AtHome(), set()),
        (AtHome(chosen=True), {"open", "replay", "verify"}),
        (AtHome(chosen=True, resumable=True), {"open", "replay", "verify", "resume"}),
        (AtHome(chosen=True, here=True), {"open", "replay"}),
        (AtHome(waiting=1), {"waiting"}),
    ],
)
def test_an_action_of_home_makes_sense_or_says_why_not(now: AtHome, possible: set[str]) -> None:
    """What has ended is not resumed, what is open is not verified, what is not there not opened."""
    about = ("open", "replay", "verify", "resume", "waiting")

    assert {name for name in about if not why_not(name, now)} == possible
