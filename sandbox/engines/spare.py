"""Walls put up ahead of time, with an interpreter behind them that waits for its script.

Most of a script's start is the start of Python and the loading of boto3's models, and all of it can
be done while a person still reads. A spare is used once: every script has its own process, address
layout and namespaces, whether it found a spare or not. There is one at most; it is dropped when
another shape is wanted and when nobody has wanted it for a while, as it holds some 80 MB.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress

from sandbox.engines.plan import Plan
from sandbox.engines.tree import Tree, launch
from sandbox.errors import LaunchFailed
from sandbox.job import Shape

IDLE_SECONDS = 600.0

PlanFor = Callable[[Shape, Sequence[str]], Plan]
"""Returns the plan for a shape and the services to get ready for."""


class Spares:
    """Hands out trees that are ready to go; used from one event loop."""

    def __init__(self, plan_for: PlanFor, idle_seconds: float = IDLE_SECONDS) -> None:
        self._plan_for = plan_for
        self._idle_seconds = idle_seconds
        self._shape: Shape | None = None
        self._coming: asyncio.Task[Tree] | None = None
        self._timer: asyncio.TimerHandle | None = None

    def prepare(self, shape: Shape, services: Sequence[str] = ()) -> None:
        """Have a spare for this shape soon; one that fits is kept, for its time anew."""
        if shape != self._shape:
            self.close()
            self._shape = shape
            self._coming = asyncio.create_task(launch(self._plan_for(shape, services)))
            self._coming.add_done_callback(_forget_failure)
        elif self._timer is not None:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_later(self._idle_seconds, self.close)

    async def take(self, shape: Shape) -> Tree:
        """Return a tree for a job of this shape, the spare if it fits. Raises LaunchFailed."""
        spare = self._taken() if shape == self._shape else None
        if spare is not None:
            with suppress(LaunchFailed):  # a fresh one says it better, or does it
                tree = await _through(spare)
                if tree.stands:
                    return tree
                tree.close()
        return await launch(self._plan_for(shape, ()))

    def close(self) -> None:
        """End the spare, if there is one."""
        spare = self._taken()
        if spare is not None:
            _drop(spare)

    def _taken(self) -> asyncio.Task[Tree] | None:
        spare, self._coming, self._shape = self._coming, None, None
        if self._timer is not None:
            self._timer.cancel()
        return spare


async def _through(spare: asyncio.Task[Tree]) -> Tree:
    """Return the tree; a cancellation leaves nothing behind."""
    try:
        return await asyncio.shield(spare)
    except asyncio.CancelledError:
        _drop(spare)
        raise


def _drop(spare: asyncio.Task[Tree]) -> None:
    """End a spare, whether it stands or is still being put up."""
    if not spare.cancel() and not spare.cancelled() and spare.exception() is None:
        spare.result().close()


def _forget_failure(spare: asyncio.Task[Tree]) -> None:
    """Take note of an error: a failed spare is no news, the run that wanted it will tell."""
    if not spare.cancelled():
        spare.exception()
