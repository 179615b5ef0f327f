"""What runs of a session print and call, kept for the screen: bounded, newest last, safe to show.

The journal keeps all of it; here a run that prints a million lines costs no more than one that
prints some thousands, and it is never the screen that slows a run down.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, overload

from core.calls import AwsCalled, AwsIntended
from core.events import Fact, PlanProposed, RunFinished, RunInterrupted, RunOutput, RunStarted
from core.safe_text import safe_line, safe_text
from core.session import Session
from sandbox.job import Sha
from tui.plain import clock_time, describe

MOST_ROWS: Final = 20_000
MOST_CHARACTERS: Final = 8_000_000
"""Of one run's output, together."""
MOST_OF_A_ROW: Final = 4_000
_MOST_RUNS = 50
_SAYS: Final = "progress: "
_PROGRESS: Final = re.compile(
    r"^progress: ([0-9]{1,12}) of ([0-9]{1,12})( [^\n]{1,60})?$", re.MULTILINE | re.ASCII
)
"""What a script prints to tell how far it has come (docs/result.md)."""


class Ring(Sequence[str]):
    """The last rows of something that may never end."""

    def __init__(self, most: int = MOST_ROWS, characters: int = MOST_CHARACTERS) -> None:
        self._rows: list[str] = []
        self._first = 0
        self._most, self._room = most, characters
        self._size = 0
        self.total = 0
        """Rows that there have been."""

    @property
    def dropped(self) -> int:
        """Rows that are kept no more."""
        return self.total - len(self)

    def extend(self, rows: Iterable[str]) -> None:
        """Add rows, and let go of the oldest where there is no room."""
        for row in rows:
            kept = row if len(row) <= MOST_OF_A_ROW else f"{row[: MOST_OF_A_ROW - 1]}…"
            self._rows.append(kept)
            self._size += len(kept)
            self.total += 1
        while len(self) > self._most or self._size > self._room:
            self._size -= len(self._rows[self._first])
            self._first += 1
        if self._first > self._most:
            del self._rows[: self._first]
            self._first = 0

    def __len__(self) -> int:
        return len(self._rows) - self._first

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return self._rows[self._first :][place]
        if not 0 <= place < len(self):
            raise IndexError(place)
        return self._rows[self._first + place]


@dataclass(slots=True)
class Watched:
    """One run as the screen sees it."""

    run: str
    step: str
    started_at: int
    purpose: str
    engine: str
    ended_at: int | None = None
    end: str = ""
    result: Sha | None = None
    output: Ring = field(default_factory=Ring)
    calls: Ring = field(default_factory=lambda: Ring(5_000))
    denied: int = 0
    progress: tuple[int, int, str] | None = None
    """How far the script says that it has come: so many, of so many, of what."""


class Runs:
    """The runs of a session, by the step they belong to."""

    def __init__(self) -> None:
        self._known: dict[str, Watched] = {}
        self._step = ""

    def add(self, fact: Fact) -> None:
        """Take in what happened."""
        event = fact.event
        if isinstance(event, PlanProposed):
            self._step = event.step
        elif isinstance(event, RunStarted):
            self._known[event.run] = Watched(
                event.run, self._step, fact.at, event.purpose, safe_line(event.engine)
            )
            while len(self._known) > _MOST_RUNS:
                del self._known[next(iter(self._known))]
        elif isinstance(
            event, RunOutput | AwsCalled | AwsIntended | RunFinished | RunInterrupted
        ) and (watched := self._known.get(event.run)):
            _observe(watched, fact)

    def of(self, step: str) -> Watched | None:
        """Return the latest run of a step."""
        return next((one for one in reversed(self._known.values()) if one.step == step), None)


def _observe(watched: Watched, fact: Fact) -> None:
    match fact.event:
        case RunOutput() as printed:
            watched.output.extend(_printed(printed))
            watched.progress = _progress(printed) or watched.progress
        case AwsCalled() as called:
            watched.denied += called.verdict == "denied"
            watched.calls.extend(_told(fact))
        case AwsIntended():
            watched.calls.extend(_told(fact))
        case RunFinished(result=result):
            watched.ended_at, watched.result = fact.at, result
            watched.end = safe_line(describe(fact.event)[0])
        case RunInterrupted():
            watched.ended_at = fact.at
            watched.end = safe_line(describe(fact.event)[0])


def _printed(event: RunOutput) -> Iterator[str]:
    if not event.text:
        yield f"... {event.dropped} bytes of {event.stream} are missing here ..."
        return
    mark = "! " if event.stream == "stderr" else ""
    for line in safe_text(event.text).split("\n")[: None if event.text[-1] != "\n" else -1]:
        yield f"{mark}{line.expandtabs(4)}"


def _progress(event: RunOutput) -> tuple[int, int, str] | None:
    """Return how far the script says that it has come, by its last word about that."""
    if event.stream != "stdout" or _SAYS not in event.text:
        return None
    found = list(_PROGRESS.finditer(event.text))
    if not found:
        return None
    done, whole, what = found[-1].groups()
    return int(done), int(whole), safe_line(what or "").strip()


def _told(fact: Fact) -> Iterator[str]:
    sign = {"allowed": "✓ ", "denied": "✗ "}.get(getattr(fact.event, "verdict", ""), "")
    _, _, told = describe(fact.event)[0].partition(" ")  # the run's own page need not name it
    yield f"{clock_time(fact.at)}  {sign}{safe_line(told)}"


def summary(watched: Watched, session: Session, now: int) -> list[str]:
    """Return in a few words each: how a run stands, and how much of its limits is used."""
    limits = session.started.limits
    spent = max(0, (watched.ended_at or now) - watched.started_at)
    calls = watched.calls.total
    told = [
        watched.end or f"{watched.run} runs in {watched.engine}",
        *([_how_far(*watched.progress)] if watched.progress else []),
        f"{spent / 1000:.0f} of {limits.wall_ms / 1000:.0f} s {bar(spent, limits.wall_ms)}",
        f"{calls} of {limits.aws_calls} calls, {watched.denied} denied",
        f"{watched.output.total} line{'s' * (watched.output.total != 1)}",
    ]
    if watched.output.dropped:
        told.append(f"the first {watched.output.dropped} are in the record only")
    return told


def _how_far(done: int, whole: int, what: str) -> str:
    return f"{done} of {whole}{f' {what}' if what else ''} {bar(done, whole)}"


def bar(spent: int, whole: int, cells: int = 8) -> str:
    """Return how much of something is used, as a picture whose meaning stands beside it."""
    filled = min(cells, cells * spent // whole) if whole else 0
    return "█" * filled + "░" * (cells - filled)
