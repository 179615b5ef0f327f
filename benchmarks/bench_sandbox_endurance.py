"""What is left after two hundred runs of the sandbox, twenty of which are killed from outside.

Ten times the first process of the script is killed, five times the launcher, five times countersign
itself, which is then a process that this one starts. Half of the runs have a spare. Every script
makes a process that would outlive it, and carries the run's mark in its name, as that process does.
This process adopts whatever loses its parent, so nothing can get away unseen by changing its name.

Nothing may be left: processes, mounts, temporary files, descriptors, memory. Fails when it is.
"""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from benchmarks.jobs import Bench, canned_gateway, engines
from benchmarks.page import Bar, Found, arguments, report, rows
from sandbox.engines import kernel
from sandbox.engines.memory import family
from sandbox.job import Finished, Output
from sandbox.runtime import build_runtime

RUNS = 200
SCRIPT_KILLED = range(7, 190, 19)
LAUNCHER_KILLED = range(13, 190, 39)
COUNTERSIGN_KILLED = range(31, 190, 37)
COMPARED = 20
"""The run after which memory is compared with that at the end."""
PATIENCE = 20.0
"""Seconds that what lost countersign has for ending by itself."""
SCRIPT = """
import ctypes, os, sys, time
ctypes.CDLL(None).prctl(15, os.environ["MARK"].encode(), 0, 0, 0)  # PR_SET_NAME
if os.fork() == 0:
    os.setsid()
    time.sleep(600)
    os._exit(0)
if "boto3" in sys.modules:
    sys.modules["boto3"].client("sts").get_caller_identity()
with open("/job/out/result.json", "w") as file:
    file.write("{}")
print("begun", flush=True)
time.sleep(float(os.environ["STAY"]))
"""
MARK = f"cs-run-{os.getpid()}"
"""Fits into the fifteen bytes that a process's name may have."""

UNEXPECTED = Bar("runs of 200 that ended otherwise than they had to", 0, digits=0)
PROCESSES = Bar("processes left", 0, digits=0)
MOUNTS = Bar("mounts left", 0, digits=0)
FILES = Bar("temporary files left", 0, digits=0)
DESCRIPTORS = Bar("descriptors left", 0, digits=0)
MEMORY = Bar("memory after run 200, of that after run 20", 1.05)
BARS = (UNEXPECTED, PROCESSES, MOUNTS, FILES, DESCRIPTORS, MEMORY)

Ending = tuple[str, int | None]
EXITED: Ending = ("exited", 0)
KILLED: Ending = ("killed", -signal.SIGKILL)
LOST: Ending = ("lost", None)


async def main() -> int:
    """Wear out each engine that this user can have, and return 1 when anything is left."""
    options, missed = arguments(__doc__), 0
    kernel.adopt_orphans()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["TMPDIR"] = tempfile.tempdir = folder
        runtime = build_runtime(Path(folder) / "runtimes")
        for engine in engines():
            bench = Bench(engine, runtime, canned_gateway())
            values = await endured(bench)
            found = Found("bench_sandbox_endurance", bench.column, rows(BARS, values))
            missed += report(found, BARS, values, options)
            await bench.gateway.close()
    return int(missed > 0)


async def endured(bench: Bench) -> dict[str, float]:
    """Run two hundred jobs and return what is left."""
    await ending(bench, spare=True)  # starts the gateway, and makes what is made once
    before = Standing()
    unexpected, memory = 0, 0
    for number in range(1, RUNS + 1):
        unexpected += not await one_run(bench, number)
        if number == COMPARED:
            memory = resident()
    left = await before.left()
    return {UNEXPECTED.what: unexpected, MEMORY.what: resident() / memory, **left}


async def one_run(bench: Bench, number: int) -> bool:
    """Make one run, killed as its number says; return whether it, and all of it, ended so."""
    others, spare = set(children()), number % 2 == 0
    if number in COUNTERSIGN_KILLED:
        ended = await run_in_victim(bench)
    elif number in SCRIPT_KILLED:
        ended = await ending(bench, spare=spare, victim=1) == KILLED
    elif number in LAUNCHER_KILLED:
        ended = await ending(bench, spare=spare, victim=0) == LOST
    else:
        ended = await ending(bench, spare=spare) == EXITED
    return ended and not await strangers(others)


