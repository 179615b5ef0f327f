"""The three standard streams, so that nothing else has to ask whether they are there.

A program can be started with any of them closed: the next file that is opened takes the number, and
what was meant for a terminal is written into it. A closed one is opened on /dev/null here, first of
all. What a stream's encoding does not have is written as its number, and is no error.

Does not: make a full disk or a closed pipe writable; `drop` only keeps them from being told twice.
"""

from __future__ import annotations

import io
import os
import sys
from typing import IO

_NUMBERS = (0, 1, 2)


def prepare() -> None:
    """Open what is closed on /dev/null, and let no character be an error. May be called again."""
    for number in _NUMBERS:
        _reopen(number)
    # Python leaves None where there was nothing at its start.
    sys.stdin = sys.stdin or open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 (a standard stream stays open)
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 (likewise)
    sys.stderr = sys.stderr or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115 (likewise)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def drop(stream: IO[str]) -> None:
    """Have what a stream still holds go nowhere, so that it is not complained about at the end."""
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, stream.fileno())
    os.close(nothing)


def _reopen(number: int) -> None:
    try:
        os.fstat(number)
    except OSError:
        # The lowest free number is given out, and those below have been seen to.
        os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)
