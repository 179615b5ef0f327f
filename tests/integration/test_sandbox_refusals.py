"""Where a wall can't be built nothing runs: no weaker walls, and no question whether to go without.

Each machine that lacks something is this one, with a filter around the application that takes a
call of the kernel away from it and all that it starts.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from core.config import Settings
from sandbox.engines.bubblewrap import PROGRAM
from sandbox.engines.choose import engines
from sandbox.engines.memory import LACKING
from sandbox.job import Sandbox
from sandbox.runtime import Runtime
from tui.cli import parser

HOUSE = Path(__file__).parents[2]
FILTERED = """
import os, struct, sys
sys.path.insert(0, sys.argv.pop(1))
from sandbox.engines import kernel

LOAD, EQUAL, ANY, RETURN, ALLOWED, ERROR = 0x20, 0x15, 0x45, 0x06, 0x7fff0000, 0x50000

def without(x86_64, aarch64, error, *, when=None):
    "Have the kernel answer a call with an error; only when its first argument passes a test."
    number = {"x86_64": x86_64, "aarch64": aarch64}[os.uname().machine]
    block = [(RETURN, 0, 0, ERROR | error)]
    if when:
        block = [(LOAD, 0, 0, 16), (when[0], 0, 1, when[1]), *block, (RETURN, 0, 0, ALLOWED)]
    program = [(LOAD, 0, 0, 0), (EQUAL, 0, len(block), number), *block, (RETURN, 0, 0, ALLOWED)]
    kernel.no_new_privileges()
    kernel.install_filter(b"".join(struct.pack("=HBBI", *one) for one in program))

exec(sys.argv.pop(1))
"""
RUN = """
import asyncio, hashlib, json
from contextlib import asynccontextmanager
from pathlib import Path
from sandbox.engines.bubblewrap import Bubblewrap
from sandbox.engines.choose import choose
from sandbox.engines.namespaces import Namespaces
from sandbox.errors import GatewayLost, SandboxError
from sandbox.job import Job, Output, Shape
from sandbox.limits import Limits
from sandbox.runtime import Runtime

class NotReady:
    @asynccontextmanager
    async def attach(self, run, spec, listener):
        listener.close()
        raise GatewayLost("the gateway is not ready")
        yield

async def main(root, engine, gateway):
    script = b"print('it ran')"
    shape = Shape("python", root, root.name, Limits(), gateway is not None)
    job = Job("r", shape, script, hashlib.sha256(script).hexdigest(), b"{}", {}, {})
    async with engine.run(job, gateway, b"") as events:
        async for event in events:
            if isinstance(event, Output):
                print(event.data.decode(), end="")

root, name, reach = Path(sys.argv[1]), *sys.argv[2:]
gateway = None if reach == "offline" else NotReady()
try:
    if name == "choose":
        engine = asyncio.run(choose(Runtime(root, root.name)))
    else:
        engine = {"namespaces": Namespaces, "bubblewrap": Bubblewrap}[name]()
        asyncio.run(main(root, engine, gateway))
    print(engine.engine, "lacks", json.dumps(engine.degraded))
except SandboxError as error:
    print(error)
