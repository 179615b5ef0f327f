"""How long a rehearsal takes: scripts behind the real walls, before a real gateway process.

From the decision on, with a spare that stands ready as it does while a person reads: until all of
the script is dead. Its calls are judged, built and answered from shapes, one page after the other.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.bench_sandbox import ticks
from benchmarks.canned_gateway import ACCESS_KEY
from benchmarks.jobs import Bench, engines, printed
from core.approval.draft import Draft, Target, Terms
from core.approval.spec import write_spec
from core.canonical import canonical, sha256
from core.gateway_client import GatewayProcess
from sandbox.engines.memory import family
from sandbox.job import Job
from sandbox.runtime import build_runtime

_PARAMETERS = {"regions": ["eu-west-1", "eu-central-1"]}
_TARGET = Target("live", "aws", "111122223333", "arn:aws:iam::111122223333:role/on-call",
                 ("eu-west-1", "eu-central-1"))  # fmt: skip


def rehearsals(drafts: Sequence[Draft]) -> list[float]:
    """Return how many milliseconds the rehearsal of each took; the first starts the gateway."""
    return asyncio.run(_all(drafts))


async def _all(drafts: Sequence[Draft]) -> list[float]:
    gateway, engine = GatewayProcess(), engines()[0]
    gateway.prepare()
    try:
        with TemporaryDirectory() as folder:
            bench = Bench(engine, build_runtime(Path(folder) / "runtimes"), gateway)
            return [await _one(bench, draft) for draft in drafts]
    finally:
        engine.close()
        await gateway.close()


async def _one(bench: Bench, draft: Draft) -> float:
    job = _job(bench, draft)
    terms = Terms("rehearse", _TARGET, job.shape.limits, 4, job.shape.environment_digest)
    spec = write_spec(draft, terms, {}, ACCESS_KEY)
    bench.engine.prepare(job.shape, _services(draft))
    await _quiet()
    begin = time.perf_counter()
    async with bench.engine.run(job, bench.gateway, spec) as events:
        told = [event async for event in events]
    took = (time.perf_counter() - begin) * 1000
    printed(told)  # it has to have come to its end
    return took


def _job(bench: Bench, draft: Draft) -> Job:
    job = bench.job(draft.script.decode())
    return replace(job, parameters=canonical(_PARAMETERS), script_digest=sha256(draft.script))


def _services(draft: Draft) -> list[str]:
    import ast

    from core.checks.aws_calls import extract

    return sorted({call.service for call in extract(ast.parse(draft.script)).calls})


async def _quiet() -> None:
    """Wait until a spare does nothing any more, as when a person reads."""
    quiet, before = 0, -1
    while quiet < 4:
        await asyncio.sleep(0.1)
        used = sum(map(ticks, family(os.getpid())))
        quiet, before = (quiet + 1 if used == before else 0), used
