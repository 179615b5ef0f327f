"""One run, whichever engine puts up its walls: job in, events out, all of it dead at the end.

The launcher's life is tied to a block, its output and AWS calls are merged into one stream of
events, and its end is read as an outcome.
"""

from __future__ import annotations

import asyncio
import hashlib
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, closing
from functools import partial
from pathlib import Path

from sandbox.collect import collect, is_plain_name
from sandbox.engines import landlock
from sandbox.engines.environment import script_environment, script_variables
from sandbox.engines.kernel import KEPT, open_beneath
from sandbox.engines.memory import LACKING, outgrown
from sandbox.engines.output import Keeper, Tap
from sandbox.engines.plan import PYTHON, Plan
from sandbox.engines.spare import Spares
from sandbox.engines.tree import Ended, Tree
from sandbox.errors import LaunchFailed, SandboxError
from sandbox.job import (
    Finished,
    Gateway,
    GatewayEvent,
    Job,
    JobEvent,
    JobResult,
    Outcome,
    Shape,
)
from sandbox.limits import MEBIBYTE, Limits
from sandbox.runtime import check_folder

_BOOTSTRAP = Path(__file__).parents[1] / "inside" / "bootstrap.py"
_PARAMETERS = "parameters.json"
_ROOM_FOR_MODELS = 512 * MEBIBYTE


class Walled:
    """`Sandbox` by walls that a launcher puts up; what differs is who builds them."""

    engine: str

    def __init__(self, *, bubblewrap: str = "") -> None:
        """The walls are put up by the program `bubblewrap`, by our launcher when there is none."""
        self.degraded = (*landlock.missing(landlock.version()), LACKING)
        self._spares = Spares(partial(make_plan, bubblewrap=bubblewrap))

    def prepare(self, shape: Shape, services: Sequence[str] = ()) -> None:
        """See `Sandbox.prepare`."""
        self._spares.prepare(shape, services)

    def run(
        self, job: Job, gateway: Gateway | None, spec: bytes
    ) -> AbstractAsyncContextManager[AsyncIterator[JobEvent]]:
        """See `Sandbox.run`."""
        return run_job(job, gateway, spec, self._spares)

    def close(self) -> None:
        """See `Sandbox.close`."""
        self._spares.close()


@asynccontextmanager
async def run_job(
    job: Job, gateway: Gateway | None, spec: bytes, spares: Spares
) -> AsyncIterator[AsyncIterator[JobEvent]]:
    """See `Sandbox.run`. The iterator raises too: LaunchFailed, GatewayLost.

    Left before the script's end, its calls end first, since nobody puts them on record any more;
    then it is asked to end, and killed. Cancelling that kills at once.
    """
    check_job(job, gateway)
    with await spares.take(job.shape) as tree:
        fill(tree.work, job)
        tree.load(script_variables(job.variables), job.shape.limits.cpu_ms)
        run = _Run(tree, job)
        conductor = asyncio.create_task(run.conduct(gateway, spec))
        conductor.add_done_callback(run.events.end)
        try:
            await run.events.begun()
            yield run.events
        finally:
            run.left.set()
            if not run.events.has_begun:
                conductor.cancel()
            await _done(conductor)


def check_job(job: Job, gateway: Gateway | None) -> None:
    """Raise LaunchFailed for a job that contradicts itself, RuntimeUnusable for its runtime."""
    if hashlib.sha256(job.script).hexdigest() != job.script_digest:
        raise LaunchFailed("the script is not the one that was approved: its digest differs")
    if (gateway is None) == job.shape.aws:
        raise LaunchFailed("a gateway goes with a job that may reach AWS, and with no other")
    if job.shape.environment.name != job.shape.environment_digest:
        raise LaunchFailed("the runtime is not the one that was approved: its digest differs")
    for name in job.inputs:
        if not is_plain_name(name) or "/" in name or name in {"", ".", "..", _PARAMETERS}:
            raise LaunchFailed(f"an input can't be called {name!r}")
    if any("\0" in name + value for name, value in job.variables.items()):
        raise LaunchFailed("a variable can't hold a zero byte")
    check_folder(job.shape.environment)


def make_plan(shape: Shape, services: Sequence[str] = (), *, bubblewrap: str = "") -> Plan:
    """Return what the launcher has to know of jobs of this shape.

    The interpreter gets ready for `services` before it has to run anything, where its memory has
    room for more than the script.
    """
    limits = shape.limits
    likely = services if limits.memory_bytes >= _ROOM_FOR_MODELS else ()
    words = "aws" if shape.aws else "offline", str(KEPT), *likely
    return Plan(
        runtime=str(shape.environment.resolve()),
        arguments=[PYTHON, "-I", "-S", "-B", "-c", _BOOTSTRAP.read_text("utf-8"), *words],
        environment=script_environment(aws=shape.aws),
        listen=shape.aws,
        wall_ms=limits.wall_ms,
        cpu_s=cpu_seconds(limits),
        memory_bytes=limits.memory_bytes,
        processes=limits.processes,
        descriptors=limits.descriptors,
        work_bytes=limits.work_bytes,
        files=limits.files,
        bubblewrap=bubblewrap,
    )


def fill(work: int, job: Job) -> None:
    """Write the script, its parameters and inputs below the descriptor of /job.

    Code of packages may have run in there already, so no name is followed anywhere.
    """
    try:
        _write(work, "script.py", job.script)
        inputs = open_beneath(work, "in", os.O_PATH | os.O_DIRECTORY)
        try:
            for name, content in {**job.inputs, _PARAMETERS: job.parameters}.items():
                _write(inputs, name, content)
        finally:
            os.close(inputs)
    except OSError as error:
        raise LaunchFailed(
            f"the script's inputs can't be written: {error.strerror}",
            hint="they have to fit into work_bytes and files together with what the script writes",
        ) from error


