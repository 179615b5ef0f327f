"""Where the scripts of a session run: a sandbox that passed its trial run, and the sealed runtime.

Both are made when they are first wanted and kept for the session. As soon as a draft is on screen
the walls for it are put up in the background, so that its script starts when the decision falls and
not half a second later. Getting ready ahead of time is never an error: what does not work is said
when something is to run.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from core.approval.draft import Draft
from core.approval.redeem import Countersigned
from core.errors import MachineUnfit
from sandbox.environments import Environments
from sandbox.errors import SandboxError
from sandbox.job import Sandbox, Shape
from sandbox.limits import Limits
from sandbox.packages import is_locked, name_of
from sandbox.runtime import Runtime


class LocalWorkshop:
    """`Workshop` on this machine; used from one event loop. `close` it at the end."""

    def __init__(
        self, runtimes: Path, environments: Environments, allowed: Collection[str]
    ) -> None:
        """`runtimes` is the folder of sealed runtimes.

        `allowed` are the packages, by normal name, that may be fetched before a person said yes.
        """
        self._runtimes = runtimes
        self._environments = environments
        self._allowed = allowed
        self._opening: asyncio.Task[tuple[Sandbox, Runtime]] | None = None
        self._hints: set[asyncio.Task[None]] = set()

    async def open(self) -> tuple[Sandbox, Runtime]:
        """Return sandbox and runtime, the same for the whole session; raises MachineUnfit."""
        if self._opening is None or _has_failed(self._opening):
            self._opening = asyncio.create_task(_open(self._runtimes))
        return await asyncio.shield(self._opening)

    def prepare(self, draft: Draft, limits: Limits, services: Sequence[str]) -> None:
        """See `core.engine.Workshop.prepare`."""
        hint = asyncio.create_task(self._prepare(draft, limits, services))
        self._hints.add(hint)
        hint.add_done_callback(self._hints.discard)

    async def lacking(self, requirements: Sequence[str]) -> str:
        """See `core.engine.Workshop.lacking`."""
        if not self._may_fetch(requirements):
            return ""
        try:
            _, runtime = await self.open()
            await self._environments.get(runtime, requirements)
        except MachineUnfit:  # told where it keeps everything from running
            return ""
        except SandboxError as error:
            return str(error)
        return ""

    async def ready_for(self, ready: Countersigned) -> tuple[Sandbox, Shape]:
        """See `core.engine.Workshop.ready_for`."""
        return await self._ready(ready.draft, ready.terms.limits)

    async def close(self) -> None:
        """End what was prepared and never used."""
        async with AsyncExitStack() as last_first:
            last_first.callback(self._close_sandbox)
            last_first.push_async_callback(self._environments.close)
            tasks = [*self._hints, *([self._opening] if self._opening else [])]
            for task in tasks:
                task.cancel()
            if tasks:
                await asyncio.wait(tasks)

    def _close_sandbox(self) -> None:
        if self._opening is not None and self._opening.done() and not _has_failed(self._opening):
            sandbox, _ = self._opening.result()
            sandbox.close()

    async def _prepare(self, draft: Draft, limits: Limits, services: Sequence[str]) -> None:
        if not self._may_fetch(draft.requirements):
            return
        try:
            sandbox, shape = await self._ready(draft, limits)
        except MachineUnfit:
            return
        # What is loaded before a decision looks for packages that it could use: only for our own.
        sandbox.prepare(shape, () if draft.requirements else services)

    def _may_fetch(self, requirements: Sequence[str]) -> bool:
        return all(is_locked(each) and name_of(each) in self._allowed for each in requirements)

    async def _ready(self, draft: Draft, limits: Limits) -> tuple[Sandbox, Shape]:
        sandbox, runtime = await self.open()
        try:
            environment = await self._environments.get(runtime, draft.requirements)
        except SandboxError as error:
            raise MachineUnfit(str(error), hint=error.hint) from error
        return sandbox, _shape(draft, limits, environment)


async def _open(runtimes: Path) -> tuple[Sandbox, Runtime]:
    from sandbox.engines.choose import choose
    from sandbox.runtime import build_runtime

    try:
        runtime = await asyncio.to_thread(build_runtime, runtimes)
        return await choose(runtime), runtime
    except SandboxError as error:
        raise MachineUnfit(str(error), hint=error.hint) from error


def _has_failed(opening: asyncio.Task[tuple[Sandbox, Runtime]]) -> bool:
    return opening.done() and (opening.cancelled() or opening.exception() is not None)


def _shape(draft: Draft, limits: Limits, runtime: Runtime) -> Shape:
    return Shape(
        language=draft.language,
        environment=runtime.root,
        environment_digest=runtime.digest,
        limits=limits,
        aws=draft.kind != "analyse",
    )
