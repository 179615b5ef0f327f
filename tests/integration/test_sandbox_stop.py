"""A script that is to end is asked first; what it does then is bounded and reaches no AWS."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from socket import socket
from typing import Any

from sandbox.job import Called, Job, Output, Sandbox

Run = Callable[..., Any]
MakeJob = Callable[..., Job]

CLEANING = """
import time
print("begun", flush=True)
try:
    time.sleep(60)
finally:
    print("cleaned up", flush=True)
"""


class Doorbell:
    """A gateway that only counts who comes."""

    def __init__(self) -> None:
        self.came = 0

    @asynccontextmanager
    async def attach(
        self,
        run: str,
        spec: bytes,
        listener: socket,
    ) -> AsyncIterator[AsyncIterator[Called]]:
        """Count connections until the block is left."""

        async def count(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.came += 1
            writer.close()

        async with await asyncio.start_server(count, sock=listener):
            yield nothing()


async def nothing() -> AsyncIterator[Called]:
    """Tell of no call."""
    none: tuple[Called, ...] = ()
    for called in none:
        yield called


def test_a_script_whose_time_is_up_can_clean_up(run: Run) -> None:
    """It unwinds as if it had been told to exit; the limit is named all the same."""
    ran = run(CLEANING, wall_ms=1_000)

    assert ran.printed() == "begun\ncleaned up\n"
    assert ran.ending == ("limit", None, "wall_ms")


def test_cleaning_up_is_bounded(run: Run) -> None:
    """A script that does not come to its end when asked is killed."""
    ran = run(CLEANING.replace('print("cleaned up", flush=True)', "time.sleep(60)"), wall_ms=500)

    assert ran.printed() == "begun\n"
    assert ran.ending == ("limit", None, "wall_ms")


def test_a_script_may_ask_itself_to_end(run: Run) -> None:
    """SIGTERM ends it as anywhere else, although it is the first process in its world."""
    ran = run("import os, signal; os.kill(os.getpid(), signal.SIGTERM)")

    assert ran.ending == ("exited", 143, None)


def test_once_left_no_call_gets_through(engine: Sandbox, make_job: MakeJob) -> None:
    """What a script does while it is being stopped is on nobody's record, so AWS hears nothing."""
    ring = """
    import socket, time
    def ring():
        socket.create_connection(("127.0.0.1", 3128), timeout=5).recv(1)
    ring()
    print("begun", flush=True)
    try:
        time.sleep(60)
    finally:
        ring()
    """
    gateway = Doorbell()

    async def main() -> None:
        async with engine.run(make_job(ring, aws=True), gateway, b"") as events:
            async for event in events:
                assert isinstance(event, Output)
                break

    asyncio.run(main())
    assert gateway.came == 1
