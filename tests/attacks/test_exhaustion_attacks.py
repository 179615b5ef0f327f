"""Attacks by taking too much: processes, memory, disk, output, time, descriptors.

Limits are set low, so that each attack is over soon; controls take a little more than the limit and
give it back at once, so that the machine does not notice them.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from sandbox.job import Sandbox

Attack = Callable[..., str]
Behind = Callable[..., Any]
Find = Callable[[str], list[int]]

MEBIBYTE = 1024 * 1024
KILLED = "killed from outside, with its whole pid namespace"
mark = pytest.mark.attack


# ------------------------------------------------------------------ processes
@mark(69, "a fork bomb", wall="the limit `processes`")
def test_only_so_many_processes(outside: Attack, walled: Attack) -> None:
    """More processes than the limit are started outside; inside the kernel refuses the next."""
    attack = """
    import errno, os, signal, time
    def attempt():
        started = []
        try:
            for _ in range(PARAMETER):
                process = os.fork()
                if process == 0:
                    time.sleep(60)
                    os._exit(0)
                started.append(process)
            return len(started)
        except OSError as error:
            return f"{len(started)} {errno.errorcode[error.errno]}"
        finally:
            for process in started:
                os.kill(process, signal.SIGKILL)
                os.waitpid(process, 0)
    """

    assert outside(attack, 20) == "20"
    assert walled(attack, 20, processes=10) == "9 EAGAIN"


@mark(70, "a fork bomb that never stops", wall="the limits `processes` and `wall_ms`, " + KILLED)
def test_a_fork_bomb_ends(outside: Attack, behind: Behind, named: Find) -> None:
    """What forks again and again outlives its parent outside; inside nothing is left of it."""
    attack = """
    import ctypes, os, time
    def attempt():
        name, most = PARAMETER
        ctypes.CDLL(None).prctl(15, name.encode(), 0, 0, 0)  # PR_SET_NAME
        if most:
            for _ in range(most):
                if os.fork() == 0:
                    for standard in 0, 1, 2:
                        os.close(standard)
                    time.sleep(60)
            return "started"
        while True:
            try:
                os.fork()
            except OSError:
                time.sleep(0.01)
    """
    free, caught = f"bomb-{uuid4()}"[:15], f"bomb-{uuid4()}"[:15]

    assert outside(attack, (free, 3)) == "started"
    left = named(free)
    assert len(left) == 3
    for process in left:
        os.kill(process, signal.SIGKILL)
    ran = behind(attack, (caught, 0), processes=10, wall_ms=500)
    assert ran.ending == ("limit", None, "wall_ms")
    assert named(caught) == []


@mark(71, "a bomb of threads", wall="the limit `processes`")
def test_only_so_many_threads(outside: Attack, walled: Attack) -> None:
    """Threads count as processes do."""
    attack = """
    import threading
    def attempt():
        end = threading.Event()
        started = 0
        try:
            for _ in range(PARAMETER):
                threading.Thread(target=end.wait).start()
                started += 1
        except RuntimeError as error:
            return f"{started} {error}"
        finally:
            end.set()
        return started
    """

    assert outside(attack, 20) == "20"
    assert walled(attack, 20, processes=10) == "9 can't start new thread"


# ------------------------------------------------------------------ memory
@mark(72, "more memory than there is", wall="the limit `memory_bytes`")
def test_only_so_much_memory(outside: Attack, walled: Attack) -> None:
    """Memory beyond the limit is a MemoryError of the script's own."""
    attack = """
    def attempt():
        try:
            return len(bytearray(PARAMETER))
        except MemoryError:
            return "no memory"
    """

    assert outside(attack, 400 * MEBIBYTE) == str(400 * MEBIBYTE)
    assert walled(attack, 400 * MEBIBYTE, memory_bytes=300 * MEBIBYTE) == "no memory"


