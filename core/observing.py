"""What a run tells, as events of its session: without secrets, and in a form that can be stored.

Looking for secrets in large answers takes seconds, so it is done in a thread. An intent goes on
record and only then, when the loop asks for what comes next, the gateway hears that it may send.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping
from typing import Any, Protocol

from core.calls import AwsCalled, AwsIntended
from core.events import Event, RunFinished
from core.log import Log
from core.output import Lines
from sandbox.job import AwsCall, Called, Finished, Intended, JobEvent, Output, Sha

_UNIDENTIFIED = AwsCall("", "", "", {})
"""What is recorded of a request that could not be read as a call."""


class Redact(Protocol):
    """Takes secrets out of what is about to be stored."""

    def redact(self, text: str) -> str: ...
    def redact_json(self, value: Any) -> Any: ...
    def redact_bytes(self, data: bytes) -> bytes: ...
    def learn(self, values: Iterable[str]) -> None: ...


class Observer:
    """Turns what runs tell into events; bodies are stored and named by their hash."""

    def __init__(self, redactor: Redact, log: Log) -> None:
        self._redactor = redactor
        self._log = log

    async def observe(
        self, run: str, happening: AsyncIterator[JobEvent]
    ) -> AsyncGenerator[Event, None]:
        """Yield the events of a run; each must be durable before the next one is asked for."""
        lines = Lines(run, self._redactor.redact)
        async for event in happening:
            match event:
                case Output():
                    for printed in lines.add(event):
                        yield printed
                case Intended():
                    yield await self._intended(run, event)
                    event.go()  # asked for more: the intent is durable
                case Called():
                    yield await self._called(run, event)
                case Finished():
                    for printed in lines.rest():
                        yield printed
                    yield await self._finished(run, event)

    async def _intended(self, run: str, intended: Intended) -> AwsIntended:
        redactor, call, verdict = self._redactor, intended.call, intended.verdict
        redactor.learn(intended.sensitive)
        return AwsIntended(
            run=run,
            number=intended.number,
            service=call.service,
            operation=call.operation,
            region=call.region,
            parameters=await self._redacted(call.parameters),
            reason=redactor.redact(verdict.reason),
            action=verdict.action,
            tier=verdict.tier,
            principal=redactor.redact(call.principal),
        )

    async def _called(self, run: str, called: Called) -> AwsCalled:
        redactor, response = self._redactor, called.response
        call = called.call or _UNIDENTIFIED
        redactor.learn(called.sensitive)
        stored = None
        if response is not None:
            redactor.learn(response.sensitive)
            stored = await self._keep_redacted(response.body)
        return AwsCalled(
            run=run,
            number=called.number,
            service=call.service,
            operation=call.operation,
            region=call.region,
            parameters=await self._redacted(call.parameters),
            verdict="allowed" if called.verdict.allowed else "denied",
            reason=redactor.redact(called.verdict.reason),
            action=called.verdict.action,
            tier=called.verdict.tier,
            status=called.status,
            request_id=storable(called.request_id),
            ms=called.ms,
            response=stored,
            headers=await self._redacted(response.headers) if response else {},
            principal=redactor.redact(call.principal),
            age_ms=response.age_ms if response else 0,
            cost=response.cost if response else called.cost,
            dropped=response.dropped if response else 0,
        )

    async def _finished(self, run: str, finished: Finished) -> RunFinished:
        result, redactor = finished.result, self._redactor
        kept = None if result.result is None else await self._keep_redacted(result.result)
        return RunFinished(
            run=run,
            outcome=result.outcome,
            code=result.code,
            limit=result.limit,
            result=kept,
            artifacts={
                redactor.redact(path): await self._keep_redacted(body)
                for path, body in result.artifacts.items()
            },
            problems=tuple(redactor.redact(each) for each in result.problems),
        )

    async def _redacted(self, fields: Mapping[str, Any]) -> dict[str, Any]:
        """Return fields as they can be stored; in a thread, since they may hold an upload."""
        redacted: dict[str, Any] = await asyncio.to_thread(
            lambda: self._redactor.redact_json(plain(fields))
        )
        return redacted

    async def _keep_redacted(self, body: bytes) -> Sha:
        """Store a body without its secrets; in a thread, as looking for them takes seconds."""
        redacted = await asyncio.to_thread(self._redactor.redact_bytes, body)
        return await self._log.keep(redacted)


def plain(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return a call's parameters as JSON that can be stored: times as ISO 8601, bytes as base64.

    What JSON and UTF-8 don't have, NaN and half surrogate pairs, is kept as a text, or as "?".
    """
    text = json.dumps(dict(parameters), default=_spell, ensure_ascii=False)
    document: dict[str, Any] = json.loads(storable(text), parse_constant=str)
    return document


def storable(text: str) -> str:
    """Return a text that UTF-8 has: halves of surrogate pairs become "?"."""
    return text.encode("utf-8", errors="replace").decode("utf-8")


def _spell(value: Any) -> str:
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    return value.isoformat() if hasattr(value, "isoformat") else str(value)
