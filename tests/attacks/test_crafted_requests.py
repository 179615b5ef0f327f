"""Crafted requests against the gateway: what it judges is what goes out, or nothing goes out.

The three CloudWatch requests made another router log DescribeAlarms while the service deleted the
alarm. For each, the control shows that the bytes really can be read both ways, and that a proxy
that forwards what it was sent hands exactly those bytes on.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from socket import (
    AF_UNIX,
    SHUT_WR,
    SOCK_STREAM,
    create_connection,
    create_server,
    send_fds,
    socket,
    socketpair,
)
from threading import Thread
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from botocore.awsrequest import AWSPreparedRequest

from sandbox.gateway.frames import read_called, receive_frame, send_frame
from sandbox.gateway.rebuild import Rebuilder
from sandbox.gateway.run import RunPorts
from sandbox.gateway.serve import serve
from sandbox.job import OPERATOR, AwsCall, Called, Response, Verdict

HOST = "monitoring.eu-west-1.amazonaws.com"
URL = f"http://{HOST}/"
FORM = "application/x-www-form-urlencoded; charset=utf-8"
JSON = "application/x-amz-json-1.0"
TARGET = "GraniteServiceVersion20100801."
DELETE = b"Action=DeleteAlarms&Version=2010-08-01&AlarmNames.member.1=p99"
DESCRIBE = b"Action=DescribeAlarms&Version=2010-08-01"


def signed(service: str = "monitoring", key: str = "AKIDRUN") -> str:
    """Return an Authorization header; nobody checks the signature."""
    return (
        f"AWS4-HMAC-SHA256 Credential={key}/20260131/eu-west-1/{service}/aws4_request, "
        f"SignedHeaders=content-type;host;x-amz-date, Signature={'0' * 64}"
    )


def raw(
    body: bytes = b"{}",
    *,
    line: str = f"POST {URL} HTTP/1.1",
    more: str = "",
    **headers: str | None,
) -> bytes:
    """Return the bytes of a good DescribeAlarms request, changed where the caller says so."""
    given: dict[str, str | None] = {
        "host": HOST,
        "content-type": JSON,
        "x-amz-target": TARGET + "DescribeAlarms",
        "authorization": signed(),
        "content-length": str(len(body)),
        "connection": "close",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = [f"{name}: {value}" for name, value in given.items() if value is not None]
    return "\r\n".join([line, *lines]).encode("latin-1") + f"\r\n{more}\r\n".encode() + body


CLOUDWATCH = {
    "target header says describe, form body says delete": raw(DELETE, content_type=FORM),
    "form body says delete first and describe last": raw(
        DELETE + b"&" + DESCRIBE.partition(b"&")[0], content_type=FORM, x_amz_target=None
    ),
    "query string says describe, form body says delete": raw(
        DELETE,
        line=f"POST {URL}?{DESCRIBE.decode()} HTTP/1.1",
        content_type=FORM,
        x_amz_target=None,
    ),
}


def take_apart(data: bytes) -> tuple[str, dict[str, str], str]:
    """Return target, headers and body of a request without asking whether it is well-formed."""
    head, _, body = data.decode("latin-1").partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)}
    return first.split(" ")[1], headers, body


def first_marker(data: bytes) -> str:
    """Read the operation as a router would: header, else query string, else the body's last."""
    target, headers, body = take_apart(data)
    if "x-amz-target" in headers:
        return headers["x-amz-target"].rpartition(".")[2]
    return dict(parse_qsl(urlsplit(target).query)).get("Action") or dict(parse_qsl(body))["Action"]


def first_action(data: bytes) -> str:
    """Read the operation as a server of the query protocol would: the body's first Action."""
    _, _, body = take_apart(data)
    return parse_qs(body)["Action"][0]


# ------------------------------------------------------------------ the gateway under attack
class Counting:
    """An upstream that builds requests as a live one would and keeps what reached its transport."""

    def __init__(self) -> None:
        self.rebuilder = Rebuilder()
        self.calls: list[AwsCall] = []
        self.requests: list[AWSPreparedRequest] = []

    def send(self, call: AwsCall) -> Response:
        self.calls.append(call)
        return self.rebuilder.send(call, self.transport)

    def transport(self, request: AWSPreparedRequest) -> Response:
        self.requests.append(request)
        return Response(200, {"x-amzn-requestid": "R"}, b'{"MetricAlarms": []}')


