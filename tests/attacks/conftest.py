"""Where an attack is run: outside as a plain Python script, and behind the walls of each engine.

An attack is a script that defines `attempt()`. What it returns, or the name of the OSError that
stopped it, is its outcome. `outside` is the control: it shows that the attack works where nothing
stops it, so that no attack can fail behind the walls by being wrong. Where a control needs rights,
an address or a mount that an ordinary user or this machine has not, `staged` gives it namespaces of
its own and all rights in them, so that even then nothing leaves the loopback device or changes
anything of the host.

A test that tries a numbered attack carries `pytest.mark.attack(number, title, wall=...)`. With the
variable ATTACK_RECORD set to a file, each attack that was tried and stopped becomes a line of it,
for tools/make_security_page.py.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from sandbox.job import Finished, Job, JobEvent, JobResult, Output, Sandbox, Sha, Shape
from sandbox.limits import Limits
from sandbox.runtime import Runtime

_AROUND = """\
import errno
PARAMETER = {parameter!r}
{attack}
try:
    outcome = attempt()
except OSError as error:
    outcome = errno.errorcode.get(error.errno, str(error))
print(outcome)
"""

_STAGE = """\
def stage(address):
    import ctypes, fcntl, os, socket, struct, time
    libc = ctypes.CDLL(None, use_errno=True)
    user, group = os.geteuid(), os.getegid()
    spaces = 0x00020000 | 0x40000000 | 0x08000000 | (0x10000000 if user else 0)
    if libc.unshare(spaces) == -1:
        raise SystemExit(f"no stage for the control: unshare {ctypes.get_errno()}")
    if user:
        maps = {"setgroups": "deny", "uid_map": f"0 {user} 1", "gid_map": f"0 {group} 1"}
        for name, text in maps.items():
            with open(f"/proc/self/{name}", "w") as file:
                file.write(text)
    libc.mount(None, b"/", None, ctypes.c_ulong(0x44000), None)  # what is mounted here stays here
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        fcntl.ioctl(control, 0x8914, struct.pack("16sh22x", b"lo", 0x1))  # up
        if "." in address:
            where = struct.pack("HH4s8x", 2, 0, socket.inet_aton(address))
            fcntl.ioctl(control, 0x8916, struct.pack("16s16s8x", b"lo:1", where))
    if ":" in address and address != "::1":
        where = struct.pack("16sIi", socket.inet_pton(socket.AF_INET6, address), 128, 1)
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as control:
            fcntl.ioctl(control, 0x8916, where)
            while True:
                try:  # the kernel takes a moment to find that nobody else has the address
                    control.bind((address, 0))
                    break
                except OSError:
                    time.sleep(0.01)
stage(ADDRESS)
"""
"""Runs before a control: namespaces of its own, and the address on their loopback device."""

_APPLICATION = """\
import asyncio, hashlib, os, struct, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from sandbox.engines import kernel
from sandbox.engines.bubblewrap import Bubblewrap
from sandbox.engines.namespaces import Namespaces
from sandbox.errors import LaunchFailed
from sandbox.job import Job, Output, Shape
from sandbox.limits import Limits

async def main(root, engine, script):
    shape = Shape("python", root, root.name, Limits(), False)
    job = Job("r", shape, script, hashlib.sha256(script).hexdigest(), b"{}", {}, {})
    try:
        async with engine.run(job, None, b"") as events:
            async for event in events:
                if isinstance(event, Output):
                    print(event.data.decode(), end="", flush=True)
    except LaunchFailed as error:
        print(error)

exec(sys.argv[4])
engine = {"namespaces": Namespaces, "bubblewrap": Bubblewrap}[sys.argv[3]]()
asyncio.run(main(Path(sys.argv[2]), engine, sys.argv[5].encode()))
"""


# ------------------------------------------------------------------ the record
def pytest_configure(config: pytest.Config) -> None:
    """Keep a record of what was tried if one is asked for."""
    path = os.environ.get("ATTACK_RECORD")
    if path and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Recorder(Path(path)))


def pytest_itemcollected(item: pytest.Item) -> None:
    """Have the report of a test tell which attacks it tried, on which engine and as whom."""
    parameters: Mapping[str, Any] = getattr(getattr(item, "callspec", None), "params", {})
    for mark in item.iter_markers("attack"):
        number, title = mark.args
        user = "root" if os.geteuid() == 0 else "ordinary user"
        engine = getattr(parameters.get("engine"), "engine", None)
        tried = {"number": number, "title": title, **mark.kwargs, "engine": engine, "user": user}
        item.user_properties.append(("attack", json.dumps(tried)))


class _Recorder:
    """Adds a line to a file for each attack that was stopped."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            with self._path.open("a", encoding="utf-8") as file:
                file.writelines(
                    f"{tried}\n" for name, tried in report.user_properties if name == "attack"
                )


# ------------------------------------------------------------------ the controls
@pytest.fixture
def outside(tmp_path: Path) -> Callable[..., str]:
    """Return a function that runs an attack without walls and returns its outcome.

    It takes the options of subprocess.run too.
    """

    def run(attack: str, parameter: object, **options: Any) -> str:
        return _control(_script(attack, parameter), tmp_path, **options)

    return run


@pytest.fixture
def staged(tmp_path: Path) -> Callable[..., str]:
    """Return a function that runs an attack with all rights in namespaces of its own.

    Its loopback device has the `address`, if one is given.
    """

    def run(attack: str, parameter: object, *, address: str = "") -> str:
        stage = f"ADDRESS = {address!r}\n{_STAGE}".encode()
        return _control(stage + _script(attack, parameter), tmp_path)

    return run


