"""Attacks on files: what the operator and the machine keep on disk, and the mounts that hide it.

Files that hold for the whole machine are opened here and never read or written. Mounts are made by
controls only, in a mount namespace of their own.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

Attack = Callable[[str, object], str]
Sleeping = Callable[..., AbstractContextManager["subprocess.Popen[bytes]"]]

SECRET = "a-word-that-only-the-host-knows"
VIEW = "a root file system of its own"
SEALED = "read-only mounts"
PROC = "/proc shows nothing but processes, and is read-only"
FILTER = "seccomp filter"
AS_ROOT = os.geteuid() == 0
mark = pytest.mark.attack
ROOT = mark(5, "walk through /proc/1/root", wall=VIEW)
DEVICE = mark(13, "open /dev/mem, /dev/kmsg or a disk", wall=VIEW)
KERNEL = mark(15, "open /proc/kcore and /proc/sysrq-trigger", wall=PROC)

READ = """
def attempt():
    with open(PARAMETER) as file:
        return file.read()
"""
OPEN_TO_READ = """
import os
def attempt():
    os.close(os.open(PARAMETER, os.O_RDONLY))
    return "opened"
"""
OPEN_TO_WRITE = """
import os
def attempt():
    os.close(os.open(PARAMETER, os.O_WRONLY))
    return "opened"
"""


# ------------------------------------------------------------------ reading
@pytest.mark.parametrize(
    ("name", "way"),
    [
        pytest.param(".aws/credentials", "{}", marks=mark(1, "read ~/.aws/credentials", wall=VIEW)),
        pytest.param("notes", "{}", marks=mark(2, "read any file of the host", wall=VIEW)),
        pytest.param(
            "notes",
            "../../../../../../../../../../../../../../../..{}",
            marks=mark(4, "climb out of the working folder with ../../..", wall=VIEW),
        ),
        pytest.param("notes", "/proc/self/root{}", marks=ROOT),
    ],
)
def test_no_file_of_the_host_is_read(
    outside: Attack, walled: Attack, tmp_path: Path, name: str, way: str
) -> None:
    """A file with a secret opens outside and does not exist inside, whatever leads to it."""
    secret = tmp_path / name
    secret.parent.mkdir(exist_ok=True)
    secret.write_text(SECRET)
    path = way.format(secret)

    assert outside(READ, path) == SECRET
    assert walled(READ, path) == "ENOENT"


@ROOT
def test_no_process_has_another_root(
    outside: Attack, walled: Attack, sleeping: Sleeping, tmp_path: Path
) -> None:
    """The root of another process leads to the host's files; inside, pid 1 is the script itself."""
    secret = tmp_path / "notes"
    secret.write_text(SECRET)
    with sleeping() as victim:
        assert outside(READ, f"/proc/{victim.pid}/root{secret}") == SECRET
        assert walled(READ, f"/proc/{victim.pid}/root{secret}") == "ENOENT"
        assert walled(READ, f"/proc/1/root{secret}") == "ENOENT"


@mark(3, "read /etc/shadow and the real /etc/passwd", wall=VIEW)
def test_no_account_of_the_host(outside: Attack, walled: Attack) -> None:
    """There is no password file, and the list of accounts is written for the script."""
    names = """
    def attempt():
        with open("/etc/passwd") as file:
            return "root" in [line.partition(":")[0] for line in file]
    """

    assert outside(names, None) == "True"
    assert walled(names, None) == "False"
    assert outside(OPEN_TO_READ, "/etc/shadow") == ("opened" if AS_ROOT else "EACCES")
    assert walled(OPEN_TO_READ, "/etc/shadow") == "ENOENT"


@mark(9, "open a file by its handle, past every mount", wall=FILTER)
def test_no_file_by_its_handle(outside: Attack, walled: Attack, tmp_path: Path) -> None:
    """A handle names a file of a whole file system, mounted or not; root opens it outside."""
    attack = """
    import ctypes, os
    def attempt():
        libc = ctypes.CDLL(None, use_errno=True)
        handle = ctypes.create_string_buffer((128).to_bytes(4, "little"), 136)
        there, mount = os.path.split(PARAMETER)[0], ctypes.c_int()
        if libc.name_to_handle_at(-100, PARAMETER.encode(), handle, ctypes.byref(mount), 0) == -1:
            raise OSError(ctypes.get_errno(), "name_to_handle_at")
        descriptor = libc.open_by_handle_at(os.open(there, os.O_RDONLY), handle, os.O_RDONLY)
        if descriptor == -1:
            raise OSError(ctypes.get_errno(), "open_by_handle_at")
        return "opened"
    """
    file = tmp_path / "notes"
    file.write_text(SECRET)

    assert outside(attack, str(file)) == ("opened" if AS_ROOT else "EPERM")
    assert walled(attack, "/job/script.py") == "EPERM"


