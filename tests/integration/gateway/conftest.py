"""A served gateway in this process: `serve` in a thread, over an upstream that a test directs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from socket import AF_UNIX, SOCK_STREAM, create_connection, create_server, send_fds, socket
from socket import socketpair as pair
from threading import Event, Thread

import pytest

from sandbox.errors import GatewayLost
from sandbox.gateway.frames import ACKNOWLEDGEMENT, read_event, receive_frame, send_frame
from sandbox.gateway.run import RunPorts
from sandbox.gateway.serve import serve
from sandbox.job import OPERATOR, AwsCall, Called, GatewayEvent, Intended, Response, Verdict

BODY = b'{"MaxRecords": 5}'
KEY = "AKID"
HOST = "monitoring.eu-west-1.amazonaws.com"
SIGNED = (
    f"AWS4-HMAC-SHA256 Credential={KEY}/20260131/eu-west-1/monitoring/aws4_request, "
    f"SignedHeaders=host, Signature={'0' * 64}"
)
HEADERS = {"x-amzn-requestid": "R-1", "X-Bad\n": "x", "Connection": "x", "x-half": "\ud800"}
ANSWER = Response(200, HEADERS, b'{"a": 1}')
ALLOWED = Verdict(allowed=True, reason="fine", tier=1, action="cloudwatch:DescribeAlarms")


def request(
    body: bytes = BODY, *, line: str = f"POST http://{HOST}/ HTTP/1.1", **headers: str | None
) -> bytes:
    """Return a request as it is on the wire; None takes a header away."""
    fields: dict[str, str | None] = {
        "Host": HOST,
        "Content-Type": "application/x-amz-json-1.0",
        "X-Amz-Target": "GraniteServiceVersion20100801.DescribeAlarms",
        "Authorization": SIGNED,
        "Content-Length": str(len(body)),
        "Connection": "close",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    lines = [line, *(f"{name}: {value}" for name, value in fields.items() if value is not None)]
    return "\r\n".join([*lines, "", ""]).encode() + body


class Door:
    """An upstream that answers when it is opened, with what a test wants."""

    def __init__(self) -> None:
        self.opened = Event()
        self.opened.set()
        self.reached = Event()
        self.sent: list[AwsCall] = []
        self.answer: Callable[[], Response] = lambda: ANSWER

    def send(self, call: AwsCall) -> Response:
        self.sent.append(call)
        self.reached.set()
        assert self.opened.wait(20)
        return self.answer()


class Attached:
    """One run as whoever attached it sees it."""

    def __init__(self, control: socket, spec: bytes) -> None:
        self.channel, theirs = pair(AF_UNIX, SOCK_STREAM)
        self.channel.settimeout(20)
        listener = create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        with listener, theirs:
            send_fds(control, [b"+"], [listener.fileno(), theirs.fileno()])
        send_frame(self.channel, spec)

    def opened(self) -> dict[str, object]:
        """Return the answer to the specification."""
        frame = receive_frame(self.channel)
        assert frame is not None
        answer: dict[str, object] = json.loads(frame)
        return answer

    def event(self) -> GatewayEvent:
        """Return what is told next."""
        frame = receive_frame(self.channel)
        assert frame is not None
        return read_event(frame, self._go)

    def called(self) -> Called:
        """Return what is told next, which is a call that was answered."""
        event = self.event()
        assert isinstance(event, Called)
        return event

    def intended(self) -> Intended:
        """Return what is told next, which is a call that waits."""
        event = self.event()
        assert isinstance(event, Intended)
        return event

    def told(self) -> list[GatewayEvent]:
        """Return all that is told up to the end of the channel."""
        frames = iter(lambda: receive_frame(self.channel), None)
        return [read_event(frame, self._go) for frame in frames]

    def connect(self) -> socket:
        return create_connection(("127.0.0.1", self.port), timeout=20)

    def ask(self, data: bytes = b"") -> bytes:
        """Send bytes and return everything that comes back; nothing when it is cut before."""
        with suppress(ConnectionResetError, BrokenPipeError), self.connect() as connection:
            connection.sendall(data or request())
            return read_all(connection)
        return b""

    def _go(self, number: int) -> None:
        self.channel.sendall(ACKNOWLEDGEMENT.pack(number))


def read_all(connection: socket) -> bytes:
    """Return what arrives until the end, which a cut connection is too."""
    received = b""
    with suppress(ConnectionResetError):
        while data := connection.recv(65536):
            received += data
    return received


class Server:
    """`serve` in a thread over an upstream of ours."""

    def __init__(self) -> None:
        self.door = Door()
        self.verdict = ALLOWED
        self.aws_calls = 100
        self.aws_bytes = 10_000
        self.control, theirs = pair(AF_UNIX, SOCK_STREAM)
        patience = {"patience_s": 2.0, "write_s": 1.0, "intent_s": 1.0}
        self._thread = Thread(target=serve, args=(theirs, self.open_run), kwargs=patience)
        self._thread.start()
        self._runs = ExitStack()

    def open_run(self, spec: bytes) -> RunPorts:
        if spec != b"spec":
            raise GatewayLost("not the approved one")
        keys = {KEY: OPERATOR}
        return RunPorts(self.judge, self.door, keys.get, self.aws_calls, self.aws_bytes)

    def judge(self, call: AwsCall) -> Verdict:
        return self.verdict

    def ask_first(self) -> None:
        """Have every call wait until its intent is on disk."""
        self.verdict = replace(ALLOWED, tier=4, durable_first=True)

    def attach(self, spec: bytes = b"spec") -> Attached:
        """Attach a run that need not be accepted."""
        run = Attached(self.control, spec)
        self._runs.enter_context(run.channel)
        return run

    def run(self) -> Attached:
        """Attach a run that is accepted."""
        run = self.attach()
        assert run.opened() == {"ready": True}
        return run

    def stop(self) -> None:
        """Close the control socket and wait for `serve` to return."""
        self.door.opened.set()
        self.control.close()
        self._thread.join(30)
        assert not self._thread.is_alive()
        self._runs.close()


@pytest.fixture
def server() -> Iterator[Server]:
    """Return a server that must have stopped by itself when its control is closed."""
    server = Server()
    yield server
    server.stop()


@pytest.fixture
def wire() -> Callable[..., bytes]:
    """Return the function that makes a request of a body and headers."""
    return request


@pytest.fixture
def everything() -> Callable[[socket], bytes]:
    """Return the function that reads a connection to its end."""
    return read_all
