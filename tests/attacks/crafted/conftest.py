"""What crafted requests are sent to: the real gateway server, and readers to hold it against.

The judge allows everything, so only reading can refuse. Behind it requests are built as a live
upstream builds them, and kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from socket import (
    AF_UNIX,
    SHUT_WR,
    SOCK_STREAM,
    create_connection,
    create_server,
    send_fds,
    socketpair,
)
from threading import Thread
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from botocore.session import Session

from sandbox.gateway.frames import receive_frame, send_frame
from sandbox.gateway.rebuild import Rebuilder
from sandbox.gateway.run import RunPorts
from sandbox.gateway.serve import serve
from sandbox.job import OPERATOR, AwsCall, Response, Verdict
from tools.crafting import Crafted, off_wire, on_wire
from tools.fuzz_requests import wire
from tools.moto_reading import Raw, Reading, Unread, executed, read, spelled

KEY = "AKIDRUN"
REGION = "eu-west-1"


@dataclass
class Tried:
    """What came of some bytes."""

    answer: bytes = b""
    judged: list[AwsCall] = field(default_factory=list)
    sent: list[Raw] = field(default_factory=list)

    @property
    def refused(self) -> bool:
        """Whether nothing was sent, and the script was told so, or got no answer at all."""
        answer = self.answer.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
        told = answer.startswith(b"HTTP/1.1 4") and b"x-countersign-denied: 1" in answer
        return not self.sent and (told or not self.answer)

    def readings(self) -> tuple[list[Reading], list[Reading]]:
        """Return what was judged, and what moto reads in what was sent."""
        judged = [Reading(call.operation, spelled(call.parameters)) for call in self.judged]
        pairs = zip(self.judged, self.sent, strict=False)
        return judged[: len(self.sent)], [read(call.service, raw) for call, raw in pairs]


class Gateway:
    """The server with one run attached to it; asked by one thread."""

    def __init__(self) -> None:
        self._rebuilder = Rebuilder()
        self._tried = Tried()
        self._control, theirs = socketpair(AF_UNIX, SOCK_STREAM)
        self._channel, channel = socketpair(AF_UNIX, SOCK_STREAM)
        self._threads = [
            Thread(target=serve, args=(theirs, lambda _: self._ports()), kwargs={"patience_s": 1.0})
        ]
        self._threads[0].start()
        with create_server(("127.0.0.1", 0)) as listener, channel:
            self._address = listener.getsockname()
            send_fds(self._control, [b"+"], [listener.fileno(), channel.fileno()])
        send_frame(self._channel, b"spec")
        assert receive_frame(self._channel) == b'{"ready": true}'
        self._threads.append(Thread(target=self._take_frames))
        self._threads[1].start()

    def ask(self, data: bytes) -> Tried:
        """Send bytes as they are, and the end of them, and return what came of it."""
        self._tried = Tried()
        with (
            create_connection(self._address, timeout=20) as connection,
            suppress(ConnectionResetError, BrokenPipeError),
        ):
            connection.sendall(data)
            connection.shutdown(SHUT_WR)
            while part := connection.recv(65536):
                self._tried.answer += part
        return self._tried

    def send(self, call: AwsCall) -> Response:
        """Build what a live upstream would send, and keep it."""
        return self._rebuilder.send(call, self._keep)

    def stop(self) -> None:
        """End the run and the server."""
        self._control.close()
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()
        self._channel.close()

    def _ports(self) -> RunPorts:
        return RunPorts(self._judge, self, {KEY: OPERATOR}.get, 10_000, 10**9)

    def _judge(self, call: AwsCall) -> Verdict:
        self._tried.judged.append(call)
        return Verdict(allowed=True, reason="", tier=1, action="")

    def _keep(self, request: AWSPreparedRequest) -> Response:
        self._tried.sent.append(wire(request))
        return Response(200, {"x-amzn-requestid": "R"}, b"{}")

    def _take_frames(self) -> None:
        while receive_frame(self._channel):
            pass


@pytest.fixture(scope="module")
def gateway() -> Iterator[Gateway]:
    """Return a gateway that must be able to end in the end."""
    gateway = Gateway()
    yield gateway
    gateway.stop()


# ------------------------------------------------------------------ genuine requests
class _Taken(Exception):
    """Carries a finished request out of a client."""


def _take(request: AWSPreparedRequest, **_: object) -> None:
    raise _Taken(request)


@pytest.fixture(scope="session")
def genuine() -> Callable[..., Raw]:
    """Return a function that has a real client make a request, as a script's client would."""
    session, clients = Session(), dict[str, Any]()

    def make(service: str, method: str, **parameters: Any) -> Raw:
        if service not in clients:
            clients[service] = session.create_client(
                service,
                region_name=REGION,
                use_ssl=False,
                aws_access_key_id=KEY,
                aws_secret_access_key="secret",
                config=Config(
                    disable_request_compression=True,
                    request_checksum_calculation="when_required",
                ),
            )
            clients[service].meta.events.register("before-send", _take)
        try:
            getattr(clients[service], method)(**parameters)
        except _Taken as taken:
            return wire(taken.args[0])
        raise AssertionError("botocore sent nothing")

    return make


# ------------------------------------------------------------------ bytes
@pytest.fixture(scope="session")
def on_the_wire(genuine: Callable[..., Raw]) -> Callable[..., bytes]:
    """Return a function that gives the bytes of a genuine request."""
    return lambda service, method, parameters: on_wire(genuine(service, method, **parameters))


@pytest.fixture
def check(gateway: Gateway, on_the_wire: Callable[..., bytes]) -> Callable[[Crafted], None]:
    """Return a function that sends a row: refused, or the one thing that it means is sent."""

    def hold(row: Crafted) -> None:
        before = on_the_wire(*row.base)
        data = row.edit(before)
        assert data != before
        tried = gateway.ask(data)
        if row.means is None:
            assert tried.refused, (tried.judged, tried.sent)
        elif not tried.refused:
            operation, parameters = row.means
            means = [Reading(operation, spelled(parameters))]
            assert tried.readings() == (means, means)

    return hold


@pytest.fixture
def check_control(on_the_wire: Callable[..., bytes]) -> Callable[[Crafted], None]:
    """Return a function that hands a row to moto, which runs another operation than before."""

    def hold(row: Crafted) -> None:
        before, (service, *_) = on_the_wire(*row.base), row.base
        assert row.naive == executed(service, off_wire(row.edit(before)))
        with suppress(Unread):
            assert row.naive != executed(service, off_wire(before))

    return hold


@pytest.fixture
def moto_answers() -> Callable[[bytes], str]:
    """Return a function that has moto really answer bytes; it keeps what they have changed."""
    from moto.core.botocore_stubber import BotocoreStubber

    stub = BotocoreStubber()

    def answer(data: bytes) -> str:
        method, url, headers, body = off_wire(data)
        request = AWSPreparedRequest(method, url, dict(headers), body, stream_output=False)
        answered = stub.process_request(request)
        assert answered is not None
        status, _, content = answered
        assert status == 200
        return content.decode() if isinstance(content, bytes) else str(content)

    return answer
