"""The terminal is closed under the screen: everything ends, and the session can be gone on with."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import termios
import time
from typing import Any

import pytest

ASK = ("ask", "Why is checkout returning 503s?", "--aws", "recorded:checkout-503", "--ui", "tui")
SIZE = struct.pack("HHHH", 40, 120, 0, 0)


def ended(process: int, seconds: float) -> int | None:
    """Return the exit code of a process that ends in time, None when it has to be killed."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found, status = os.waitpid(process, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.05)
    os.killpg(process, 9)
    os.waitpid(process, 0)
    return None


WAITING = ("/bin/sh", "-c", 'trap : HUP; "$@"; exit $?', "sh")
"""As make does it: keeps the signal to itself, and waits for the program to end."""


@pytest.mark.parametrize("leader", [(), WAITING], ids=["leader", "below a leader"])
@pytest.mark.parametrize("typed", ["", "a"])
def test_the_program_ends_with_its_terminal(
    countersign: Any, typed: str, leader: tuple[str, ...]
) -> None:
    """Whether a request waits or was just answered, nothing stays and the record is whole."""
    environment = {**countersign.environment, "TERM": "xterm-256color"}
    command = [*leader, *countersign.command(ASK)]
    process, master = pty.fork()
    if process == 0:
        os.execve(command[0], command, environment)
    fcntl.ioctl(master, termios.TIOCSWINSZ, SIZE)
    seen = b""
    while b"Approve" not in seen:
        assert select.select([master], [], [], 30)[0], seen
        seen += os.read(master, 65536)
    time.sleep(0.7)  # keys sleep until the request has been on the screen for a moment
    os.write(master, typed.encode())
    os.close(master)

    assert ended(process, 20) == 130
    assert countersign("verify", countersign.sessions()[-1]).code != 1
