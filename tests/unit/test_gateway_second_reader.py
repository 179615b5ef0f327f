"""h11 reads every request that the gateway accepts, and reads the same in it."""

from __future__ import annotations

from random import Random

import h11
import pytest

from sandbox.gateway.connection import _check_start, _length, _named, _parse_head, _Refused

END = b"\r\n\r\n"
SEED = 20261130
GENUINE = (
    b"POST http://logs.eu-west-1.amazonaws.com/ HTTP/1.1\r\n"
    b"Host: logs.eu-west-1.amazonaws.com\r\n"
    b"X-Amz-Target: Logs_20140328.DescribeLogGroups\r\n"
    b"Content-Type: application/x-amz-json-1.1\r\n"
    b"User-Agent: Boto3/1.44 md/Botocore#1.44 \t ua/2.1\r\n"
    b"Expect: 100-continue\r\n"
    b"Content-Length: 3\r\n\r\n"
)
PIECES = (
    *(b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b":", b",", b"\x0b", b"\x7f", b"\x80", b"%00"),
    *(b"\r\nHost: other", b"\r\nContent-Length: 3", b"\r\nContent-Length: 4", b"\r\n folded"),
    *(b"\r\nTransfer-Encoding: chunked", b"0", b"3", b"+", b"HTTP/1.0", b"GET ", b"\r\nX:", b""),
)


def ours(head: bytes) -> tuple[object, ...] | None:
    """Return what the gateway reads in a head, None when it refuses it."""
    try:
        _check_start(head)
        request = _parse_head(head)
        length = _length(_named(request.headers))
    except _Refused:
        return None
    headers = [(name.lower(), value) for name, value in request.headers]
    return request.method, request.url, headers, length


def theirs(head: bytes, body: bytes) -> tuple[object, ...]:
    """Return what h11 reads in a request; raises RemoteProtocolError."""
    parser = h11.Connection(h11.SERVER)
    parser.receive_data(head + body)
    request = parser.next_event()
    assert isinstance(request, h11.Request)
    read = b""
    while not isinstance(event := parser.next_event(), h11.EndOfMessage):
        assert isinstance(event, h11.Data)
        read += event.data
    assert parser.trailing_data == (b"", False)
    headers = [(name.decode(), value.decode()) for name, value in request.headers]
    return request.method.decode(), request.target.decode(), headers, len(read)


def mutated(random: Random) -> bytes:
    """Return the genuine head with one or two injuries."""
    head = GENUINE
    for _ in range(random.randint(1, 2)):
        at, over = random.randrange(len(head) - len(END)), random.choice((0, 0, 1, 2))
        head = head[:at] + random.choice(PIECES) + head[at + over :]
    return head


def test_what_is_accepted_is_what_h11_reads() -> None:
    """Of 20,000 injured heads each that is accepted has one meaning, in both readers."""
    random, accepted = Random(SEED), 0
    for _ in range(20_000):
        head, end, rest = mutated(random).partition(END)
        read = ours(head + end)
        if read is not None and not rest:
            accepted += 1
            assert theirs(head + end, b"x" * int(str(read[3]))) == read
    assert 1000 < accepted < 19_000


@pytest.mark.parametrize("head", [GENUINE.replace(b"Host", b"Hosts"), END, b"A" + END])
def test_what_h11_refuses_is_refused(head: bytes) -> None:
    """A request without a Host header, and no request at all, are none here either."""
    with pytest.raises(h11.RemoteProtocolError):
        theirs(head, b"xxx")
    assert ours(head) is None
