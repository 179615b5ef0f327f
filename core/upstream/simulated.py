"""The upstream that answers from a world: a child process with moto in it, behind our overlay.

The gateway process starts it when the first run needs it and holds its only socket, so it ends with
the gateway process whatever happens. Requests are built as they would be for AWS, and only then
taken to the child. One call at a time: moto is not made for threads, and a call takes milliseconds.
What may have changed the world is remembered, so that a copy of it can be led to where it is.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from socket import AF_UNIX, SOCK_STREAM, socketpair
from threading import Lock
from typing import TYPE_CHECKING, Any

from core.errors import MachineUnfit
from core.iam.actions import DURABLE, lookup
from core.upstream.cells import led_back
from sandbox.gateway.frames import receive_frame, send_frame
from sandbox.gateway.rebuild import Rebuilder
from sandbox.job import AwsCall, Response, Sha

if TYPE_CHECKING:
    from botocore.awsrequest import AWSPreparedRequest

_START_SECONDS = 60.0
_ANSWER_SECONDS = 30.0


class Simulated:
    """Answers calls from the world file at `path`; threads may share it."""

    def __init__(self, path: Path, world: Sha, changes: list[AwsCall] | None = None) -> None:
        """Start the child and wait until its world stands; what changes it goes into `changes`.

        Raises MachineUnfit when it can't be made, is not the one whose hash is `world`, or moto is
        not installed.
        """
        self._rebuilder = Rebuilder()
        self._lock = Lock()
        self._changing = Lock()
        self._changes = changes
        self._channel, theirs = socketpair(AF_UNIX, SOCK_STREAM)
        with theirs:
            self._child = subprocess.Popen(
                [
                    *(sys.executable, "-I", "-m", "core.simulator.main"),
                    *(str(theirs.fileno()), str(path), world),
                ],
                cwd="/",
                env={},
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
            )
        self._channel.settimeout(_START_SECONDS)
        said = self._take()
        if "ready" not in said:
            self.close()
            raise MachineUnfit(
                f"the simulator did not start: {said.get('refused', 'no word from it')}",
                hint=said.get("hint") or MachineUnfit.hint,
            )
        self._channel.settimeout(_ANSWER_SECONDS)

    def send(self, call: AwsCall) -> Response:
        """Return the simulated answer; raises ValueError when no request can be made or sent."""
        if self._changes is None or lookup(call.service, call.operation).tier < DURABLE:
            return self._answer(call)
        with self._changing:  # one after the other, so that their order is known
            self._changes.append(call)
            return self._answer(call)

    def catch_up(self, changes: Iterable[AwsCall]) -> None:
        """Repeat what changed another copy of the world; what failed there fails here."""
        for call in changes:
            with suppress(ValueError):
                self._answer(call)

    def close(self) -> None:
        """End the child, which has nothing to keep; may be called again."""
        self._channel.close()
        self._child.kill()
        self._child.wait()

    def _answer(self, call: AwsCall) -> Response:
        return led_back(call, self._rebuilder.send(call, self._transport))

    def _transport(self, request: AWSPreparedRequest) -> Response:
        with self._lock:
            try:
                send_frame(self._channel, _frame(request))
            except OSError as error:
                raise ValueError(f"the simulator has ended: {error}") from error
            answer = self._take()
            if not answer:
                # A late answer would be taken for the one to the next call.
                self.close()
                raise ValueError("the simulator gave no answer")
        return Response(answer["status"], answer["headers"], base64.b64decode(answer["body"]))

    def _take(self) -> dict[str, Any]:
        """Return the child's next word, empty when there is none."""
        try:
            frame = receive_frame(self._channel)
        except (OSError, ValueError):
            return {}
        return json.loads(frame) if frame else {}


def _frame(request: AWSPreparedRequest) -> bytes:
    body = request.body or b""
    document = {
        "method": request.method,
        "url": request.url,
        "headers": [[name, _text(value)] for name, value in request.headers.items()],
        "body": base64.b64encode(body.encode() if isinstance(body, str) else body).decode(),
    }
    return json.dumps(document).encode("ascii")


def _text(value: str | bytes) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else value