class Gateway:
    """The real server, behind a judge who allows everything: only reading can refuse."""

    def __init__(self) -> None:
        self.upstream = Counting()
        self.judged: list[AwsCall] = []
        self.control, theirs = socketpair(AF_UNIX, SOCK_STREAM)
        self.channel, channel = socketpair(AF_UNIX, SOCK_STREAM)
        self._thread = Thread(
            target=serve, args=(theirs, lambda _: self.ports()), kwargs={"patience_s": 2.0}
        )
        self._thread.start()
        with create_server(("127.0.0.1", 0)) as listener, channel:
            self.port = listener.getsockname()[1]
            send_fds(self.control, [b"+"], [listener.fileno(), channel.fileno()])
        send_frame(self.channel, b"spec")
        assert receive_frame(self.channel) == b'{"ready": true}'
        self._frames: list[bytes] = []
        self._reader = Thread(target=self._take_frames)
        self._reader.start()

    def ports(self) -> RunPorts:
        return RunPorts(self.judge, self.upstream, {"AKIDRUN": OPERATOR}.get, 10_000, 10**9)

    def judge(self, call: AwsCall) -> Verdict:
        self.judged.append(call)
        return Verdict(allowed=True, reason="", tier=1, action="")

    def connect(self) -> socket:
        return create_connection(("127.0.0.1", self.port), timeout=20)

    def ask(self, data: bytes, *, finish: bool = False) -> bytes:
        """Send bytes as they are and return all that comes back until the gateway closes."""
        received = b""
        with self.connect() as connection, suppress(ConnectionResetError, BrokenPipeError):
            connection.sendall(data)
            if finish:
                connection.shutdown(SHUT_WR)
            while part := connection.recv(65536):
                received += part
        return received

    def told(self) -> list[Called]:
        """End the run and return what was recorded of it."""
        self.channel.shutdown(SHUT_WR)
        self._reader.join(30)
        return [read_called(frame) for frame in self._frames]

    def stop(self) -> None:
        self.control.close()
        for thread in (self._thread, self._reader):
            thread.join(30)
            assert not thread.is_alive()
        self.channel.close()

    def _take_frames(self) -> None:
        while frame := receive_frame(self.channel):
            self._frames.append(frame)


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    """Return a gateway that must be able to end in the end."""
    gateway = Gateway()
    yield gateway
    gateway.stop()


def forward(data: bytes) -> bytes:
    """Send bytes through a proxy that only forwards; return what its upstream received."""
    with create_server(("127.0.0.1", 0)) as upstream, create_server(("127.0.0.1", 0)) as proxy:
        thread = Thread(target=_forward_one, args=(proxy, upstream.getsockname()))
        thread.start()
        with create_connection(proxy.getsockname()) as script:
            script.sendall(data)
            script.shutdown(SHUT_WR)
        thread.join(20)
        connection, _ = upstream.accept()
        with connection:
            return b"".join(iter(lambda: connection.recv(65536), b""))


def _forward_one(proxy: socket, upstream: tuple[str, int]) -> None:
    script, _ = proxy.accept()
    with script, create_connection(upstream) as onwards:
        while data := script.recv(65536):
            onwards.sendall(data)


# ------------------------------------------------------------------ two readings of one request
@pytest.mark.parametrize("data", CLOUDWATCH.values(), ids=CLOUDWATCH)
def test_control_the_bytes_are_ambiguous_and_a_proxy_hands_them_on(data: bytes) -> None:
    """Two honest readers disagree, and behind a forwarding proxy the second one would delete."""
    assert (first_marker(data), first_action(data)) == ("DescribeAlarms", "DeleteAlarms")
    received = forward(data)
    assert received == data
    assert first_action(received) == "DeleteAlarms"


@pytest.mark.parametrize("data", CLOUDWATCH.values(), ids=CLOUDWATCH)
def test_a_request_with_two_operations_goes_nowhere(gateway: Gateway, data: bytes) -> None:
    """The gateway judges nothing, sends nothing, answers AccessDenied, and records the attempt."""
    answer = gateway.ask(data)
    assert answer.startswith(b"HTTP/1.1 403 Forbidden\r\n")
    assert b"more than one thing names the operation" in answer
    assert b"<Code>AccessDenied</Code>" in answer
    assert (gateway.judged, gateway.upstream.requests) == ([], [])
    (called,) = gateway.told()
    assert (called.call, called.verdict.allowed, called.response) == (None, False, None)


