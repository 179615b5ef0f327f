"""Answers that are passed on as they come, and bodies that are asked for or held in memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from hashlib import sha256
from http.client import HTTPResponse, IncompleteRead
from socket import SHUT_WR, socket
from threading import Event
from typing import Any

import pytest

from sandbox.gateway.connection import MOST_BODY
from sandbox.gateway.passing import MOST_KEPT, UNREAD
from sandbox.gateway.serve import MOST_UPLOADS
from sandbox.job import Response

Wire = Callable[..., bytes]
Everything = Callable[[socket], bytes]


SIGNED_FOR_S3 = (
    "AWS4-HMAC-SHA256 Credential=AKID/20260131/eu-west-1/s3/aws4_request, "
    f"SignedHeaders=host, Signature={'0' * 64}"
)


def answer_of(connection: socket) -> HTTPResponse:
    """Return the answer on a connection, its body still to be read."""
    answer = HTTPResponse(connection)
    answer.begin()
    return answer


class Pieces:
    """A stream of an upstream: its pieces, then its end or an error; remembers being closed."""

    def __init__(self, *pieces: bytes, error: OSError | None = None) -> None:
        self._pieces = list(pieces)
        self._error = error
        self.closed = False

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        if self._pieces:
            return self._pieces.pop(0)
        raise self._error or StopIteration

    def close(self) -> None:
        self.closed = True


def streamed(server: Any, stream: Any, body: bytes = b"", length: str = "") -> None:
    """Have the upstream answer with a stream."""
    headers = {"Content-Length": length} if length else {}
    response = Response(200, {**headers, "x-amzn-requestid": "R-2"}, body, stream)
    server.door.answer = lambda: response


def test_a_stream_is_handed_over_whole_and_then_told(server: Any, wire: Wire) -> None:
    """Chunks for an answer without a length; the record holds what passed, and no stream."""
    stream = Pieces(b"one", b"", b"two")
    streamed(server, stream, b"zero")
    run = server.run()
    with run.connect() as script:
        script.sendall(wire())
        answer = answer_of(script)
        assert (answer.chunked, answer.read()) == (True, b"zeroonetwo")
    called = run.called()
    assert (called.response.body, called.response.stream, called.response.dropped) == (
        b"zeroonetwo",
        None,
        0,
    )
    assert (called.status, called.request_id, called.verdict.reason) == (200, "R-2", "fine")
    assert stream.closed


def test_a_stream_with_a_length_keeps_it(server: Any, wire: Wire) -> None:
    """A large object arrives with the length that AWS said it has."""
    streamed(server, Pieces(b"one", b"two"), length="6")
    run = server.run()
    with run.connect() as script:
        script.sendall(wire())
        answer = answer_of(script)
        assert (answer.getheader("content-length"), answer.read()) == ("6", b"onetwo")


@pytest.mark.parametrize("length", ["5", "7"])
def test_a_stream_of_another_length_is_cut(server: Any, wire: Wire, length: str) -> None:
    """No byte more than announced is sent, and a shorter answer does not look whole."""
    streamed(server, Pieces(b"one", b"two"), length=length)
    run = server.run()
    with run.connect() as script:
        script.sendall(wire())
        with pytest.raises(IncompleteRead):
            answer_of(script).read()


def test_pieces_are_passed_on_as_they_come(server: Any, wire: Wire) -> None:
    """The script has an event of an event stream before the next one has happened."""
    later = Event()

    def events() -> Iterator[bytes]:
        yield b"first"
        assert later.wait(20)
        yield b"second"

    streamed(server, events())
    run = server.run()
    with run.connect() as script:
        script.sendall(wire())
        answer = answer_of(script)
        assert answer.read1() == b"first"
        later.set()
        assert answer.read() == b"second"


def test_a_stream_that_breaks_off_cuts_the_connection(server: Any, wire: Wire) -> None:
    """The script notices that the answer is not whole, and the record says why."""
    streamed(server, Pieces(b"one", error=ConnectionResetError("reset by AWS")))
    run = server.run()
    with run.connect() as script:
        script.sendall(wire())
        with pytest.raises(IncompleteRead):
            answer_of(script).read()
    called = run.called()
    assert (called.verdict.allowed, called.response.body) == (True, b"one")
    assert called.verdict.reason == "fine; the answer broke off: reset by AWS"


def test_a_stream_is_cut_at_the_limit_of_the_run(server: Any, wire: Wire) -> None:
    """Beyond aws_bytes nothing is handed over, nor is anything sent later."""
    stream = Pieces(b"x" * 6000, b"y" * 6000)
    streamed(server, stream)
    run = server.run()
    with run.connect() as script:
        script.sendall(wire())
        with pytest.raises(IncompleteRead):
            answer_of(script).read()
    called = run.called()
    assert (called.verdict.allowed, len(called.response.body)) == (False, 6000)
    limit = "the run's limit aws_bytes (10000) is used up"
    assert called.verdict.reason == f"the answer was cut off: {limit}"
    assert limit.encode() in run.ask()
    assert stream.closed


def test_of_a_long_stream_the_beginning_is_kept(server: Any, wire: Wire) -> None:
    """The first mebibyte is told and the rest is counted."""
    server.aws_bytes = 10 * MOST_KEPT
    streamed(server, Pieces(*[b"x" * (MOST_KEPT // 2)] * 5), b"head")
    run = server.run()
    with run.connect() as script:
        script.sendall(wire())
        assert len(answer_of(script).read()) == 4 + 5 * MOST_KEPT // 2
    response = run.called().response
    assert len(response.body) == MOST_KEPT
    assert response.dropped == 4 + 3 * MOST_KEPT // 2


def test_a_script_that_stops_reading_is_let_go(server: Any, wire: Wire) -> None:
    """A stream that nobody takes ends after the time for a write, and is told."""
    server.aws_bytes = 10**9
    stream = Pieces(*[b"x" * 2**20] * 100)
    streamed(server, stream)
    run = server.run()
    with run.connect() as script:
        script.sendall(wire())
        assert run.called().verdict.reason == f"fine; {UNREAD}"
    assert stream.closed


def test_a_stream_without_a_word_is_told_when_the_run_ends(
    server: Any, wire: Wire, everything: Everything
) -> None:
    """The end of a run does not wait for the next event of a live tail."""
    silent = Event()

    def events() -> Iterator[bytes]:
        yield b"first"
        silent.wait(20)

    streamed(server, events())
    run = server.run()
    with run.connect() as script:
        script.sendall(wire())
        assert answer_of(script).read1() == b"first"
        began = time.monotonic()
        run.channel.shutdown(SHUT_WR)
        (called,) = run.told()
        took = time.monotonic() - began
    silent.set()
    assert (called.response.body, called.verdict.reason) == (
        b"first",
        "fine; the run ended before the answer did",
    )
    assert took < 10, "the end of the run waited for AWS"


def test_the_answer_to_head_has_a_length_and_no_body(server: Any, wire: Wire) -> None:
    """What S3 says of an object's size arrives, and so does a refusal."""
    run = server.run()
    with run.connect() as script:
        script.sendall(wire(b"", line="HEAD http://x/ HTTP/1.1"))
        head, end, body = script.recv(65536).partition(b"\r\n\r\n")
        assert (end, body) == (b"\r\n\r\n", b"")
        assert b"x-countersign-denied: 1" in head


