"""The process between us and a script: puts up the walls, watches, tells how it ended.

Started anew for every run with an empty environment, single-threaded and importing the standard
library only (`unshare` and `fork` want it so). Two processes run this code:

- the *launcher*, outside, makes the namespaces, forks, counts the wall time, kills and reports;
- the *first process* inside (pid 1) builds the room, gives up its rights and becomes the script's
  interpreter, which waits for the word to go. Where bubblewrap builds, `builder` and `threshold`
  stand in for the two until the walls are up.

Words on the control socket, one JSON message each: the plan comes in; `child` (with a pidfd and our
end of the socket that the interpreter waits on), `ready` (with the work folder and the listener),
`error` and `ended` go out. In between comes the news that the script was let go, from which its
wall time counts. The end of the control socket means that nobody waits for the script any more, so
it is killed. Should we be killed ourselves, the parent-death signal does it, which the filter keeps
scripts from undoing.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

from sandbox.engines import builder, kernel, room
from sandbox.engines.plan import INSIDE_ID, MOST_MESSAGE, PORT, STOP_SECONDS, Plan

_SPACES = (
    kernel.CLONE_NEWNS
    | kernel.CLONE_NEWPID
    | kernel.CLONE_NEWNET
    | kernel.CLONE_NEWIPC
    | kernel.CLONE_NEWUTS
    | kernel.CLONE_NEWCGROUP
)
_SPARE_IDS = (0x7F000000, 1 << 22), (60_000, 5_000)


def main(descriptor: int) -> None:
    """Run the plan that arrives on the control socket `descriptor`, then return."""
    control = socket.socket(fileno=descriptor)
    os.umask(0o022)
    try:
        plan = Plan(*json.loads(control.recv(MOST_MESSAGE)))
        _leave_keyring()
        if plan.bubblewrap:
            _run_in_bubblewrap(plan, control)
        else:
            _run_in_namespaces(plan, control)
    except OSError as error:
        _tell(control, error=error.strerror or str(error))
    except ValueError as error:  # a text that the kernel can't take, such as one with a zero byte
        _tell(control, error=str(error))


def spare_id(pid: int, id_map: str) -> int:
    """Return a user id that no account has and no other run on this machine uses now.

    `id_map` is the content of /proc/self/uid_map: a container may know few ids. Two containers can
    come to the same id; what they would share is the kernel's count of processes, nothing else.
    """
    ranges = [(int(first), int(size)) for first, _, size in map(str.split, id_map.splitlines())]
    for base, span in _SPARE_IDS:
        candidate = base + pid % span
        if any(first <= candidate < first + size for first, size in ranges):
            return candidate
    raise OSError(0, "no user id is left to run the script as, and it never runs as root")


def _run_in_namespaces(plan: Plan, control: socket.socket) -> None:
    script_id = _enter_namespaces(os.geteuid(), os.getegid())
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    child = os.fork()
    if child == 0:
        ours.close()
        _first_process(plan, control, theirs.fileno(), script_id)
    else:
        theirs.close()
        _watch(plan, control, ours.fileno(), child, begin=b"b")


def _run_in_bubblewrap(plan: Plan, control: socket.socket) -> None:
    built = builder.build(plan, control)
    if built is not None:
        child, word = built
        room.set_limits(plan, process=child)
        _watch(plan, control, word, child, begin=builder.begin(plan))


def _enter_namespaces(uid: int, gid: int) -> int:
    """Enter fresh namespaces and return the id of the script's user and group in them."""
    if uid == 0:
        script_id = spare_id(os.getpid(), Path("/proc/self/uid_map").read_text())
        kernel.unshare(_SPACES)
    else:
        script_id = INSIDE_ID
        kernel.unshare(_SPACES | kernel.CLONE_NEWUSER)
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{script_id} {uid} 1")
        Path("/proc/self/gid_map").write_text(f"{script_id} {gid} 1")
        _forbid_more_users()
    socket.sethostname("sandbox")
    return script_id


def _forbid_more_users() -> None:
    # The number belongs to our new user namespace. Where /proc/sys can't be written (a container)
    # the script may nest namespaces, which gives it nothing but kernel code to reach.
    with suppress(OSError):
        Path("/proc/sys/user/max_user_namespaces").write_text("0")


def _leave_keyring() -> None:
    # Where a container's filter forbids it, it forbids the script to look for keys as well.
    with suppress(PermissionError):
        kernel.leave_keyring()


def _first_process(plan: Plan, control: socket.socket, word: int, script_id: int) -> None:
    """Become the script's interpreter. Returns only when there is no launcher left."""
    as_root = os.geteuid() == 0
    kernel.die_with_parent()
    os.setsid()
    Path("/proc/self/oom_score_adj").write_text("1000")
    if not os.read(word, 1):
        return
    room.build(plan, script_id)
    listener = room.network(listen=plan.listen)
    work = os.open("/job", os.O_RDONLY | os.O_DIRECTORY)
    room.give_up_rights(script_id, change_user=as_root, port=PORT if plan.listen else 0)
    # As an ordinary user the launcher is in our user namespace and counts as one of us.
    room.set_limits(plan, others=0 if as_root else 1)
    _tell(control, [work] if listener is None else [work, listener.fileno()], ready=True)
    kernel.keep_only(word)
    os.execve(plan.arguments[0], plan.arguments, plan.environment)  # noqa: S606 - no shell


def _watch(plan: Plan, control: socket.socket, word: int, child: int, begin: bytes) -> None:
    """Have the child go, see it to its end whatever happens here, and report that."""
    pidfd = os.pidfd_open(child)
    late = False
    try:
        _let_go_of_output()
        _tell(control, [pidfd, word], child=child)
        os.write(word, begin)
        late = _outlasted(plan.wall_ms, control, pidfd)
        if late:
            _ask_to_end(pidfd)
    finally:
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        _, status, used = os.wait4(child, 0)
    cpu_ms = round((used.ru_utime + used.ru_stime) * 1000)
    _tell(control, ended=status, cpu_ms=cpu_ms, late=late)


def _outlasted(wall_ms: int, control: socket.socket, pidfd: int) -> bool:
    """Return when the script has ended, its time from its start is up (True) or nobody waits."""
    poller = select.poll()
    poller.register(pidfd, select.POLLIN)
    poller.register(control, select.POLLIN)
    deadline: float | None = None
    while True:
        rest = None if deadline is None else max(0.0, deadline - time.monotonic()) * 1000
        ready = {descriptor for descriptor, _ in poller.poll(rest)}
        if not ready:
            return True
        if pidfd in ready or not control.recv(MOST_MESSAGE):
            return False
        deadline = time.monotonic() + wall_ms / 1000


def _ask_to_end(pidfd: int) -> None:
    signal.pidfd_send_signal(pidfd, signal.SIGTERM)
    select.select([pidfd], [], [], STOP_SECONDS)


def _let_go_of_output() -> None:
    # The script's output ends when the script has ended, not when we have.
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    os.dup2(nothing, 2)
    os.close(nothing)


def _tell(control: socket.socket, descriptors: list[int] | None = None, **message: object) -> None:
    with suppress(BrokenPipeError, ConnectionResetError):  # nobody listens: our end is near
        socket.send_fds(control, [json.dumps(message).encode()], descriptors or [])