@mark(21, "find secrets in what the script may read", wall="a runtime built from known packages")
def test_no_secret_beside_the_libraries(outside: Attack, walled: Attack, tmp_path: Path) -> None:
    """What is mounted for the script holds no file that tools keep their keys in."""
    attack = """
    import os
    KEPT_IN = {".env", ".netrc", ".pypirc", ".pgpass", ".git", ".aws", ".ssh", "pip.conf"}
    def attempt():
        return sorted({
            name for place in PARAMETER for _, folders, files in os.walk(place)
            for name in (*folders, *files) if name in KEPT_IN
        })
    """
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / ".env").write_text(SECRET)

    assert outside(attack, [str(tmp_path)]) == "['.env']"
    assert walled(attack, ["/runtime", "/usr", "/etc", "/job", "/dev"]) == "[]"


# ------------------------------------------------------------------ writing
def test_no_file_of_the_host_is_written(outside: Attack, walled: Attack, tmp_path: Path) -> None:
    """A file of the operator can be overwritten outside and does not exist inside."""
    attack = """
    import os
    def attempt():
        with os.fdopen(os.open(PARAMETER, os.O_WRONLY), "w") as file:
            file.write("mine now")
        return "written"
    """
    prize = tmp_path / "prize"
    prize.write_text("yours")

    assert outside(attack, str(prize)) == "written"
    assert prize.read_text() == "mine now"
    assert walled(attack, str(prize)) == "ENOENT"


@pytest.mark.parametrize("place", ["/", "/etc", "/usr/lib", "/runtime/site", "/runtime/python/lib"])
@mark(6, "write to /usr, to the libraries or to what starts the next script", wall=SEALED)
def test_no_library_is_planted(outside: Attack, walled: Attack, tmp_path: Path, place: str) -> None:
    """What a script leaves beside boto3 would be imported by the next; it can't leave anything."""
    attack = """
    import os
    def attempt():
        with open(os.path.join(PARAMETER, "planted.pth"), "w") as file:
            return file.write("x")
    """

    assert outside(attack, str(tmp_path)) == "1"
    assert walled(attack, place) == "EROFS"


@mark(19, "execute a program that the script has written", wall="noexec, Landlock")
def test_nothing_written_is_executed(outside: Attack, walled: Attack, tmp_path: Path) -> None:
    """A program that the script writes for itself can't be started."""
    attack = """
    import os, subprocess, sys
    def attempt():
        os.chdir(PARAMETER)
        with open("dropped", "w") as file:
            file.write(f"#!{sys.executable} -I" + chr(10) + "print('ran')")
        os.chmod("dropped", 0o755)
        path = os.path.abspath("dropped")
        return subprocess.run([path], capture_output=True, check=True).stdout.decode().strip()
    """

    assert outside(attack, str(tmp_path)) == "ran"
    assert walled(attack, "/job/tmp") == "EACCES"


@mark(11, "become root by a setuid program", wall="no such program, no new privileges, nosuid")
def test_no_program_gives_rights(outside: Attack, walled: Attack) -> None:
    """Outside there are programs that run as root, and the kernel would have them do so."""
    attack = """
    import ctypes, os, stat
    def attempt():
        found = False
        for place in "/usr/bin", "/usr/lib", "/runtime", "/job":
            for folder, _, files in os.walk(place):
                for name in files:
                    mode = os.lstat(os.path.join(folder, name)).st_mode
                    found = found or stat.S_ISREG(mode) and bool(mode & stat.S_ISUID)
        refused = ctypes.CDLL(None).prctl(39, 0, 0, 0, 0)  # PR_GET_NO_NEW_PRIVS
        return found, refused
    """

    assert outside(attack, None) == "(True, 0)"
    assert walled(attack, None) == "(False, 1)"


# ------------------------------------------------------------------ mounts and roots
@mark(7, "remount a read-only folder for writing", wall="no capabilities, seccomp filter")
def test_nothing_is_remounted(staged: Attack, walled: Attack, tmp_path: Path) -> None:
    """Whoever may mount makes read-only writable again; a script may not."""
    attack = """
    import ctypes, os
    libc = ctypes.CDLL(None, use_errno=True)
    def mount(path, flags):
        if libc.mount(path.encode(), path.encode(), None, ctypes.c_ulong(flags), None) == -1:
            raise OSError(ctypes.get_errno(), "mount")
    def attempt():
        place, make = PARAMETER
        if make:
            mount(place, 0x1000)
            mount(place, 0x1000 | 0x20 | 0x1)
            assert os.statvfs(place).f_flag & os.ST_RDONLY
        mount(place, 0x1000 | 0x20)
        return "written" if not os.statvfs(place).f_flag & os.ST_RDONLY else "read-only"
    """

    assert staged(attack, (str(tmp_path), True)) == "written"
    assert walled(attack, ("/runtime", False)) == "EPERM"


