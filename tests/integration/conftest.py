"""Runs scripts behind the real walls: a sealed runtime, jobs, and what they told."""

from __future__ import annotations

import asyncio
import hashlib
import os
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.job import Finished, Gateway, Job, JobEvent, JobResult, Output, Sandbox, Sha, Shape
from sandbox.limits import Limits
from sandbox.runtime import Runtime

Children = Callable[[], list[int]]


@dataclass(frozen=True, slots=True)
class Ran:
    """What a run told."""

    events: list[JobEvent]

    @property
    def result(self) -> JobResult:
        """How it ended; `Finished` is there once, as the last event."""
        [finished] = [event for event in self.events if isinstance(event, Finished)]
        assert self.events[-1] is finished
        return finished.result

    @property
    def ending(self) -> tuple[str, int | None, str | None]:
        """Outcome, code and limit."""
        return self.result.outcome, self.result.code, self.result.limit

    def printed(self, stream: str = "stdout") -> str:
        """All that was kept of one stream."""
        return b"".join(output.data for output in self.outputs(stream)).decode()

    def outputs(self, stream: str) -> list[Output]:
        """The stretches of one stream."""
        return [e for e in self.events if isinstance(e, Output) and e.stream == stream]


def _children() -> list[int]:
    pid = os.getpid()
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


@pytest.fixture
def children() -> Children:
    """Return a function that gives the processes started in this test and not yet waited for."""
    before = _children()
    return lambda: [child for child in _children() if child not in before]


@pytest.fixture
def make_job(runtime: Runtime) -> Callable[..., Job]:
    """Return a function that makes a job of a script; its keywords are fields of the limits."""

    def make(script: str | bytes, *, aws: bool = False, **limits: int) -> Job:
        data = textwrap.dedent(script).encode() if isinstance(script, str) else script
        chosen = Limits(**{"wall_ms": 20_000, **limits})
        return Job(
            run="run-1",
            shape=Shape("python", runtime.root, runtime.digest, chosen, aws),
            script=data,
            script_digest=Sha(hashlib.sha256(data).hexdigest()),
            parameters=b'{"name": "value"}',
            inputs={"E1.json": b"[1, 2]"},
            variables={"AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": "AKIDRUN1"},
        )

    return make


@pytest.fixture
def run(make_job: Callable[..., Job], engine: Sandbox) -> Callable[..., Ran]:
    """Return a function that runs a script, with the keywords of `make_job`, to its end."""

    def to_the_end(script: str | bytes, gateway: Gateway | None = None, **options: Any) -> Ran:
        job = make_job(script, aws=gateway is not None, **options)

        async def collect() -> list[JobEvent]:
            async with engine.run(job, gateway, b"spec") as events:
                return [event async for event in events]

        return Ran(asyncio.run(collect()))

    return to_the_end


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data directory for whole sessions, so that the sealed runtime is built once."""
    return tmp_path_factory.mktemp("home")
