"""A model behind Anthropic's Messages API, or behind a server that speaks it.

Answers are streamed, and structured by the first of three ways that the server accepts: a JSON
schema for the output, a strict tool, or JSON in the text. A refused way is not tried again. What
comes back is not trusted to have the form; `core.llm.forms` reads it.

Key and address are always given: the SDK would otherwise take them, headers and more from its
environment. Redirects are not followed, since evidence would follow them. Only the start of a
request is repeated by the SDK; a stream that breaks is begun anew here, once.

Importing this module does not load the SDK (about a second): the first question does, in a thread.
"""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import AsyncIterator, MutableMapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from core.errors import ModelRefused, ModelUnavailable
from core.llm.model import Delta, Question, Reply, Stop, find_object
from core.llm.usage import Usage

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

ADDRESS = "https://api.anthropic.com"
_WAYS = ("schema", "tool", "text")
_CONNECT_S, _SILENCE_S, _RETRIES = 10.0, 120.0, 2
_MOST_STREAMS = 2
_OK = 200
_STOPS: dict[str, Stop] = {
    "max_tokens": "too_long",
    "model_context_window_exceeded": "context_full",
}
_BY_TOOL = "Give your answer by calling the tool `answer`, once."
_BY_TEXT = "Answer with one JSON object in a ```json fence and nothing else. Its JSON schema:\n"


@dataclass(slots=True)
class Server:
    """Where models are, and what was learned about it."""

    key: str = field(repr=False)
    address: str = ADDRESS
    way: int = 0
    """Index of the first way of structuring answers that was not refused."""

    async def open(self) -> AsyncAnthropic:
        """Return a client; the caller closes it."""
        return await asyncio.to_thread(self._open)

    def _open(self) -> AsyncAnthropic:
        forget(os.environ)
        import anthropic

        timeout = anthropic.Timeout(_SILENCE_S, connect=_CONNECT_S)
        return anthropic.AsyncAnthropic(
            api_key=self.key,
            base_url=self.address,
            timeout=timeout,
            max_retries=_RETRIES,
            open_telemetry=False,
            http_client=anthropic.DefaultAsyncHttpxClient(follow_redirects=False, timeout=timeout),
        )


@dataclass(slots=True)
class _Heard:
    """What a stream has told so far."""

    text: str = ""
    tool: str = ""
    usage: dict[str, int] = field(default_factory=dict)
    model: str = ""
    stop: str = ""
    details: str = ""
    request_id: str = ""

    def take(self, event: Any) -> Delta | None:
        """Take in one event; kinds and blocks that are not known are passed over."""
        if event.type == "message_start":
            self.model = event.message.model or ""
            self._count(event.message.usage)
        elif event.type == "content_block_delta":
            return self._delta(event.delta)
        elif event.type == "message_delta":
            self.stop = event.delta.stop_reason or ""
            details = getattr(event.delta, "stop_details", None)
            self.details = getattr(details, "category", None) or ""
            self._count(event.usage)
        return None

    def _delta(self, delta: Any) -> Delta | None:
        if delta.type == "text_delta":
            self.text += delta.text
            return Delta("answer", delta.text)
        if delta.type == "input_json_delta":
            self.tool += delta.partial_json
            return Delta("answer", delta.partial_json)
        if delta.type == "thinking_delta":
            return Delta("thinking", delta.thinking)
        return None

    def _count(self, usage: Any) -> None:
        """Counts of a stream are totals: later ones replace earlier ones."""
        names = {
            "input_tokens": "input_tokens",
            "output_tokens": "output_tokens",
            "cache_read_input_tokens": "cache_read_tokens",
            "cache_creation_input_tokens": "cache_written_tokens",
        }
        for theirs, ours in names.items():
            if isinstance(number := getattr(usage, theirs, None), int):
                self.usage[ours] = number


