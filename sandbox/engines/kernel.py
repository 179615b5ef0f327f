"""The few kernel calls that Python 3.11 does not offer, by ctypes.

Used by the launcher before the walls are up and by the collector afterwards, so it imports the
standard library only. Every function raises OSError with the name of the call in its message.
Needs Linux 5.12 on x86_64 or aarch64: there is no fallback for older ones, since a second way of
building the walls would be a second way of getting them wrong.
"""

from __future__ import annotations

import ctypes
import os
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000

MS_RDONLY = 0x1
MS_NOSUID = 0x2
MS_NODEV = 0x4
MS_NOEXEC = 0x8
MS_BIND = 0x1000
MS_REC = 0x4000
MS_PRIVATE = 0x40000

MOUNT_RDONLY = 0x1
MOUNT_NOSUID = 0x2
MOUNT_NODEV = 0x4
MOUNT_NOEXEC = 0x8

KEPT = 3
"""The descriptor that `keep_only` keeps."""

_AT_FDCWD = -100
_AT_RECURSIVE = 0x8000
_MNT_DETACH = 0x2
_CLOSE_RANGE_CLOEXEC = 0x4
_RESOLVE = 0x01 | 0x02 | 0x04 | 0x08  # NO_XDEV, NO_MAGICLINKS, NO_SYMLINKS, BENEATH
_CAPABILITY_VERSION_3 = 0x20080522
_PR_SET_PDEATHSIG = 1
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_NO_NEW_PRIVS = 38
_MOST_CAPABILITIES = 64
_EINVAL = 22

_KEYCTL_JOIN_SESSION_KEYRING = 1
_SECCOMP_SET_MODE_FILTER = 1

# Newer calls have one number on every architecture, older ones have not.
_CLOSE_RANGE = 436
_OPENAT2 = 437
_MOUNT_SETATTR = 442
_PIVOT_ROOT = {"x86_64": 155, "aarch64": 41}
_KEYCTL = {"x86_64": 250, "aarch64": 219}
_SECCOMP = {"x86_64": 317, "aarch64": 277}

_libc = ctypes.CDLL(None, use_errno=True)


def call(
    what: str, number: int, *arguments: int | bytes | ctypes.Array[ctypes.c_uint64] | None
) -> int:
    """Make the system call of this number; `what` it is stands in the error."""
    # Through a variadic function every integer has to be passed at its full width.
    wide = [ctypes.c_long(item) if isinstance(item, int) else item for item in arguments]
    return _check(what, _libc.syscall(ctypes.c_long(number), *wide))


def unshare(flags: int) -> None:
    """Move this process into new namespaces."""
    _check("unshare", _libc.unshare(ctypes.c_int(flags)))


def mount(
    source: str | Path | None, target: Path, kind: str | None, flags: int, options: str = ""
) -> None:
    """Mount a file system, or change how one is mounted, as the system call does."""
    outcome = _libc.mount(
        _text(source), _text(target), _text(kind), ctypes.c_ulong(flags), _text(options)
    )
    _check(f"mounting {kind or source or ''} on {target}", outcome)


def bind(source: Path, target: Path, attributes: int) -> None:
    """Show the host's `source` at `target`, mounts below it included, with more `attributes`."""
    mount(source, target, None, MS_BIND | MS_REC)
    set_attributes(target, attributes, recursive=True)


def set_attributes(target: Path, attributes: int, *, recursive: bool = False) -> None:
    """Add MOUNT_ attributes to a mount that exists; attributes it has already stay."""
    flags = _AT_RECURSIVE if recursive else 0
    change = (ctypes.c_uint64 * 4)(attributes, 0, 0, 0)
    size = ctypes.sizeof(change)
    call("mount_setattr", _MOUNT_SETATTR, _AT_FDCWD, _text(target), flags, change, size)


def pivot_root(new: Path, old: Path) -> None:
    """Make the mount `new` the root and put the old root at `old`, a folder below `new`."""
    call("pivot_root", _number(_PIVOT_ROOT), _text(new), _text(old))


def detach(target: Path) -> None:
    """Take the mount and all below it out of the tree at once."""
    _check("umount2", _libc.umount2(_text(target), ctypes.c_int(_MNT_DETACH)))


def leave_keyring() -> None:
    """Leave the keys of the operator's session behind; they pass through fork, exec and unshare."""
    call("keyctl", _number(_KEYCTL), _KEYCTL_JOIN_SESSION_KEYRING, None)


def die_with_parent() -> None:
    """Have the kernel send SIGKILL when the parent ends; a change of uid undoes it."""
    _prctl(_PR_SET_PDEATHSIG, 9)


def outlive_parent() -> None:
    """Undo `die_with_parent`."""
    _prctl(_PR_SET_PDEATHSIG, 0)


def adopt_orphans() -> None:
    """Become the parent of every process below us whose own parent ends."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def no_new_privileges() -> None:
    """From here on no exec can give this process more rights."""
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def install_filter(program: bytes) -> None:
    """Have the kernel ask this BPF program, for ever, before each call of this process.

    The program is an array of struct sock_filter (see `filter`); needs no_new_privileges.
    """
    instructions = ctypes.create_string_buffer(program, len(program))
    # struct sock_fprog: how many, and where.
    where = (ctypes.c_uint64 * 2)(len(program) // 8, ctypes.addressof(instructions))
    call("seccomp", _number(_SECCOMP), _SECCOMP_SET_MODE_FILTER, 0, where)


def empty_bounding_set() -> None:
    """Make every capability unobtainable; needs CAP_SETPCAP."""
    for capability in range(_MOST_CAPABILITIES):
        try:
            _prctl(_PR_CAPBSET_DROP, capability)
        except OSError as error:
            if error.errno == _EINVAL:  # past the last one that this kernel knows
                return
            raise


def drop_capabilities() -> None:
    """Give up the effective, permitted and inheritable sets; the ambient set goes with them."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _check("capset", _libc.capset(header, (ctypes.c_uint32 * 6)()))


def close_on_exec_from(first: int) -> None:
    """Mark every descriptor from `first` on to be closed by exec."""
    call("close_range", _CLOSE_RANGE, first, 0xFFFFFFFF, _CLOSE_RANGE_CLOEXEC)


def keep_only(descriptor: int) -> None:
    """Have exec close everything but the standard descriptors and this one, which becomes KEPT."""
    os.dup2(descriptor, KEPT)
    os.set_inheritable(KEPT, True)
    close_on_exec_from(KEPT + 1)


def open_beneath(folder: int, name: str, flags: int) -> int:
    """Open `name` below the folder, never through a link, a mount point or upwards."""
    how = (ctypes.c_uint64 * 3)(flags | os.O_CLOEXEC, 0, _RESOLVE)
    return call("openat2", _OPENAT2, folder, _text(name), how, ctypes.sizeof(how))


def _prctl(option: int, value: int) -> None:
    zero = ctypes.c_ulong(0)
    outcome = _libc.prctl(ctypes.c_int(option), ctypes.c_ulong(value), zero, zero, zero)
    _check(f"prctl {option}", outcome)


def _number(by_machine: dict[str, int]) -> int:
    machine = os.uname().machine
    if machine not in by_machine:
        raise OSError(_EINVAL, f"no walls are known for the processor type {machine}")
    return by_machine[machine]


def _check(what: str, outcome: int) -> int:
    if outcome == -1:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return outcome


def _text(value: str | Path | None) -> bytes | None:
    return None if value is None else os.fsencode(value)
