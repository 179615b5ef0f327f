"""One simulated account, and the two ways to it: directly, and through the gateway.

The account is a process that plays AWS (`played_account.py`), as a plain-HTTP proxy would reach it.
Direct clients are given it as their proxy; the others are given the gateway, which reads, judges
(everything is allowed here), builds anew and sends what it has built to that same account.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from socket import AF_UNIX, SHUT_WR, SOCK_STREAM, create_server, send_fds, socketpair
from threading import Thread
from typing import Any, NamedTuple

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from botocore.httpsession import URLLib3Session

from core.upstream.wire import Download
from sandbox.gateway.frames import receive_frame, send_frame
from sandbox.gateway.rebuild import Rebuilder
from sandbox.gateway.run import RunPorts
from sandbox.gateway.serve import serve
from sandbox.gateway.services import streams
from sandbox.job import OPERATOR, AwsCall, Response, Verdict

KEY = "AKIDRUN"
REGION = "eu-west-1"
READY_SECONDS = 50.0


class Account(NamedTuple):
    """The account, as its clients need it."""

    port: int
    ids: dict[str, str]


@pytest.fixture(scope="module")
def account() -> Iterator[Account]:
    """Start the account; it takes some seconds until all is made."""
    with create_server(("127.0.0.1", 0)) as listener:
        port, number = listener.getsockname()[1], listener.fileno()
        program = Path(__file__).with_name("played_account.py")
        account = subprocess.Popen(
            [sys.executable, "-I", str(program), str(number)],
            pass_fds=[number],
            stdout=subprocess.PIPE,
        )
    assert account.stdout is not None
    with account.stdout:
        yield Account(port, json.loads(account.stdout.readline()))
    account.kill()
    account.wait()


class Sending:
    """An upstream that sends what it builds to the account instead of to AWS."""

    def __init__(self, port: int) -> None:
        self._rebuilder = Rebuilder()
        self._session = URLLib3Session(proxies={"http": f"http://127.0.0.1:{port}"})
        self.calls: list[AwsCall] = []

    def send(self, call: AwsCall) -> Response:
        self.calls.append(call)

        def transport(request: AWSPreparedRequest) -> Response:
            request.url = request.url.replace("https:", "http:", 1)
            request.stream_output = streams(call.service, call.operation)
            answer = self._session.send(request)
            headers = dict(answer.headers)
            if request.stream_output and answer.status_code < 300:
                named = {name.lower(): text for name, text in headers.items()}
                length = named.get("content-length")
                body = Download(answer.raw, "account", None if length is None else int(length))
                return Response(answer.status_code, headers, b"", stream=body)
            return Response(answer.status_code, headers, answer.content)

        return self._rebuilder.send(call, transport)


class Gateway(NamedTuple):
    """The gateway, as its clients need it."""

    port: int
    upstream: Sending


@pytest.fixture(scope="module")
def gateway(account: Account) -> Iterator[Gateway]:
    """Serve one run that may do everything, in front of the account."""
    upstream = Sending(account.port)
    ports = RunPorts(_allow, upstream, {KEY: OPERATOR}.get, 10_000, 10**9)
    control, theirs = socketpair(AF_UNIX, SOCK_STREAM)
    channel, other_end = socketpair(AF_UNIX, SOCK_STREAM)
    server = Thread(target=serve, args=(theirs, lambda _: ports))
    server.start()
    with create_server(("127.0.0.1", 0)) as listener, other_end:
        port = listener.getsockname()[1]
        send_fds(control, [b"+"], [listener.fileno(), other_end.fileno()])
    with channel:
        send_frame(channel, b"spec")
        assert receive_frame(channel) == b'{"ready": true}'
        taking = Thread(target=lambda: all(iter(lambda: receive_frame(channel), None)))
        taking.start()
        yield Gateway(port, upstream)
        channel.shutdown(SHUT_WR)
        taking.join(30)
    control.close()
    server.join(30)
    assert not server.is_alive()


def _allow(_: AwsCall) -> Verdict:
    return Verdict(allowed=True, reason="", tier=1, action="")


Clients = Callable[[str], Any]


def _clients(port: int) -> Clients:
    """Return a function that makes clients as the start-up hook makes them in a sandbox."""
    made: dict[str, Any] = {}

    def client(service: str) -> Any:
        if service not in made:
            made[service] = boto3.Session(KEY, "secret", region_name=REGION).client(
                service,
                use_ssl=False,
                config=Config(
                    proxies={"http": f"http://127.0.0.1:{port}"},
                    retries={"total_max_attempts": 1},
                    request_checksum_calculation="when_required",
                    response_checksum_validation="when_required",
                ),
            )
        return made[service]

    return client


@pytest.fixture(scope="module")
def directly(account: Account) -> Clients:
    """Return clients of the account itself."""
    return _clients(account.port)


@pytest.fixture(scope="module")
def through_gateway(gateway: Gateway) -> Clients:
    """Return clients of the gateway."""
    return _clients(gateway.port)