def _control(script: bytes, folder: Path, **options: Any) -> str:
    path = folder / "attack.py"
    path.write_bytes(script)
    # Descriptors are left open on purpose: the control gets all that an attack could wish for.
    done = subprocess.run(
        [sys.executable, "-I", path],
        capture_output=True,
        check=False,
        close_fds=False,
        cwd=folder,
        timeout=30,
        **options,
    )
    assert done.returncode == 0, done.stderr.decode()
    printed: bytes = done.stdout
    return printed.decode().strip()


# ------------------------------------------------------------------ behind the walls
@dataclass(frozen=True, slots=True)
class Ran:
    """What came of a run behind the walls."""

    result: JobResult
    outputs: tuple[Output, ...]

    @property
    def printed(self) -> str:
        """What the script printed, and what python printed of its end."""
        return b"".join(output.data for output in self.outputs).decode().strip()

    @property
    def ending(self) -> tuple[str, int | None, str | None]:
        """Outcome, code and limit."""
        return self.result.outcome, self.result.code, self.result.limit


@pytest.fixture
def behind(runtime: Runtime, engine: Sandbox) -> Callable[..., Ran]:
    """Return a function that runs an attack behind the walls, however it ends.

    It takes the fields of Limits too, and `inputs` and `variables` of the job.
    """

    def run(
        attack: str,
        parameter: object = None,
        *,
        inputs: Mapping[str, bytes] | None = None,
        variables: Mapping[str, str] | None = None,
        **limits: int,
    ) -> Ran:
        script = _script(attack, parameter)
        job = Job(
            run="attack",
            shape=Shape("python", runtime.root, runtime.digest, _limits(limits), aws=False),
            script=script,
            script_digest=Sha(hashlib.sha256(script).hexdigest()),
            parameters=b"{}",
            inputs=inputs or {},
            variables=variables or {},
        )
        *outputs, finished = asyncio.run(_events(engine, job))
        assert isinstance(finished, Finished)
        return Ran(finished.result, tuple(one for one in outputs if isinstance(one, Output)))

    return run


@pytest.fixture
def walled(behind: Callable[..., Ran]) -> Callable[..., str]:
    """Return a function that runs an attack behind the walls, and returns its outcome."""

    def run(attack: str, parameter: object, **limits: int) -> str:
        ran = behind(attack, parameter, **limits)
        assert ran.ending == ("exited", 0, None), ran.printed
        return ran.printed

    return run


@pytest.fixture
def start_application(runtime: Runtime, engine: Sandbox) -> Callable[..., Any]:
    """Return a function that starts an application of its own, which runs a script.

    The first text is Python for the application to run before, where it may change what it is.
    """

    def start(before: str, script: str, **options: Any) -> subprocess.Popen[str]:
        house = str(Path(__file__).parents[2])
        words = [house, str(runtime.root), engine.engine, before, script]
        command = [sys.executable, "-c", _APPLICATION, *words]
        return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, **options)

    return start


@pytest.fixture
def application(start_application: Callable[..., Any]) -> Callable[..., str]:
    """Return a function that runs an application to its end, and returns what it printed."""

    def run(before: str, script: str, **options: Any) -> str:
        with start_application(before, script, **options) as process:
            printed, _ = process.communicate(timeout=30)
        assert process.returncode == 0
        return str(printed)

    return run


@pytest.fixture
def as_script() -> Callable[[str, object], str]:
    """Return a function that makes a whole script of an attack, for `application`."""
    return lambda attack, parameter: _script(attack, parameter).decode()


def _script(attack: str, parameter: object) -> bytes:
    return _AROUND.format(parameter=parameter, attack=textwrap.dedent(attack)).encode()


def _limits(given: Mapping[str, int]) -> Limits:
    return Limits(**{"wall_ms": 20_000, **given})


async def _events(engine: Sandbox, job: Job) -> list[JobEvent]:
    async with engine.run(job, None, b"") as events:
        return [event async for event in events]


# ------------------------------------------------------------------ the machine's processes
@pytest.fixture
def find() -> Callable[[str], list[int]]:
    """Return a function that finds the machine's processes with exactly this last argument."""

    def search(argument: str) -> list[int]:
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it ended while we looked
                if (folder / "cmdline").read_bytes().endswith(f"\0{argument}\0".encode()):
                    found.append(int(folder.name))
        return found

    return search


@pytest.fixture
def named() -> Callable[[str], list[int]]:
    """Return a function that finds the machine's processes of this name, 15 characters at most."""

    def search(name: str) -> list[int]:
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):  # it ended while we looked
                if (folder / "comm").read_text().strip() == name:
                    found.append(int(folder.name))
        return found

    return search


@pytest.fixture
def until_found(find: Callable[[str], list[int]]) -> Callable[[str, int], None]:
    """Return a function that waits until so many processes have this last argument."""

    def wait(argument: str, number: int) -> None:
        deadline = time.monotonic() + 20
        while len(find(argument)) != number:
            assert time.monotonic() < deadline, f"{argument}: {find(argument)}"
            time.sleep(0.02)

    return wait


@pytest.fixture
def sleeping() -> Callable[..., Any]:
    """Return a context manager: a process of the host that sleeps, with a marker as its argument.

    Any process of its user may trace it, also where only its parents may by default.
    """
    code = (
        "import ctypes, time; ctypes.CDLL(None).prctl(0x59616d61, ctypes.c_ulong(-1), 0, 0, 0); "
        "print(flush=True); time.sleep(60)"
    )

    @contextmanager
    def sleep(marker: str = "victim") -> Iterator[subprocess.Popen[bytes]]:
        command = [sys.executable, "-I", "-c", code, marker]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as victim:
            try:
                assert victim.stdout is not None
                victim.stdout.readline()
                yield victim
            finally:
                victim.kill()

    return sleep
