"""Attacks on processes: to signal, trace, read and change those of others, and to regain rights.

Controls touch nothing but processes of the test's own; rights are regained in namespaces of their
own, where they are rights over nothing.
"""

from __future__ import annotations

import os
import resource
import signal
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest

Attack = Callable[[str, object], str]
Sleeping = Callable[..., AbstractContextManager["subprocess.Popen[bytes]"]]

PROCESSES = "a pid namespace of its own"
FILTER = "seccomp filter"
NO_RIGHTS = "no capabilities, no new privileges"
AS_ROOT = os.geteuid() == 0
mark = pytest.mark.attack

SYSCALL = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
NUMBERS = {
    "ptrace": (101, 117), "process_vm_readv": (310, 270), "process_vm_writev": (311, 271),
    "pidfd_getfd": (438, 438), "capset": (126, 91), "setns": (308, 268),
}
def call(name, *arguments):
    number = NUMBERS[name][os.uname().machine == "aarch64"]
    wide = [ctypes.c_long(item) if isinstance(item, int) else item for item in arguments]
    outcome = libc.syscall(ctypes.c_long(number), *wide)
    if outcome == -1:
        raise OSError(ctypes.get_errno(), name)
    return outcome
"""
CHILD = """
import os, signal, time
def child():
    process = os.fork()
    if process == 0:
        time.sleep(60)
        os._exit(0)
    return process
def end(process):
    os.kill(process, signal.SIGKILL)
    os.waitpid(process, 0)
"""


# ------------------------------------------------------------------ signals
@mark(55, "kill a process of the host", wall=PROCESSES)
def test_no_process_of_the_host_is_signalled(
    outside: Attack, walled: Attack, sleeping: Sleeping
) -> None:
    """Another process of the operator can be killed outside and can't be named inside."""
    attack = """
    import os, signal
    def attempt():
        os.kill(PARAMETER, signal.SIGKILL)
        return "killed"
    """
    with sleeping("first") as first, sleeping("second") as second:
        assert outside(attack, first.pid) == "killed"
        assert first.wait() == -signal.SIGKILL
        assert walled(attack, second.pid) == "ESRCH"
        assert second.poll() is None


@mark(56, "kill every process there is", wall=PROCESSES)
def test_not_every_process_is_signalled(outside: Attack, walled: Attack) -> None:
    """Signal 0 tells who would be hit and hits nobody: outside somebody, inside nobody else."""
    attack = """
    import os
    def attempt():
        os.kill(-1, 0)
        return "somebody would be hit"
    """

    assert outside(attack, None) == "somebody would be hit"
    assert walled(attack, None) == "ESRCH"


@mark(57, "kill the first process of the namespace", wall="the kernel; Landlock")
def test_the_first_process_is_not_killed(outside: Attack, walled: Attack) -> None:
    """A child kills a process of its user outside; pid 1, the script, lives on inside."""
    attack = (
        CHILD
        + """
def attempt():
    victim = 1 if PARAMETER else child()
    killer = os.fork()
    if killer == 0:
        try:
            os.kill(victim, signal.SIGKILL)
        finally:
            os._exit(0)
    os.waitpid(killer, 0)
    return "lives" if PARAMETER else os.waitstatus_to_exitcode(os.waitpid(victim, 0)[1])
"""
    )

    assert outside(attack, False) == "-9"
    assert walled(attack, True) == "lives"


# ------------------------------------------------------------------ other processes' insides
SEIZE = (
    SYSCALL
    + CHILD
    + """
def attempt():
    if PARAMETER != "a child":
        call("ptrace", 0x4206, PARAMETER, 0, 0)  # PTRACE_SEIZE; undone when the tracer ends
        return "traced"
    process = child()
    try:
        call("ptrace", 0x4206, process, 0, 0)
        return "traced"
    finally:
        end(process)
"""
)


@mark(58, "trace pid 1", wall=FILTER)
def test_the_first_process_is_not_traced(
    outside: Attack, walled: Attack, sleeping: Sleeping
) -> None:
    """Another process of the user is traced outside, and thereby owned; inside there is no call."""
    with sleeping() as victim:
        assert outside(SEIZE, victim.pid) == "traced"
    assert walled(SEIZE, 1) == "EPERM"


@mark(59, "trace a child", wall=FILTER)
def test_no_child_is_traced(outside: Attack, walled: Attack) -> None:
    """A tracer sees calls after the filter did, and could change them: not its own child either."""
    assert outside(SEIZE, "a child") == "traced"
    assert walled(SEIZE, "a child") == "EPERM"


@pytest.mark.parametrize("name", ["process_vm_readv", "process_vm_writev"])
@mark(60, "read and write another process's memory", wall=FILTER)
def test_no_memory_of_another_process(outside: Attack, walled: Attack, name: str) -> None:
    """A child's memory is where its parent's was, and its parent may reach it outside."""
    attack = (
        SYSCALL
        + CHILD
        + """
def attempt():
    text = ctypes.create_string_buffer(b"secret")
    copy = ctypes.create_string_buffer(7)
    process = child()
    vector = ctypes.c_size_t * 2
    try:
        here = vector(ctypes.addressof(copy), 7)
        there = vector(ctypes.addressof(text), 7)
        return call(PARAMETER, process, here, 1, there, 1, 0)
    finally:
        end(process)
"""
    )

    assert outside(attack, name) == "7"
    assert walled(attack, name) == "EPERM"


