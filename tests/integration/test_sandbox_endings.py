"""However a run ends, all of it is dead and nothing of it stays on the machine."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from sandbox.errors import LaunchFailed, RuntimeUnusable
from sandbox.job import Finished, Job, Output, Sandbox, Sha
from sandbox.runtime import Runtime

Run = Callable[..., Any]
MakeJob = Callable[..., Job]
Children = Callable[[], list[int]]
Refused = Callable[[Job, str], None]

SLEEPING = """
import os, sys
if os.fork() == 0:
    os.setsid()
    os.execv(sys.executable, [sys.executable, "-I", "-c", "import time; time.sleep(60)", "MARKER"])
print("started", flush=True)
import time
time.sleep(60)
"""


class Interruption(Exception):
    """What goes wrong in the application while a script runs."""


@pytest.fixture
def marker() -> str:
    """Return a word that no other process of this machine has in its command line."""
    return f"run-{uuid4()}"


def alive(marker: str) -> list[int]:
    """Return the processes of this machine with the marker as their last argument."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended while we looked
            if (folder / "cmdline").read_bytes().endswith(f"\0{marker}\0".encode()):
                found.append(int(folder.name))
    return found


def mentioning(text: str) -> list[int]:
    """Return the processes of this machine whose command line holds the text."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # it ended while we looked
            if text.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
    return found


async def until(condition: Callable[[], object]) -> None:
    """Wait until the condition holds."""
    async with asyncio.timeout(20):
        while not condition():  # noqa: ASYNC110 - it is about another process, nobody can tell us
            await asyncio.sleep(0.02)


@pytest.mark.parametrize("way", ["break", "error", "cancel", "cancel twice"])
def test_leaving_early_kills_everything(
    engine: Sandbox, make_job: MakeJob, marker: str, way: str, children: Children
) -> None:
    """When the block is left, by whatever way, the script and what it started are dead already."""
    job = make_job(SLEEPING.replace("MARKER", marker))

    async def watch(started: asyncio.Event) -> None:
        try:
            async with engine.run(job, None, b"") as events:
                async for event in events:
                    assert isinstance(event, Output)
                    await until(lambda: alive(marker))
                    started.set()
                    if way == "error":
                        raise Interruption
                    if way == "break":
                        break
        finally:
            assert alive(marker) == []

    async def main() -> None:
        started = asyncio.Event()
        task = asyncio.create_task(watch(started))
        await started.wait()
        for _ in range({"cancel": 1, "cancel twice": 2}.get(way, 0)):
            task.cancel()
            await asyncio.sleep(0)
        with suppress(Interruption, asyncio.CancelledError):
            await task

    asyncio.run(main())

    assert children() == []


def test_leaving_before_the_script_starts_kills_everything(
    engine: Sandbox, make_job: MakeJob, runtime: Runtime, children: Children
) -> None:
    """A launch can be interrupted at any moment, and nothing of it stays."""
    job = make_job("print('never')")

    async def enter_and_give_up(seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds), engine.run(job, None, b""):
                pass

    for number in range(20):
        asyncio.run(enter_and_give_up(number * 0.003))

    assert children() == []
    assert mentioning(str(runtime.root)) == []


def test_a_lost_launcher_takes_the_script_with_it(
    engine: Sandbox, make_job: MakeJob, marker: str, children: Children
) -> None:
    """When the launcher is killed the run is told as lost, and its processes are dead."""
    job = make_job(SLEEPING.replace("MARKER", marker))

    async def main() -> Finished:
        async with engine.run(job, None, b"") as events:
            await anext(events)
            await until(lambda: alive(marker))
            [launcher] = children()
            os.kill(launcher, signal.SIGKILL)
            told = [event async for event in events]
            assert alive(marker) == []
        assert isinstance(told[-1], Finished)
        return told[-1]

    result = asyncio.run(main()).result

    assert (result.outcome, result.code, result.limit) == ("lost", None, None)


def test_the_launcher_has_nothing_of_ours(
    engine: Sandbox, make_job: MakeJob, children: Children
) -> None:
    """No variable of the application is in the process that stands next to the script."""
    job = make_job(SLEEPING)

    def variables(pid: int) -> bytes:
        return Path(f"/proc/{pid}/environ").read_bytes()

    async def main() -> list[bytes]:
        async with engine.run(job, None, b""):
            return [variables(child) for child in children()]

    assert asyncio.run(main()) == [b""]


def test_runs_leave_nothing_open(run: Run, children: Children) -> None:
    """After twenty runs there are as many descriptors, mounts and children as before."""

    def held() -> tuple[int, list[str], list[int]]:
        mounts = Path("/proc/self/mountinfo").read_text().splitlines()
        return len(list(Path("/proc/self/fd").iterdir())), mounts, children()

    run("pass")
    before = held()
    for _ in range(20):
        run("print('x')")

    assert held() == before


def test_runs_at_the_same_time_do_not_meet(engine: Sandbox, make_job: MakeJob) -> None:
    """Each run has its own processes, files and network."""
    job = make_job(
        """
        import os, time
        open("/job/out/mine", "w").close()
        time.sleep(0.5)
        print(os.listdir("/job/out"), [name for name in os.listdir("/proc") if name.isdigit()])
        """
    )

    async def one() -> bytes:
        async with engine.run(job, None, b"") as events:
            return b"".join([event.data async for event in events if isinstance(event, Output)])

    async def main() -> list[bytes]:
        return list(await asyncio.gather(one(), one(), one()))

    assert asyncio.run(main()) == [b"['mine'] ['1']\n"] * 3


def test_the_block_may_last_longer_than_the_script(
    engine: Sandbox, make_job: MakeJob, children: Children
) -> None:
    """A run whose events nobody reads ends by itself."""
    job = make_job("pass", wall_ms=5_000)

    async def main() -> None:
        async with engine.run(job, None, b""):
            await until(lambda: children() == [] or _zombies(children()))

    asyncio.run(main())

    assert children() == []


def _zombies(pids: list[int]) -> bool:
    return all(") Z " in Path(f"/proc/{pid}/stat").read_text() for pid in pids)


# ------------------------------------------------------------------ never started
@pytest.fixture
def refused(engine: Sandbox, children: Children) -> Callable[[Job, str], None]:
    """Return a function that expects of a job that it can't be entered, for this reason."""

    def expect(job: Job, reason: str) -> None:
        with pytest.raises(LaunchFailed, match=reason):
            asyncio.run(enter(engine, job))
        assert children() == []

    return expect


