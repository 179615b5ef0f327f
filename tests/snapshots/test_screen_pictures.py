"""Pictures of the screen, compared with those in __snapshots__ (`pytest --snapshot-update`).

Sessions, clocks and sizes are fixed, so a picture changes only when the screen does. Look at a
changed picture before taking it over.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from html import unescape
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import ModalScreen

from sandbox.job import Tier
from tui.app import CountersignApp
from tui.bridge import Bridge
from tui.screens.pages import PagesScreen

SETTLED = ("read first", "Look around")
"""What is to be read when a dialog, or a page, has opened over the session."""
SIZES = [(120, 40), (80, 24)]
Compare = Callable[..., bool]


def ready(text: str = "asks because", key: str = "") -> Callable[[Pilot[Any]], Awaitable[None]]:
    """Return what waits for a text, presses a key that moves the focus, and waits until it did."""

    async def act(pilot: Pilot[Any]) -> None:
        await until(pilot, lambda: text in painted(pilot))
        if isinstance(pilot.app.screen, PagesScreen):
            pilot.app.screen._note_seen()  # all is laid out now: nothing is left to count later
            await until(pilot, lambda: True)
        if key == "a":  # what is dangerous is approved only when all of it was on the screen
            await pilot.press("1", *["ctrl+d"] * 12, "2", "G")
            await until(pilot, lambda: "seen 100%" in painted(pilot))
        focused = pilot.app.focused
        if key:
            await pilot.press(key)
            await until(pilot, lambda: pilot.app.focused not in (None, focused))
        if isinstance(pilot.app.screen, ModalScreen):
            await until(pilot, lambda: any(each in painted(pilot) for each in SETTLED))

    return act


async def until(pilot: Pilot[Any], condition: Callable[[], bool]) -> None:
    """Wait until something holds and the picture stands still; fails after forty seconds."""
    deadline = time.monotonic() + 40
    before = ""
    while not condition() or before != painted(pilot):
        assert time.monotonic() < deadline, before
        before = painted(pilot)
        await pilot.pause(0.05)


def painted(pilot: Pilot[Any]) -> str:
    """Return the picture as it is now, with the spaces of a text as a terminal has them."""
    return unescape(pilot.app.export_screenshot(simplify=True)).replace("\xa0", " ")


@pytest.mark.parametrize("size", SIZES)
def test_a_request(
    snap_compare: Compare, asked: Callable[[Tier], Bridge], size: tuple[int, int]
) -> None:
    """Plan, code with its marks, findings, policy, banner and keys."""
    app = CountersignApp(asked(1), "why?")

    assert snap_compare(app, terminal_size=size, run_before=ready())


@pytest.mark.parametrize("key", ["1", "3", "4", "5"])
def test_panes_where_there_is_room_for_one(
    snap_compare: Compare, asked: Callable[[Tier], Bridge], key: str
) -> None:
    """Each pane alone, with the counters of the others in the tabs."""
    app = CountersignApp(asked(1), "why?")

    assert snap_compare(app, terminal_size=(80, 24), run_before=ready(key=key))


@pytest.mark.parametrize("size", SIZES)
def test_an_answer(snap_compare: Compare, answered: Bridge, size: tuple[int, int]) -> None:
    """Cause, evidence, gaps and what was done."""
    app = CountersignApp(answered, "why?")

    assert snap_compare(app, terminal_size=size, run_before=ready("press q to leave"))


@pytest.mark.parametrize("key", ["a", "r", "question_mark"])
def test_a_dialog(snap_compare: Compare, asked: Callable[[Tier], Bridge], key: str) -> None:
    """The second stage, the reason of a reject, and the help."""
    app = CountersignApp(asked(3), "why?")

    assert snap_compare(app, terminal_size=(120, 40), run_before=ready(key=key))


def test_no_colour(
    snap_compare: Compare, asked: Callable[[Tier], Bridge], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With NO_COLOR the same words and signs are there, in grey."""
    monkeypatch.setenv("NO_COLOR", "1")
    app = CountersignApp(asked(1), "why?")

    assert snap_compare(app, terminal_size=(120, 40), run_before=ready())