async def ending(bench: Bench, *, spare: bool, victim: int | None = None) -> Ending | None:
    """Run a script and return how it ended; a process is killed once it has begun.

    `victim` is the place of that process in the line from the launcher down.
    """
    others = set(children())
    if spare:
        bench.engine.prepare(bench.shape(), ["sts"])
    async with bench.engine.run(
        bench.job(SCRIPT, {"MARK": MARK, "STAY": "0" if victim is None else "600"}),
        bench.gateway,
        b"spec",
    ) as events:
        async for event in events:
            if isinstance(event, Output) and victim is not None:
                if len(marked()) != 2:
                    return None  # who is not seen now would not be seen later
                [launcher] = set(children()) - others
                os.kill([*family(launcher)][victim], signal.SIGKILL)
            if isinstance(event, Finished):
                return event.result.outcome, event.result.code
    return None


# ------------------------------------------------------------------ countersign itself
async def run_in_victim(bench: Bench) -> bool:
    """Have a process of its own run a job and kill it meanwhile; return whether it had begun."""
    runtimes = str(bench.runtime.root.parent)
    victim = await asyncio.create_subprocess_exec(
        *(sys.executable, "-I", __file__, "--victim", bench.engine.engine, runtimes, MARK),
        stdout=subprocess.PIPE,
    )
    begun = await victim.stdout.readline() if victim.stdout else b""
    victim.kill()
    await victim.wait()
    return begun == b"begun\n"


async def be_victim(name: str, runtimes: str, mark: str) -> None:
    """Run a job with a spare beside it, tell that it has begun, and wait to be killed."""
    [engine] = [engine for engine in engines() if engine.engine == name]
    bench = Bench(engine, build_runtime(Path(runtimes)), canned_gateway())
    job = bench.job(SCRIPT, {"MARK": mark, "STAY": "600"})
    async with engine.run(job, bench.gateway, b"spec") as events:
        engine.prepare(bench.shape(), ["sts"])
        async for event in events:
            if isinstance(event, Output):
                print("begun", flush=True)


# ------------------------------------------------------------------ what is there
class Standing:
    """What this process has and holds at one moment."""

    def __init__(self) -> None:
        self._children = set(children())
        self._mounts = mounts()
        self._files = files()
        self._descriptors = descriptors()

    async def left(self) -> dict[str, float]:
        """Return how much more there is now, by what it is."""
        return {
            PROCESSES.what: len(await strangers(self._children)),
            MOUNTS.what: len(mounts() ^ self._mounts),
            FILES.what: len(files() ^ self._files),
            DESCRIPTORS.what: descriptors() - self._descriptors,
        }


async def strangers(known: set[int]) -> set[int]:
    """Return the marked processes and unknown children that do not end within our patience."""
    end = time.monotonic() + PATIENCE
    while True:
        for child in set(children()) - known:
            with suppress(ChildProcessError):
                os.waitpid(child, os.WNOHANG)  # noqa: ASYNC222 - which does not wait
        found = (set(children()) - known) | marked()
        if not found or time.monotonic() > end:
            return found
        await asyncio.sleep(0.1)


def children() -> list[int]:
    """Return the children of this process, adopted ones and such as wait to be reaped included."""
    text = Path(f"/proc/self/task/{os.getpid()}/children").read_text(encoding="utf-8")
    return [int(child) for child in text.split()]


def marked() -> set[int]:
    """Return every process of this machine that has the run's mark as its name."""
    found = set()
    for name in Path("/proc").glob("[0-9]*/comm"):
        with suppress(OSError):  # it has ended meanwhile
            if name.read_text(encoding="utf-8").strip() == MARK:
                found.add(int(name.parent.name))
    return found


def descriptors() -> int:
    """Return how many descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def mounts() -> set[str]:
    """Return the mounts that this process sees."""
    return set(Path("/proc/self/mountinfo").read_text(encoding="utf-8").splitlines())


def files() -> set[str]:
    """Return all below the temporary folder, which is ours alone; of the runtimes the top only."""
    folder = Path(tempfile.gettempdir())
    return {str(path) for path in (*folder.iterdir(), *folder.glob("runtimes/*"))}


def resident() -> int:
    """Return the memory of this process in pages, without what nobody refers to any more."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])


if __name__ == "__main__":
    if sys.argv[1:2] == ["--victim"]:
        asyncio.run(be_victim(*sys.argv[2:]))
    sys.exit(asyncio.run(main()))