@mark(73, "much memory in many processes", wall="the limit `run_memory_bytes`, " + KILLED)
def test_only_so_much_memory_together(outside: Attack, behind: Behind) -> None:
    """Processes that are each within their limit hold more together outside, and inside end."""
    attack = """
    import os, signal, time
    def attempt():
        ready, tell = os.pipe()
        started = []
        for _ in range(3):
            process = os.fork()
            if process == 0:
                held = bytearray(b"x" * PARAMETER)
                os.write(tell, b".")
                time.sleep(60)
                os._exit(len(held) == 0)
            started.append(process)
        for _ in started:
            os.read(ready, 1)
        time.sleep(1)
        for process in started:
            os.kill(process, signal.SIGKILL)
        return "held"
    """
    each = 40 * MEBIBYTE

    assert outside(attack, each) == "held"
    ran = behind(attack, each, memory_bytes=200 * MEBIBYTE, run_memory_bytes=100 * MEBIBYTE)
    assert ran.ending == ("limit", None, "run_memory_bytes")


@mark(74, "memory that counts as a file (memfd)", wall="seccomp filter")
def test_no_memory_as_a_file(outside: Attack, walled: Attack) -> None:
    """What is written to such a file is in no process's memory, so there are none inside."""
    attack = """
    import os
    def attempt():
        return os.write(os.memfd_create("hidden"), bytes(PARAMETER))
    """

    assert outside(attack, MEBIBYTE) == str(MEBIBYTE)
    assert walled(attack, MEBIBYTE) == "EPERM"


@mark(86, "recursion without end", wall="the limit `memory_bytes`")
def test_recursion_ends(outside: Attack, walled: Attack) -> None:
    """With python's own limit lifted, a script goes as deep as its memory is, and gets an error."""
    attack = """
    import sys
    def down(rest):
        return 0 if rest == 0 else 1 + down(rest - 1)
    def attempt():
        sys.setrecursionlimit(2**31 - 1)
        try:
            return down(PARAMETER)
        except (MemoryError, SystemError):  # the latter is python 3.11's way of saying it here
            return "no memory"
    """

    assert outside(attack, 20_000) == "20000"
    assert walled(attack, 2**30, memory_bytes=100 * MEBIBYTE) == "no memory"


# ------------------------------------------------------------------ disk
@mark(75, "fill the disk", wall="the limit `work_bytes`, a file system of its own")
def test_only_so_many_bytes_of_files(outside: Attack, walled: Attack, tmp_path: Path) -> None:
    """Files together can't take more room than the work folder has, which is not on disk."""
    attack = """
    import os
    def attempt():
        for number in range(20):
            with open(os.path.join(PARAMETER, f"fill-{number}"), "wb") as file:
                file.write(bytes(100_000))
        return "filled"
    """

    assert outside(attack, str(tmp_path)) == "filled"
    assert walled(attack, "/job/tmp", work_bytes=1_000_000) == "ENOSPC"


@mark(
    76, "fill the disk with empty files", wall="the limit `files`; with bubblewrap `wall_ms` only"
)
def test_only_so_many_files(
    outside: Attack, walled: Attack, engine: Sandbox, tmp_path: Path
) -> None:
    """An engine that can't limit the number of files says so; they are gone with the run."""
    attack = """
    import os
    def attempt():
        for number in range(200):
            open(os.path.join(PARAMETER, f"empty-{number}"), "wb").close()
        return "filled"
    """
    unlimited = any("number of files" in lacking for lacking in engine.degraded)

    assert outside(attack, str(tmp_path)) == "filled"
    assert unlimited is (engine.engine == "bubblewrap")
    assert walled(attack, "/job/tmp", files=100) == ("filled" if unlimited else "ENOSPC")


@mark(77, "a sparse file of a terabyte", wall="the limit `work_bytes`")
def test_no_file_is_larger_than_its_disk(outside: Attack, walled: Attack, tmp_path: Path) -> None:
    """A file without content has any size outside, and inside none beyond the limit."""
    attack = """
    import os
    def attempt():
        with open(os.path.join(PARAMETER, "sparse"), "wb") as file:
            file.truncate(1 << 40)
        return os.path.getsize(file.name)
    """

    assert outside(attack, str(tmp_path)) == str(1 << 40)
    assert walled(attack, "/job/tmp") == "EFBIG"


@mark(84, "open ever more descriptors", wall="the limit `descriptors`")
def test_only_so_many_descriptors(outside: Attack, walled: Attack) -> None:
    """Open files and sockets, and the kernel's memory behind them, are bounded."""
    attack = """
    import errno, os
    def attempt():
        for number in range(PARAMETER):
            try:
                os.dup(0)
            except OSError as error:
                return f"{number + 3} {errno.errorcode[error.errno]}"
        return "opened"
    """

    assert outside(attack, 100) == "opened"
    assert walled(attack, 100, descriptors=50) == "50 EMFILE"


