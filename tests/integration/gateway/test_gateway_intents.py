"""A kill -9 between the intent of a call and the word to go: the call is never sent."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

GATEWAY = """
import sys
from socket import socket
from sandbox.gateway.run import RunPorts
from sandbox.gateway.serve import serve
from sandbox.job import Response, Verdict

class Counting:
    def send(self, call):
        with open(sys.argv[1], "a") as file:
            file.write(call.operation)
        return Response(200, {}, b"{}")

def open_run(spec):
    verdict = Verdict(True, "", 4, "cloudwatch:SetAlarmState", durable_first=True)
    return RunPorts(lambda _: verdict, Counting(), {"AKID": "operator"}.get, 10, 10_000)

serve(socket(fileno=int(sys.argv[2])), open_run)
with open(sys.argv[1], "a") as file:
    file.write(".")
"""
PARENT = """
import asyncio, os, signal, sys
from socket import create_connection, create_server
from core.gateway_client import GatewayProcess
from sandbox.job import Called, Intended

gateway, sent, request, go = sys.argv[1], sys.argv[2], bytes.fromhex(sys.argv[3]), sys.argv[4]

async def main():
    process = GatewayProcess((sys.executable, "-I", "-c", gateway, sent))
    process.prepare()
    listener = create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    async with process.attach("X1", b"", listener) as events:
        with create_connection(("127.0.0.1", port)) as script:
            script.sendall(request)
            intended = await anext(events)
            assert isinstance(intended, Intended) and intended.number == 1
            if go:
                intended.go()
                assert isinstance(await anext(events), Called)
            os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


@pytest.mark.parametrize(("go", "sent"), [("", "."), ("go", "DescribeAlarms.")])
def test_what_was_not_let_go_is_never_sent(
    tmp_path: Path, wire: Callable[..., bytes], go: str, sent: str
) -> None:
    """The gateway outlives the application by a moment, and sends only what it was told to."""
    file = tmp_path / "sent"
    arguments = (GATEWAY, str(file), wire().hex(), go)
    parent = subprocess.run(
        [sys.executable, "-I", "-c", PARENT, *arguments],
        capture_output=True,
        check=False,
        timeout=50,
    )
    assert (parent.returncode, parent.stderr) == (-signal.SIGKILL, b"")
    _wait_for_the_end(file)
    assert file.read_text() == sent


def _wait_for_the_end(file: Path) -> None:
    """Wait until the gateway has noted, behind all that it sent, that it is through."""
    end = time.monotonic() + 30
    while not (file.exists() and file.read_text().endswith(".")):
        assert time.monotonic() < end
        time.sleep(0.02)
