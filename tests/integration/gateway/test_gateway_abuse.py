"""Hostile and broken peers: each is answered with an error or cut, and nobody else notices."""

from __future__ import annotations

import struct
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from socket import SHUT_WR, SO_LINGER, SOL_SOCKET, socket
from threading import Barrier
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.errors import Unidentified
from sandbox.gateway.connection import MOST_BODY, MOST_HEAD, Connection, Gone
from sandbox.gateway.identify import identify
from sandbox.gateway.serve import MOST_CONNECTIONS
from sandbox.job import AwsCall, Response

Wire = Callable[..., bytes]
Everything = Callable[[socket], bytes]

HOST = "monitoring.eu-west-1.amazonaws.com"


def still_serves(run: Any) -> bool:
    """Tell whether a run answers an honest script."""
    good: bytes = run.ask()
    return good.startswith(b"HTTP/1.1 200")


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"", b""),
        (b"POST", b"did not arrive within 2 s"),
        (b"POST http://x/ HTTP/1.1\r\nHost: x\r\n", b"did not arrive within 2 s"),
        (b"POST http://x/ HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n{", b"did not arrive"),
    ],
)
def test_a_peer_that_goes_silent_is_let_go(
    server: Any, everything: Everything, sent: bytes, said: bytes
) -> None:
    """A request that stays half has its time; then its place is free again."""
    run = server.run()
    with run.connect() as slow:
        slow.sendall(sent)
        answer = everything(slow)
    assert said in answer
    assert bool(said) == answer.startswith(b"HTTP/1.1 403")
    assert server.door.sent == []
    assert still_serves(run)


def test_a_peer_that_drips_has_no_more_time_than_others(
    server: Any, everything: Everything
) -> None:
    """A byte now and then does not prolong the time for the whole request."""
    run = server.run()
    with run.connect() as slow:
        slow.settimeout(0.25)
        slow.sendall(b"POST http://x/ HTTP/1.1\r\nX: ")
        received = b""
        for _ in range(40):
            slow.sendall(b"x")
            try:
                received = slow.recv(65536)
                break
            except TimeoutError:
                continue
    assert b"did not arrive within 2 s" in received


