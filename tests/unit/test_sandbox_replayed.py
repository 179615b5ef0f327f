"""The sandbox that runs nothing."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest

from sandbox.errors import LaunchFailed
from sandbox.job import Finished, Job, JobEvent, JobResult, Output, Sandbox, Sha, Shape
from sandbox.limits import Limits
from sandbox.replayed import Replayed

SCRIPT = b"print('hello')"
DIGEST = Sha(hashlib.sha256(SCRIPT).hexdigest())
EVENTS = (
    Output("stdout", 0, b"hello\n", 0),
    Finished(JobResult("exited", 0, None, None, {})),
)


def replay(sandbox: Sandbox, script: bytes, digest: Sha) -> list[JobEvent]:
    """Run a job with this script to its end."""
    shape = Shape("python", Path("/nowhere"), Sha("0" * 64), Limits(), aws=False)
    job = Job("r", shape, script, digest, b"{}", {}, {})

    async def collect() -> list[JobEvent]:
        async with sandbox.run(job, None, b"") as events:
            return [event async for event in events]

    return asyncio.run(collect())


def test_what_was_recorded_is_told_again() -> None:
    """The events of the script come out in order, as often as wanted."""
    sandbox = Replayed({DIGEST: EVENTS})

    assert replay(sandbox, SCRIPT, DIGEST) == list(EVENTS)
    assert replay(sandbox, SCRIPT, DIGEST) == list(EVENTS)


def test_what_was_not_recorded_is_refused() -> None:
    """Another script has no events, and no script is run in its place."""
    with pytest.raises(LaunchFailed, match="no run of the script"):
        replay(Replayed({}), SCRIPT, DIGEST)


def test_a_script_under_another_digest_is_refused() -> None:
    """The digest is computed, not believed."""
    with pytest.raises(LaunchFailed, match="digest differs"):
        replay(Replayed({DIGEST: EVENTS}), b"print('other')", DIGEST)
