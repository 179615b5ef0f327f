"""A sandbox that runs nothing: it tells again what recorded jobs told, found by script digest.

For replaying a session, for the sessions that ship with the product, and for everything above this
floor that wants to be tried where nothing may run.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

from sandbox.errors import LaunchFailed
from sandbox.job import Gateway, Job, JobEvent, Sha, Shape


class Replayed:
    """`Sandbox` over recorded events; needs no gateway, since recorded calls are among them."""

    engine = "replayed"
    degraded: tuple[str, ...] = ()

    def __init__(self, recorded: Mapping[Sha, Sequence[JobEvent]]) -> None:
        """Take the events of each job, `Finished` last, by the digest of its script."""
        self._recorded = recorded

    def prepare(self, shape: Shape, services: Sequence[str] = ()) -> None:
        """Do nothing: what runs nothing needs no walls."""

    def close(self) -> None:
        """Do nothing: nothing was prepared."""

    @asynccontextmanager
    async def run(
        self,
        job: Job,
        gateway: Gateway | None,  # noqa: ARG002 - part of the port
        spec: bytes,  # noqa: ARG002 - part of the port
    ) -> AsyncIterator[AsyncIterator[JobEvent]]:
        """See `Sandbox.run`; raises LaunchFailed for a script that was never recorded."""
        digest = hashlib.sha256(job.script).hexdigest()
        if digest != job.script_digest:
            raise LaunchFailed("the script is not the one that was approved: its digest differs")
        if job.script_digest not in self._recorded:
            raise LaunchFailed(f"no run of the script {digest[:12]} was recorded")
        yield _each(self._recorded[job.script_digest])


async def _each(events: Sequence[JobEvent]) -> AsyncIterator[JobEvent]:
    for event in events:
        yield event
