"""The second wall behind mounts and the empty network: Landlock, which asks at each use.

Whatever a script finds a way to, the kernel lets it read files only where it was meant to, write
only below /job/out and /job/tmp, execute only programs, connect only to the gateway, and signal
only itself. It can't make devices, pipes, sockets or links that have a path.

A kernel has Landlock in some version or not at all. What it does not know is left out here and told
by `missing`: each of these rules stands behind another wall. Only where bubblewrap builds is there
no other that keeps written files from being executed, so that there none means no run.

`refused` and `allowed` are pure. Standard library only, as it is delivered inside where bubblewrap
puts up the walls.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct
from pathlib import Path

from sandbox.engines import kernel

_EXECUTE = 1 << 0
_WRITE_FILE = 1 << 1
_READ_FILE = 1 << 2
_READ_DIR = 1 << 3
_REMOVE_DIR = 1 << 4
_REMOVE_FILE = 1 << 5
_MAKE_DIR = 1 << 7
_MAKE_FILE = 1 << 8
_MOVE = 1 << 13
_TRUNCATE = 1 << 14
_BIND, _CONNECT = 1 << 0, 1 << 1

_FILES_SINCE = {1: (1 << 13) - 1, 2: _MOVE, 3: _TRUNCATE, 5: 1 << 15}
"""Version of Landlock to the rights about files that it brought; the last is ioctl on devices."""
_NETWORK_SINCE = {4: _BIND | _CONNECT}
_SCOPES_SINCE = {6: 0b11}
"""Abstract unix sockets and signals."""
_BROUGHT = {
    2: ("moving files between folders", "5.19"),
    3: ("cutting files short", "6.2"),
    4: ("TCP", "6.7"),
    5: ("settings of devices", "6.10"),
    6: ("signals and abstract sockets", "6.12"),
}

_READ = _READ_FILE | _READ_DIR
_WRITE = _WRITE_FILE | _TRUNCATE | _MAKE_FILE | _MAKE_DIR | _REMOVE_FILE | _REMOVE_DIR | _MOVE
_PROGRAMS = ("/lib", "/lib64", "/runtime", "/usr")
_BELOW = {
    "/": _READ_DIR,
    **dict.fromkeys(_PROGRAMS, _READ | _EXECUTE),
    "/dev": _READ | _WRITE_FILE,
    "/etc": _READ,
    "/job": _READ,
    "/job/out": _READ | _WRITE,
    "/job/tmp": _READ | _WRITE,
    "/proc": _READ,
}

_GIVE_VERSION = 1
_PATH_BENEATH, _NET_PORT = 1, 2
# New calls have one number on every architecture.
_CREATE_RULESET, _ADD_RULE, _RESTRICT_SELF = 444, 445, 446


def version() -> int:
    """Return the version of Landlock that this kernel has, 0 for none.

    None is also what a container's filter leaves that does not know the call.
    """
    if os.uname().sysname != "Linux":  # where the number means another call, or death
        return 0
    try:
        return kernel.call("landlock", _CREATE_RULESET, None, 0, _GIVE_VERSION)
    except OSError:
        return 0


def missing(found: int) -> tuple[str, ...]:
    """Return what this version lacks of the wall, a few words each; empty when it lacks nothing."""
    if found == 0:
        return ("Landlock, the second wall around files, network and processes",)
    lacking = [f"{what} ({linux})" for at, (what, linux) in _BROUGHT.items() if at > found]
    rules = ", ".join(lacking).replace("(", "(since Linux ", 1)
    return (f"Landlock's rules for {rules}",) if lacking else ()


def refused(found: int) -> tuple[int, int, int]:
    """Return what a version of Landlock can refuse, as the kernel counts it.

    The rights about files and about TCP are refused but where they are allowed; the scopes end what
    leads out of the wall.
    """
    return (
        _known(_FILES_SINCE, found),
        _known(_NETWORK_SINCE, found),
        _known(_SCOPES_SINCE, found),
    )


def allowed(found: int) -> dict[str, int]:
    """Return folders to the rights about files that hold in them and below."""
    files, _, _ = refused(found)
    return {folder: rights & files for folder, rights in _BELOW.items()}


def enclose(port: int, *, must: bool = False) -> None:
    """Put this process and all that it starts behind the wall, for ever; raises OSError.

    Where the kernel has no Landlock nothing happens, or OSError is raised when it `must` be there.
    Needs no_new_privileges and the script's view; sockets must have been bound before.
    """
    found = version()
    if found == 0 and must:
        raise OSError(
            errno.ENOSYS,
            "this kernel has no Landlock, so bubblewrap can't keep files from being executed",
        )
    if found:
        _restrict(found, port)


def _known(since: dict[int, int], found: int) -> int:
    return sum(rights for first, rights in since.items() if first <= found)


def _restrict(found: int, port: int) -> None:
    files, network, scopes = refused(found)
    # struct landlock_ruleset_attr; a kernel that knows less of it wants zeros there.
    handled = (ctypes.c_uint64 * 3)(files, network, scopes)
    size = ctypes.sizeof(handled)
    ruleset = kernel.call("landlock_create_ruleset", _CREATE_RULESET, handled, size, 0)
    try:
        for folder, rights in allowed(found).items():
            if folder not in _PROGRAMS or Path(folder).is_dir():
                _allow_below(ruleset, folder, rights)
        if network and port:
            rule = struct.pack("=QQ", _CONNECT, port)  # struct landlock_net_port_attr
            kernel.call("landlock_add_rule", _ADD_RULE, ruleset, _NET_PORT, rule, 0)
        kernel.call("landlock_restrict_self", _RESTRICT_SELF, ruleset, 0)
    finally:
        os.close(ruleset)


def _allow_below(ruleset: int, folder: str, rights: int) -> None:
    descriptor = os.open(folder, os.O_PATH | os.O_CLOEXEC)
    try:
        rule = struct.pack("=Qi", rights, descriptor)  # struct landlock_path_beneath_attr, packed
        kernel.call("landlock_add_rule", _ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
    finally:
        os.close(descriptor)