@mark(61, "take a descriptor out of another process", wall=FILTER)
def test_no_descriptor_of_another_process(outside: Attack, walled: Attack) -> None:
    """What a child has open its parent can take outside, and the other way round."""
    attack = (
        SYSCALL
        + CHILD
        + """
def attempt():
    process = child()
    try:
        os.close(call("pidfd_getfd", os.pidfd_open(process), 0, 0))
        return "taken"
    finally:
        end(process)
"""
    )

    assert outside(attack, None) == "taken"
    assert walled(attack, None) == "EPERM"


@mark(62, "enter the namespaces of another process", wall=FILTER + ", no capabilities")
def test_no_namespace_is_entered(staged: Attack, walled: Attack) -> None:
    """Whoever has the rights enters what it can open; inside there are no rights and no call."""
    attack = (
        SYSCALL
        + """
def attempt():
    call("setns", os.open(f"/proc/{PARAMETER}/ns/ipc", os.O_RDONLY), 0)
    return "entered"
"""
    )

    assert staged(attack, "self") == "entered"
    assert walled(attack, "1") == "EPERM"


@mark(68, "limit and slow down the user's other processes", wall=PROCESSES)
def test_no_other_process_is_limited(outside: Attack, walled: Attack, sleeping: Sleeping) -> None:
    """Who has the same user sets limits and priorities outside; inside nobody else has a number."""
    limits = """
    import resource
    def attempt():
        resource.prlimit(PARAMETER, resource.RLIMIT_NOFILE, (10, 10))
        return "limited"
    """
    priority = """
    import os
    def attempt():
        os.setpriority(os.PRIO_PROCESS, PARAMETER, 19)
        return "slowed down"
    """
    with sleeping() as first:
        assert outside(limits, first.pid) == "limited"
        assert resource.prlimit(first.pid, resource.RLIMIT_NOFILE) == (10, 10)
        assert outside(priority, first.pid) == "slowed down"
    with sleeping() as second:
        assert walled(limits, second.pid) == "ESRCH"
        assert walled(priority, second.pid) == "ESRCH"


# ------------------------------------------------------------------ rights
@mark(63, "regain a capability", wall=NO_RIGHTS)
def test_no_capability_is_regained(staged: Attack, walled: Attack) -> None:
    """A right that was only put away is taken up again; inside it is gone from every set."""
    attack = (
        SYSCALL
        + """
def attempt():
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    admin = 1 << 21
    if PARAMETER:  # put it away, in the effective set only
        call("capset", header, (ctypes.c_uint32 * 6)(0, admin, 0, 0, 0, 0))
    call("capset", header, (ctypes.c_uint32 * 6)(admin, admin, 0, 0, 0, 0))
    return "regained"
"""
    )

    assert staged(attack, True) == "regained"
    assert walled(attack, False) == "EPERM"


@mark(64, "become root", wall=NO_RIGHTS)
def test_nobody_becomes_root(staged: Attack, walled: Attack) -> None:
    """Root's number can be taken where there are rights to; inside there are none, or no root."""
    attack = """
    import os
    def attempt():
        os.setresuid(0, 0, 0)
        return os.getuid()
    """

    assert staged(attack, None) == "0"
    # No user has that number inside, but to root's script where no user namespace can be made.
    assert walled(attack, None) in ({"EINVAL", "EPERM"} if AS_ROOT else {"EINVAL"})


@mark(65, "join another group", wall=NO_RIGHTS)
def test_no_group_is_joined(outside: Attack, walled: Attack) -> None:
    """Root joins any group outside, others none."""
    attack = """
    import os
    def attempt():
        os.setgroups([4242])
        return os.getgroups()
    """

    assert outside(attack, None) == ("[4242]" if AS_ROOT else "EPERM")
    assert walled(attack, None) == "EPERM"


@mark(66, "run before every other process (SCHED_FIFO)", wall=NO_RIGHTS)
def test_no_time_before_others(outside: Attack, walled: Attack) -> None:
    """Root can have its process run before all others, and so can users who were allowed to."""
    attack = """
    import os
    def attempt():
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))
        return "first"
    """
    allowed = AS_ROOT or resource.getrlimit(resource.RLIMIT_RTPRIO)[0] > 0

    assert outside(attack, None) == ("first" if allowed else "EPERM")
    assert walled(attack, None) == "EPERM"


@mark(67, "raise a limit", wall="hard limits, no capabilities")
@pytest.mark.parametrize("name", ["AS", "CPU", "FSIZE", "NOFILE", "NPROC"])
def test_no_limit_is_raised(outside: Attack, walled: Attack, name: str) -> None:
    """A limit that is only soft is raised; inside the hard one is the same, and stays."""
    attack = """
    import resource
    def attempt():
        name, lower = PARAMETER
        kind = getattr(resource, f"RLIMIT_{name}")
        soft, hard = resource.getrlimit(kind)
        unlimited = hard == resource.RLIM_INFINITY
        if lower:  # what a soft limit alone would be
            soft = 1 << 40 if unlimited else hard - 1
            resource.setrlimit(kind, (soft, hard))
        try:
            resource.setrlimit(kind, (soft + 1, hard if unlimited else max(hard, soft + 1)))
        except ValueError as error:
            return str(error)
        return "raised"
    """

    assert outside(attack, (name, True)) == "raised"
    assert walled(attack, (name, False)) == "not allowed to raise maximum limit"
