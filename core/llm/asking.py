"""Asks a model for one form: cleaned on the way out, checked on the way in, sent back at most once.

What was wrong with an answer is told to the model in its own conversation; what is still wrong then
is for the caller to drop or to fail over. Every reply is accounted for, useful or not.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from core.errors import ModelBroken, ModelUnavailable
from core.llm.forms import read, schema_of
from core.llm.model import Delta, Model, Question, Reply
from core.llm.outgoing import Outgoing
from core.llm.roles import PARTS, system
from core.llm.usage import ModelAnswered, Role, cost
from sandbox.job import Json

MOST_SECONDS = 600
"""From question to whole answer, repeated requests included."""
Check = Callable[[Any], Awaitable[Sequence[str]]]
"""Returns what is wrong with an answer of the right form, a sentence each; may take its time."""


def ignore(_: Delta) -> None:
    """Show nothing of what a model says while it says it."""


@dataclass(slots=True)
class Asker:
    """Asks models, and keeps the bill until it is collected."""

    outgoing: Outgoing
    fence: str
    """Mark around untrusted lines; a word that nobody outside this process knows."""
    watch: Callable[[Delta], None] = ignore
    _spent: list[ModelAnswered] = field(default_factory=list)

    async def ask(
        self, model: Model, role: Role, texts: Sequence[str], check: Check
    ) -> tuple[Any, Sequence[str]]:
        """Return an answer in the role's form, and what is still wrong with it.

        Raises ModelUnavailable, ModelRefused, and ModelBroken when it has no form.
        """
        part = PARTS[role]
        asked: Json = {"role": "user", "content": list(texts)}
        question = Question(
            role, system(role, self.fence), (asked,), schema_of(part.form), part.effort, part.limit
        )
        reply = await self._reply(model, question)
        answer, wrong = await _judge(part.form, reply, check)
        if wrong:
            messages = (asked, *_sent_back(reply, wrong, question.schema))
            again = Question(
                role, question.system, messages, question.schema, part.effort, part.limit
            )
            reply = await self._reply(model, again)
            answer, wrong = await _judge(part.form, reply, check)
        if answer is None:
            raise ModelBroken(f"{model.name}: {wrong[0]}")
        return answer, wrong

    def spent(self) -> tuple[ModelAnswered, ...]:
        """Return what was answered since the last call."""
        answered = tuple(self._spent)
        self._spent.clear()
        return answered

    async def _reply(self, model: Model, question: Question) -> Reply:
        begun = time.monotonic()
        try:
            async with asyncio.timeout(MOST_SECONDS):
                reply = await self._hear(model, question)
        except TimeoutError as error:
            raise ModelUnavailable(f"{model.name}: no answer in {MOST_SECONDS} s") from error
        ms = round((time.monotonic() - begun) * 1000)
        self._spent.append(_bill(question.role, model.name, reply, ms))
        return reply

    async def _hear(self, model: Model, question: Question) -> Reply:
        async with model.ask(self.outgoing.clean(question)) as stream:
            async for item in stream:
                if isinstance(item, Reply):
                    return item
                self.watch(item)
        raise ModelUnavailable(f"{model.name}: it said nothing")


async def _judge(form: type, reply: Reply, check: Check) -> tuple[Any, Sequence[str]]:
    """Return the answer with what is wrong with it; no answer when it has no form."""
    try:
        answer = read(form, reply.value)
    except ModelBroken as error:
        cut = "the answer was cut off, be briefer; " if reply.stop != "complete" else ""
        return None, (f"{cut}{error}",)
    return answer, await check(answer)


def _sent_back(reply: Reply, wrong: Sequence[str], schema: Json) -> tuple[Json, Json]:
    """Return the two messages that follow an answer with which something is wrong."""
    said = reply.text.strip() or "(nothing)"
    why = "\n".join(f"- {each}" for each in wrong)
    form = json.dumps(schema)
    told = (
        f"Wrong with this answer:\n{why}\nAnswer again, whole: one JSON object of the form {form}"
    )
    return {"role": "assistant", "content": [said]}, {"role": "user", "content": [told]}


def _bill(role: Role, asked: str, reply: Reply, ms: int) -> ModelAnswered:
    usage = reply.usage
    price = cost(reply.model, usage)
    return ModelAnswered(
        role=role,
        model=reply.model,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        cache_read_tokens=usage.cache_read_tokens,
        cache_written_tokens=usage.cache_written_tokens,
        # A server may call a model by a dated name; what was asked for is what is charged.
        cost=cost(asked, usage) if price is None else price,
        ms=ms,
        tries=reply.tries,
        request_id=reply.request_id,
    )