"""
COUNTERSIGN = """
from tui.cli import main
sys.exit(main())
"""
NO_FILTERS = "without(317, 277, 38)"  # seccomp
NO_LANDLOCK = "without(444, 444, 38)"
NO_PRIVILEGE_LOCK = "without(157, 167, 22, when=(EQUAL, 38))"  # prctl PR_SET_NO_NEW_PRIVS
NO_NETWORK = """
without(272, 97, 1, when=(ANY, kernel.CLONE_NEWNET))  # unshare
without(56, 220, 1, when=(ANY, kernel.CLONE_NEWNET))  # clone
"""
NO_LISTENER = "without(50, 201, 1)"  # listen
ROOT_IS_ALL_THERE_IS = """
from pathlib import Path
user, group = os.getuid(), os.getgid()
kernel.unshare(kernel.CLONE_NEWUSER)
Path("/proc/self/setgroups").write_text("deny")
Path("/proc/self/uid_map").write_text(f"0 {user} 1")
Path("/proc/self/gid_map").write_text(f"0 {group} 1")
"""
REFUSED = "the walls could not be put up: "
QUESTION = "Why is checkout returning 503s?"


def on_a_machine(
    runtime: Runtime, engine: str, change: str, *, reach: str = "offline", **variables: str
) -> str:
    """Return what a script prints, or why it is refused, where `change` is made to the machine."""
    done = subprocess.run(
        [sys.executable, "-c", FILTERED + RUN, str(HOUSE), change, runtime.root, engine, reach],
        capture_output=True,
        check=True,
        env={**os.environ, **variables},
        text=True,
        timeout=50,
    )
    return done.stdout


def test_this_machine_is_not_refused(runtime: Runtime, engine: Sandbox) -> None:
    """The control of the tests below: with nothing taken away the script runs."""
    lines = on_a_machine(runtime, engine.engine, "").splitlines()

    assert lines[0] == "it ran"
    assert lines[1].startswith(f"{engine.engine} lacks ")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        pytest.param(NO_FILTERS, ["seccomp"], id="no filters"),
        pytest.param(NO_PRIVILEGE_LOCK, ["prctl 38", "NO_NEW_PRIVS"], id="no privilege lock"),
        pytest.param(NO_NETWORK, ["unshare", "namespace"], id="no network namespace"),
    ],
)
def test_a_wall_that_cant_be_built_is_a_refusal(
    runtime: Runtime, engine: Sandbox, change: str, told: list[str]
) -> None:
    """Without filters, the lock on privileges or an empty network, no script is started."""
    printed = on_a_machine(runtime, engine.engine, change)

    assert printed.startswith(REFUSED)
    assert "it ran" not in printed
    assert any(word in printed for word in told), printed


def test_without_landlock_only_our_own_walls_stand(runtime: Runtime, engine: Sandbox) -> None:
    """Ours forbid execution by mounts, so they degrade; bubblewrap's can't, so it refuses."""
    printed = on_a_machine(runtime, engine.engine, NO_LANDLOCK)

    if engine.engine == "namespaces":
        lacks = ["Landlock, the second wall around files, network and processes", LACKING]
        assert printed == f"it ran\nnamespaces lacks {json.dumps(lacks)}\n"
    else:
        assert printed == (
            f"{REFUSED}this kernel has no Landlock, so bubblewrap can't keep files from being "
            "executed\n"
        )


def test_without_landlock_the_trial_chooses_our_own_walls(runtime: Runtime) -> None:
    """Every canary still holds behind them, and what is lacking is told."""
    printed = on_a_machine(runtime, "choose", NO_LANDLOCK)
    tells = os.geteuid() != 0 and PROGRAM.exists()

    assert printed.startswith('namespaces lacks ["Landlock, the second wall around files')
    assert ("bubblewrap, which failed its trial run: " in printed) is tells


def test_root_without_another_user_is_refused(runtime: Runtime) -> None:
    """Where root is the only user that there is, no script runs as root instead."""
    refused = f"{REFUSED}no user id is left to run the script as, and it never runs as root\n"
    failed = "no sandbox works here: namespaces, which failed its trial run: "

    assert on_a_machine(runtime, "namespaces", ROOT_IS_ALL_THERE_IS) == refused
    assert on_a_machine(runtime, "choose", ROOT_IS_ALL_THERE_IS) == failed + refused


def test_without_a_listener_nothing_runs(runtime: Runtime, engine: Sandbox) -> None:
    """A job with AWS is not started when the listener for its calls can't be made."""
    printed = on_a_machine(runtime, engine.engine, NO_LISTENER, reach="aws")

    assert printed == f"{REFUSED}Operation not permitted\n"


