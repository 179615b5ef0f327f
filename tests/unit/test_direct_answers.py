"""Answers that are taken apart here, and those that the standard library reads: the same."""

from __future__ import annotations

from http.client import HTTPException, IncompleteRead
from socket import socket, socketpair
from threading import Thread

import pytest

from core.upstream.answers import _by_the_library, _plain_head, answer_from
from sandbox.job import Response

OK = b"HTTP/1.1 200 OK\r\n"
PLAIN = (
    OK + b"Content-Length: 2\r\nX-Two: a\r\nX-Two: b\r\n\r\n{}",
    OK + b"content-length:2 \r\nx-empty:\r\nx-blanks: \t a b \t\r\nx-latin: \xe9\r\n\r\n{}",
    b"HTTP/1.1 400\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 503 Slow Down\r\nContent-Length: 200000\r\n\r\n" + b"x" * 200_000,
)
OTHERWISE = (
    OK + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    OK + b"Transfer-Encoding: chunked\r\nContent-Length: 9\r\n\r\n2\r\n{}\r\n0\r\n\r\n",
    OK + b"X-Folded: a\r\n b\r\nContent-Length: 2\r\n\r\n{}",
    OK + b"\r\nup to the end",
    b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\n{}",
    b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\n{}",
    b"HTTP/1.1 204 No Content\r\n\r\n",
    OK + b"Content-Length: 2\nX-Bare: 1\r\n\r\n{}",
)

Outcome = tuple[bool, Response] | str


def outcome(sent: bytes, *, library: bool, method: str = "POST") -> Outcome:
    """Return what is read of an answer that ends with its connection."""
    here, there = socketpair()

    def send(peer: socket) -> None:
        with peer:
            peer.sendall(sent)

    thread = Thread(target=send, args=(there,))
    thread.start()
    with here:
        here.settimeout(30)
        try:
            if library:
                return _by_the_library(b"", here, method, "host")
            return answer_from(here, method, "host")
        except (HTTPException, OSError) as error:
            return type(error).__name__
        finally:
            thread.join(30)


@pytest.mark.parametrize("sent", PLAIN + OTHERWISE)
def test_both_readers_read_the_same(sent: bytes) -> None:
    """Status, headers, body and whether the connection is kept don't hang on who has read them."""
    ours, theirs = outcome(sent, library=False), outcome(sent, library=True)
    assert isinstance(ours, tuple)
    assert isinstance(theirs, tuple)
    (kept, response), (wanted_kept, wanted) = ours, theirs
    assert (response.status, response.body) == (wanted.status, wanted.body)
    assert {name: text.strip() for name, text in response.headers.items()} == {
        name: text.strip() for name, text in wanted.headers.items()
    }
    assert kept == wanted_kept


def test_which_heads_are_ordinary() -> None:
    """Only a head that says everything in the usual way is not given to the library."""
    assert all(_plain_head(sent.partition(b"\r\n\r\n")[0]) for sent in PLAIN)
    assert not any(_plain_head(sent.partition(b"\r\n\r\n")[0]) for sent in OTHERWISE)


@pytest.mark.parametrize("size", [0, 20, 40, len(PLAIN[0]) - 1])
def test_half_an_answer_is_none(size: int) -> None:
    """An answer that ends before its end raises, wherever that is."""
    assert outcome(PLAIN[0][:size], library=False) in ("RemoteDisconnected", "IncompleteRead")


def test_how_much_is_missing_is_told() -> None:
    """An answer that breaks off in its body says how many bytes are missing."""
    here, there = socketpair()
    with here, there:
        there.sendall(PLAIN[0][:-1])
        there.shutdown(1)
        with pytest.raises(IncompleteRead) as broken:
            answer_from(here, "POST", "host")
    assert broken.value.expected == 1


def test_a_connection_with_more_on_it_is_not_kept() -> None:
    """Bytes behind an answer belong to no request, so nobody reads on there."""
    result = outcome(PLAIN[0] + b"HTTP/1.1 200 OK", library=False)
    assert isinstance(result, tuple)
    assert result[0] is False
    assert result[1].body == b"{}"


def test_an_answer_to_head_has_no_body() -> None:
    """The length of an answer to HEAD is of what it does not send."""
    result = outcome(OK + b"Content-Length: 5\r\n\r\n", library=False, method="HEAD")
    assert isinstance(result, tuple)
    assert result[1].body == b""