@mark(8, "unmount a folder to reveal what is under it", wall="no capabilities, seccomp filter")
def test_nothing_is_unmounted(staged: Attack, walled: Attack, tmp_path: Path) -> None:
    """A mount hides what is under it from those who can't take it away."""
    attack = """
    import ctypes, os
    libc = ctypes.CDLL(None, use_errno=True)
    def attempt():
        place, make = PARAMETER
        if make and libc.mount(b"tmpfs", place.encode(), b"tmpfs", 0, None) == -1:
            raise OSError(ctypes.get_errno(), "mount")
        if libc.umount2(place.encode(), 2) == -1:
            raise OSError(ctypes.get_errno(), "umount2")
        return os.listdir(place)
    """
    hidden = tmp_path / "covered"
    hidden.mkdir()
    (hidden / SECRET).touch()

    assert staged(attack, (str(hidden), True)) == f"['{SECRET}']"
    assert walled(attack, ("/job", False)) == "EPERM"


@mark(10, "change the root folder", wall="no capabilities, seccomp filter")
def test_no_other_root(staged: Attack, walled: Attack) -> None:
    """The old way out of a root is to enter another one and to climb from where one stood."""
    attack = """
    import os
    def attempt():
        os.chroot(PARAMETER)
        return "entered"
    """

    assert staged(attack, "/") == "entered"
    assert walled(attack, "/job") == "EPERM"


# ------------------------------------------------------------------ devices and the machine
@mark(12, "make a block device, to read the disk from", wall="seccomp filter, nodev")
def test_no_device_is_made(outside: Attack, walled: Attack, tmp_path: Path) -> None:
    """Root makes the machine's disk appear wherever it likes; nobody does so inside."""
    attack = """
    import os, stat
    def attempt():
        os.chdir(PARAMETER)
        os.mknod("disk", stat.S_IFBLK | 0o600, os.makedev(7, 0))
        os.unlink("disk")
        return "made"
    """

    assert outside(attack, str(tmp_path)) == ("made" if AS_ROOT else "EPERM")
    assert walled(attack, "/job/tmp") == "EPERM"


@DEVICE
def test_no_device_of_the_machine(outside: Attack, walled: Attack) -> None:
    """The machine's devices are listed outside; inside there are five that hold nothing."""
    attack = """
    import os
    def attempt():
        return sorted(os.listdir("/dev"))
    """

    there = sorted(path.name for path in Path("/dev").iterdir())

    assert {"ptmx", "tty"} < set(there)
    assert outside(attack, None) == str(there)
    assert walled(attack, None) == "['full', 'null', 'random', 'urandom']"


@mark(14, "list /sys", wall=VIEW)
def test_no_listing_of_the_hardware(outside: Attack, walled: Attack) -> None:
    """/sys tells of all hardware and sets some of it; it is not mounted."""
    attack = """
    import os
    def attempt():
        return "kernel" in os.listdir("/sys")
    """

    assert outside(attack, None) == "True"
    assert walled(attack, None) == "ENOENT"


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        pytest.param("/dev/mem", os.R_OK, marks=DEVICE),
        pytest.param("/dev/kmsg", os.W_OK, marks=DEVICE),
        pytest.param("/proc/kcore", os.R_OK, marks=KERNEL),
        pytest.param("/proc/sysrq-trigger", os.W_OK, marks=KERNEL),
        pytest.param(
            "/proc/sys/kernel/core_pattern",
            os.W_OK,
            marks=mark(16, "open a setting of the kernel for writing", wall=PROC),
        ),
        pytest.param(
            "/proc/sys/fs/binfmt_misc/register",
            os.W_OK,
            marks=mark(17, "register an interpreter with binfmt_misc", wall=PROC),
        ),
    ],
)
def test_nothing_of_the_machine_opens(
    outside: Attack, walled: Attack, path: str, mode: int
) -> None:
    """What opens outside, which is more for root, does not exist inside; nothing is written."""
    attack = OPEN_TO_READ if mode == os.R_OK else OPEN_TO_WRITE

    assert (outside(attack, path) == "opened") is os.access(path, mode)
    assert walled(attack, path) == "ENOENT"
