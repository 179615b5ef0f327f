"""The timeline of a session: its turning events, a line each, with the time of each."""

from __future__ import annotations

from dataclasses import dataclass

from core.events import BULK, Fact
from core.safe_text import safe_line
from tui.plain import describe

_LEFT_OUT = frozenset(
    {*BULK, "aws.intended", "model.answered", "draft.generated", "review.finished"}
)
"""What says little to somebody who reads how it went."""
_PARTS_OF_A_SECOND = 1000


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that turned the session, safe to show."""

    at: int
    text: str


def moment(fact: Fact) -> Moment | None:
    """Return what a fact says on the timeline, if anything."""
    if fact.event.kind in _LEFT_OUT:
        return None
    return Moment(fact.at, safe_line(describe(fact.event)[0]))


def since(at: int, start: int) -> str:
    """Return a time as minutes and seconds since the session began."""
    seconds = max(0, at - start) // _PARTS_OF_A_SECOND
    hours, minutes = divmod(seconds // 60, 60)
    clock = f"{minutes:02d}:{seconds % 60:02d}"
    return f"{hours}:{clock}" if hours else clock
