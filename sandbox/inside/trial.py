"""The script of the trial run: tries what must fail, and tells what it found.

Run like any other script, behind the walls that are to be tried. Standard library only. Each
attempt succeeds in a plain process, where the machine offers what it asks for.

Left out is the memory of other processes: inside there is none but the script, which is what is
looked for. Settings of the machine are opened and never written.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import socket
import ssl
import sys
import zlib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

# By number, since not every build of Python knows AF_VSOCK. AF_NETLINK is there on every kernel, so
# a missing filter is noticed on every machine.
_VSOCK, _NETLINK = (40, socket.SOCK_STREAM), (16, socket.SOCK_RAW)
_SETTINGS = (
    "/proc/sys/kernel/core_pattern",
    "/proc/sys/vm/overcommit_memory",
    "/proc/sysrq-trigger",
)
_NEW_USER = 0x10000000  # CLONE_NEWUSER
_IO_URING_SETUP = 425
_IO_URING_BYTES = 120  # of struct io_uring_params
_CLONE = {"x86_64": 56, "aarch64": 220}
_UNSHARE = {"x86_64": 272, "aarch64": 97}


def works(attempt: Callable[[], object]) -> bool:
    """Tell whether the attempt succeeds."""
    try:
        attempt()
    except OSError:
        return False
    return True


def reach(port: int) -> bytes:
    """Return the first bytes that whoever listens on the loopback port sends."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        return connection.recv(16)


def reach_unix(name: str) -> None:
    """Connect to a unix socket, by its path or by an abstract name."""
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(5)
        connection.connect(name)


def listen() -> None:
    """Listen on a port of the loopback device."""
    socket.create_server(("127.0.0.1", 0)).close()


def open_socket(family: int, kind: int) -> None:
    """Make a socket of the family."""
    socket.socket(family, kind).close()


def open_to_write(path: str) -> None:
    """Open a file that is there for writing, and write nothing."""
    os.close(os.open(path, os.O_WRONLY))


def run_dropped() -> None:
    """Write a program and start it."""
    path = Path(os.environ["TMPDIR"], "dropped")
    path.write_text(f"#!{sys.executable} -IS\n", "utf-8")
    path.chmod(0o700)
    os.waitpid(os.posix_spawn(path, [str(path)], {}), 0)


def call(number: int, *arguments: int) -> int:
    """Make a system call; raises OSError."""
    libc = ctypes.CDLL(None, use_errno=True)
    outcome: int = libc.syscall(*map(ctypes.c_long, (number, *arguments)))
    if outcome == -1:
        raise OSError(ctypes.get_errno(), f"call {number}")
    return outcome


def make_ring() -> None:
    """Make an io_uring, through which calls are made that no filter sees."""
    parameters = ctypes.create_string_buffer(_IO_URING_BYTES)
    os.close(call(_IO_URING_SETUP, 1, ctypes.addressof(parameters)))


def clone_user() -> None:
    """Start a process in a user namespace of its own."""
    child = call(_CLONE[os.uname().machine], _NEW_USER | signal.SIGCHLD, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)


def enter_user() -> None:
    """Enter a user namespace, where there are rights again."""
    call(_UNSHARE[os.uname().machine], _NEW_USER)


def status(field: str) -> str:
    """Return one field of our own process status."""
    lines = Path("/proc/self/status").read_text("ascii", "replace").splitlines()
    return next(line.split()[1] for line in lines if line.startswith(f"{field}:"))


def other_processes() -> bool:
    """Tell whether there is any process but this one."""
    names = {path.name for path in Path("/proc").iterdir() if path.name.isdigit()}
    return os.getpid() != 1 or names != {"1"}


def terminal() -> bool:
    """Tell whether there is a terminal, to type into or to ask a person by."""
    return any(map(os.isatty, range(3))) or works(lambda: open_to_write("/dev/tty"))


def look(parameters: Mapping[str, Any]) -> dict[str, object]:
    """Return what was found; `judge` in sandbox.engines.choose says what it must be.

    Parameters, all of the host: `file` (a path that must not open), `port` (of a listener on the
    loopback device), `sockets` (names of unix sockets) that must not answer; and `gateway` (the
    port where the gateway must answer).
    """
    return {
        "host file": works(Path(parameters["file"]).read_bytes),
        "host network": works(lambda: reach(parameters["port"])),
        "host sockets": any(works(partial(reach_unix, name)) for name in parameters["sockets"]),
        "host settings": any(works(partial(open_to_write, path)) for path in _SETTINGS),
        "root": os.getuid() == 0 or status("Uid") == "0",
        "capabilities": any(int(status(f"Cap{name}"), 16) for name in ("Prm", "Eff", "Inh", "Bnd")),
        "new privileges": status("NoNewPrivs") != "1",
        "other processes": other_processes(),
        "other socket families": works(lambda: open_socket(*_VSOCK))
        or works(lambda: open_socket(*_NETLINK)),
        "other listeners": works(listen),
        "programs of its own": works(run_dropped),
        "io_uring": works(make_ring),
        "terminal": terminal(),
        "variables": sorted(os.environ),
        "gateway": works(lambda: reach(parameters["gateway"])),
        "modules": bool(ssl.OPENSSL_VERSION and zlib.ZLIB_VERSION),
        # Last, since whoever gets there has other rights than before.
        "user namespaces": works(clone_user) or works(enter_user),
    }


if __name__ == "__main__":
    found = look(json.loads(Path("/job/in/parameters.json").read_text("utf-8")))
    Path("/job/out/result.json").write_text(json.dumps(found), "utf-8")
