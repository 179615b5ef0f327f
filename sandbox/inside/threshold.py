"""The first code behind walls that bubblewrap put up: opens what leads out, becomes the script.

Delivered as text, with `sandbox.engines.kernel`, `landlock` and `filter`. It has no rights left and
asks for fewer: nothing that is written can be executed, and much of the kernel can't be called. The
listener for the gateway is made here because only a process inside can be in the empty network.

Trade-off: the kernel's refusal to execute is Landlock's, since bubblewrap can't mount without
execution. It does not keep a script from mapping its own code, which ctypes can do anyway.
"""

from __future__ import annotations

import json
import os
import socket

from sandbox.engines import kernel, landlock
from sandbox.engines.filter import compile_filter

STANDS = b"stands"
_MOST_MESSAGE = 64 * 1024


def main(word_descriptor: int, control_descriptor: int, port: int) -> None:
    """Tell on `word` that the walls stand and wait there; hand out on `control`; become the script.

    `port` is where to listen for the gateway, 0 for nowhere. Returns when nobody waits any more.
    """
    word = socket.socket(fileno=word_descriptor)
    control = socket.socket(fileno=control_descriptor)
    try:
        _become(word, control, port)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        control.send(json.dumps({"error": reason}).encode())


def _become(word: socket.socket, control: socket.socket, port: int) -> None:
    # bubblewrap, our parent, is about to be killed, and the launcher to be our parent.
    kernel.outlive_parent()
    word.send(STANDS)
    message = word.recv(_MOST_MESSAGE)
    if not message:
        return
    kernel.die_with_parent()
    arguments, environment = json.loads(message)
    descriptors = [os.open("/job", os.O_RDONLY | os.O_DIRECTORY)]
    if port:
        descriptors.append(socket.create_server(("127.0.0.1", port), backlog=128).detach())
    landlock.enclose(port, must=True)
    kernel.install_filter(compile_filter(os.uname().machine))
    socket.send_fds(control, [json.dumps({"ready": True}).encode()], descriptors)
    kernel.keep_only(word.fileno())
    os.execve(arguments[0], arguments, environment)  # noqa: S606 - no shell
