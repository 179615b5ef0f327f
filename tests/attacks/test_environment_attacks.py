"""Attacks on the environment and /proc: what a process is given, and what it can look up of others.

Secrets are made for the test; processes that are looked into are the test's own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import uuid4

import pytest

from sandbox.engines.plan import INSIDE_ID

Attack = Callable[[str, object], str]
Application = Callable[..., str]
Sleeping = Callable[..., AbstractContextManager["subprocess.Popen[bytes]"]]

SECRET = "a-word-that-only-the-host-knows"
EMPTY = "an environment that is written anew, of the launcher too"
PROCESSES = "a pid namespace of its own"
PROC = "/proc shows nothing but processes, and is read-only"
mark = pytest.mark.attack
LEFT_OPEN = mark(
    27, "use a descriptor that was left open", wall="every descriptor but three is closed"
)

# To root's script the user namespace is the host's where no other can be made; it is no root there.
_OF_A_USER = [] if os.geteuid() == 0 else ["user"]
_UNMAPPED = 65534


# ------------------------------------------------------------------ variables
@mark(22, "read a secret in the environment", wall=EMPTY)
def test_no_variable_of_the_host(
    outside: Attack, walled: Attack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable of the operator's shell is inherited outside and not inside."""
    monkeypatch.setenv("HOST_SECRET", SECRET)
    attack = """
    import os
    def attempt():
        return PARAMETER in os.environ.values()
    """

    assert outside(attack, SECRET) == "True"
    assert walled(attack, SECRET) == "False"


