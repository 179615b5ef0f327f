"""The end of a session is the last event that the loop writes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from core.asides import Asides
from core.decide import Move, decide
from core.events import Event, Fact, NoteAdded, SessionFinished
from core.loop import Command, Loop
from core.session import Session

END = SessionFinished(0, "answered")
LATE = NoteAdded("ada", "and the database?")


class Ends:
    """An engine whose effect is the end of the session."""

    @asynccontextmanager
    async def perform(self, move: Move, session: Session) -> AsyncIterator[AsyncIterator[Event]]:
        del move, session

        async def events() -> AsyncIterator[Event]:
            yield END

        yield events()

    async def kept(self, session: Session, event: Event) -> None:
        """Keep nothing beside what is said."""

    async def lacking(self, lines: Any) -> str:
        del lines
        return ""


class Slow:
    """A journal during whose writing somebody says something."""

    def __init__(self, inbox: asyncio.Queue[Command]) -> None:
        self.written: list[Event] = []
        self._inbox = inbox

    def payload(self, content: str) -> bytes:
        raise KeyError(content)

    async def append(self, event: Event) -> Fact:
        self.written.append(event)
        self._inbox.put_nowait(LATE)
        for _ in range(5):
            await asyncio.sleep(0)
        return Fact(len(self.written) + 2, 2_000, event)


def test_nothing_follows_the_end(story: Any) -> None:
    """What is said while the end is written comes too late, and spoils no record."""

    async def main() -> tuple[Session, list[Event]]:
        made = story().identified()
        engine, inbox = Ends(), asyncio.Queue[Command]()
        log = Slow(inbox)
        loop = Loop(engine, log, inbox, lambda *_: None, lambda: made.now)  # type: ignore[arg-type]  # small ones
        asides = Asides(engine, log.payload, inbox.put_nowait, engine.lacking)  # type: ignore[arg-type]  # it is asked nothing
        return await loop._one(made.session, decide(made.session, made.now), asides), log.written

    session, written = asyncio.run(main())

    assert written == [END]
    assert session.finished == END
