"""What goes on beside the work: a person's questions, and looking for a draft's packages.

A question is on record before the planner is asked. What comes of either comes back through the
loop's inbox as an event like any other, an answer after what it cost; nothing that waits for a
decision changes by it. Leaving the block ends what is still going on.

Does not: know what the loop is at, or touch a request.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from core.approval.redeem import Payload
from core.errors import ModelError
from core.events import DraftGenerated, NoteAdded, NoteAnswered, PackagesMissing, ReviewFinished
from core.llm.usage import ModelAnswered, dollars
from core.planner import Explaining, Planner
from core.state import Session

MOST_TEXT = 4_000
"""Characters of an answer."""
NOBODY = "no model works on this session, so nobody answers"
Said = NoteAnswered | ModelAnswered | PackagesMissing
Lacking = Callable[[Sequence[str]], Awaitable[str]]
"""Returns why packages can't be had, by locked lines; empty where nothing speaks against it."""


@dataclass(slots=True)
class Asides:
    """Answers questions and looks for packages, each in a task of its own."""

    planner: Planner
    payload: Payload
    say: Callable[[Said], None]
    """Takes the events of an answer, in order."""
    lacking: Lacking
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Work inside the block; leaving it ends what goes on."""
        try:
            yield
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def take(self, session: Session, event: object) -> None:
        """Take up what follows from the last event of the session, which is on record now."""
        if isinstance(event, NoteAdded) and event.question:
            self._start(self._answer(session, session.seq, event.text))
        draft = session.step.draft if session.step else None
        if isinstance(event, ReviewFinished) and draft and draft.requirements:
            self._start(self._look_for(draft))

    def _start(self, work: Coroutine[None, None, None]) -> None:
        self._tasks.add(asyncio.create_task(work))

    async def _look_for(self, draft: DraftGenerated) -> None:
        if why := await self.lacking(draft.requirements):
            self.say(PackagesMissing(draft.step, draft.version, why))

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
