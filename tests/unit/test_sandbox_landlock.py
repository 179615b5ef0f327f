"""Landlock by itself: what each version of it refuses, and that it holds with no wall before it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.engines import landlock

EXECUTE, WRITE, READ, LIST, SYMLINK, MOVE, TRUNCATE, DEVICES = (
    1 << bit for bit in (0, 1, 2, 3, 12, 13, 14, 15)
)
MADE_NOWHERE = 0b1_1110_0100_0000
"""The rights to make character devices, sockets, pipes, block devices and symbolic links."""
NEWEST = 7
EVERY = range(1, NEWEST + 1)


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (0, (0, 0, 0)),
        (1, (0x1FFF, 0, 0)),
        (2, (0x3FFF, 0, 0)),
        (3, (0x7FFF, 0, 0)),
        (4, (0x7FFF, 3, 0)),
        (5, (0xFFFF, 3, 0)),
        (6, (0xFFFF, 3, 3)),
        (NEWEST, (0xFFFF, 3, 3)),
        (99, (0xFFFF, 3, 3)),
    ],
)
def test_each_version_refuses_what_it_knows(version: int, expected: tuple[int, int, int]) -> None:
    """A kernel takes no right that it does not know, so newer ones are left out for it."""
    assert landlock.refused(version) == expected


@pytest.mark.parametrize("version", EVERY)
def test_nothing_is_allowed_that_is_not_refused_elsewhere(version: int) -> None:
    """A rule may only speak of rights that the kernel was told of."""
    refused, _, _ = landlock.refused(version)

    assert all(rights & ~refused == 0 for rights in landlock.allowed(version).values())


def test_few_folders_allow_something() -> None:
    """Reading, writing and executing each have their folders, and some rights have none."""
    allowed = landlock.allowed(NEWEST)
    programs = ["/lib", "/lib64", "/runtime", "/usr"]

    assert [folder for folder, rights in allowed.items() if rights & EXECUTE] == programs
    assert [folder for folder, rights in allowed.items() if not rights & READ] == ["/"]
    assert sorted(f for f, rights in allowed.items() if rights & WRITE) == [
        *("/dev", "/job/out", "/job/tmp")
    ]
    assert allowed["/"] == LIST
    assert allowed["/dev"] == LIST | READ | WRITE
    assert allowed["/job/out"] & (MOVE | TRUNCATE | SYMLINK | DEVICES) == MOVE | TRUNCATE
    assert not any(rights & (MADE_NOWHERE | DEVICES) for rights in allowed.values())


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (0, "Landlock, the second wall around files, network and processes"),
        (
            1,
            (
                "Landlock's rules for moving files between folders (since Linux 5.19), cutting "
                "files short (6.2), TCP (6.7), settings of devices (6.10), signals and abstract "
                "sockets (6.12)"
            ),
        ),
        (5, "Landlock's rules for signals and abstract sockets (since Linux 6.12)"),
    ],
)
def test_what_is_missing_is_told(version: int, expected: str) -> None:
    """Each right that is left out is named, with the kernel that would know it."""
    assert landlock.missing(version) == (expected,)


@pytest.mark.parametrize("version", [6, NEWEST, 99])
def test_nothing_is_missing_from_what_is_used(version: int) -> None:
    """What newer versions add is not used, so it is not missed."""
    assert landlock.missing(version) == ()


# ------------------------------------------------------------------ the wall by itself
ENCLOSED = """
import errno, json, os, socket, sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from sandbox.engines import kernel, landlock

user, group, parent = os.getuid(), os.getgid(), os.getppid()
kernel.unshare(kernel.CLONE_NEWUSER | kernel.CLONE_NEWNS | kernel.CLONE_NEWNET)
Path("/proc/self/setgroups").write_text("deny")
Path("/proc/self/uid_map").write_text(f"0 {user} 1")
Path("/proc/self/gid_map").write_text(f"0 {group} 1")
root = Path(sys.argv[2])
kernel.mount("tmpfs", root, "tmpfs", 0)
for name in ("dev", "etc", "job/in", "job/out", "job/tmp", "proc", "runtime", "usr", "home"):
    (root / name).mkdir(parents=True)
for name in ("etc/hosts", "home/secret", "job/in/E1.json", "usr/program"):
    (root / name).write_text("#!/usr/bin/nothing")
    (root / name).chmod(0o755)
os.chroot(root)
os.chdir("/job")

