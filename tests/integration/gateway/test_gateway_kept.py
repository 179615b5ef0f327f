"""Connections that are kept: one request after the other, and no place held by whoever is idle."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from http.client import HTTPResponse
from select import select
from socket import SHUT_WR, socket
from time import sleep
from typing import Any

import pytest

from sandbox.gateway.serve import MOST_CONNECTIONS
from sandbox.job import Response

Wire = Callable[..., bytes]
Everything = Callable[[socket], bytes]


def ask(connection: socket, data: bytes, method: str = "POST") -> HTTPResponse:
    """Send a request and return its answer, read to the end."""
    connection.sendall(data)
    answer = HTTPResponse(connection, method=method)
    answer.begin()
    answer.read()
    return answer


def test_requests_follow_one_another_on_a_connection(server: Any, wire: Wire) -> None:
    """Each is judged, told and answered by itself: allowed, refused, streamed, without a body."""
    run = server.run()
    good = wire(Connection=None)
    with run.connect() as script:
        assert ask(script, good).status == 200
        assert ask(script, wire(b"?", Connection=None)).status == 400
        server.door.answer = lambda: Response(200, {}, b"", iter([b"one", b"two"]))
        assert ask(script, good).chunked
        head = wire(b"", line="HEAD http://x/ HTTP/1.1", Connection=None)
        assert ask(script, head, "HEAD").status == 400
        server.door.answer = lambda: Response(204, {}, b"")
        assert ask(script, good).status == 204
    assert [run.called().number for _ in range(5)] == [1, 2, 3, 4, 5]
    assert len(server.door.sent) == 3


@pytest.mark.parametrize(
    "closing",
    [
        {"Connection": "close"},
        {"Connection": None, "Content_Length": "x"},
        {"Connection": None, "line": "POST http://x/ HTTP/1.0"},
        {"Connection": None, "Expect": "something"},
    ],
)
def test_a_connection_is_closed_when_asked_or_refused(
    server: Any, wire: Wire, everything: Everything, closing: dict[str, Any]
) -> None:
    """After a request that is not proper HTTP nothing on the connection is believed."""
    run = server.run()
    with run.connect() as script:
        script.sendall(wire(**closing))
        assert b"\r\nconnection: close\r\n" in everything(script)


def test_the_body_of_an_answer_that_was_cut_is_no_next_request(
    server: Any, wire: Wire, everything: Everything
) -> None:
    """After a stream that broke off the connection is closed, not kept."""

    def broken() -> Any:
        yield b"one"
        raise ConnectionResetError

    server.door.answer = lambda: Response(200, {}, b"", broken())
    run = server.run()
    with run.connect() as script:
        script.sendall(wire(Connection=None))
        assert everything(script).endswith(b"\r\n3\r\none\r\n")


def test_an_idle_connection_makes_place_for_a_new_one(
    server: Any, wire: Wire, everything: Everything
) -> None:
    """One of them is closed, no more; a script with many clients is served all the same."""
    server.aws_calls = 1000
    run, good = server.run(), wire(Connection=None)
    with ExitStack() as stack:
        kept = [stack.enter_context(run.connect()) for _ in range(MOST_CONNECTIONS)]
        for connection in kept:
            assert ask(connection, good).status == 200
        assert run.ask().startswith(b"HTTP/1.1 200")
        # Which one waited longest is decided among the gateway's threads, not by the answers.
        closed, *others = select(kept, [], [], 20)[0]
        assert (everything(closed), others) == (b"", [])
        kept.remove(closed)
        assert [ask(connection, good).status for connection in kept] == [200] * len(kept)


def test_a_connection_that_becomes_idle_makes_place_for_one_that_waits(
    server: Any, wire: Wire, everything: Everything
) -> None:
    """All are busy when the new one comes, and none of them ends."""
    server.aws_calls = 1000
    server.door.opened.clear()
    run, good = server.run(), wire(Connection=None)
    with ExitStack() as stack:
        busy = [stack.enter_context(run.connect()) for _ in range(MOST_CONNECTIONS)]
        for connection in busy:
            connection.sendall(good)
        while len(server.door.sent) < MOST_CONNECTIONS:
            sleep(0.01)
        late = stack.enter_context(run.connect())
        late.sendall(wire())
        sleep(0.1)  # it is accepted, and finds no place
        server.door.opened.set()
        assert everything(late).startswith(b"HTTP/1.1 200")


def test_the_end_of_the_run_ends_idle_connections(
    server: Any, wire: Wire, everything: Everything
) -> None:
    """A kept connection holds neither the run nor the server open."""
    run = server.run()
    with run.connect() as script:
        assert ask(script, wire(Connection=None)).status == 200
        run.channel.shutdown(SHUT_WR)
        assert everything(script) == b""
        assert len(run.told()) == 1
