"""What the benchmarks of the sandbox share: engines, jobs, and a gateway with one canned answer."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from benchmarks.canned_gateway import ACCESS_KEY
from core.gateway_client import GatewayProcess
from sandbox.engines.bubblewrap import PROGRAM, Bubblewrap
from sandbox.engines.namespaces import Namespaces
from sandbox.job import Finished, Job, JobEvent, Output, Sandbox, Sha, Shape
from sandbox.limits import Limits
from sandbox.runtime import Runtime

VARIABLES = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_DEFAULT_REGION": "eu-west-1"}
_CANNED = Path(__file__).parent / "canned_gateway.py"


@dataclass(frozen=True, slots=True)
class Bench:
    """What a run needs besides its script."""

    engine: Sandbox
    runtime: Runtime
    gateway: GatewayProcess

    @property
    def column(self) -> str:
        """Who is measured, as the page names it."""
        return f"{self.engine.engine}, {'root' if os.geteuid() == 0 else 'user'}"

    def shape(self, *, aws: bool = True) -> Shape:
        """Return the shape that all jobs have."""
        limits = Limits(wall_ms=120_000)
        return Shape("python", self.runtime.root, self.runtime.digest, limits, aws)

    async def run(self, job: Job) -> str:
        """Run a job to its end and return what it printed; it has to end well."""
        gateway = self.gateway if job.shape.aws else None
        async with self.engine.run(job, gateway, b"spec") as events:
            told = [event async for event in events]
        return printed(told)

    def job(
        self, script: str, variables: Mapping[str, str] | None = None, *, aws: bool = True
    ) -> Job:
        """Return the job of a script."""
        return Job(
            run="benchmark",
            shape=self.shape(aws=aws),
            script=script.encode(),
            script_digest=Sha(hashlib.sha256(script.encode()).hexdigest()),
            parameters=b"{}",
            inputs={},
            variables={**VARIABLES, **(variables or {})},
        )


def printed(told: list[JobEvent]) -> str:
    """Return what a script printed; raises RuntimeError when it did not end well."""
    text = b"".join(event.data for event in told if isinstance(event, Output)).decode()
    if not isinstance(told[-1], Finished) or told[-1].result.code != 0:
        raise RuntimeError(f"the script failed: {told[-1]}\n{text}")
    return text


def engines() -> list[Sandbox]:
    """Return every engine that this user can have."""
    if os.geteuid() == 0 or not PROGRAM.exists():
        return [Namespaces()]
    return [Namespaces(), Bubblewrap()]


def canned_gateway() -> GatewayProcess:
    """Return a gateway process that allows and answers sts:GetCallerIdentity by itself."""
    return GatewayProcess(command=(sys.executable, "-I", str(_CANNED)))