def test_control_the_plain_request_is_sent_as_a_new_one(gateway: Gateway) -> None:
    """The same request without tricks is answered, and what goes out was built here."""
    answer = gateway.ask(
        raw(b'{"StateValue": "ALARM"}', x_amzn_trace_id="smuggled", user_agent="script")
    )
    assert answer.endswith(b'{"MetricAlarms": []}')
    (request,) = gateway.upstream.requests
    assert request.url == f"https://{HOST}/"
    assert json.loads(request.body) == {"StateValue": "ALARM"}
    assert b"AKIDRUN" not in request.headers["Authorization"]
    assert "smuggled" not in str(request.headers)


# ------------------------------------------------------------------ every other trick
TRICKS: dict[str, tuple[bytes, bytes]] = {
    "length and chunks": (raw(transfer_encoding="chunked"), b"Transfer-Encoding"),
    "chunks": (
        raw(b"2\r\n{}\r\n0\r\n\r\n", content_length=None, transfer_encoding="chunked"),
        b"Transfer-Encoding",
    ),
    "two lengths": (raw(more="Content-Length: 40\r\n"), b"more than once"),
    "two equal lengths": (raw(more="content-length: 2\r\n"), b"more than once"),
    "a list of lengths": (raw(content_length="2, 2"), b"not a plain number"),
    "a length with a sign": (raw(content_length="+2"), b"not a plain number"),
    "a huge length": (raw(content_length="99999999"), b"larger than 16777216 bytes"),
    "an absurd length": (raw(content_length="9" * 40), b"not a plain number"),
    "URL and Host differ": (raw(host="logs.eu-west-1.amazonaws.com"), b"and the Host header"),
    "two Host headers": (raw(more=f"Host: {HOST}\r\n"), b"more than once"),
    "no Host": (raw(host=None), b"the HTTP request is refused"),
    "origin form": (raw(line="POST / HTTP/1.1"), b"not an absolute http URL"),
    "a host elsewhere": (
        raw(line="POST http://evil.example/ HTTP/1.1", host="evil.example"),
        b"that service is at",
    ),
    "CONNECT": (raw(line=f"CONNECT {HOST}:443 HTTP/1.1"), b"CONNECT asks for a tunnel"),
    "HTTP/2 preface": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"HTTP/2.0"),
    "HTTP/1.0": (raw(line=f"POST {URL} HTTP/1.0"), b"HTTP/1.0"),
    "HTTP/0.9": (b"POST /\r\n\r\n", b"first line"),
    "TLS": (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"does not begin like HTTP"),
    "WebSocket": (raw(upgrade="websocket"), b"another protocol"),
    "strange Expect": (raw(expect="200-maybe"), b"another protocol"),
    "a folded header": (raw(more="X-A: b\r\n c\r\n"), b"folded over two lines"),
    "a space before the colon": (raw(more="X-Amz-Target : x\r\n"), b"a name and a value"),
    "a bare line feed": (raw(more="X-A: b\nX-Amz-Target: x\r\n"), b"bare line feed"),
    "bare line feeds only": (raw().replace(b"\r\n", b"\n"), b"bare line feed"),
    "a bare carriage return": (raw(more="X-A: b\rX-B: c\r\n"), b"bare line feed"),
    "a NUL": (raw(more="X-A: b\x00\r\n"), b"NUL"),
    "letters beyond ASCII": (raw(user_agent="é"), b"plain ASCII"),
    "a huge header": (raw(x_a="b" * 20_000), b"larger than 16384 bytes"),
    "a thousand headers": (raw(more="X: y\r\n" * 5_000), b"larger than 16384 bytes"),
    "presigned": (
        raw(line=f"POST {URL}?X-Amz-Credential=AKIDRUN HTTP/1.1", authorization=None),
        b"not signed in its headers",
    ),
    "unsigned": (raw(authorization=None), b"not signed in its headers"),
    "another run's key": (raw(authorization=signed(key="AKIDRUM")), b"another key"),
    "a longer key": (raw(authorization=signed(key="AKIDRUN1")), b"another key"),
    "signed for another service": (
        raw(authorization=signed("logs")),
        b"does not name an operation of logs",
    ),
    "method override": (raw(x_http_method_override="DELETE"), b"another method"),
    "compressed": (raw(b"\x1f\x8b\x08", content_encoding="gzip"), b"compressed"),
    "two targets": (raw(more=f"X-Amz-Target: {TARGET}DeleteAlarms\r\n"), b"more than once"),
    "a key twice": (raw(b'{"AlarmNames": ["a"], "AlarmNames": ["b"]}'), b"more than once"),
    "an unknown member": (raw(b'{"Nonsense": 1}'), b"unknown parameter"),
    "two documents": (raw(b"{}{}"), b"JSON can't be read"),
    "a parameter botocore refuses": (raw(b'{"MaxRecords": 0}'), b"not sent: "),
}


