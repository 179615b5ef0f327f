"""The same screen over a recorded session: everything to see, nothing to decide."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Static

from core.journal.verify import verify
from tui.app import CountersignApp
from tui.playback import Playback
from tui.views import Plan, Row
from tui.widgets.panes import PlanPane

SIZES = [(120, 40), (80, 24)]


@pytest.fixture
def recorded(play: Callable[..., Any], sessions: Callable[[], list[Path]]) -> Path:
    """Return the file of a session with one approved step and an answer."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("a")
        await screen.ended()
        await screen.until(lambda: not screen.app.working, "it is sealed")

    play(walk)
    return sessions()[0]


def text_of(app: App[int]) -> str:
    """Return what the screen shows."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips())


Cells = list[list[tuple[str, str]]]


def cells(app: App[int]) -> Cells:
    """Return what the panes show, character by character with its look."""
    strips = app.screen._compositor.render_strips()[1:-3]
    return [[(each, str(part.style)) for part in row for each in part.text] for row in strips]


async def same(app: App[int], pilot: Pilot[int], live: Cells) -> None:
    """Wait until the panes are, cell by cell, what they were; fails when they never are."""
    deadline = time.monotonic() + 40
    while cells(app) != live:
        assert time.monotonic() < deadline, text_of(app)
        await pilot.pause(0.05)


async def shown(app: App[int], pilot: Pilot[int], text: str) -> None:
    """Wait until the screen shows a text; fails when it does not within forty seconds."""
    deadline = time.monotonic() + 40
    while text not in text_of(app):
        assert time.monotonic() < deadline, text_of(app)
        await pilot.pause(0.02)


@pytest.mark.parametrize("size", SIZES)
def test_a_replay_shows_all_and_decides_nothing(recorded: Path, size: tuple[int, int]) -> None:
    """It begins at the end, walks event by event, says REPLAY, and no key changes the record."""
    before = verify(recorded)

    async def walk() -> None:
        with Playback(recorded) as playback:
            app = CountersignApp(playback, "x")
            async with app.run_test(size=size) as pilot:
                await shown(app, pilot, "The disk is full.")
                assert "REPLAY" in text_of(app)
                await pilot.press("0")
                seen = []
                for _ in range(40):
                    await pilot.press("l")
                    seen.append(text_of(app))
                asks = next(each for each in seen if "decision.requested" in each)
                assert "import boto3" in asks
                assert not any("Approve" in each or "▲ R1" in each for each in seen)
                last = text_of(app)
                await pilot.press("a", "e", "r", "s", "x", "x", "enter", "space", "escape")
                await pilot.pause(0.1)
                assert text_of(app) == last
                assert len(app.screen_stack) == 1
                await pilot.press("h")
                assert text_of(app) != last
                await pilot.press("q")
            assert app.failure is None

    asyncio.run(walk())

    assert verify(recorded) == before


def test_a_replay_shows_what_the_live_screen_showed(
    play: Callable[..., Any], sessions: Callable[[], list[Path]]
) -> None:
    """Request and answer are the same, cell by cell, and the same pane has the keys."""
    live: list[Cells] = []

    async def walk(screen: Any) -> None:
        await screen.armed()
        live.append(cells(screen.app))
        await screen.press("a")
        await screen.ended()
        await screen.until(lambda: "LIKELY" in screen.text, "the answer")
        await screen.until(lambda: not screen.app.working, "it is sealed")
        live.append(cells(screen.app))

    play(walk)

    async def again() -> None:
        with Playback(sessions()[0]) as playback:
            app = CountersignApp(playback, "x")
            async with app.run_test(size=(120, 40)) as pilot:
                await shown(app, pilot, "LIKELY")
                await same(app, pilot, live[1])
                while "decision.requested" not in text_of(app):
                    await pilot.press("h")
                    await pilot.pause()
                await same(app, pilot, live[0])

    asyncio.run(again())


def test_a_text_is_laid_out_for_the_room_it_gets() -> None:
    """A pane that is not shown has no room and no text; shown, its rows are as wide as it is."""

    class Room(App[int]):
        def compose(self) -> ComposeResult:
            pane = PlanPane()
            pane.display = False
            yield pane

    async def walk() -> None:
        app = Room()
        async with app.run_test(size=(80, 24)) as pilot:
            pane, row = app.query_one(PlanPane), Row("Tier", "a value of more than ten columns")
            pane.paint(Plan("", "why", (row,), "", (), ()))
            assert str(pane.query_one(Static).content) == ""
            pane.display = True
            await shown(app, pilot, "Tier  a value of more than ten columns")

    asyncio.run(walk())


def test_a_replay_is_walked_by_what_is_looked_for(recorded: Path) -> None:
    """Decisions, steps, times and texts are jumped to; the badge tells time and verification."""

    async def walk() -> None:
        with Playback(recorded) as playback:
            app = CountersignApp(playback, "x")
            async with app.run_test(size=(120, 40)) as pilot:
                await shown(app, pilot, "The disk is full.")
                await pilot.press("0", "greater_than_sign")
                await shown(app, pilot, "decision.made")
                badge = r"decision\.made · [0-9:]{8} UTC \+[0-9:]{5} · record intact"
                assert re.search(badge, text_of(app)), text_of(app).split("\n")[-3]
                await pilot.press("left_parenthesis")
                await shown(app, pilot, "plan.proposed")
                await pilot.press("exclamation_mark")
                await shown(app, pilot, "no error after this event")
                await pilot.press("dollar_sign", "greater_than_sign")
                await shown(app, pilot, "no decision after this event: < goes to one before it")
                await pilot.press("F", *"alarms fire", "enter", "g")
                await shown(app, pilot, "run.output")
                await pilot.press("T", *"+00:00", "enter", "g")
                await pilot.press("0", "l")
                await shown(app, pilot, "2 of ")
            assert app.failure is None

    asyncio.run(walk())
