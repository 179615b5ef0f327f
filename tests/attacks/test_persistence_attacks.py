"""Attacks by staying: processes, files and messages that are there when the run is over.

Processes that controls leave behind are the test's own, found by a name that nobody else has, and
ended by it.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from sandbox.engines.tree import _START

Attack = Callable[[str, object], str]
Behind = Callable[..., Any]
Find = Callable[[str], list[int]]
Wait = Callable[[str, int], None]

SLEEP = "import time; time.sleep(60)"
PROCESSES = "a pid namespace: with pid 1 all of it is dead"
mark = pytest.mark.attack

UNDYING = f"""
import ctypes, os, sys
ctypes.CDLL(None).prctl(1, 0, 0, 0, 0)  # no signal when the parent dies
os.execv(sys.executable, [sys.executable, "-I", "-c", "{SLEEP}", "MARKER"])
"""


# ------------------------------------------------------------------ processes
@mark(82, "leave a daemon behind, of two forks", wall=PROCESSES)
@mark(83, "leave a daemon behind that closes its output", wall=PROCESSES)
@mark(147, "outlive the end of the run", wall=PROCESSES)
def test_no_daemon_stays(outside: Attack, walled: Attack, find: Find) -> None:
    """A process that left its session and its parent lives on outside and ends with the run."""
    attack = f"""
    import os, sys
    def attempt():
        started, starting = os.pipe()
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                nothing = os.open("/dev/null", os.O_RDWR)
                for standard in (0, 1, 2):
                    os.dup2(nothing, standard)
                os.execv(sys.executable, [sys.executable, "-I", "-c", "{SLEEP}", PARAMETER])
            os._exit(0)
        os.close(starting)
        os.wait()
        os.read(started, 1)  # ends when the exec has closed the other end
        return "daemon started"
    """
    free, caught = f"daemon-{uuid4()}", f"daemon-{uuid4()}"

    assert outside(attack, free) == "daemon started"
    [daemon] = find(free)
    os.kill(daemon, signal.SIGKILL)
    assert walled(attack, caught) == "daemon started"
    assert find(caught) == []


KILLED_WITH_IT = mark(
    148, "outlive the death of countersign or its launcher", wall="the control socket; " + PROCESSES
)


@KILLED_WITH_IT
def test_nothing_outlives_a_killed_application(
    start_application: Callable[..., Any], find: Find, until_found: Wait
) -> None:
    """A script that undid its parent-death signal lives on outside, and ends inside."""
    with undying_outside(until_found) as (application, free):
        application.kill()
        application.wait()
        [orphan] = find(free)
        os.kill(orphan, signal.SIGKILL)

    caught = f"orphan-{uuid4()}"
    with start_application("", UNDYING.replace("MARKER", caught)) as application:
        until_found(caught, 1)
        application.kill()
    until_found(caught, 0)


@contextmanager
def undying_outside(until_found: Wait) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Have the same script as a plain grandchild; give its parent and its marker."""
    free = f"orphan-{uuid4()}"
    script = UNDYING.replace("MARKER", free)
    run = [sys.executable, "-c", "import subprocess, sys; subprocess.run(sys.argv[1:])"]
    with subprocess.Popen([*run, sys.executable, "-c", script]) as parent:
        until_found(free, 1)
        yield parent, free


@KILLED_WITH_IT
def test_nothing_outlives_a_killed_launcher(
    start_application: Callable[..., Any], until_found: Wait
) -> None:
    """The launcher is the one process that could kill; without it the script ends as well."""
    caught = f"orphan-{uuid4()}"
    with start_application("", UNDYING.replace("MARKER", caught)) as application:
        until_found(caught, 1)
        [launcher] = launchers_below(application.pid)
        os.kill(launcher, signal.SIGKILL)
        until_found(caught, 0)
        application.communicate(timeout=30)


@KILLED_WITH_IT
def test_nothing_outlives_both(start_application: Callable[..., Any], until_found: Wait) -> None:
    """With launcher and application killed at once nobody is left to kill it but the kernel."""
    caught = f"orphan-{uuid4()}"
    with start_application("", UNDYING.replace("MARKER", caught)) as application:
        until_found(caught, 1)
        launchers = launchers_below(application.pid)
        for process in (*launchers, application.pid):
            os.kill(process, signal.SIGSTOP)
        for process in (*launchers, application.pid):
            os.kill(process, signal.SIGKILL)
        until_found(caught, 0)