@mark(23, "read the launcher's environment at /proc/1/environ", wall=EMPTY)
def test_no_environment_of_the_first_process(
    outside: Attack, walled: Attack, sleeping: Sleeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What another process was started with is read outside; pid 1 was started with nothing."""
    monkeypatch.setenv("HOST_SECRET", SECRET)
    attack = """
    def attempt():
        process, secret = PARAMETER
        with open(f"/proc/{process}/environ", "rb") as file:
            return secret.encode() in file.read()
    """
    with sleeping() as victim:
        assert outside(attack, (victim.pid, SECRET)) == "True"
        assert walled(attack, (1, SECRET)) == "False"


@mark(24, "search every /proc/*/environ", wall=PROCESSES)
def test_no_environment_of_any_process(
    outside: Attack, walled: Attack, sleeping: Sleeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No variable of ours or of another process is to be found, also not by /proc."""
    monkeypatch.setenv("HOST_SECRET", SECRET)
    attack = """
    import glob, os
    def attempt():
        places = ["os.environ"] if PARAMETER in os.environ.values() else []
        for path in glob.glob("/proc/[0-9]*/environ"):
            try:
                with open(path, "rb") as file:
                    if PARAMETER.encode() in file.read():
                        places.append("/proc")
            except OSError:
                continue
        return sorted(set(places))
    """
    with sleeping():
        assert outside(attack, SECRET) == "['/proc', 'os.environ']"
        assert walled(attack, SECRET) == "[]"


@mark(31, "have python import what a variable names", wall="python -I -S, with that environment")
def test_no_import_by_a_variable(
    behind: Callable[..., object], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """PYTHONPATH brings a planted module into every python, but not into the launcher's or ours."""
    planted = b"import builtins; builtins.planted = True"
    (tmp_path / "sitecustomize.py").write_bytes(planted)
    attack = """
    import builtins
    def attempt():
        return hasattr(builtins, "planted")
    """
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setenv("PYTHONSTARTUP", str(tmp_path / "sitecustomize.py"))
    probe = [sys.executable, "-c", "import builtins; print(hasattr(builtins, 'planted'))"]

    assert subprocess.run(probe, capture_output=True, check=True).stdout == b"True\n"
    ran = behind(
        attack,
        inputs={"sitecustomize.py": planted},
        variables={"PYTHONPATH": "/job/in", "PYTHONSTARTUP": "/job/in/sitecustomize.py"},
    )
    assert getattr(ran, "printed", None) == "False"


# ------------------------------------------------------------------ other processes
@mark(25, "write into the memory of pid 1", wall=PROC)
def test_no_memory_of_the_first_process(
    outside: Attack, walled: Attack, sleeping: Sleeping
) -> None:
    """The memory of a process of the same user opens for writing; inside no file of /proc does."""
    attack = """
    import os
    def attempt():
        os.close(os.open(f"/proc/{PARAMETER}/mem", os.O_RDWR))
        return "opened"
    """
    with sleeping() as victim:
        assert outside(attack, victim.pid) == "opened"
        assert walled(attack, 1) == "EROFS"
        assert walled(attack, victim.pid) == "ENOENT"


@mark(26, "list the processes of the host and their arguments", wall=PROCESSES)
def test_no_process_of_the_host_is_seen(
    outside: Attack, walled: Attack, sleeping: Sleeping
) -> None:
    """The command lines of other processes are listed outside; inside there is only the script."""
    attack = """
    import glob
    def attempt():
        lines = []
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                with open(path, "rb") as file:
                    lines.append(file.read())
            except OSError:  # it ended meanwhile
                continue
        return any(PARAMETER.encode() in line.split(bytes(1)) for line in lines), len(lines) == 1
    """
    marker = f"victim-{uuid4()}"
    with sleeping(marker):
        assert outside(attack, marker) == "(True, False)"
        assert walled(attack, marker) == "(False, True)"


# ------------------------------------------------------------------ descriptors
@LEFT_OPEN
def test_no_inherited_descriptor(outside: Attack, walled: Attack, tmp_path: Path) -> None:
    """A descriptor that the application left inheritable is open outside and closed inside."""
    attack = """
    import os
    def attempt():
        for descriptor in range(3, 1024):
            try:
                found = os.pread(descriptor, 64, 0)
            except OSError:
                continue
            if PARAMETER.encode() in found:
                return "found"
        return "nothing"
    """
    secret = tmp_path / "open"
    secret.write_text(SECRET)
    with secret.open() as file:
        os.set_inheritable(file.fileno(), True)

        assert outside(attack, SECRET) == "found"
        assert walled(attack, SECRET) == "nothing"
        # Nobody has closed it here, where the launcher was started from.
        assert os.get_inheritable(file.fileno())
        assert os.pread(file.fileno(), 64, 0) == SECRET.encode()


@LEFT_OPEN
def test_no_descriptor_but_the_standard_ones(
    outside: Attack, walled: Attack, tmp_path: Path
) -> None:
    """Inside 0, 1 and 2 are open and nothing else, of the application or of the walls' builders."""
    attack = """
    import os
    def attempt():
        listed = sorted(map(int, os.listdir("/proc/self/fd")))
        # The listing's own is closed by now.
        return [number for number in listed if os.path.lexists(f"/proc/self/fd/{number}")]
    """
    with (tmp_path / "open").open("w") as file:
        os.set_inheritable(file.fileno(), True)

        assert str(file.fileno()) in outside(attack, None).strip("[]").split(", ")
        assert walled(attack, None) == "[0, 1, 2]"


# ------------------------------------------------------------------ the machine
@mark(29, "read the machine's id", wall="neither /etc/machine-id nor /proc/sys is there")
@pytest.mark.parametrize("path", ["/etc/machine-id", "/proc/sys/kernel/random/boot_id"])
def test_no_id_of_the_machine(outside: Attack, walled: Attack, path: str) -> None:
    """What tells this machine from all others opens outside, where it has it, and not inside."""
    attack = """
    def attempt():
        open(PARAMETER, "rb").close()
        return "opened"
    """

    assert (outside(attack, path) == "opened") is os.access(path, os.R_OK)
    assert walled(attack, path) == "ENOENT"


@mark(30, "have the kernel spare the script when memory is short", wall=PROC)
def test_no_process_setting_opens(outside: Attack, walled: Attack) -> None:
    """A script can't write to /proc at all, also not to what is its own."""
    attack = """
    import os
    def attempt():
        os.close(os.open("/proc/self/oom_score_adj", os.O_WRONLY))
        return "opened"
    """

    assert outside(attack, None) == "opened"
    assert walled(attack, None) == "EROFS"


def test_nothing_of_the_machine_is_in_proc(outside: Attack, walled: Attack) -> None:
    """Memory, keys and settings of the machine are read outside, none of them inside."""
    attack = """
    import os
    def attempt():
        found = []
        for name in os.listdir("/proc"):
            path = f"/proc/{name}"
            if name.isdigit() or os.path.islink(path) or name in ("kmsg", "kcore"):
                continue
            try:
                if os.path.isdir(path):
                    found += os.listdir(path)
                elif open(path, "rb").read(1):
                    found.append(name)
            except OSError:
                continue
        return "meminfo" in found, "kernel" in found, len(found) == 0
    """

    assert outside(attack, None) == "(True, True, False)"
    assert walled(attack, None) == "(False, False, True)"


# ------------------------------------------------------------------ what is shared without asking
@pytest.mark.parametrize("kind", ["net", "mnt", "pid", "ipc", "uts", "cgroup", *_OF_A_USER])
def test_no_namespace_of_the_host(outside: Attack, walled: Attack, kind: str) -> None:
    """Every namespace of a script is its own, whatever the host's looks like."""
    attack = """
    import os
    def attempt():
        return os.readlink(f"/proc/self/ns/{PARAMETER}")
    """
    ours = os.readlink(f"/proc/self/ns/{kind}")  # noqa: PTH115 - no path, a name of the kernel's
    theirs = walled(attack, kind)

    assert outside(attack, kind) == ours
    assert theirs.startswith(f"{kind}:[")
    assert theirs != ours


ADD_GROUPS = """
if os.geteuid() == 0:
    os.setgroups([4242, 4243])
print(*os.getgroups(), flush=True)
"""


def test_no_group_of_the_operator(application: Application) -> None:
    """Root's script is in no further group; that of another user in none that has a name inside."""
    printed = application(ADD_GROUPS, "import os; print(*os.getgroups())")
    ours, theirs = (list(map(int, line.split())) for line in printed.splitlines())

    if os.geteuid() == 0:
        assert ours == [4242, 4243]
        assert theirs == []
    else:
        assert ours == os.getgroups()
        assert set(theirs) <= {INSIDE_ID, _UNMAPPED}
