"""An engine is chosen by what its walls do, not by what the machine says of itself."""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import sys
from pathlib import Path

import pytest

import sandbox.engines
from sandbox.engines.bubblewrap import PROGRAM
from sandbox.engines.choose import (
    MUST_FAIL,
    canaries,
    choose,
    engines,
    explain,
    first_that_holds,
    try_out,
)
from sandbox.engines.namespaces import Namespaces
from sandbox.errors import NoEngine
from sandbox.job import Finished, JobResult, Sandbox, Sha
from sandbox.replayed import Replayed
from sandbox.runtime import Runtime


def test_this_machine_has_an_engine(runtime: Runtime) -> None:
    """The preferred engine passes here: for root our own, else bubblewrap if it is there."""
    preferred = engines()[0]

    assert asyncio.run(choose(runtime)).engine == preferred.engine
    assert (preferred.engine == "bubblewrap") is (os.geteuid() != 0 and PROGRAM.exists())


def test_every_engine_passes_its_trial(engine: Sandbox, runtime: Runtime) -> None:
    """The canaries hold behind each engine, not only behind the one that is chosen."""
    assert asyncio.run(try_out(engine, runtime)) == []


def test_the_next_engine_is_taken_and_says_why(runtime: Runtime) -> None:
    """An engine whose walls leak is not used, and the one used instead tells of it."""
    leaking = _leaking()
    chosen = asyncio.run(first_that_holds([leaking, Namespaces()], runtime))

    assert isinstance(chosen, Namespaces)
    lacking = chosen.degraded[-1]
    assert lacking.startswith(
        f"{leaking.engine}, which failed its trial run: the walls let through"
    )
    assert "host file" in lacking


def test_without_an_engine_nothing_is_returned(tmp_path: Path) -> None:
    """A runtime without an interpreter can't run the trial, so there is no engine, and a hint."""
    empty = tmp_path / ("0" * 64)
    empty.mkdir(mode=0o755)

    with pytest.raises(NoEngine, match="No such file or directory") as caught:
        asyncio.run(choose(Runtime(empty, Sha(empty.name))))
    assert caught.value.hint


def test_leaking_walls_are_found(runtime: Runtime) -> None:
    """An engine behind which the trial could open the canary file is not good enough."""
    troubles = asyncio.run(try_out(_leaking(), runtime))

    assert "the walls let through: host file" in troubles
    assert "does not work inside: gateway" in troubles


def test_the_machine_is_explained() -> None:
    """`doctor` has something to show on every machine."""
    *facts, bubblewrap = explain()

    assert len(facts) == 4
    assert bubblewrap.startswith("bubblewrap: ")


def test_each_attempt_of_the_trial_works_without_walls(tmp_path: Path) -> None:
    """The control of every trial: a plain process finds what it must not find behind walls."""
    found = asyncio.run(_without_walls(tmp_path))
    # These need rights, a terminal or a setting that not every machine of a test has.
    depends = {"root", "capabilities", "host settings", "terminal", "io_uring"}

    assert set(found) == {*MUST_FAIL, "gateway", "modules", "variables"}
    assert [name for name in MUST_FAIL if name not in depends and not found[name]] == []
    assert found["root"] is (os.geteuid() == 0)


async def _without_walls(folder: Path) -> dict[str, object]:
    async with canaries() as parameters:
        given = {**parameters, "gateway": parameters["port"]}
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-c", _TRIAL, str(_HOUSE), json.dumps(given)),
            env={"TMPDIR": str(folder)},
            stdout=asyncio.subprocess.PIPE,
        )
        printed, _ = await child.communicate()
    found: dict[str, object] = json.loads(printed)
    return found


_HOUSE = Path(sandbox.engines.__file__).parents[2]
_TRIAL = """
import json, sys
sys.path.insert(0, sys.argv[1])
from sandbox.inside.trial import look
print(json.dumps(look(json.loads(sys.argv[2]))))
"""


def _leaking() -> Replayed:
    trial = Path(sandbox.engines.__file__).parents[1] / "inside" / "trial.py"
    digest = Sha(hashlib.sha256(trial.read_bytes()).hexdigest())
    leaked = json.dumps({"host file": True}).encode()
    return Replayed({digest: [Finished(JobResult("exited", 0, None, leaked, {}))]})
