"""A program at a pseudo terminal of 120 columns and 40 rows: when its frames are there."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from tempfile import TemporaryDirectory

SEQUENCE = re.compile(rb"\x1b\[[0-9;:?<>=$]*[a-zA-Z]")
_PATIENCE_S = 60


class Terminal:
    """What a program has painted, and since when it has been running."""

    def __init__(self, master: int) -> None:
        self._master, self._begun = master, time.perf_counter()
        self._written = b""

    def shows(self, texts: Sequence[str]) -> float:
        """Return milliseconds from the start of the program until all texts were painted."""
        while not all(text in self._text() for text in texts):
            if not select.select([self._master], [], [], _PATIENCE_S)[0]:
                raise TimeoutError(f"never painted: {', '.join(texts)}")
            self._written += os.read(self._master, 65536)
        return (time.perf_counter() - self._begun) * 1000

    def press(self, key: bytes) -> None:
        """Press a key; what was painted before counts no more."""
        self._written = b""
        os.write(self._master, key)

    def _text(self) -> str:
        return SEQUENCE.sub(b"", self._written).decode(errors="replace")


@contextmanager
def started(command: Sequence[str]) -> Iterator[Terminal]:
    """Start a program as it is when it was installed: with an empty home, and compiled modules."""
    with TemporaryDirectory() as home:
        process, master = pty.fork()
        if process == 0:
            kept = {key: value for key, value in os.environ.items() if key[:6] != "PYTHON"}
            own = {"HOME": home, "COUNTERSIGN_DATA": home, "TERM": "xterm-256color"}
            os.execve(command[0], list(command), {**kept, **own})
        terminal = Terminal(master)
        fcntl.ioctl(master, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))
        try:
            yield terminal
        finally:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            os.close(master)