def _write(folder: int, name: str, content: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    descriptor = os.open(name, flags, 0o444, dir_fd=folder)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        os.fchmod(descriptor, 0o444)  # whatever our umask says


def read_end(ended: Ended | None, limits: Limits) -> tuple[Outcome, int | None, str | None]:
    """Return outcome, code and limit of a JobResult."""
    if ended is None:
        return "lost", None, None
    if ended.late:
        return "limit", None, "wall_ms"
    code = os.waitstatus_to_exitcode(ended.status)
    if code >= 0:
        return "exited", code, None
    # The kernel counts ticks against the limit, what it reports afterwards is a little less.
    if code == -signal.SIGKILL and ended.cpu_ms >= cpu_seconds(limits) * 800:
        return "limit", None, "cpu_ms"
    return "killed", code, None


def cpu_seconds(limits: Limits) -> int:
    """Return the processor limit as the kernel takes it: whole seconds, rounded up."""
    return -(-limits.cpu_ms // 1000)


# ------------------------------------------------------------------ one run
class _Events:
    """The stream of a run: filled by callbacks and tasks, read by whoever runs the job."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[JobEvent | None] = asyncio.Queue()
        self._begun = asyncio.Event()
        self._conductor: asyncio.Task[None] | None = None

    def put(self, event: JobEvent) -> None:
        self._queue.put_nowait(event)

    @property
    def has_begun(self) -> bool:
        """Whether the script has been let go, or never will be."""
        return self._begun.is_set()

    def begin(self) -> None:
        """The script has been let go."""
        self._begun.set()

    def end(self, conductor: asyncio.Task[None]) -> None:
        """Nothing follows; what the conductor raised is raised to the reader."""
        self._conductor = conductor
        self._begun.set()
        self._queue.put_nowait(None)

    async def begun(self) -> None:
        """Return when the script has been let go; raises what prevented it."""
        await self._begun.wait()
        if self._conductor is not None:
            self._conductor.result()

    def __aiter__(self) -> AsyncIterator[JobEvent]:
        return self

    async def __anext__(self) -> JobEvent:
        event = await self._queue.get()
        if event is not None:
            return event
        self._queue.put_nowait(None)
        if self._conductor is not None:
            self._conductor.result()
        raise StopAsyncIteration


async def _done(task: asyncio.Task[None]) -> None:
    """Wait for the end of a task, however often we are cancelled meanwhile; that hurries it."""
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.wait([task])
        except asyncio.CancelledError as error:
            cancelled = error
            task.cancel()
    if cancelled is not None:
        raise cancelled


class _Run:
    """One run from its word to go until all of it is dead."""

    def __init__(self, tree: Tree, job: Job) -> None:
        self.events = _Events()
        self.left = asyncio.Event()
        """Nobody reads the events any more."""
        self._tree = tree
        self._job = job
        self._limits = job.shape.limits
        self._outgrown = False

    async def conduct(self, gateway: Gateway | None, spec: bytes) -> None:
        """Let the script go and put all that happens, `Finished` last."""
        tree, limits, put = self._tree, self._limits, self.events.put
        with (
            closing(Tap(Keeper("stdout", limits.output_bytes), tree.stdout, put)) as stdout,
            closing(Tap(Keeper("stderr", limits.output_bytes), tree.stderr, put)) as stderr,
        ):
            async with self._answering(gateway, spec):
                tree.go()
                self.events.begin()
                await self._over()
            if self.left.is_set():
                await tree.ask_to_end()
            tree.end()
            stdout.finish()
            stderr.finish()
        put(Finished(self._result()))

    async def _over(self) -> None:
        """Return when the script has ended, or is to."""
        ended = asyncio.create_task(self._tree.ended())
        left = asyncio.create_task(self.left.wait())
        memory = self._limits.run_memory_bytes
        too_large = asyncio.create_task(outgrown(self._tree.first_process, memory))
        ends = (ended, left, too_large)
        try:
            done, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for end in ends:
                end.cancel()
        for first in done:
            first.result()
        if too_large in done and ended not in done:
            self._outgrown = True
            self._tree.stop()  # at once: the gateway may need seconds to let go

    @asynccontextmanager
    async def _answering(self, gateway: Gateway | None, spec: bytes) -> AsyncIterator[None]:
        """Have the gateway answer the script's calls; leaving waits until it told of every call."""
        if gateway is None:
            yield
            return
        with ExitStack() as stack:
            listener = self._tree.take_listener()
            async with gateway.attach(self._job.run, spec, listener) as calls:
                forward = asyncio.create_task(self._forward(calls))
                stack.callback(forward.cancel)
                yield
            await forward

    async def _forward(self, calls: AsyncIterator[GatewayEvent]) -> None:
        try:
            async for event in calls:
                self.events.put(event)
        except SandboxError:
            self._tree.stop()  # nobody is left to answer the script
            raise

    def _result(self) -> JobResult:
        limits = self._limits
        outcome, code, limit = read_end(self._tree.end_told, limits)
        if self._outgrown:
            outcome, code, limit = "limit", None, "run_memory_bytes"
        found = collect(
            self._tree.work, result_bytes=limits.result_bytes, artifact_bytes=limits.work_bytes
        )
        return JobResult(outcome, code, limit, found.result, found.artifacts, tuple(found.problems))