def test_another_script_is_refused(refused: Refused, make_job: MakeJob) -> None:
    """The sandbox hashes the script itself."""
    refused(replace(make_job("pass"), script=b"print('something else')"), "digest differs")


def test_another_runtime_is_refused(refused: Refused, make_job: MakeJob) -> None:
    """The folder has to be the one whose digest was approved."""
    job = make_job("pass")
    shape = replace(job.shape, environment_digest=Sha("0" * 64))

    refused(replace(job, shape=shape), "runtime is not the one")


@pytest.mark.parametrize("name", ["../escape", "/tmp/x", "", "..", "parameters.json", "a\nb"])
def test_an_input_with_a_path_is_refused(refused: Refused, make_job: MakeJob, name: str) -> None:
    """Inputs have plain names and can't replace the parameters."""
    refused(replace(make_job("pass"), inputs={name: b""}), "an input can't be called")


@pytest.mark.parametrize(
    ("value", "reason"), [("zero \0 byte", "zero byte"), ("x" * 70_000, "too large")]
)
def test_a_variable_that_cant_be_passed_is_refused(
    engine: Sandbox, make_job: MakeJob, value: str, reason: str
) -> None:
    """What the kernel can't take is told as such, not as something the script did."""
    job = replace(make_job("pass"), variables={"NAME": value})

    async def main() -> None:
        async with engine.run(job, None, b"") as events:
            async for event in events:
                raise AssertionError(event)

    with pytest.raises(LaunchFailed, match=reason):
        asyncio.run(main())


def test_inputs_that_do_not_fit_are_refused(refused: Refused, make_job: MakeJob) -> None:
    """Inputs count against the work folder."""
    job = make_job("pass", work_bytes=100_000)

    refused(replace(job, inputs={"E1.json": bytes(200_000)}), "No space left on device")


def test_a_runtime_that_others_can_change_is_refused(
    engine: Sandbox, make_job: MakeJob, runtime: Runtime
) -> None:
    """Permissions are looked at before each run."""
    runtime.root.chmod(0o777)
    try:
        with pytest.raises(RuntimeUnusable, match="can be changed by others"):
            asyncio.run(enter(engine, make_job("pass")))
    finally:
        runtime.root.chmod(0o755)


async def enter(engine: Sandbox, job: Job) -> None:
    """Enter a run and leave it at once."""
    async with engine.run(job, None, b""):
        pass