@mark(88, "watch the host's files (inotify)", wall="seccomp filter")
def test_no_watch_on_files_of_the_host(outside: Attack, walled: Attack, tmp_path: Path) -> None:
    """There would be nothing to watch, but each watcher counts against the operator's own."""
    attack = """
    import ctypes, os
    def attempt():
        libc = ctypes.CDLL(None, use_errno=True)
        watcher = libc.inotify_init()
        if watcher == -1 or libc.inotify_add_watch(watcher, PARAMETER.encode(), 2) == -1:
            raise OSError(ctypes.get_errno(), "inotify")
        return "watching"
    """

    assert outside(attack, str(tmp_path)) == "watching"
    assert walled(attack, "/job/tmp") == "EPERM"


# ------------------------------------------------------------------ output
@mark(78, "print without end", wall="the limit `output_bytes`: beginning and end are kept")
def test_output_is_bounded(outside: Attack, behind: Behind) -> None:
    """All that is printed arrives outside; of a run its beginning and end, and it is not killed."""
    attack = """
    def attempt():
        print("the beginning")
        for _ in range(40):
            print("x" * 99_999)
        return "the end"
    """
    most, printed = 65_536, 14 + 40 * 100_000 + 8

    assert len(outside(attack, None)) == printed - 1  # its last line feed is stripped
    ran = behind(attack, output_bytes=most)
    assert ran.ending == ("exited", 0, None)
    assert sum(len(output.data) for output in ran.outputs) == most
    assert ran.printed.startswith("the beginning\n")
    assert ran.printed.endswith("\nthe end")
    assert ran.outputs[-1].dropped == printed - most


# ------------------------------------------------------------------ time
@pytest.mark.parametrize(
    ("attack", "limits", "limit"),
    [
        pytest.param(
            """
            import time
            def attempt():
                while time.process_time() < PARAMETER:
                    pass
                return "went on"
            """,
            {"cpu_ms": 1_000},
            "cpu_ms",
            marks=mark(79, "compute for ever", wall="the limit `cpu_ms`"),
            id="computing",
        ),
        pytest.param(
            """
            import time
            def attempt():
                time.sleep(PARAMETER)
                return "went on"
            """,
            {"wall_ms": 300},
            "wall_ms",
            marks=mark(80, "sleep for ever", wall="the limit `wall_ms`, " + KILLED),
            id="sleeping",
        ),
        pytest.param(
            """
            import os, signal, time
            def attempt():
                for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
                    signal.signal(number, signal.SIG_IGN)
                os.kill(os.getpid(), signal.SIGTERM)
                time.sleep(PARAMETER)
                return "went on"
            """,
            {"wall_ms": 300},
            "wall_ms",
            marks=mark(81, "ignore every signal", wall="the limit `wall_ms`, " + KILLED),
            id="ignoring",
        ),
    ],
)
def test_time_is_up(
    outside: Attack, behind: Behind, attack: str, limits: dict[str, int], limit: str
) -> None:
    """What goes on outside, whatever it ignores, ends inside when its time is up."""
    assert outside(attack, 1.2) == "went on"
    ran = behind(attack, 4.0, **limits)
    assert ran.ending == ("limit", None, limit)
    assert ran.printed == ""


# ------------------------------------------------------------------ the end
@mark(87, "crash, and leave a core on disk", wall="no core is written; the end is reported")
def test_a_crash_is_reported(behind: Behind) -> None:
    """A crash ends a process by its signal outside and inside, where there is no core of it."""
    without_core = "import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0))"
    control = [sys.executable, "-I", "-c", f"{without_core}\nimport ctypes; ctypes.string_at(0)"]
    crash = """
    import ctypes, resource
    def attempt():
        print(resource.getrlimit(resource.RLIMIT_CORE), flush=True)
        ctypes.string_at(0)
    """

    assert subprocess.run(control, check=False).returncode == -signal.SIGSEGV
    ran = behind(crash)
    assert ran.ending == ("killed", -signal.SIGSEGV, None)
    assert ran.printed == "(0, 0)"
    assert ran.result.artifacts == {}