def test_without_a_gateway_nothing_runs(runtime: Runtime, engine: Sandbox) -> None:
    """A job with AWS is not started before its gateway is ready to judge its calls."""
    assert on_a_machine(runtime, engine.engine, "", reach="aws") == "the gateway is not ready\n"


def test_a_long_path_for_temporary_files_is_no_obstacle(runtime: Runtime, tmp_path: Path) -> None:
    """The address of a unix socket holds 107 bytes, and the canaries' folder may have more."""
    deep = tmp_path / ("d" * 100)
    deep.mkdir()
    printed = on_a_machine(runtime, "choose", "", TMPDIR=str(deep))

    assert printed.startswith(f"{engines()[0].engine} lacks ")
    assert list(deep.iterdir()) == []


# ------------------------------------------------------------------ what people are told
def countersign(data: Path, *words: str, change: str = NO_FILTERS) -> tuple[int, str, str]:
    """Run the program, where no walls can be built or another `change` was made.

    Returns exit code, stdout and stderr.
    """
    done = subprocess.run(
        [sys.executable, "-c", FILTERED + COUNTERSIGN, str(HOUSE), change, *words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
        cwd="/",
        env={**os.environ, "COUNTERSIGN_DATA": str(data)},
        text=True,
        timeout=50,
    )
    return done.returncode, done.stdout, done.stderr


def test_doctor_says_why_nothing_can_run(tmp_path: Path) -> None:
    """Each engine with its trouble, the way out, and exit code 6; the same for machines."""
    code, told, _ = countersign(tmp_path, "doctor")
    _, document, _ = countersign(tmp_path, "doctor", "--json")
    found = json.loads(document)
    trouble = f"{REFUSED}seccomp: Function not implemented"

    assert code == 6
    assert found["engine"] is None
    assert found["tried"] == [{"engine": each.engine, "troubles": [trouble]} for each in engines()]
    assert "sandbox         none, so nothing can run here: no walls held\n" in told
    assert f"tried           namespaces: {trouble}\n" in told
    assert f"\n{found['hint']}\n" in told


def test_doctor_says_which_engine_held(tmp_path: Path) -> None:
    """The engine that is chosen, what each was tried with and found, and exit code 0."""
    code, told, _ = countersign(tmp_path, "doctor", change="")
    _, document, _ = countersign(tmp_path, "doctor", "--json", change="")
    found, preferred = json.loads(document), engines()[0].engine

    assert (code, found["engine"], found["problem"]) == (0, preferred, "")
    assert found["tried"] == [{"engine": each.engine, "troubles": []} for each in engines()]
    assert "user namespaces" in found["attempts"]
    assert f"sandbox         {preferred}: the first whose walls held\n" in told
    assert f"refused inside  {', '.join(found['attempts'])}\n" in told


def test_a_question_ends_before_anything_runs(tmp_path: Path) -> None:
    """A mode that needs no person is told what to type, and never asked to go on without walls."""
    words = ("--aws", "recorded:checkout-503", "--mode", "automated", "--ui", "json")
    code, told, errors = countersign(tmp_path, "ask", QUESTION, *words)
    kinds = {json.loads(line)["kind"] for line in told.splitlines()}
    first, hint, *_ = errors.splitlines()

    assert code == 6
    assert "decision.made" in kinds
    assert not {"run.started", "run.output", "aws.called"} & kinds
    assert first.startswith("countersign: no sandbox works here: ")
    assert hint.startswith("hint: ")


def test_walls_cant_be_chosen_away() -> None:
    """No option of the command line and no setting speaks of the sandbox."""
    commands = parser()._subparsers
    assert commands is not None
    [choices] = [action.choices for action in commands._group_actions]
    options = [o for each in dict(choices or {}).values() for o in each._option_string_actions]
    settings = list(Settings.model_json_schema()["properties"])
    telling = ("sandbox", "wall", "unsafe", "engine", "isolat", "seccomp", "landlock")

    assert {"--approve", "--mode"} <= set(options)
    assert [each for each in (*options, *settings) if any(word in each for word in telling)] == []
