"""Chooses the engine for this machine by a trial run, never by version numbers.

A real script runs behind the real walls and tries what must fail: to open a canary file of the
host, to connect to canary listeners, to find rights or variables that nobody gave it, to run what
it wrote (all of it in `sandbox.inside.trial`). Only an engine whose walls held is returned. When
none does, nothing runs here: there is no way to run without a sandbox.

An ordinary user gets bubblewrap where it is there, since AppArmor knows it and more people have
looked at it than at our own walls; root never does.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from socket import socket
from typing import Any

from sandbox.engines.bubblewrap import PROGRAM, Bubblewrap, why_not
from sandbox.engines.environment import script_environment
from sandbox.engines.machine import advise, describe, look
from sandbox.engines.namespaces import Namespaces
from sandbox.engines.plan import PORT
from sandbox.errors import NoEngine, SandboxError
from sandbox.job import (
    Finished,
    GatewayEvent,
    Job,
    JobEvent,
    Json,
    Output,
    Sandbox,
    Sha,
    Shape,
)
from sandbox.limits import Limits
from sandbox.runtime import Runtime

_TRIAL = Path(__file__).parents[1] / "inside" / "trial.py"
MUST_FAIL = (
    *("host file", "host network", "host sockets", "host settings", "other processes", "terminal"),
    *("root", "capabilities", "new privileges", "user namespaces", "io_uring"),
    *("other socket families", "other listeners", "programs of its own"),
)
"""What a trial run tries; it also looks for variables that nobody gave it."""
_MUST_WORK = ("gateway", "modules")
_VARIABLES = {"TRIAL": "1"}
_LIMITS = Limits(wall_ms=20_000, cpu_ms=20_000, memory_bytes=512 * 1024 * 1024, processes=4)


@dataclass(frozen=True, slots=True)
class Tried:
    """An engine after its trial run."""

    engine: Sandbox
    troubles: tuple[str, ...]
    """What its walls let through, or why there were none; empty when they held."""


async def choose(runtime: Runtime) -> Sandbox:
    """Return an engine whose walls held in a trial run, some 100 ms. Raises NoEngine."""
    return await first_that_holds(engines(), runtime)


async def first_that_holds(candidates: Sequence[Sandbox], runtime: Runtime) -> Sandbox:
    """Return the first engine whose walls held in a trial run; raises NoEngine."""
    tried: list[Tried] = []
    for engine in candidates:
        tried.append(Tried(engine, await _troubles(engine, runtime)))
        if not tried[-1].troubles:
            break
    return pick(tried)


async def try_each(runtime: Runtime) -> list[Tried]:
    """Try every engine of this machine, for `countersign doctor`."""
    return [Tried(engine, await _troubles(engine, runtime)) for engine in engines()]


def pick(tried: Sequence[Tried]) -> Sandbox:
    """Return the first engine whose walls held; raises NoEngine with what to type.

    Those before it, which are preferred and failed, are told in its `degraded`.
    """
    failed: list[str] = []
    for each in tried:
        if not each.troubles:
            each.engine.degraded += tuple(failed)
            return each.engine
        reasons = "; ".join(each.troubles)
        failed.append(f"{each.engine.engine}, which failed its trial run: {reasons}")
    raise NoEngine(f"no sandbox works here: {'. '.join(failed)}", hint=advise(look()))


def engines() -> tuple[Sandbox, ...]:
    """Return the engines that are tried here, the preferred one first."""
    if why_not(PROGRAM, os.getresuid()):
        return (Namespaces(),)
    return Bubblewrap(), Namespaces()


def explain() -> tuple[str, ...]:
    """Return what this machine is and allows, a sentence each, for `countersign doctor`."""
    reason = why_not(PROGRAM, os.getresuid())
    bubblewrap = f"not used: {reason}" if reason else f"{PROGRAM}, tried first"
    return (*describe(look()), f"bubblewrap: {bubblewrap}")


async def try_out(engine: Sandbox, runtime: Runtime) -> list[str]:
    """Return what went wrong in a trial run; empty when the walls held. Raises SandboxError."""
    async with canaries() as parameters:
        job = _trial_job(runtime, json.dumps({**parameters, "gateway": PORT}).encode())
        async with engine.run(job, _Doorman(), b"") as events:
            return judge([event async for event in events])


@asynccontextmanager
async def canaries() -> AsyncIterator[Json]:
    """Put out what a trial must not find, as long as the block lasts; yields its parameters."""
    with (
        tempfile.TemporaryDirectory(prefix="countersign-canary-") as folder,
        tempfile.NamedTemporaryFile(dir=folder) as file,
        _short(folder) as way,
    ):
        path, abstract = f"{folder}/socket", f"\0countersign-{secrets.token_hex(8)}"
        async with (
            await asyncio.start_server(_answer, "127.0.0.1", 0) as listener,
            await asyncio.start_unix_server(_answer, f"{way}/socket"),
            await asyncio.start_unix_server(_answer, abstract),
        ):
            port = listener.sockets[0].getsockname()[1]
            yield {"file": file.name, "port": port, "sockets": [path, abstract]}


@contextmanager
def _short(folder: str) -> Iterator[str]:
    """Give a path to the folder that fits into the address of a socket, however long its own is."""
    descriptor = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{descriptor}"
    finally:
        os.close(descriptor)


async def _troubles(engine: Sandbox, runtime: Runtime) -> tuple[str, ...]:
    try:
        return tuple(await try_out(engine, runtime))
    except SandboxError as error:
        return (str(error),)


def judge(events: Sequence[JobEvent]) -> list[str]:
    """Return what is wrong with what a trial run told, a few words each."""
    match events:
        case [*_, Finished(result)]:
            pass
        case _:
            return ["the trial run told nothing"]
    try:
        found: dict[str, Any] = json.loads(result.result or b"")
    except ValueError:
        printed = b"".join(event.data for event in events if isinstance(event, Output))
        last = printed.decode(errors="replace").strip().rpartition("\n")[2]
        return [f"the trial run ended without a result ({result.outcome}, {result.code}): {last}"]
    troubles = [f"the walls let through: {name}" for name in MUST_FAIL if found.get(name, True)]
    troubles += [f"does not work inside: {name}" for name in _MUST_WORK if not found.get(name)]
    if found.get("variables") != sorted({**script_environment(aws=True), **_VARIABLES}):
        troubles.append("the walls let through: variables")
    return troubles


def _trial_job(runtime: Runtime, parameters: bytes) -> Job:
    script = _TRIAL.read_bytes()
    return Job(
        run="trial",
        shape=Shape("python", runtime.root, runtime.digest, _LIMITS, aws=True),
        script=script,
        script_digest=Sha(hashlib.sha256(script).hexdigest()),
        parameters=parameters,
        inputs={},
        variables=_VARIABLES,
    )


class _Doorman:
    """A gateway that says a word to whoever comes, so that the trial can tell it was reached."""

    @asynccontextmanager
    async def attach(
        self,
        run: str,  # noqa: ARG002 - part of the port
        spec: bytes,  # noqa: ARG002 - part of the port
        listener: socket,
    ) -> AsyncIterator[AsyncIterator[GatewayEvent]]:
        async with await asyncio.start_server(_answer, sock=listener):
            yield _no_calls()


async def _no_calls() -> AsyncIterator[GatewayEvent]:
    none: tuple[GatewayEvent, ...] = ()
    for event in none:
        yield event


async def _answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"reached")
    writer.close()
