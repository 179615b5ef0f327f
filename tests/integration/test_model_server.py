"""`AnthropicModel` against servers that misbehave, over real HTTP on loopback."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from core.errors import ModelError, ModelRefused, ModelUnavailable
from core.llm import anthropic_model
from core.llm.anthropic_model import AnthropicModel, Server, forget
from core.llm.model import Delta, Question, Reply
from core.llm.usage import Usage

Json = dict[str, Any]
SCHEMA: Json = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
QUESTION = Question(
    "plan", ("be brief",), ({"role": "user", "content": ["a", "b"]},), SCHEMA, "low", 100
)
USAGE = {"input_tokens": 7, "output_tokens": 1, "cache_read_input_tokens": 3}
START = {"type": "message_start", "message": {"model": "claude-x", "content": [], "usage": USAGE}}
STOP = {"type": "message_stop"}
ERROR = {"type": "error", "error": {"type": "overloaded_error", "message": "too busy"}}


def text(said: str) -> Json:
    """Return a stretch of text."""
    delta = {"type": "text_delta", "text": said}
    return {"type": "content_block_delta", "index": 0, "delta": delta}


def tool(said: str) -> Json:
    """Return a stretch of a tool's input."""
    delta = {"type": "input_json_delta", "partial_json": said}
    return {"type": "content_block_delta", "index": 0, "delta": delta}


def end(reason: str, **details: Any) -> Json:
    """Return how a message ended."""
    return {
        "type": "message_delta",
        "delta": {"stop_reason": reason, **details},
        "usage": {"output_tokens": 9},
    }


TORN = ": the connection ends before the body does\n"

Answer = int | list[Json | str]
"""A status, or events; a text among them is sent as it is."""


class Fake(ThreadingHTTPServer):
    """Answers each request by a function of its body."""

    daemon_threads = True

    def __init__(self, answer: Callable[[Json, int], Answer]) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = answer
        self.asked: list[Json] = []
        self.headers: list[Mapping[str, str]] = []


class Handler(BaseHTTPRequestHandler):
    """One POST."""

    server: Fake

    def do_POST(self) -> None:
        self.server.headers.append(dict(self.headers))
        body: Json = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked.append(body)
        answer = self.server.answer(body, len(self.server.asked))
        if isinstance(answer, int):
            self.send_response(answer)
            self.send_header("Location", "/elsewhere")
            self.send_header("retry-after-ms", "1")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("request-id", "req_1")
        if TORN in answer:
            self.send_header("Content-Length", "100000")
        self.end_headers()
        for event in answer:
            if isinstance(event, str):
                self.wfile.write(event.encode())
            else:
                self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as its base has it
        """Say nothing."""


@pytest.fixture
def serve() -> Iterator[Callable[[Callable[[Json, int], Answer]], Fake]]:
    """Return a function that starts a server."""
    running: list[tuple[Fake, threading.Thread]] = []

    def start(answer: Callable[[Json, int], Answer]) -> Fake:
        made = Fake(answer)
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        running.append((made, thread))
        return made

    yield start
    for made, thread in running:
        made.shutdown()
        thread.join()
        made.server_close()


async def heard(model: AnthropicModel) -> tuple[list[Delta], Reply]:
    """Return all that a model says to the question."""
    items = []
    async with model.ask(QUESTION) as stream:
        async for item in stream:
            items.append(item)  # noqa: PERF401 - what came before an error is of no interest
    *deltas, reply = items
    assert isinstance(reply, Reply)
    return [each for each in deltas if isinstance(each, Delta)], reply


def ask(server: Fake, place: Server | None = None) -> tuple[list[Delta], Reply]:
    """Ask a server once."""
    where = place or Server("sk-key", f"http://127.0.0.1:{server.server_port}")
    return asyncio.run(heard(AnthropicModel("some-model", where)))


GOOD: list[Json | str] = [START, text('{"n"'), text(": 1}"), end("end_turn"), STOP]


def test_an_answer_arrives_with_its_bill(serve: Any) -> None:
    """Text is streamed, parsed and counted; later counts of a stream replace earlier ones."""
    deltas, reply = ask(serve(lambda _, __: GOOD))

    assert [each.text for each in deltas] == ['{"n"', ": 1}"]
    assert reply == Reply(
        {"n": 1}, '{"n": 1}', "complete", Usage(7, 9, 3, 0), "claude-x", "req_1", 1
    )


def test_the_request_is_structured_and_cacheable(serve: Any) -> None:
    """Schema, effort and limit are sent; what stays the same is marked for the server's cache."""
    server = serve(lambda _, __: GOOD)
    ask(server)

    (body,) = server.asked
    marked = {"cache_control": {"type": "ephemeral"}}
    assert body["output_config"] == {
        "format": {"type": "json_schema", "schema": SCHEMA},
        "effort": "low",
    }
    assert body["system"] == [{"type": "text", "text": "be brief", **marked}]
    assert body["messages"][0]["content"] == [
        {"type": "text", "text": "a", **marked},
        {"type": "text", "text": "b"},
    ]
    assert (body["max_tokens"], body["stream"]) == (100, True)