@pytest.mark.parametrize(("data", "reason"), TRICKS.values(), ids=TRICKS)
def test_a_trick_is_refused_by_name_and_nothing_is_sent(
    gateway: Gateway, data: bytes, reason: bytes
) -> None:
    """Each gets a refusal that names it, none reaches the transport, all are on record."""
    answer = gateway.ask(data)
    assert answer.startswith(b"HTTP/1.1 40")
    assert b"\r\nx-countersign-denied: 1\r\n" in answer
    assert reason in answer
    assert gateway.upstream.requests == []
    (called,) = gateway.told()
    assert not called.verdict.allowed


def test_nothing_is_read_after_the_first_request(gateway: Gateway) -> None:
    """A good one with another behind it is refused as well, and neither is even judged."""
    behind = raw(b'{"AlarmNames": ["p99"]}', x_amz_target=TARGET + "DeleteAlarms")
    assert gateway.ask(raw() + behind).count(b"HTTP/1.1 ") == 1
    assert gateway.ask(raw(host=None) + behind).count(b"HTTP/1.1 ") == 1
    assert gateway.judged == []


def test_a_client_that_asks_first_is_told_to_go_on(gateway: Gateway) -> None:
    """Expect: 100-continue gets its interim answer before the body is there."""
    data = raw(expect="100-continue")
    with gateway.connect() as connection:
        connection.sendall(data[:-2])
        assert connection.recv(100) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(data[-2:])
        assert connection.recv(1000).startswith(b"HTTP/1.1 200 OK\r\n")


def test_a_request_that_never_ends_is_cut(gateway: Gateway) -> None:
    """However slow its bytes come, the whole request has one deadline, and others are served."""
    with ExitStack() as stack:
        slow = [stack.enter_context(gateway.connect()) for _ in range(21)]
        for number, connection in enumerate(slow):
            connection.sendall(raw()[: (1, 30, -1)[number % 3]])
        assert gateway.ask(raw()).startswith(b"HTTP/1.1 200")
        for connection in slow:
            assert b"did not arrive within 2 s" in connection.recv(10_000)
    assert len(gateway.upstream.requests) == 1


# ------------------------------------------------------------------ noise
SEEDS = (
    raw(b'{"AlarmNames": ["p99"], "MaxRecords": 5}'),
    raw(
        b"Action=DescribeInstances&Version=2016-11-15&InstanceId.1=i-1&Filter.1.Name=a",
        line="POST http://ec2.eu-west-1.amazonaws.com/ HTTP/1.1",
        host="ec2.eu-west-1.amazonaws.com",
        authorization=signed("ec2"),
        content_type=FORM,
        x_amz_target=None,
    ),
    *CLOUDWATCH.values(),
)
TOKENS = (
    *(b"\r\n", b"\n", b"\x00", b"&Action=DeleteAlarms", b"&", b"=", b'"', b"{", b"%", b": "),
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Length: 5\r\n",
    b"X-Amz-Target: GraniteServiceVersion20100801.DeleteAlarms\r\n",
    b"\xff",
    b" HTTP/1.1\r\n",
)


def mutated(chance: random.Random) -> bytes:
    """Return a request with one to three random injuries."""
    data = bytearray(chance.choice(SEEDS))
    for _ in range(chance.randint(1, 3)):
        at = chance.randrange(len(data))
        to = min(len(data), at + chance.randint(1, 40))
        injury: Callable[[], bytes] = chance.choice(
            [
                lambda: bytes([chance.randrange(256)]),
                lambda: b"",
                lambda at=at, to=to: bytes(data[at:to]) * 2,  # type: ignore[misc]  # bound early
                lambda: chance.choice(TOKENS),
            ]
        )
        data[at:to] = injury()
    return bytes(data)


def test_noise_neither_hangs_nor_crashes_nor_slips_through(gateway: Gateway) -> None:
    """Hundreds of injured requests: each is answered or closed, and only judged calls are sent."""
    chance = random.Random(20260131)
    for _ in range(400):
        answer = gateway.ask(mutated(chance), finish=True)
        assert answer == b"" or answer.startswith(b"HTTP/1.1 ")
    assert gateway.ask(raw()).startswith(b"HTTP/1.1 200")
    assert gateway.upstream.calls == gateway.judged
    assert len(gateway.upstream.requests) >= 1
    told = gateway.told()
    assert len([called for called in told if called.response]) == len(gateway.upstream.requests)
    assert len(told) > 200