def launchers_below(parent: int) -> list[int]:
    """Return the launchers among the children of a process of ours."""
    children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    return [
        int(child)
        for child in children
        if _START.encode() in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


# ------------------------------------------------------------------ files
@mark(
    149, "leave files behind for the next run", wall="a file system of its own, gone with the run"
)
def test_no_file_stays(outside: Attack, walled: Attack, tmp_path: Path) -> None:
    """The next one finds the file outside; of a run neither file, mount nor descriptor stays."""
    attack = """
    import os
    def attempt():
        path = os.path.join(PARAMETER, "left-behind")
        found = os.path.exists(path)
        open(path, "w").close()
        return found
    """

    assert [outside(attack, str(tmp_path)) for _ in range(2)] == ["False", "True"]
    before = mounts(), descriptors()
    assert [walled(attack, "/job/tmp") for _ in range(2)] == ["False", "False"]
    assert (mounts(), descriptors()) == before


def mounts() -> str:
    """Return what is mounted where we are."""
    return Path("/proc/self/mountinfo").read_text()


def descriptors() -> int:
    """Return how many descriptors we have open."""
    return len(list(Path("/proc/self/fd").iterdir()))


@mark(151, "poison the compiled libraries of the next run", wall="read-only mounts")
def test_no_compiled_library_is_poisoned(outside: Attack, walled: Attack, tmp_path: Path) -> None:
    """Python runs what lies compiled beside a module; nothing can be put there inside."""
    attack = """
    import os, py_compile, sys
    def attempt():
        library, scratch = PARAMETER
        poison = os.path.join(scratch, "poison.py")
        with open(poison, "w") as file:
            file.write("print('poisoned')")
        name = f"six.{sys.implementation.cache_tag}.pyc"
        compiled = os.path.join(library, "__pycache__", name)
        mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
        py_compile.compile(poison, compiled, invalidation_mode=mode, doraise=True)
        return "poisoned"
    """
    library = tmp_path / "site"
    library.mkdir()
    (library / "six.py").write_text("print('as it should be')")
    code = f"import sys; sys.path.insert(0, {str(library)!r}); import six"

    assert outside(attack, (str(library), str(tmp_path))) == "poisoned"
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, check=True)
    assert done.stdout == b"poisoned\n"
    assert walled(attack, ("/runtime/site", "/job/tmp")) == "EROFS"


# ------------------------------------------------------------------ messages
SHARED = mark(
    150,
    "leave messages and memory for other runs",
    wall="an ipc namespace, seccomp filter; no /dev/shm",
)


@SHARED
def test_no_message_queue_of_the_host(outside: Attack, walled: Attack) -> None:
    """A System V message queue needs no path to be reached; inside none can be."""
    attack = """
    import ctypes
    def attempt():
        if ctypes.CDLL(None, use_errno=True).msgget(PARAMETER, 0) == -1:
            raise OSError(ctypes.get_errno(), "msgget")
        return "reached"
    """
    libc = ctypes.CDLL(None)
    key = uuid4().int % 2**31
    queue = libc.msgget(key, 0o3600)  # IPC_CREAT | IPC_EXCL, for our user only
    try:
        assert outside(attack, key) == "reached"
        assert walled(attack, key) == "EPERM"
    finally:
        libc.msgctl(queue, 0, None)  # IPC_RMID


@SHARED
@pytest.mark.parametrize("call", ["shmget", "semget", "mq_open"])
def test_no_shared_memory(outside: Attack, walled: Attack, call: str) -> None:
    """Memory, semaphores and queues that stay when their maker is gone can't be made inside."""
    attack = """
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    ARGUMENTS = {"shmget": (0, 4096, 0o600), "semget": (0, 1, 0o600), "mq_open": (b"/none", 0)}
    REMOVE = {"shmget": lambda made: libc.shmctl(made, 0, None),
              "semget": lambda made: libc.semctl(made, 0, 0)}
    def attempt():
        made = getattr(libc, PARAMETER)(*ARGUMENTS[PARAMETER])  # private, or one that is not there
        if made == -1:
            raise OSError(ctypes.get_errno(), PARAMETER)
        REMOVE[PARAMETER](made)
        return "made"
    """

    assert outside(attack, call) == ("ENOENT" if call == "mq_open" else "made")
    assert walled(attack, call) == "EPERM"


@SHARED
def test_no_shared_folder_in_memory(outside: Attack, walled: Attack) -> None:
    """What lies in /dev/shm stays until the machine restarts; inside there is no such folder."""
    attack = """
    import os
    def attempt():
        os.close(os.open(PARAMETER, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        os.unlink(PARAMETER)
        return "made"
    """
    name = f"/dev/shm/countersign-{uuid4()}"

    assert outside(attack, name) == "made"
    assert walled(attack, name) == "ENOENT"
