"""A model that answers from a list or a function: for demonstrations and tests, without a network.

A function is given everything that a server would be given, so that a test can refuse to answer
what should never have been asked.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from core.errors import ModelError, ModelUnavailable
from core.llm.model import Delta, Question, Reply, Stop, find_object
from core.llm.usage import Usage
from sandbox.job import Json

Answer = Json | str | ModelError | tuple[Stop, str]
"""An object, a text that may hold one, an error to raise, or a text that stopped early."""


@dataclass(slots=True)
class Scripted:
    """`Model` over prepared answers; keeps what it was asked."""

    answers: Sequence[Answer] | Callable[[Question], Answer]
    name: str = "scripted"
    usage: Usage = field(default_factory=Usage)
    asked: list[Question] = field(default_factory=list)

    @asynccontextmanager
    async def ask(self, question: Question) -> AsyncIterator[AsyncIterator[Delta | Reply]]:
        """See `Model.ask`; raises ModelUnavailable when the answers are used up."""
        self.asked.append(question)
        answer = self._next(question)
        if isinstance(answer, ModelError):
            raise answer
        yield self._tell(*(answer if isinstance(answer, tuple) else ("complete", answer)))

    def _next(self, question: Question) -> Answer:
        if callable(self.answers):
            return self.answers(question)
        if len(self.asked) > len(self.answers):
            raise ModelUnavailable(f"only {len(self.answers)} answers were prepared")
        return self.answers[len(self.asked) - 1]

    async def _tell(self, stop: Stop, said: Json | str) -> AsyncIterator[Delta | Reply]:
        text = said if isinstance(said, str) else json.dumps(said)
        yield Delta("answer", text)
        number = f"scripted-{len(self.asked)}"
        yield Reply(find_object(text), text, stop, self.usage, self.name, number, 1)
