"""Has bubblewrap put up the walls: its arguments, and how it is started and left.

Runs in the launcher. bubblewrap builds the view and starts our `threshold` in it as pid 1; as soon
as that stands, bubblewrap itself has no more to do and is killed, and the launcher adopts what it
started. From there on a run is the same with both engines: the script is the launcher's own child,
with a true exit status and nothing of bubblewrap beside it.

/proc of bubblewrap is the whole one. All of it but the processes is covered, by empty folders and
by a device that can't be opened, so that nothing of the machine can be read or set there.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import struct
from pathlib import Path

from sandbox.engines import kernel, view
from sandbox.engines.plan import INSIDE_ID, PORT, PYTHON, Plan
from sandbox.inside.threshold import STANDS

_OURS = Path(__file__).parents[1]
_BROUGHT = {
    "sandbox": None,
    "sandbox.engines": None,
    "sandbox.engines.filter": _OURS / "engines" / "filter.py",
    "sandbox.engines.kernel": _OURS / "engines" / "kernel.py",
    "sandbox.engines.landlock": _OURS / "engines" / "landlock.py",
    "sandbox.inside": None,
    "sandbox.inside.threshold": _OURS / "inside" / "threshold.py",
}
"""Our modules that are delivered as text, since no file of ours is to be seen inside."""
_START = """\
import json, sys
from types import ModuleType
word, control, port, modules = map(int, sys.argv[1:])
for name, text in json.load(open(modules)).items():
    module = sys.modules[name] = ModuleType(name)
    exec(compile(text, name, "exec"), module.__dict__)
module.main(word, control, port)
"""
_HOST = Path("/")
# For bubblewrap's own start-up too, so it holds nothing that a job can choose.
_ENVIRONMENT = {"LD_LIBRARY_PATH": "/runtime/python/lib"}
_CREDENTIALS = struct.Struct("3i")


def build(plan: Plan, control: socket.socket) -> tuple[int, int] | None:
    """Return the adopted process inside and the socket that it waits on.

    None when there is nothing to adopt: bubblewrap failed, and said why on stderr. Does not return
    when nobody waits for the run any more. Raises OSError.
    """
    if 0 in os.getresuid():
        raise OSError(0, "bubblewrap is never used by root")
    kernel.adopt_orphans()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
    with theirs:
        bubblewrap = os.fork()
        if bubblewrap == 0:
            _become_bubblewrap(plan, control.fileno(), theirs.fileno())
    child = _wait_until_it_stands(ours, control)
    if child is None:
        return None
    os.kill(bubblewrap, signal.SIGKILL)
    os.waitpid(bubblewrap, 0)
    return child, ours.detach()


def begin(plan: Plan) -> bytes:
    """Return the first word for the process inside: what it is to become."""
    return json.dumps([plan.arguments, plan.environment]).encode()


def arguments(
    plan: Plan, *, texts: dict[str, int], machine_files: dict[str, bool], program: list[str]
) -> list[str]:
    """Return bubblewrap's command line.

    `texts` holds descriptors of what becomes a file of /etc, by name; `machine_files` what /proc
    has beside processes, by name, True for folders.
    """
    return [
        plan.bubblewrap,
        *("--unshare-all", "--unshare-user", "--disable-userns", "--cap-drop", "ALL"),
        *("--uid", str(INSIDE_ID), "--gid", str(INSIDE_ID), "--hostname", "sandbox"),
        *("--as-pid-1", "--die-with-parent", "--new-session"),
        *_libraries(),
        *("--ro-bind", plan.runtime, "/runtime"),
        *(word for name in view.DEVICES for word in ("--dev-bind", *[f"/dev/{name}"] * 2)),
        *_proc(machine_files),
        *(word for name, text in texts.items() for word in _file(text, f"/etc/{name}")),
        *_work(plan.work_bytes),
        *("--remount-ro", "/", "--chdir", "/job", "--", *program),
    ]


def _libraries() -> list[str]:
    words = []
    for name, target in view.links(_HOST).items():
        words += ["--symlink", target, f"/{name}"]
    for name in view.libraries(_HOST):
        words += ["--ro-bind", f"/{name}", f"/{name}"]
    if view.has_loader_cache(_HOST):
        words += ["--ro-bind", f"/{view.LOADER_CACHE}", f"/{view.LOADER_CACHE}"]
    return words


def _proc(machine_files: dict[str, bool]) -> list[str]:
    words = ["--proc", "/proc"]
    for name, is_folder in machine_files.items():
        path = f"/proc/{name}"
        if is_folder:
            words += ["--perms", "0555", "--size", "4096", "--tmpfs", path, "--remount-ro", path]
        else:
            words += ["--ro-bind", "/dev/null", path]  # a bind that allows no devices
    return [*words, "--remount-ro", "/proc"]


def _file(text: int, path: str) -> list[str]:
    return ["--perms", "0444", "--ro-bind-data", str(text), path]


def _work(size: int) -> list[str]:
    return [
        *("--perms", "0700", "--size", str(size), "--tmpfs", "/job", "--dir", "/job/in"),
        *("--perms", "0700", "--dir", "/job/out", "--perms", "0700", "--dir", "/job/tmp"),
        *("--symlink", "/job/tmp", "/tmp"),  # noqa: S108 - a name inside, where nobody else is
    ]


def _become_bubblewrap(plan: Plan, control: int, word: int) -> None:
    """Never returns; raises OSError when bubblewrap can't be started."""
    kernel.die_with_parent()
    Path("/proc/self/oom_score_adj").write_text("1000")
    texts = {name: _text(content) for name, content in view.settings(INSIDE_ID).items()}
    modules = _text(
        json.dumps(
            {name: path.read_text("utf-8") if path else "" for name, path in _BROUGHT.items()}
        )
    )
    for descriptor in (control, word, modules, *texts.values()):
        os.set_inheritable(descriptor, True)
    numbers = (word, control, PORT if plan.listen else 0, modules)
    program = [PYTHON, "-I", "-S", "-B", "-c", _START, *map(str, numbers)]
    words = arguments(plan, texts=texts, machine_files=_machine_files(), program=program)
    os.execve(plan.bubblewrap, words, _ENVIRONMENT)  # noqa: S606 - no shell


def _machine_files() -> dict[str, bool]:
    with os.scandir("/proc") as entries:
        return {
            entry.name: entry.is_dir(follow_symlinks=False)
            for entry in entries
            if not entry.name.isdigit() and not entry.is_symlink()
        }


def _text(content: str) -> int:
    descriptor = os.memfd_create("text")
    os.write(descriptor, content.encode())
    os.lseek(descriptor, 0, os.SEEK_SET)
    return descriptor


def _wait_until_it_stands(ours: socket.socket, control: socket.socket) -> int | None:
    """Return the process inside once it has told that it stands; None when it never will."""
    poller = select.poll()
    poller.register(ours, select.POLLIN)
    poller.register(control, select.POLLIN)
    ready = {descriptor for descriptor, _ in poller.poll()}
    if control.fileno() in ready:  # before the walls are told of, that can only be its end
        # What bubblewrap has only just started does not die with it yet: it waits for its word, for
        # ever. It is in our process group, which no one else is in.
        os.killpg(0, signal.SIGKILL)
    word, attached, _, _ = ours.recvmsg(len(STANDS), socket.CMSG_SPACE(_CREDENTIALS.size))
    if word != STANDS:
        return None
    [(_, _, credentials)] = attached  # written by the kernel, in our process ids
    process: int
    process, _, _ = _CREDENTIALS.unpack(credentials)
    return process
