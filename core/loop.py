"""The loop of a session: decide, perform, append, show; and again.

An event is appended before it is applied, shown, or acted on. Commands from a person arrive through
the inbox while something goes on; those that end it do so by leaving the block of `perform`, after
which everything it started is dead. If the journal can't be written the block is left the same way.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from core.asides import Asides, Said
from core.decide import Ask, Done, Execute, HandOver, Move, Record, decide
from core.errors import Left
from core.events import (
    Event,
    Fact,
    GrantGiven,
    GrantRevoked,
    ModeChanged,
    NoteAdded,
    RunInterrupted,
    StopRequested,
)
from core.log import Log
from core.session import Session, apply

if TYPE_CHECKING:
    from core.engine import Engine  # it loads much: who only speaks of commands needs none of it


@dataclass(frozen=True, slots=True)
class Quit:
    """Leave now; the session stays open and can be resumed."""


Command = StopRequested | NoteAdded | ModeChanged | GrantGiven | GrantRevoked | Quit | Said
"""What a person may say at any time, and answers to that; all but Quit are events themselves."""
COMMANDS = (NoteAdded, ModeChanged, GrantGiven, GrantRevoked)
"""The events among them that go on."""


@dataclass(frozen=True, slots=True)
class Loop:
    """Brings sessions to their end."""

    engine: Engine
    log: Log
    inbox: asyncio.Queue[Command]
    show: Callable[[Session, Fact], None]
    """Called after each fact is durable; for the screen, the plain text, or the JSON lines."""
    clock: Callable[[], int]
    """Milliseconds since the epoch."""

    async def work(self, session: Session) -> Session:
        """Bring `session` to its end; raises Left, NoApprover and whatever effects raise."""
        engine, say = self.engine, self.inbox.put_nowait
        asides = Asides(engine.planner, self.log.payload, say, engine.lacking)
        async with asides.open():
            while not isinstance(move := decide(session, self.clock()), Done):
                session = await self._one(session, move, asides)
        return session

    async def _one(self, session: Session, move: Move, asides: Asides) -> Session:
        left = False
        async with (
            self.engine.perform(move, session) as events,
            aclosing(_either(events, self.inbox)) as arriving,
        ):
            async for event in arriving:
                left = isinstance(event, Quit)
                if isinstance(event, Quit):
                    break
                session = await self._append(session, event)
                if session.finished is not None:
                    break  # nothing follows the end, also not what was said while it was written
                asides.take(session, event)
                if isinstance(event, COMMANDS) and (also := await self.engine.kept(session, event)):
                    session = await self._append(session, also)
                if isinstance(event, StopRequested) or self._overtaken(session, move, event):
                    break
        if left:
            await self._leave(session)
        return session

    def _overtaken(self, session: Session, move: Move, event: Event) -> bool:
        """Tell whether a command made something else of what was about to be decided or run.

        A person who is asked stays asked: nothing but stopping withdraws the question.
        """
        waiting = isinstance(move, Ask | HandOver | Execute | Record) and session.open_run is None
        if not waiting or isinstance(event, NoteAdded) or not isinstance(event, COMMANDS):
            return False
        return decide(session, self.clock()) != move

    async def _append(self, session: Session, event: Event) -> Session:
        fact = await self.log.append(event)
        session = apply(session, fact)
        self.show(session, fact)
        return session

    async def _leave(self, session: Session) -> None:
        if run := session.open_run:
            why = "left by a person; the process tree is dead"
            await self._append(session, RunInterrupted(run.started.run, why))
        raise Left(f"session {session.id} stays open")


async def _either(
    events: AsyncIterator[Event], inbox: asyncio.Queue[Command]
) -> AsyncGenerator[Event | Quit, None]:
    """Yield events and commands as they come, until the events end."""
    command = asyncio.create_task(inbox.get())
    event = asyncio.create_task(_next(events))
    try:
        while True:
            await asyncio.wait({command, event}, return_when=asyncio.FIRST_COMPLETED)
            if command.done():
                yield command.result()
                command = asyncio.create_task(inbox.get())
            if event.done():
                happened = event.result()
                if happened is None:
                    return
                yield happened
                event = asyncio.create_task(_next(events))
    finally:
        command.cancel()
        event.cancel()
        await asyncio.gather(command, event, return_exceptions=True)


async def _next(events: AsyncIterator[Event]) -> Event | None:
    return await anext(events, None)
