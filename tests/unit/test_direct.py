"""Requests that go straight to a host: over TLS that is verified, kept, bounded, and told apart."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from socket import create_connection, create_server, gaierror, socket
from threading import Thread

import pytest
from botocore.awsrequest import AWSPreparedRequest, HeadersDict

from core.upstream.direct import MOST_CONNECTIONS, Direct, trusting

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Two: a\r\nX-Two: b\r\n\r\n{}"
END = b"\r\n\r\n"

Answers = Callable[[bytes], bytes | None]


def request(
    url: str, body: bytes = b"", headers: dict[str, str] | None = None
) -> AWSPreparedRequest:
    """Return a finished request, as the gateway makes one."""
    given = {"content-length": str(len(body)), **(headers or {})}
    return AWSPreparedRequest("POST", url, HeadersDict(given), body or None, False)


class Server:
    """Answers on loopback, one connection after the other; None as an answer hangs up."""

    def __init__(self, answers: Answers) -> None:
        self._answers = answers
        self.listener = create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}/a?b=c"
        self.connections = 0
        self.heads: list[bytes] = []

    def serve(self) -> None:
        """Take connections until the listener is closed."""
        while True:
            try:
                peer, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            with peer, suppress(ConnectionError):
                self._talk(peer)

    def _talk(self, peer: socket) -> None:
        while data := peer.recv(65536):
            self.heads.append(data)
            answer = self._answers(data)
            if answer is None:
                return
            peer.sendall(answer)
            if b"Connection: close" in answer or b"100\r\n\r\n" in answer:
                return


@contextmanager
def served(answers: Answers) -> Iterator[Server]:
    """Yield a server that is gone afterwards."""
    server = Server(answers)
    thread = Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.listener.shutdown(2)
        server.listener.close()
        thread.join(30)


def test_a_connection_is_kept_and_headers_come_as_they_are() -> None:
    """Two requests, one connection; host and length are said, and repeated headers are joined."""
    with served(lambda _: OK) as server:
        direct = Direct(None)
        first, second = (direct.send(request(server.url, b"{}", {"x-a": "1"})) for _ in range(2))
        direct.close()
    assert first == second
    assert (first.status, first.body, first.headers["X-Two"]) == (200, b"{}", "a, b")
    assert server.connections == 1
    assert server.heads[0].startswith(b"POST /a?b=c HTTP/1.1\r\n")
    assert b"\r\nhost: 127.0.0.1:" in server.heads[0]
    assert server.heads[0].endswith(b"\r\n\r\n{}")


def test_a_connection_that_was_closed_is_not_used_again() -> None:
    """Whether the other end says so or just hangs up, the next request has a new connection."""
    closing = OK.replace(b"X-Two: a", b"Connection: close")
    with served(lambda _: closing) as server:
        direct = Direct(None)
        for _ in range(3):
            assert direct.send(request(server.url)).status == 200
        direct.close()
    assert server.connections == 3


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (None, "closed the connection before it answered; whether the call was carried out"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", "broke off 100 bytes before the end"),
        (b"nonsense\r\n\r\n", "closed the connection before it answered"),
    ],
)
def test_what_breaks_off_is_no_answer(answer: bytes | None, reason: str) -> None:
    """No answer, half of one, and something else than one are each told, and kept by nobody."""
    with served(lambda _: answer) as server:
        direct = Direct(None)
        with pytest.raises(ValueError, match=reason):
            direct.send(request(server.url))
        assert not any(direct._idle.values())


def test_a_host_that_is_not_there_is_told() -> None:
    """A name without an address, and a port where nobody listens: nothing was sent."""

    def nameless(host: str, port: int) -> socket:
        raise gaierror

    with pytest.raises(ValueError, match=r"name sts\.amazonaws\.com can't be resolved"):
        Direct(None, nameless).send(request("http://sts.amazonaws.com/"))
    with create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ValueError, match="the connection was refused"):
        Direct(None).send(request(f"http://127.0.0.1:{port}/"))


@pytest.mark.parametrize(
    ("url", "headers"),
    [("http://127.0.0.1:1/", {"x-a": "b\r\nx-b: c"}), ("http://127.0.0.1:1/a b", {})],
)
def test_a_head_that_would_say_more_is_not_written(url: str, headers: dict[str, str]) -> None:
    """A line break in a header, or a space in a target, is refused before there is a connection."""
    with pytest.raises(ValueError, match="can't be written"):
        Direct(None).send(request(url, headers=headers))


def test_a_host_without_a_trusted_certificate_is_refused() -> None:
    """TLS is verified against the authorities that were given: nothing is sent to anybody else."""
    context = trusting("")
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    with served(lambda _: OK) as server:
        port = server.listener.getsockname()[1]
        direct = Direct(context, lambda *_: create_connection(("127.0.0.1", port), 30))
        with pytest.raises(ValueError, match=r"could not be asked \(SSLError\)"):
            direct.send(request("https://sts.amazonaws.com/"))
    assert not any(b"POST" in head for head in server.heads)


def test_few_connections_are_kept() -> None:
    """Those of many threads at once are closed, but for a few."""
    direct = Direct(None)
    with create_server(("127.0.0.1", 0)) as listener:
        peers = [create_connection(listener.getsockname()) for _ in range(MOST_CONNECTIONS + 2)]
        for peer in peers:
            direct._let_go("place", peer, kept=True)
    assert [peer.fileno() for peer in peers].count(-1) == 2
    direct.close()
    assert [peer.fileno() for peer in peers].count(-1) == len(peers)
