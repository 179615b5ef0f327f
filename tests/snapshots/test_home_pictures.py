"""Pictures of home, compared with those in __snapshots__ (`pytest --snapshot-update`)."""

from __future__ import annotations

import time
from collections.abc import Callable
from html import unescape
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.snapshots.still import Still
from tui.home_app import HomeApp

Compare = Callable[..., bool]


async def settled(pilot: Pilot[Any], condition: Callable[[str], bool]) -> None:
    """Wait until something holds of the picture and it stands still; fails after forty seconds."""
    deadline = time.monotonic() + 40
    before, now = "", painted(pilot)
    while not condition(now) or before != now:
        assert time.monotonic() < deadline, before
        await pilot.pause(0.05)
        before, now = now, painted(pilot)


def painted(pilot: Pilot[Any]) -> str:
    """Return the picture as it is now."""
    return unescape(pilot.app.export_screenshot(simplify=True)).replace("\xa0", " ")


async def listed(pilot: Pilot[Any]) -> None:
    """Wait until files and workflows have been read."""
    await settled(pilot, lambda text: "firing-alarms" in text or pilot.app.size.width < 100)
    await settled(pilot, lambda text: "waiting for a decision" in text)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)])
def test_home(snap_compare: Compare, size: tuple[int, int]) -> None:
    """Sessions with sign and word, the marked one in detail, workflows and last questions."""
    assert snap_compare(HomeApp(Still()), terminal_size=size, run_before=listed)


def test_home_without_colour(snap_compare: Compare, monkeypatch: pytest.MonkeyPatch) -> None:
    """With NO_COLOR every state still has its sign and its word."""
    monkeypatch.setenv("NO_COLOR", "1")

    assert snap_compare(HomeApp(Still()), terminal_size=(80, 24), run_before=listed)


def test_the_form_of_a_new_session(snap_compare: Compare) -> None:
    """Question, account, profile and mode fit where there is least room."""

    async def act(pilot: Pilot[Any]) -> None:
        await listed(pilot)
        await pilot.press("n")
        await settled(pilot, lambda text: "A new session" in text)
        await settled(pilot, lambda _: isinstance(pilot.app.focused, Input))

    assert snap_compare(HomeApp(Still()), terminal_size=(80, 24), run_before=act)
