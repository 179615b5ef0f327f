"""Pictures of home, compared with those in __snapshots__ (`pytest --snapshot-update`)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from core.errors import UsageError
from core.sessions import Overview
from core.workflows.model import Workflow
from core.workflows.planner import load_library
from tui.home_app import HomeApp
from tui.house import Wish
from tui.seats import Seat

NOW = 1_793_991_600_000
Compare = Callable[..., bool]
FIRST = Overview(
    session="20261106T210600-a1b2c3",
    path=Path("/data/sessions/20261106T210600-a1b2c3.db"),
    state="waiting",
    question="Why is checkout returning 503s?",
    mode="guided",
    source="live",
    account="shop-prod 123456789012",
    identity="mira",
    started_at=NOW - 500_000,
    last_at=NOW - 400_000,
    events=42,
)
FILES = (
    FIRST,
    Overview(
        session="20261105T081500-0a0b0c",
        path=Path("/data/sessions/20261105T081500-0a0b0c.db"),
        state="answered",
        question="Why does the shop return 502?",
        mode="automated",
        source="simulated:" + "f" * 64,
        account="lantern-prod 415290837612",
        identity="mira",
        started_at=NOW - 130_000_000,
        last_at=NOW - 129_000_000,
        events=112,
        exit_code=0,
        reason="answered",
        status="confirmed",
        cause="The security group lets nothing in from the load balancer.",
        sealed=True,
    ),
    Overview("20261101T000000-000000", Path("/x.db"), "unreadable", problem="it is no journal"),
)


@dataclass(frozen=True, slots=True)
class Still:
    """A house in which time stands still and nothing can be opened."""

    mode: str = "guided"
    modes: tuple[str, ...] = ("guided", "automated")
    place: str = "~/.local/share/countersign"

    def now(self) -> int:
        return NOW

    def sessions(self) -> tuple[Overview, ...]:
        return FILES

    def workflows(self) -> tuple[Workflow, ...]:
        return tuple(load_library().values())

    def sources(self) -> tuple[str, ...]:
        return ("live", "simulated:shop-502")

    def verify(self, path: Path) -> str:
        return "record intact"

    def begin(self, wish: Wish) -> Seat:
        raise UsageError("nothing is begun in a picture")

    def resume(self, session: str) -> Seat:
        raise UsageError("nothing is begun in a picture")

    def replay(self, session: str) -> Seat:
        raise UsageError("nothing is begun in a picture")


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