def test_a_server_without_schemas_is_asked_by_tool_and_then_by_text(serve: Any) -> None:
    """Each way that is refused is left for the next, and not tried again in the next question."""

    def answer(body: Json, _: int) -> Answer:
        if "output_config" in body or "tools" in body:
            return 400
        return [START, text('Sure:\n```json\n{"n": 1}\n```'), end("end_turn"), STOP]

    server = serve(answer)
    place = Server("sk-key", f"http://127.0.0.1:{server.server_port}")
    replies = [ask(server, place)[1] for _ in range(2)]

    assert [(reply.value, reply.tries) for reply in replies] == [({"n": 1}, 3), ({"n": 1}, 1)]
    assert json.dumps(SCHEMA) in server.asked[-1]["system"][-1]["text"]


def test_a_tools_input_is_the_answer(serve: Any) -> None:
    """The second way is a strict tool that is offered, not forced."""

    def answer(body: Json, _: int) -> Answer:
        if "output_config" in body:
            return 422
        return [START, tool('{"n":'), tool(" 2}"), end("tool_use"), STOP]

    server = serve(answer)
    reply = ask(server)[1]

    assert reply.value == {"n": 2}
    assert server.asked[-1]["tool_choice"] == {"type": "auto"}
    assert server.asked[-1]["tools"][0]["strict"] is True


@pytest.mark.parametrize(
    "broken",
    [
        [START, text('{"n"'), ERROR],
        [START, text('{"n"')],
        [START, "event: message_delta\ndata: {broken\n\n"],
        [START, TORN],
        [],
    ],
    ids=["error", "dropped", "no json", "torn", "empty"],
)
def test_a_broken_stream_is_begun_anew_once(serve: Any, broken: list[Json | str]) -> None:
    """A stream that breaks is repeated and said to be; when it breaks again nobody is there."""
    deltas, reply = ask(serve(lambda _, n: broken if n == 1 else GOOD))

    assert "again" in [each.field for each in deltas]
    assert (reply.value, reply.tries) == ({"n": 1}, 2)
    with pytest.raises(ModelUnavailable, match="stream"):
        ask(serve(lambda _, __: broken))


@pytest.mark.parametrize(
    ("reason", "stop"),
    [("max_tokens", "too_long"), ("model_context_window_exceeded", "context_full")],
)
def test_an_answer_that_was_cut_off_is_said_to_be(serve: Any, reason: str, stop: str) -> None:
    """Half an object is no value, and its text is not lost."""
    reply = ask(serve(lambda _, __: [START, text('{"n": '), end(reason), STOP]))[1]

    assert (reply.value, reply.text, reply.stop) == (None, '{"n": ', stop)


def test_a_refusal_is_told_with_its_reason(serve: Any) -> None:
    """A model that declines raises ModelRefused."""
    refused = end("refusal", stop_details={"type": "refusal", "category": "cyber"})

    with pytest.raises(ModelRefused, match="cyber"):
        ask(serve(lambda _, __: [START, refused, STOP]))


@pytest.mark.parametrize("status", [401, 403, 404, 307, 500])
def test_a_server_that_does_not_let_us_in_is_unavailable(serve: Any, status: int) -> None:
    """One line with a hint, no key in it; a redirect is not followed."""
    server = serve(lambda _, __: status)

    with pytest.raises(ModelError) as caught:
        ask(server)

    assert isinstance(caught.value, ModelUnavailable)
    assert "sk-key" not in str(caught.value)
    assert {headers["Authorization"] for headers in server.headers} == {"Bearer sk-key"}


def test_nobody_there_is_unavailable() -> None:
    """A port on which nobody listens ends as ModelUnavailable."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    with pytest.raises(ModelUnavailable):
        asyncio.run(heard(AnthropicModel("m", Server("sk-key", f"http://127.0.0.1:{port}"))))


def test_the_environment_has_no_say(serve: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Headers, addresses and tokens of the SDK's own variables are removed before they are read."""
    monkeypatch.setenv("ANTHROPIC_CUSTOM_HEADERS", "X-Other: 1")
    monkeypatch.setenv("ANTHROPIC_BASE_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-other")
    server = serve(lambda _, __: GOOD)
    ask(server)

    assert "X-Other" not in server.headers[0]
    assert server.headers[0]["Authorization"] == "Bearer sk-key"
    environment = {"ANTHROPIC_LOG": "debug", "ANTHROPIC_API_KEY": "k", "HOME": "/"}
    forget(environment)
    assert environment == {"ANTHROPIC_API_KEY": "k", "HOME": "/"}


def test_the_key_is_not_shown(serve: Any) -> None:
    """A server's description, as in a traceback, does not hold its key."""
    assert "sk-key" not in repr(anthropic_model.Server("sk-key"))