def test_a_peer_that_leaves_in_the_middle_is_nobody(server: Any) -> None:
    """Half a request and the end: nothing is sent and nothing told."""
    run = server.run()
    for part in (
        b"P",
        b"POST http://x/ HTTP/1.1\r\n",
        b"POST http://x/ HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        with run.connect() as script:
            script.sendall(part if part[-4:] != b"\r\n\r\n" else part[:-2])
            script.shutdown(SHUT_WR)
            assert script.recv(1) == b""
    assert still_serves(run)
    assert run.called().number == 1


def test_hundreds_of_resets_cost_nothing(server: Any, wire: Wire) -> None:
    """Connections that are reset at every stage leave no place taken."""
    server.aws_calls = 10_000
    run = server.run()
    whole = wire()
    for number in range(300):
        with run.connect() as script:
            script.sendall(whole[: number * len(whole) // 300])
            script.setsockopt(SOL_SOCKET, SO_LINGER, struct.pack("ii", 1, 0))
    assert still_serves(run)


@pytest.mark.parametrize(
    "head",
    [
        b"POST http://x/ HTTP/1.1\r\n" + b"X: y\r\n" * 5000,
        b"POST http://x/" + b"a" * MOST_HEAD + b" HTTP/1.1\r\n\r\n",
        b"A" * (MOST_HEAD + 1),
    ],
)
def test_a_huge_head_is_refused(server: Any, head: bytes) -> None:
    """More than any client sends is not read to its end."""
    run = server.run()
    assert b"its head is larger than" in run.ask(head)
    assert still_serves(run)


def test_a_huge_body_is_refused_before_it_is_read(server: Any, wire: Wire) -> None:
    """The announcement is enough."""
    run = server.run()
    assert b"its body is larger than" in run.ask(wire(b"x", Content_Length=str(MOST_BODY + 1)))
    assert server.door.sent == []


def test_a_second_request_behind_the_first_is_refused(server: Any, wire: Wire) -> None:
    """Pipelining: nothing of what arrived is sent."""
    run = server.run()
    assert b"more than one request arrived at once" in run.ask(wire() + wire())
    assert b"more than one request arrived at once" in run.ask(wire() + b"\r\n")
    assert server.door.sent == []


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET http://x/ HTTP/1.0\r\nHost: x\r\n\r\n",
        b"CONNECT x:443 HTTP/1.1\r\nHost: x:443\r\n\r\n",
        b"POST http://x/ HTTP/1.1\nHost: x\n\n",
        b"POST http://x/ HTTP/1.1\r\nHost: x\r\n folded: y\r\n\r\n",
        b"POST http://x/ HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
        b"POST http://x/ HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\n{",
        b"POST http://x/ HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\ncontent-length: 2\r\n\r\n{}",
        b"POST http://x/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST http://x/ HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\n\r\n",
        b"POST http://x/ HTTP/1.1\r\nHost: x\r\nExpect: 200-ok\r\n\r\n",
        b"POST http://x/ HTTP/1.1\r\nHost : x\r\n\r\n",
        b"POST http://x/ HTTP/1.1\r\nH\x00st: x\r\n\r\n",
    ],
)
def test_what_is_not_http_as_it_should_be_is_refused(server: Any, sent: bytes) -> None:
    """Each is answered with a refusal of ours, told as such, and sent nowhere."""
    run = server.run()
    assert b"x-countersign-denied: 1" in run.ask(sent)
    called = run.called()
    assert (called.call, called.verdict.allowed, called.response) == (None, False, None)
    assert server.door.sent == []


def test_sixty_four_scripts_are_served_at_once(server: Any) -> None:
    """All of them are at the upstream at the same time, and each gets its answer."""
    everybody = Barrier(MOST_CONNECTIONS)

    def together() -> Response:
        everybody.wait(20)
        return Response(200, {}, b"{}")

    server.door.answer = together
    run = server.run()
    with ThreadPoolExecutor(MOST_CONNECTIONS) as scripts:
        answers = list(scripts.map(lambda _: run.ask(), range(MOST_CONNECTIONS)))
    assert {answer[:12] for answer in answers} == {b"HTTP/1.1 200"}
    assert sorted(run.called().number for _ in answers) == list(range(1, MOST_CONNECTIONS + 1))


def test_one_run_does_not_disturb_another(server: Any, everything: Everything) -> None:
    """While one run's places are all held by silent peers another run is served."""
    bad, good = server.run(), server.run()
    with ExitStack() as stack:
        held = [stack.enter_context(bad.connect()) for _ in range(MOST_CONNECTIONS)]
        for number in range(3):
            assert still_serves(good), number
        assert everything(held[0]) == b""


def test_an_answer_that_is_too_large_is_withheld(server: Any) -> None:
    """A response bomb is recorded, and the script gets a refusal in its place."""
    server.door.answer = lambda: Response(200, {}, b"x" * 20_000)
    run = server.run()
    assert b"the answer is withheld" in run.ask()
    assert not run.called().verdict.allowed


def test_a_script_that_does_not_read_its_answer_is_cut(
    server: Any, wire: Wire, everything: Everything
) -> None:
    """After the time for a write the rest is not sent, whatever the answer's size."""
    server.aws_bytes, size = 10**9, 20_000_000
    server.door.answer = lambda: Response(200, {}, b"x" * size)
    run = server.run()
    with run.connect() as script:
        script.sendall(wire())
        assert len(run.called().response.body) == size
        time.sleep(1.5)
        assert len(everything(script)) < size


# ------------------------------------------------------------------ fuzz
TOKENS = st.sampled_from(
    [
        *(b"POST ", b"GET ", b"HEAD ", b"PUT ", b"http://", HOST.encode(), b"/", b"?Action=X"),
        *(b" HTTP/1.1", b"\r\n", b"\r\n\r\n", b"\n", b" ", b":", b"Host: ", b"Content-Length: 2"),
        *(b"Content-Type: application/x-amz-json-1.0", b"Content-Type: application/cbor"),
        *(b"X-Amz-Target: GraniteServiceVersion20100801.DescribeAlarms", b"{}", b"\xa0", b"\x00"),
        *(b"smithy-protocol: rpc-v2-cbor", b"Transfer-Encoding: chunked", b"Action=ListUsers&"),
        *(b"s3.eu-west-1.amazonaws.com", b"/_svc/s3/", b"Expect: 100-continue", b"%2F", b"%zz"),
        *(b"<a/>", b'{"a":', b"\xff\xfe", b"aws-chunked", b"Content-Encoding: ", b"x-amz-"),
    ]
)
SIGNING = ("monitoring", "s3", "ec2", "iam", "sts", "lambda", "route53", "dynamodb", "sqs", "logs")


class Tape(socket):
    """A peer that has sent all it ever will; takes whatever is written."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self._data = data

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        data, self._data = self._data[:size], self._data[size:]
        return data

    def sendall(self, data: Any, flags: int = 0, /) -> None:
        """Take it."""


def read(data: bytes) -> AwsCall | None:
    """Return the call that some bytes are, None when they are refused."""
    with Tape(data) as peer:
        connection = Connection(peer, 5.0)
        try:
            request = connection.read_body(connection.read_head())
        except Gone:
            return None
    if request.problem:
        return None
    try:
        return identify(request.method, request.url, request.headers, request.body or b"")
    except Unidentified:
        return None


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(parts=st.lists(TOKENS | st.binary(max_size=8), max_size=25))
def test_any_bytes_are_refused_or_nobody(parts: list[bytes]) -> None:
    """What is put together at random is never a call, and never an exception."""
    assert read(b"".join(parts)) is None


@settings(max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_request_that_was_damaged_is_a_call_or_refused(data: Any, wire: Wire) -> None:
    """Bytes of a good request are changed, taken out, doubled: a refusal or a call comes out."""
    name = data.draw(st.sampled_from(SIGNING))
    signed = (
        f"AWS4-HMAC-SHA256 Credential=AKID/20260131/eu-west-1/{name}/aws4_request, "
        f"SignedHeaders=host, Signature={'0' * 64}"
    )
    body = data.draw(st.sampled_from([b"{}", b"Action=GetUser&Version=2010-05-08", b"<a/>", b""]))
    request = wire(body, Authorization=signed)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(request)))
        cut = data.draw(st.integers(0, 3))
        put = data.draw(TOKENS | st.binary(max_size=3))
        request = request[:at] + put + request[at + cut :]
    call = read(request)
    assert call is None or call.service
