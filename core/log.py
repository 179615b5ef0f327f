"""The journal as the loop sees it: events in, facts out, one writer thread.

`append` returns when the event is durable; nothing acts on an event before. Payloads are stored
before the events that name them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from core.codec import parse, write
from core.events import Event, Fact, RunOutput
from core.journal.store import Journal
from sandbox.job import Sha

Answer = TypeVar("Answer")


class Log:
    """Appends the events of one session."""

    def __init__(self, journal: Journal, clock: Callable[[], int]) -> None:
        self.journal = journal
        self._clock = clock
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="journal")

    async def append(self, event: Event) -> Fact:
        """Return the fact when it is durable; raises JournalError."""
        item = (self._clock(), event.kind, write(event))
        (entry,) = await self._in_writer(lambda: self.journal.append([item]))
        return Fact(entry.seq, entry.at, event)

    async def keep(self, body: bytes) -> Sha:
        """Store a payload and return its hash when it is durable; raises JournalError."""
        return await self._in_writer(lambda: self.journal.keep(body))

    def payload(self, content: Sha) -> bytes:
        """Return stored bytes; raises JournalError, JournalAltered."""
        return self._writer.submit(self.journal.payload, content).result()

    def facts(self) -> Iterator[Fact]:
        """Return everything that was appended so far, parsed; raises IllegalEvent."""
        entries = self._writer.submit(lambda: list(self.journal.entries())).result()
        return (Fact(entry.seq, entry.at, parse(entry.kind, entry.text)) for entry in entries)

    def printed(self, run: str, most: int) -> str:
        """Return the first `most` characters that a run printed to stdout."""
        text = ""
        for piece in self._pieces(run, "stdout"):
            text += piece
            if len(text) >= most:
                break
        return text[:most]

    def complaint(self, run: str, most: int) -> str:
        """Return the last `most` characters that a run wrote to stderr: a traceback's end."""
        text = ""
        for piece in self._pieces(run, "stderr"):
            text = (text + piece)[-most:]
        return text

    def close(self) -> None:
        """Wait for the writer; the journal itself stays open."""
        self._writer.shutdown(wait=True)

    def _pieces(self, run: str, stream: str) -> Iterator[str]:
        """Yield what a run printed, and in its place a sentence for what was dropped."""
        dropped = 0
        for fact in self.facts():
            event = fact.event
            if isinstance(event, RunOutput) and (event.run, event.stream) == (run, stream):
                if event.text and event.dropped > dropped:
                    yield f"\n... {event.dropped - dropped} bytes dropped ...\n"
                    dropped = event.dropped
                yield event.text

    async def _in_writer(self, work: Callable[[], Answer]) -> Answer:
        return await asyncio.get_running_loop().run_in_executor(self._writer, work)
