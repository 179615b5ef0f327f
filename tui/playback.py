"""A recorded session as a scene: the same screen, event by event, and nothing to decide."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import Self

from core.codec import parse
from core.errors import IllegalEvent
from core.events import BULK, DecisionRequested, Fact
from core.journal.store import Reader, read
from core.journal.verify import verify
from core.session import Session, apply, begin
from sandbox.job import Sha
from tui.moments import Moment, moment, since
from tui.plain import clock_time
from tui.running import Runs
from tui.scene import Lines, Versions
from tui.walking import Mark, next_marked, next_text, place_at


class Playback:
    """Stands at one event of a recording; bulk events go with the one before them."""

    replay = True
    asked: DecisionRequested | None = None

    def __init__(self, path: Path) -> None:
        """Read it whole; raises JournalError, IllegalEvent. Use as a context manager."""
        self.verdict = verify(path).verdict
        self._open = ExitStack()
        self._reader: Reader = self._open.enter_context(read(path))
        self._facts = [
            Fact(entry.seq, entry.at, parse(entry.kind, entry.text))
            for entry in self._reader.entries()
        ]
        self._sessions = _sessions(self._facts)
        self._stops = _stops(self._facts)
        self._at = len(self._stops) - 1
        self._runs = (-1, Runs())
        """What runs had told at a place, and at which."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file; may be called again."""
        self._open.close()

    @property
    def place(self) -> str:
        fact = self._facts[self._stops[self._at]]
        moment = f"{clock_time(fact.at)} UTC +{since(fact.at, self._facts[0].at)}"
        where = f"{self._at + 1} of {len(self._stops)} · {fact.event.kind}"
        return f"{where} · {moment} · record {self.verdict}"

    @property
    def session(self) -> Session | None:
        return self._sessions[self._stops[self._at]]

    @property
    def lines(self) -> Lines:
        lines = Lines()
        for fact in self._facts[: self._stops[self._at] + 1]:
            lines.add(fact)
        return lines

    @property
    def runs(self) -> Runs:
        if self._runs[0] != self._at:
            self._runs = (self._at, Runs())
            for fact in self._facts[: self._stops[self._at] + 1]:
                self._runs[1].add(fact)
        return self._runs[1]

    def body(self, content: Sha) -> bytes:
        return self._reader.payload(content)

    @property
    def moments(self) -> tuple[Moment, ...]:
        told = (moment(fact) for fact in self._facts[: self._stops[self._at] + 1])
        return tuple(each for each in told if each)

    @property
    def versions(self) -> Versions:
        versions = Versions()
        for fact in self._facts[: self._stops[self._at] + 1]:
            versions.add(fact.event)
        return versions

    def now(self) -> int:
        return self._facts[self._stops[self._at]].at

    def script(self, content: Sha) -> bytes:
        return self._reader.payload(content)

    def move(self, by: int) -> None:
        """Go so many events on, or back; stays at the ends."""
        self._at = max(0, min(len(self._stops) - 1, self._at + by))

    def move_to(self, mark: Mark, by: int) -> bool:
        """Go to the next place that is so marked, or the one before; False when there is none."""
        return self._stand(next_marked(self._facts, self._stops, self._at, mark, by))

    def has(self, mark: Mark, by: int) -> bool:
        """Tell whether there is a place that is so marked, further on or before."""
        return next_marked(self._facts, self._stops, self._at, mark, by) is not None

    def move_to_text(self, text: str) -> bool:
        """Go to the next place that says this; False when there is none."""
        return self._stand(next_text(self._facts, self._stops, self._at, text))

    def move_to_time(self, text: str) -> bool:
        """Go to a time; False when the text is none."""
        return self._stand(place_at(self._facts, self._stops, text))

    def _stand(self, place: int | None) -> bool:
        if place is not None:
            self._at = place
        return place is not None


def _sessions(facts: list[Fact]) -> list[Session]:
    """Return the session after each fact; they share everything that did not change."""
    if not facts:
        raise IllegalEvent("the journal holds no events")
    sessions = [begin(facts[0])]
    for fact in facts[1:]:
        sessions.append(apply(sessions[-1], fact))
    return sessions


def _stops(facts: list[Fact]) -> list[int]:
    """Return the places to stand at: the last of each turning event and the bulk that follows."""
    following = [*facts[1:], None]
    return [
        place
        for place, after in enumerate(following)
        if after is None or after.event.kind not in BULK
    ]