def outcome(attempt):
    # In a child, since an attempt that succeeds may have become another program.
    child = os.fork()
    if child:
        return errno.errorcode.get(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), "done")
    try:
        attempt()
    except OSError as error:
        os._exit(error.errno)
    os._exit(0)

def drop():
    Path("/job/out/dropped").write_text("#!/usr/bin/nothing")
    os.chmod("/job/out/dropped", 0o755)
    os.execv("/job/out/dropped", ["dropped"])

def move():
    Path("/job/tmp/half").touch()
    os.rename("/job/tmp/half", "/job/out/whole")

ATTEMPTS = {
    "list": lambda: os.listdir("/"),
    "read inside": lambda: Path("/etc/hosts").read_text(),
    "read outside": lambda: Path("/home/secret").read_text(),
    "write out": lambda: Path("/job/out/a").write_text("a"),
    "move": move,
    "remove": lambda: os.remove("/job/out/whole"),
    "write job": lambda: Path("/job/a").write_text("a"),
    "write in": lambda: Path("/job/in/E1.json").write_text("a"),
    "execute program": lambda: os.execv("/usr/program", ["program"]),
    "write programs": lambda: Path("/usr/program").write_text("a"),
    "execute dropped": drop,
    "symbolic link": lambda: os.symlink("/etc", "/job/out/link"),
    "pipe": lambda: os.mkfifo("/job/out/pipe"),
    "unix socket": lambda: socket.socket(socket.AF_UNIX).bind("/job/out/socket"),
    "bind": lambda: socket.socket().bind(("127.0.0.1", 0)),
    "connect gateway": lambda: socket.socket().connect(("127.0.0.1", 3128)),
    "connect other": lambda: socket.socket().connect(("127.0.0.1", 3129)),
    "signal parent": lambda: os.kill(parent, 0),
    "remove out": lambda: os.rename("/job/out", "/job/tmp/out"),
}
if sys.argv[3] != "open":
    kernel.no_new_privileges()
    landlock.enclose(int(sys.argv[3]), must=True)
print(json.dumps({name: outcome(attempt) for name, attempt in ATTEMPTS.items()}))
"""


def outcomes(folder: Path, port: int | None) -> dict[str, str]:
    """Return how each attempt ends behind Landlock, or in the open when `port` is None."""
    house = Path(__file__).parents[2]
    how = "open" if port is None else str(port)
    words = [sys.executable, "-I", "-c", ENCLOSED, str(house), str(folder), how]
    done = subprocess.run(words, stdout=subprocess.PIPE, check=True, text=True, timeout=30)
    found: dict[str, str] = json.loads(done.stdout)
    return found


# There is no interpreter for the programs and no network up: the kernel did look that far.
OPEN = {
    "list": "done",
    "read inside": "done",
    "read outside": "done",
    "write out": "done",
    "move": "done",
    "remove": "done",
    "write job": "done",
    "write in": "done",
    "write programs": "done",
    "execute program": "ENOENT",
    "execute dropped": "ENOENT",
    "symbolic link": "done",
    "pipe": "done",
    "unix socket": "done",
    "bind": "done",
    "connect gateway": "ENETUNREACH",
    "connect other": "ENETUNREACH",
    "signal parent": "done",
    "remove out": "done",
}


def test_the_attempts_work_without_landlock(tmp_path: Path) -> None:
    """The control of the tests below: in the open room nothing is refused."""
    assert outcomes(tmp_path, None) == OPEN


def test_landlock_holds_alone(tmp_path: Path) -> None:
    """With every file writable and no filter installed, what was never allowed still fails."""
    version = landlock.version()
    allowed = "list", "read inside", "write out", "move", "remove", "execute program"
    expected = dict.fromkeys(OPEN, "EACCES")
    expected |= {name: OPEN[name] for name in (*allowed, "connect gateway")}
    expected["signal parent"] = "EPERM" if version >= 6 else "done"
    if version < 4:
        expected |= {name: OPEN[name] for name in ("bind", "connect other")}
    if version < 2:
        expected |= {"move": "EXDEV", "remove": "ENOENT", "remove out": "EXDEV"}

    assert version > 0
    assert outcomes(tmp_path, 3128) == expected


def test_without_a_gateway_nothing_is_connected_to(tmp_path: Path) -> None:
    """A job without AWS has no port at all, where Landlock knows of ports."""
    refused = "EACCES" if landlock.version() > 3 else "ENETUNREACH"

    assert outcomes(tmp_path, 0)["connect gateway"] == refused
