"""A spare is a run's walls and interpreter, made ahead of time: used once, and never in the way."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.engines.run import make_plan
from sandbox.engines.spare import Spares
from sandbox.engines.tree import Tree
from sandbox.errors import LaunchFailed
from sandbox.job import Finished, Job, Output, Sandbox

MakeJob = Callable[..., Job]
Children = Callable[[], list[int]]

BIRTH = """
import sys
ticks = open("/proc/self/stat").read().rpartition(")")[2].split()[19]
print(ticks, "boto3" in sys.modules)
"""
"""Prints when its process was started, in ticks since the machine was, and whether it has boto3."""


def now() -> int:
    """Return the time in ticks since the machine was started."""
    return int(time.clock_gettime(time.CLOCK_BOOTTIME) * os.sysconf("SC_CLK_TCK"))


def kill(process: int) -> None:
    """Kill a child, and wait for its death and that of its children, who die with it."""
    below = map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split())
    with ExitStack() as stack:
        dying = [os.pidfd_open(each) for each in (process, *below)]
        for descriptor in dying:
            stack.callback(os.close, descriptor)
        os.kill(process, signal.SIGKILL)
        for descriptor in dying:
            assert select.select([descriptor], [], [], 30)[0]


async def printed(engine: Sandbox, job: Job) -> str:
    """Run a job to its end and return what it printed; it has to end well."""
    async with engine.run(job, None, b"") as events:
        told = [event async for event in events]
    text = b"".join(event.data for event in told if isinstance(event, Output)).decode()
    assert isinstance(told[-1], Finished)
    assert (told[-1].result.outcome, told[-1].result.code) == ("exited", 0), text
    return text


async def standing(children: Children) -> None:
    """Wait until something that was prepared is there to be taken."""
    async with asyncio.timeout(20):
        while not children():  # noqa: ASYNC110 - it is about another process, nobody can tell us
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.3)


def test_a_spare_is_used_once(engine: Sandbox, make_job: MakeJob, children: Children) -> None:
    """The first run gets a process from before it was asked for, the second a new one."""
    job = make_job(BIRTH)

    async def main() -> tuple[int, int, int, str]:
        engine.prepare(job.shape, ["sts"])
        await standing(children)
        await asyncio.sleep(0.1)
        asked = now()
        first, loaded = (await printed(engine, job)).split()
        second, _ = (await printed(engine, job)).split()
        return asked, int(first), int(second), loaded

    asked, first, second, loaded = asyncio.run(main())
    assert first < asked <= second
    assert loaded == "True"
    assert children() == []


def test_without_services_nothing_is_loaded(
    engine: Sandbox, make_job: MakeJob, children: Children
) -> None:
    """A spare for a script that calls no AWS holds a bare interpreter."""
    job = make_job(BIRTH)

    async def main() -> str:
        engine.prepare(job.shape)
        await standing(children)
        return await printed(engine, job)

    assert asyncio.run(main()).split()[1] == "False"


def test_a_service_that_does_not_exist_is_no_reason_to_fail(
    engine: Sandbox, make_job: MakeJob
) -> None:
    """Services are a hint: what is wrong with them the script finds out for itself."""
    job = make_job(BIRTH)

    async def main() -> str:
        engine.prepare(job.shape, ["no-such-service", "sts"])
        return await printed(engine, job)

    assert asyncio.run(main()).split()[1] == "True"


def test_a_spare_holds_nothing_of_the_job(
    engine: Sandbox, make_job: MakeJob, children: Children
) -> None:
    """Variables, script and inputs come when it goes; what it waited on is closed by then."""
    job = make_job(
        """
        import os
        print(os.environ["AWS_ACCESS_KEY_ID"], open("/job/in/E1.json").read())
        print("KEYID" in open("/proc/self/environ").read())
        listed = [int(name) for name in os.listdir("/proc/self/fd")]
        print([number for number in listed if os.path.lexists(f"/proc/self/fd/{number}")])
        """
    )
    job = replace(job, variables={"AWS_ACCESS_KEY_ID": "KEYID"})

    async def main() -> str:
        engine.prepare(job.shape)
        await standing(children)
        return await printed(engine, job)

    assert asyncio.run(main()).splitlines() == ["KEYID [1, 2]", "False", "[0, 1, 2]"]


def test_another_shape_gets_its_own_walls(
    engine: Sandbox, make_job: MakeJob, children: Children
) -> None:
    """A spare with other limits is not used, and is dropped when another is prepared."""
    job, other = make_job(BIRTH), make_job(BIRTH, cpu_ms=5_000)

    async def main() -> None:
        engine.prepare(other.shape)
        await standing(children)
        [spare] = children()
        asked = now()
        assert asked <= int((await printed(engine, job)).split()[0])
        assert children() == [spare]
        engine.prepare(job.shape)
        assert spare not in children()
        engine.close()

    asyncio.run(main())
    assert children() == []


def test_preparing_again_keeps_the_spare(
    engine: Sandbox, make_job: MakeJob, children: Children
) -> None:
    """The same hint twice makes one spare."""
    shape = make_job("pass").shape

    async def main() -> None:
        engine.prepare(shape)
        await standing(children)
        before = children()
        engine.prepare(shape, ["sts"])
        await asyncio.sleep(0.1)
        assert children() == before
        engine.close()

    asyncio.run(main())
    assert children() == []


@pytest.mark.parametrize("pause", [0.0, 0.005, 0.02, 0.05, 0.1, 0.3])
def test_closing_leaves_nothing(
    engine: Sandbox, make_job: MakeJob, pause: float, children: Children
) -> None:
    """However far it has come, a spare that is not wanted any more is gone."""

    async def main() -> None:
        engine.prepare(make_job("pass").shape, ["sts"])
        await asyncio.sleep(pause)
        engine.close()

    asyncio.run(main())
    assert children() == []


def test_an_idle_spare_is_dropped(make_job: MakeJob, children: Children) -> None:
    """Nobody wanted it for the time that was set, so its memory is given back."""

    async def main() -> None:
        spares = Spares(make_plan, idle_seconds=3)
        spares.prepare(make_job("pass").shape)
        await asyncio.sleep(0)
        assert len(children()) == 1
        async with asyncio.timeout(20):
            while children():  # noqa: ASYNC110 - it is about another process
                await asyncio.sleep(0.02)

    asyncio.run(main())


def test_a_spare_that_died_is_replaced(
    engine: Sandbox, make_job: MakeJob, children: Children
) -> None:
    """When its launcher is killed the run gets fresh walls, and nobody notices."""
    job = make_job(BIRTH)

    async def main() -> None:
        engine.prepare(job.shape)
        await standing(children)
        [launcher] = children()
        kill(launcher)
        asked = now()
        assert asked <= int((await printed(engine, job)).split()[0])

    asyncio.run(main())
    assert children() == []


def test_a_run_given_up_while_its_spare_comes_leaves_nothing(
    engine: Sandbox, make_job: MakeJob, children: Children
) -> None:
    """The run waits for a spare that is still being made; cancelled there, both are gone."""
    job = make_job("print('never')")

    async def enter() -> None:
        async with engine.run(job, None, b""):
            pass

    async def main(seconds: float) -> None:
        engine.prepare(job.shape)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(seconds):
                await enter()

    for seconds in (0.0, 0.001, 0.004):
        asyncio.run(main(seconds))
    assert children() == []


def test_a_launcher_that_died_before_it_was_told_anything_is_a_failed_launch(
    make_job: MakeJob, children: Children
) -> None:
    """As when ctrl-c reaches it between its fork and its exec: one error of ours, nothing left."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    tree = Tree(make_plan(make_job("pass").shape))
    (launcher,) = children()
    kill(launcher)

    with pytest.raises(LaunchFailed, match="no reason was given"), tree:
        asyncio.run(tree.ready())

    assert children() == []
    assert len(list(Path("/proc/self/fd").iterdir())) == before


def test_getting_ready_does_not_count(engine: Sandbox, make_job: MakeJob) -> None:
    """Processor time is the script's own: what loading took before is added to its limit."""
    job = make_job(
        """
        import resource, time
        print(resource.getrlimit(resource.RLIMIT_CPU)[0] >= time.process_time() + 0.9)
        """,
        cpu_ms=1_000,
    )

    async def main() -> str:
        engine.prepare(job.shape, ["ec2", "iam", "s3"])
        return await printed(engine, job)

    assert asyncio.run(main()) == "True\n"


def test_little_memory_is_left_to_the_script(engine: Sandbox, make_job: MakeJob) -> None:
    """Where models would take what the script may have, they are not loaded ahead of time."""
    job = make_job(BIRTH, memory_bytes=200 * 1024 * 1024)

    async def main() -> str:
        engine.prepare(job.shape, ["ec2"])
        return await printed(engine, job)

    assert asyncio.run(main()).split()[1] == "False"
