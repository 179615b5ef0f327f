"""Builds the view of a script and gives up every right; runs as the first process inside.

Called between fork and exec in a process that is already in its new namespaces, pid 1 of its pid
namespace and still allowed to mount. The order matters: build the view, detach the host, then give
up rights. Nothing of the host stays reachable but shared libraries and four devices, all read-only.

/proc shows processes only (`subset=pid`) and can't be written: without /proc/sys there is nothing
in it that a script started by root could use against the host.
"""

from __future__ import annotations

import fcntl
import os
import resource
import socket
import struct
from pathlib import Path

from sandbox.engines import kernel, landlock, view
from sandbox.engines.filter import compile_filter
from sandbox.engines.plan import PORT, Plan

_HOST = Path("/old")
_SEALED = kernel.MOUNT_RDONLY | kernel.MOUNT_NOSUID | kernel.MOUNT_NODEV
_READY_SECONDS = 20
"""For the interpreter to get ready; before it runs the script it sets the script's own limit."""


def build(plan: Plan, script_id: int) -> None:
    """Replace the whole file system by what the script may see; its user will be `script_id`."""
    kernel.mount(None, Path("/"), None, kernel.MS_REC | kernel.MS_PRIVATE)
    _enter_empty_root()
    _bring_libraries()
    _bring(Path("/runtime"), _HOST / plan.runtime.lstrip("/"), _SEALED)
    _make_devices()
    _make_proc()
    _make_etc(script_id)
    _make_work(plan.work_bytes, plan.files, script_id)
    kernel.detach(_HOST)
    _HOST.rmdir()
    kernel.set_attributes(Path("/"), _SEALED | kernel.MOUNT_NOEXEC)
    os.chdir("/job")


def network(*, listen: bool) -> socket.socket | None:
    """Bring up the loopback device of the empty network; return the gateway's listener if asked."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as control:
        up = struct.pack("16sh22x", b"lo", 1)  # struct ifreq: name, IFF_UP
        fcntl.ioctl(control, 0x8914, up)  # SIOCSIFFLAGS
    return socket.create_server(("127.0.0.1", PORT), backlog=128) if listen else None


def set_limits(plan: Plan, *, others: int = 0, process: int = 0) -> None:
    """Set the kernel's limits for a process of our user, 0 for this one.

    `others` processes are counted with the script's own.
    """
    for kind, most in (
        (resource.RLIMIT_AS, plan.memory_bytes),
        (resource.RLIMIT_CPU, plan.cpu_s + _READY_SECONDS),
        (resource.RLIMIT_FSIZE, plan.work_bytes),
        (resource.RLIMIT_NPROC, plan.processes + others),
        (resource.RLIMIT_NOFILE, plan.descriptors),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        _, hard = resource.prlimit(process, kind)
        allowed = most if hard == resource.RLIM_INFINITY else min(most, hard)
        resource.prlimit(process, kind, (allowed, allowed))


def give_up_rights(script_id: int, *, change_user: bool, port: int) -> None:
    """Leave nothing that could be used or regained; started by root, become another user first.

    `port` is the gateway's, 0 where the script has none.
    """
    kernel.empty_bounding_set()
    if change_user:
        os.setgroups([])
        os.setresgid(script_id, script_id, script_id)
        os.setresuid(script_id, script_id, script_id)
        _forbid_user_namespaces()
    kernel.drop_capabilities()
    kernel.no_new_privileges()
    landlock.enclose(port)
    kernel.die_with_parent()  # again, as a change of user undoes it; from here on nothing can
    kernel.install_filter(compile_filter(os.uname().machine))


def _forbid_user_namespaces() -> None:
    # In a user namespace without any mapping nobody can make another one, so a script can't reach
    # the kernel code that needs rights in one. Where we may not make it, the script may not either.
    try:
        kernel.unshare(kernel.CLONE_NEWUSER)
    except OSError:
        return
    kernel.empty_bounding_set()  # a new user namespace starts with all of it


def _enter_empty_root() -> None:
    # The host's /tmp is only a place to stand on; the old root comes back whole below /old.
    stand = Path("/tmp")  # noqa: S108 - nothing is written to the folder of that name
    kernel.mount("tmpfs", stand, "tmpfs", kernel.MS_NOSUID, "size=1m,nr_inodes=200,mode=755")
    old = stand / _HOST.name
    old.mkdir()
    kernel.pivot_root(stand, old)
    os.chdir("/")


def _bring_libraries() -> None:
    Path("/usr").mkdir()
    for name, target in view.links(_HOST).items():
        Path("/", name).symlink_to(target)
    for name in view.libraries(_HOST):
        _bring(Path("/", name), _HOST / name, _SEALED)


def _bring(target: Path, source: Path, attributes: int) -> None:
    target.mkdir(parents=True)
    kernel.bind(source, target, attributes)


def _bring_file(target: Path, source: Path, attributes: int) -> None:
    target.touch()
    kernel.bind(source, target, attributes)


def _make_devices() -> None:
    Path("/dev").mkdir()
    attributes = kernel.MOUNT_RDONLY | kernel.MOUNT_NOSUID | kernel.MOUNT_NOEXEC
    for name in view.DEVICES:
        _bring_file(Path("/dev", name), _HOST / "dev" / name, attributes)


def _make_proc() -> None:
    proc = Path("/proc")
    proc.mkdir()
    flags = kernel.MS_RDONLY | kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    kernel.mount("proc", proc, "proc", flags, "subset=pid")


def _make_etc(script_id: int) -> None:
    etc = Path("/etc")
    etc.mkdir()
    for name, content in view.settings(script_id).items():
        (etc / name).write_text(content)
    if view.has_loader_cache(_HOST):
        cache = _HOST / view.LOADER_CACHE
        _bring_file(etc / cache.name, cache, _SEALED | kernel.MOUNT_NOEXEC)


def _make_work(size: int, files: int, script_id: int) -> None:
    job = Path("/job")
    job.mkdir()
    flags = kernel.MS_NOSUID | kernel.MS_NODEV | kernel.MS_NOEXEC
    owner = f"mode=700,uid={script_id},gid={script_id}"
    options = f"size={size},nr_inodes={files},{owner}"
    kernel.mount("tmpfs", job, "tmpfs", flags, options)
    (job / "in").mkdir()
    for name in ("out", "tmp"):
        (job / name).mkdir(mode=0o700)
        os.chown(job / name, script_id, script_id)
    Path("/tmp").symlink_to("/job/tmp")  # noqa: S108 - a name inside, where nobody else is
