"""A house in which time stands still: home with fixed sessions, for pictures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import UsageError
from core.sessions import Overview
from core.workflows.model import Workflow
from core.workflows.planner import load_library
from tui.house import Wish
from tui.seats import Seat

NOW = 1_793_991_600_000
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
