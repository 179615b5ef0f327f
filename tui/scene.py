"""What a screen can show: a session that goes on (bridge.py), or a recorded one (playback.py)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Protocol

from core.events import DecisionMade, DecisionRequested, Event, Fact, ReviewFinished
from core.session import Session
from core.step import Step, Turn
from sandbox.job import Sha
from tui.moments import Moment
from tui.plain import fact_text
from tui.running import Runs

MOST_LINES = 5_000
"""Lines of activity that the screen keeps; the journal keeps all."""


class Lines:
    """The end of the activity, safe to show, and how much of it there has been."""

    def __init__(self) -> None:
        self.total = 0
        self.era = 0
        """Another one, other lines: what was painted of these before is no beginning of them."""
        self._kept: deque[str] = deque(maxlen=MOST_LINES)

    def add(self, fact: Fact) -> None:
        """Add what a fact says."""
        text = fact_text(fact)
        for line in text.splitlines():
            self._kept.append(line)
            self.total += 1

    def after_those(self, facts: Iterable[Fact]) -> Lines:
        """Return these lines with what earlier facts say before them."""
        whole = Lines()
        for fact in facts:
            whole.add(fact)
        whole._kept.extend(self._kept)
        whole.total += self.total
        whole.era = self.era + 1
        return whole

    def after(self, seen: int) -> Iterator[str]:
        """Yield the lines that came after the first `seen`, as far as they are kept."""
        return islice(self._kept, max(0, len(self._kept) - (self.total - seen)), None)


class Versions:
    """What became of each version of each step: a session keeps that of the latest only."""

    def __init__(self) -> None:
        self._reviews: dict[tuple[str, int], ReviewFinished] = {}
        self._requests: dict[tuple[str, int], DecisionRequested] = {}
        self._decisions: dict[str, DecisionMade] = {}

    def add(self, event: Event) -> None:
        """Take in what happened."""
        match event:
            case ReviewFinished():
                self._reviews[event.step, event.version] = event
            case DecisionRequested():
                self._requests[event.step, event.version] = event
            case DecisionMade():
                self._decisions[event.request] = event

    def at(self, step: Step, version: int) -> Step:
        """Return a step as it stood when this version of it was decided on."""
        if version >= len(step.drafts):
            return step
        key = (step.plan.step, version)
        request = self._requests.get(key)
        return replace(
            step,
            drafts=step.drafts[:version],
            review=self._reviews.get(key),
            turns=(Turn(request, self._decisions.get(request.request)),) if request else (),
            closed=False,
        )


class Scene(Protocol):
    """A session at one moment."""

    @property
    def replay(self) -> bool:
        """Nothing here can be decided or stopped."""
        ...

    @property
    def place(self) -> str:
        """Where in a recording this is; empty for a session that goes on."""
        ...

    @property
    def session(self) -> Session | None:
        """None before the session has begun."""
        ...

    @property
    def asked(self) -> DecisionRequested | None:
        """The request that waits for a person at this screen."""
        ...

    @property
    def lines(self) -> Lines: ...

    @property
    def runs(self) -> Runs:
        """What runs printed and called so far."""
        ...

    def body(self, content: Sha) -> bytes:
        """Return what is stored under a hash; slow, raises JournalError."""
        ...

    @property
    def moments(self) -> Sequence[Moment]:
        """The timeline so far."""
        ...

    @property
    def versions(self) -> Versions: ...

    def now(self) -> int:
        """Return milliseconds since the epoch, of the session's clock."""
        ...

    def script(self, content: Sha) -> bytes:
        """Return a draft's script by its hash."""
        ...
