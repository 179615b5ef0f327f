"""What a person asks beside the work, answered by the planner while the work goes on.

The question is on record before anybody is asked. An answer comes back through the loop's inbox as
an event like any other, after what it cost; nothing that waits for a decision changes by it.
Leaving the block ends what is still being asked.

Does not: know what the loop is at, or touch a request.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from core.approval.redeem import Payload
from core.errors import ModelError
from core.events import NoteAdded, NoteAnswered
from core.llm.usage import ModelAnswered, dollars
from core.planner import Explaining, Planner
from core.state import Session

MOST_TEXT = 4_000
"""Characters of an answer."""
NOBODY = "no model works on this session, so nobody answers"
Said = NoteAnswered | ModelAnswered


@dataclass(slots=True)
class Asides:
    """Answers questions, each in a task of its own."""

    planner: Planner
    payload: Payload
    say: Callable[[Said], None]
    """Takes the events of an answer, in order."""
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Answer inside the block; leaving it ends what goes on. Raises what broke an answer."""
        try:
            yield
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def take(self, session: Session, event: object) -> None:
        """Have a question answered that is on record now, as the last event of the session."""
        if isinstance(event, NoteAdded) and event.question:
            work = self._answer(session, session.seq, event.text)
            self._tasks.add(asyncio.create_task(work))

    async def _answer(self, session: Session, note: int, question: str) -> None:
        answered = await self._answered(session, note, question)
        for bill in self.planner.spent() if isinstance(self.planner, Explaining) else ():
            self.say(bill)
        self.say(answered)

    async def _answered(self, session: Session, note: int, question: str) -> NoteAnswered:
        if not isinstance(self.planner, Explaining):
            return NoteAnswered(note, "", NOBODY)
        if why := used_up(session):
            return NoteAnswered(note, "", why)
        try:
            text = await self.planner.explain(session, self.payload, question)
        except ModelError as error:
            return NoteAnswered(note, "", str(error))
        return NoteAnswered(note, text[:MOST_TEXT])


def used_up(session: Session) -> str:
    """Return why nothing more may be asked of a model, a sentence; empty when it may."""
    most = session.started.most_cost
    if most and session.model_cost >= most:
        return f"the {dollars(most)} that models may cost here are used up"
    return ""