@dataclass(frozen=True, slots=True)
class AnthropicModel:
    """`Model` by name on a server."""

    name: str
    server: Server

    @asynccontextmanager
    async def ask(self, question: Question) -> AsyncIterator[AsyncIterator[Delta | Reply]]:
        """See `Model.ask`."""
        async with await self.server.open() as client:
            yield self._tell(client, question)

    async def _tell(
        self, client: AsyncAnthropic, question: Question
    ) -> AsyncIterator[Delta | Reply]:
        broken = _breaking()
        tries = streams = 0
        while streams < _MOST_STREAMS:
            tries += 1
            heard, trouble = _Heard(), "the stream ended early"
            try:
                stream = await client.messages.create(**self._request(question))
                async with stream:
                    heard.request_id = stream.response.headers.get("request-id", "")
                    async for event in stream:
                        if delta := heard.take(event):
                            yield delta
            except broken as error:
                trouble = self._trouble(error)
            if heard.stop:
                yield self._reply(heard, tries)
                return
            if trouble:
                streams += 1
                yield Delta("again", trouble)
        raise ModelUnavailable(f"{self.name}: {trouble}")

    def _trouble(self, error: Exception) -> str:
        """Return what broke a stream, or nothing when another way is to be tried, or raise."""
        from anthropic import APIError, BadRequestError, UnprocessableEntityError

        last = self.server.way == len(_WAYS) - 1
        if isinstance(error, BadRequestError | UnprocessableEntityError) and not last:
            self.server.way += 1
            return ""
        # An error that comes in mid-stream carries the status of the stream, which began well.
        if isinstance(error, APIError) and getattr(error, "status_code", 0) != _OK:
            raise _unavailable(self.name, error) from error
        return f"the stream broke: {_line(error)}"

    def _request(self, question: Question) -> dict[str, Any]:
        way, schema = _WAYS[self.server.way], question.schema
        how: dict[str, Any] = {}
        if way == "schema":
            form = {"type": "json_schema", "schema": schema}
            how = {"output_config": {"format": form, "effort": question.effort}}
        elif way == "tool":
            # Not forced: models that think refuse to be.
            tool = {"name": "answer", "description": "Takes the answer.", "strict": True}
            how = {"tools": [{**tool, "input_schema": schema}], "tool_choice": {"type": "auto"}}
        hint = {"tool": [_BY_TOOL], "text": [_BY_TEXT + json.dumps(schema)]}.get(way, [])
        return {
            "model": self.name,
            "max_tokens": question.limit,
            "stream": True,
            "system": _blocks([*question.system, *hint], stays=True),
            "messages": [
                {"role": each["role"], "content": _blocks(each["content"], stays=False)}
                for each in question.messages
            ],
            **how,
        }

    def _reply(self, heard: _Heard, tries: int) -> Reply:
        if heard.stop == "refusal":
            about = f" ({heard.details})" if heard.details else ""
            raise ModelRefused(f"{self.name} declined to answer{about}")
        text = heard.tool or heard.text
        return Reply(
            value=find_object(text),
            text=text,
            stop=_STOPS.get(heard.stop, "complete"),
            usage=Usage(**heard.usage),
            model=heard.model or self.name,
            request_id=heard.request_id,
            tries=tries,
        )


def forget(environment: MutableMapping[str, str]) -> None:
    """Remove what the SDK would read from the environment, but for the key, which is given anyway.

    Custom headers, another address, tokens, logging of whole requests.
    """
    for name in list(environment):
        if name.startswith("ANTHROPIC_") and name != "ANTHROPIC_API_KEY":
            del environment[name]


def _breaking() -> tuple[type[Exception], ...]:
    """Return what asking may raise: the SDK lets its transport's errors and bad JSON through."""
    from anthropic import APIError
    from anthropic._base_client import httpx2  # type: ignore[attr-defined]  # the one it uses

    return APIError, httpx2.HTTPError, ValueError


def _blocks(texts: Sequence[str], *, stays: bool) -> list[dict[str, Any]]:
    """Return text blocks; a server may cache up to the last that stays as it is."""
    blocks: list[dict[str, Any]] = [{"type": "text", "text": text} for text in texts]
    last = len(blocks) - (1 if stays else 2)
    if last >= 0:
        blocks[last]["cache_control"] = {"type": "ephemeral"}
    return blocks


def _unavailable(name: str, error: Exception) -> ModelUnavailable:
    status = getattr(error, "status_code", 0)
    if status in (401, 403):
        hint = "`countersign config set-key` stores a key; ANTHROPIC_API_KEY wins over it"
        return ModelUnavailable(f"{name}: the key is not accepted ({status})", hint=hint)
    return ModelUnavailable(f"{name}: {_line(error)}")


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:300] or type(error).__name__
