"""The simulator as a process: `python -I -m core.simulator.main FD WORLD-FILE SHA`.

FD is one end of a pair of sockets whose other end the gateway process holds: nothing listens
anywhere, so no other process of the machine can ask. A frame is a request as it would have gone to
AWS; it is identified again here, and the answer is a frame. The process ends with that socket.
"""

from __future__ import annotations

import base64
import gc
import json
import signal
import sys
from contextlib import suppress
from pathlib import Path
from socket import socket
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from core.errors import CountersignError, UsageError
from core.simulator.answers import Simulator
from core.simulator.world_file import HINT, read_world
from sandbox.errors import Unidentified
from sandbox.gateway.deny import denial
from sandbox.gateway.frames import receive_frame, send_frame
from sandbox.gateway.identify import identify
from sandbox.job import Response


def main(arguments: list[str]) -> int:
    """Say whether the world could be made, then answer until the socket is closed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    gc.disable()  # what is made now stays; to look through it again and again took a third longer
    descriptor, path, digest = arguments
    with socket(fileno=int(descriptor)) as channel, suppress(ConnectionError):
        try:
            simulator = _made(Path(path), digest)
        except CountersignError as error:
            send_frame(channel, json.dumps({"refused": str(error), "hint": error.hint}).encode())
            return 1
        gc.freeze()
        gc.enable()
        send_frame(channel, json.dumps({"ready": True}).encode())
        while (frame := receive_frame(channel)) is not None:
            send_frame(channel, _answered(simulator, json.loads(frame)))
    return 0


def _made(path: Path, digest: str) -> Simulator:
    world = read_world(path)
    if world.digest != digest:
        raise UsageError(f"the world {path} is not the approved one: it was changed")
    try:
        return Simulator(world)
    except (ClientError, BotoCoreError) as error:
        raise UsageError(f"{path}: AWS would not allow this: {error}", hint=HINT) from error


def _answered(simulator: Simulator, request: dict[str, Any]) -> bytes:
    headers = [(name, value) for name, value in request["headers"]]
    try:
        body = base64.b64decode(request["body"], validate=True)
        call = identify(request["method"], request["url"], headers, body)
        response = simulator.answer(call)
    except Unidentified as error:
        response = denial(error.reason, headers)
    return _frame(response)


def _frame(response: Response) -> bytes:
    document = {
        "status": response.status,
        "headers": dict(response.headers),
        "body": base64.b64encode(response.body).decode("ascii"),
    }
    return json.dumps(document).encode("ascii")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
