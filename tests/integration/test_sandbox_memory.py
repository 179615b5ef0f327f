"""The memory of a process and all below it, on real processes without walls."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest

from sandbox.engines.memory import (
    family,
    outgrown,
    process_behind,
    proportional,
    resident,
    takes_more,
)

MEBIBYTE = 1024 * 1024
Start = Callable[[str], int]


@pytest.fixture
def start() -> Iterator[Start]:
    """Return a function that starts a Python program and gives its pidfd once it has said so.

    The program says it with `ready()`, which waits for the test's end.
    """
    words = "import os\ndef ready():\n    print(flush=True)\n    os.read(0, 1)\n"
    with ExitStack() as stack:

        def begin(program: str) -> int:
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-I", "-S", "-c", words + program],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
            )
            assert process.stdout is not None
            assert process.stdout.readline() == b"\n"
            pidfd = os.pidfd_open(process.pid)
            stack.callback(os.close, pidfd)
            return pidfd

        yield begin


def more(pidfd: int, mebibytes: int) -> bool:
    """Return whether the run takes more than that."""
    return asyncio.run(takes_more(pidfd, mebibytes * MEBIBYTE))


def test_one_process(start: Start) -> None:
    """A process that holds 100 MiB takes more than that, and less than twice as much."""
    pidfd = start("held = bytearray(100 << 20); ready()")

    assert (more(pidfd, 100), more(pidfd, 200)) == (True, False)


def test_children_count(start: Start) -> None:
    """What children and grandchildren hold is added, whichever thread made them."""
    pidfd = start(
        """
import threading
told, tell = os.pipe()
def child(depth):
    if os.fork() == 0:
        held = bytearray(50 << 20)
        child(depth - 1) if depth else os.write(tell, b"x")
        os.read(0, 1)
        os._exit(0)
    if depth == 2:
        os.read(0, 1)
threading.Thread(target=child, args=(2,), daemon=True).start()
os.read(told, 1)
ready()
"""
    )

    assert len(list(family(process_behind(pidfd)))) == 4
    assert (more(pidfd, 150), more(pidfd, 250)) == (True, False)


def test_shared_memory_counts_once(start: Start) -> None:
    """Five processes that share 100 MiB after a fork take little more than one of them."""
    pidfd = start(
        """
held = bytearray(100 << 20)
told, tell = os.pipe()
for _ in range(4):
    if os.fork() == 0:
        os.write(tell, b"x")
        os.read(0, 1)
        os._exit(0)
for _ in range(4):
    os.read(told, 1)
ready()
"""
    )

    members = list(family(process_behind(pidfd)))
    assert len(members) == 5
    assert sum(map(resident, members)) > 500 * MEBIBYTE
    assert 100 * MEBIBYTE < sum(map(proportional, members)) < 200 * MEBIBYTE
    assert (more(pidfd, 100), more(pidfd, 200)) == (True, False)


def test_mapped_memory_that_is_shared_counts(start: Start) -> None:
    """Memory that no file stands behind counts however it was asked for."""
    pidfd = start("import mmap; held = mmap.mmap(-1, 1 << 27); held.write(bytes(1 << 27)); ready()")

    assert more(pidfd, 100)


def test_who_has_ended_takes_nothing() -> None:
    """A process that has ended, seen or not seen by its parent, is no error and no memory."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        pidfd = os.pidfd_open(process.pid)
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        zombie = more(pidfd, 0), list(family(process_behind(pidfd)))
    gone = more(pidfd, 0), process_behind(pidfd)
    os.close(pidfd)

    assert zombie == (False, [process.pid])
    assert gone == (False, -1)
    assert (resident(process.pid), proportional(process.pid)) == (0, 0)


def test_growth_is_noticed(start: Start) -> None:
    """The watch goes on while there is room, returns when there is none, and can be left."""
    pidfd = start("held = bytearray(30 << 20); ready()")

    async def watch(most: int, seconds: float) -> bool:
        try:
            async with asyncio.timeout(seconds):
                await outgrown(pidfd, most)
        except TimeoutError:
            return False
        return True

    assert asyncio.run(watch(10 * MEBIBYTE, 60))
    assert not asyncio.run(watch(1000 * MEBIBYTE, 0.3))


def test_the_watch_survives_any_end(start: Start) -> None:
    """Processes that start and end all the time are looked at without an error."""
    pidfd = start(
        """
import select
print(flush=True)
while not select.select([0], [], [], 0)[0]:
    if os.fork() == 0:
        os._exit(0)
    os.wait()
"""
    )

    assert [more(pidfd, 10_000) for _ in range(300)] == [False] * 300