@pytest.mark.parametrize("allowed", [True, False])
def test_a_body_is_asked_for_after_the_decision(
    server: Any, wire: Wire, everything: Everything, allowed: bool
) -> None:
    """With Expect: 100-continue a denied call is answered before its body is sent."""
    server.verdict = replace(server.verdict, allowed=allowed, reason="no statement allows it")
    run = server.run()
    upload = wire(
        b"hello",
        line="PUT http://s3.eu-west-1.amazonaws.com/bucket/key HTTP/1.1",
        Host="s3.eu-west-1.amazonaws.com",
        Authorization=SIGNED_FOR_S3,
        X_Amz_Content_SHA256=sha256(b"hello").hexdigest(),
        Expect="100-continue",
        Content_Type=None,
        X_Amz_Target=None,
    )
    with run.connect() as script:
        script.sendall(upload.removesuffix(b"hello"))
        if allowed:
            assert script.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
            script.sendall(b"hello")
        else:
            script.shutdown(SHUT_WR)
        answer = everything(script)
    assert answer.startswith(b"HTTP/1.1 200" if allowed else b"HTTP/1.1 403")
    assert len(server.door.sent) == allowed
    assert run.called().call.operation == "PutObject"


def test_bodies_in_memory_are_bounded_per_run(server: Any, wire: Wire) -> None:
    """So many bytes of uploads at once; one more is refused, and fits when another is through."""
    run = server.run()
    head, _, _ = wire(b"", Content_Length=str(MOST_BODY), Expect="100-continue").partition(b"{")
    with ExitStack() as stack:
        for _ in range(MOST_UPLOADS // MOST_BODY):
            upload = stack.enter_context(run.connect())
            upload.sendall(head)
            assert upload.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        assert b"the run's requests hold" in run.ask()
    while not run.ask().startswith(b"HTTP/1.1 200"):
        assert run.called()
    assert b"larger than" in run.ask(wire(Content_Length=str(MOST_BODY + 1)))


def test_a_request_by_an_endpoint_variable_names_its_service_in_the_path(
    server: Any, wire: Wire
) -> None:
    """The path below /_svc/ reaches identification with the host it was sent to."""
    run = server.run()
    run.ask(wire(line="POST /_svc/cloudwatch/ HTTP/1.1", Host="127.0.0.1:1234"))
    run.ask(wire(line="POST / HTTP/1.1"))
    reasons = [run.called().verdict.reason for _ in range(2)]
    assert "absolute" not in reasons[0]
    assert "absolute" in reasons[1]
