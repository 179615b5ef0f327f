"""What a script asks of the kernel directly, past all that namespaces hold back.

The controls hold where the machine offers the call: a kernel that was built without it refuses it
outside as well, with an error that is not the filter's. No control asks for what would change
anything: its arguments are wrong, and the error shows that the kernel looked at them.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from uuid import uuid4

import pytest

Attack = Callable[[str, object], str]
Application = Callable[..., str]
Call = tuple[int, ...]

FILTER = "seccomp filter"
KILLED = "seccomp filter, which ends the process"
NO_RIGHTS = "seccomp filter, no capabilities"
AS_ROOT = os.geteuid() == 0
X86_64 = os.uname().machine == "x86_64"
mark = pytest.mark.attack
KEYS = mark(
    96, "use the keys of the operator's session", wall="seccomp filter, a keyring of its own"
)
MOUNTS = mark(97, "mount by fsopen, open_tree and move_mount", wall=NO_RIGHTS)
KEXEC = mark(100, "load another kernel", wall=NO_RIGHTS)

SYSCALL = """
import ctypes, os
def attempt():
    libc = ctypes.CDLL(None, use_errno=True)
    number, *arguments = PARAMETER[os.uname().machine]
    if libc.syscall(*map(ctypes.c_long, (number, *arguments))) == -1:
        raise OSError(ctypes.get_errno(), "call")
    return "done"
"""
IN_A_CHILD = """
import ctypes, mmap, os
def attempt():
    child = os.fork()
    if child == 0:
        call()
        os._exit(0)
    return os.waitstatus_to_exitcode(os.wait()[1])
"""
X32 = (
    IN_A_CHILD
    + """
def call():
    ctypes.CDLL(None).syscall(ctypes.c_long(0x40000000 + 39))  # getpid of x32
"""
)
INT_80 = (
    IN_A_CHILD
    + """
def call():
    if not PARAMETER:
        return
    code = bytes.fromhex("b814000000cd80c3")  # getpid of i386, return
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS
    rights = mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC
    page = mmap.mmap(-1, 4096, flags, rights)
    page.write(code)
    ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
"""
)
NO_FILTERS = """
seccomp = {"x86_64": 317, "aarch64": 277}[os.uname().machine]
unknown, allowed = 0x50026, 0x7fff0000
program = (0x20, 0, 0, 0), (0x15, 0, 1, seccomp), (0x06, 0, 0, unknown), (0x06, 0, 0, allowed)
kernel.no_new_privileges()
kernel.install_filter(b"".join(struct.pack("=HBBI", *one) for one in program))
"""
"""Has the kernel refuse filters to the application and all that it starts, by a filter."""
SIGSYS = "-31"


def root(errors: set[str]) -> set[str]:
    """Return what root is told; others are told that they may not."""
    return errors if AS_ROOT else {"EPERM"}


# ------------------------------------------------------------------ calls
@pytest.mark.parametrize(
    ("x86_64", "aarch64", "offered"),
    [
        pytest.param(
            *((425, 0, 0), (425, 0, 0), {"EINVAL", "EFAULT"}),
            marks=mark(89, "io_uring, past the filter", wall=FILTER),
            id="io_uring_setup",
        ),
        pytest.param(
            *((321, 99, 0, 0), (280, 99, 0, 0), {"EINVAL"} | root(set())),
            marks=mark(93, "load a program into the kernel (bpf)", wall=NO_RIGHTS),
            id="bpf",
        ),
        pytest.param(
            *((298, 0, 0, -1, -1, 0), (241, 0, 0, -1, -1, 0), {"EFAULT"}),
            marks=mark(94, "measure other processes (perf_event_open)", wall=FILTER),
            id="perf_event_open",
        ),
        pytest.param(
            *((323, 0xFF), (282, 0xFF), {"EINVAL"}),
            marks=mark(95, "hold the kernel at a page of its own (userfaultfd)", wall=FILTER),
            id="userfaultfd",
        ),
        pytest.param((250, -1), (219, -1), {"ENOTSUP"}, marks=KEYS, id="keyctl"),
        pytest.param(
            (248, 0, 0, 0, 0, 0), (217, 0, 0, 0, 0, 0), {"EFAULT"}, marks=KEYS, id="add_key"
        ),
        pytest.param((249, 0, 0, 0, 0), (218, 0, 0, 0, 0), {"EFAULT"}, marks=KEYS, id="request"),
        pytest.param((430, 0, -1), (430, 0, -1), root({"EINVAL"}), marks=MOUNTS, id="fsopen"),
        pytest.param(
            *((429, -1, 0, -1, 0, -1), (429, -1, 0, -1, 0, -1), root({"EINVAL"})),
            marks=MOUNTS,
            id="move_mount",
        ),
        pytest.param((428, -1, 0, -1), (428, -1, 0, -1), {"EINVAL"}, marks=MOUNTS, id="open_tree"),
        pytest.param(
            *((135, 0x0040000), (92, 0x0040000), {"done"}),
            marks=mark(99, "switch off the random layout of memory (personality)", wall=FILTER),
            id="personality",
        ),
        pytest.param(
            (246, 0, 0, 0, -1), (104, 0, 0, 0, -1), root({"EINVAL"}), marks=KEXEC, id="kexec_load"
        ),
        pytest.param(
            *((320, -1, -1, 0, 0, -1), (294, -1, -1, 0, 0, -1), root({"EINVAL"})),
            marks=KEXEC,
            id="kexec_file_load",
        ),
        pytest.param(
            *((300, -1, 0), (262, -1, 0), root({"EINVAL"})),
            marks=mark(101, "watch every file of a mount (fanotify)", wall=FILTER),
            id="fanotify_init",
        ),
        pytest.param(
            *((103, 99, 0, 0), (116, 99, 0, 0), root({"EINVAL"})),
            marks=mark(102, "read the kernel's log (syslog)", wall=FILTER),
            id="syslog",
        ),
        # Numbers of their own have, in other groups: ptrace 58, reading memory 60, pidfd_getfd 61.
        pytest.param((101, 16, 0), (117, 16, 0), {"ESRCH"}, id="ptrace"),
        pytest.param((310, 0, 0, 0, 0, 0, 0), (270, 0, 0, 0, 0, 0, 0), {"done"}, id="readv"),
        pytest.param((438, -1, 0, 0), (438, -1, 0, 0), {"EBADF"}, id="pidfd_getfd"),
        pytest.param((272, 0), (97, 0), {"done"}, id="unshare nothing"),
        pytest.param((308, -1, 0), (268, -1, 0), {"EBADF"}, id="setns"),
    ],
)
def test_no_such_call(
    outside: Attack, walled: Attack, x86_64: Call, aarch64: Call, offered: set[str]
) -> None:
    """Calls that reach beyond the script itself are refused before the kernel looks at them."""
    call = {"x86_64": x86_64, "aarch64": aarch64}

    assert outside(SYSCALL, call) in {*offered, "ENOSYS"}
    assert walled(SYSCALL, call) == "EPERM"


@KEYS
def test_no_key_of_the_operator(outside: Attack, walled: Attack) -> None:
    """Keys in the kernel's keyring of our session pass to child processes and not to scripts."""
    attack = """
    import ctypes, os
    KEYCTL = {"x86_64": 250, "aarch64": 219}[os.uname().machine]
    def attempt():
        libc = ctypes.CDLL(None, use_errno=True)
        search, session, kind = ctypes.c_long(10), ctypes.c_long(-3), b"user"
        if libc.syscall(KEYCTL, search, session, kind, PARAMETER.encode(), 0) == -1:
            raise OSError(ctypes.get_errno(), "keyctl")
        return "found"
    """
    name = f"countersign-{uuid4()}"
    keyctl, add_key = {"x86_64": (250, 248), "aarch64": (219, 217)}[os.uname().machine]
    libc = ctypes.CDLL(None)
    libc.syscall(keyctl, 1, None)  # a session keyring of our own, which ends with this process
    libc.syscall(add_key, b"user", name.encode(), b"a secret", 8, ctypes.c_long(-3))

    assert outside(attack, name) == "found"
    assert walled(attack, name) == "EPERM"


# ------------------------------------------------------------------ user namespaces
@pytest.mark.parametrize(
    ("x86_64", "aarch64", "refused"),
    [
        pytest.param(
            *((272, 0x10000000), (97, 0x10000000), "EPERM"),
            marks=mark(
                90, "a user namespace, by unshare", wall=FILTER + ", a namespace without more"
            ),
            id="unshare",
        ),
        pytest.param(
            *((56, 0x10000000 | 17, 0), (220, 0x10000000 | 17, 0), "EPERM"),
            marks=mark(
                91, "a user namespace, by clone", wall=FILTER + ", a namespace without more"
            ),
            id="clone",
        ),
    ],
)
def test_no_user_namespace(
    outside: Attack, walled: Attack, x86_64: Call, aarch64: Call, refused: str
) -> None:
    """Rights in a namespace of its own would open much more of the kernel to a script."""
    attack = """
    import ctypes, os
    def attempt():
        libc = ctypes.CDLL(None, use_errno=True)
        before = os.readlink("/proc/self/ns/user")
        number, *arguments = PARAMETER[os.uname().machine]
        outcome = libc.syscall(*map(ctypes.c_long, (number, *arguments, 0, 0, 0)))
        if outcome == -1:
            raise OSError(ctypes.get_errno(), "call")
        if outcome == 0 and number in (56, 220):  # the child
            os._exit(os.readlink("/proc/self/ns/user") != before)
        entered = os.waitstatus_to_exitcode(os.wait()[1]) if outcome else True
        return entered in (1, True) and "entered"
    """
    call = {"x86_64": x86_64, "aarch64": aarch64}

    assert outside(attack, call) == "entered"
    assert walled(attack, call) == refused


@mark(92, "a user namespace, by clone3", wall="seccomp filter: the call is not there")
def test_no_clone3(outside: Attack, walled: Attack) -> None:
    """No filter can see what clone3 is asked for, so it is not there, and libc takes clone."""
    attack = """
    import ctypes, os
    def attempt():
        libc = ctypes.CDLL(None, use_errno=True)
        asked = (ctypes.c_uint64 * 8)(0x10000000, 0, 0, 0, 17, 0, 0, 0)
        before = os.readlink("/proc/self/ns/user")
        child = libc.syscall(ctypes.c_long(435), asked, ctypes.c_size_t(64))
        if child == -1:
            raise OSError(ctypes.get_errno(), "clone3")
        if child == 0:
            os._exit(os.readlink("/proc/self/ns/user") != before)
        return "entered" if os.waitstatus_to_exitcode(os.wait()[1]) == 1 else "not entered"
    """

    assert outside(attack, None) == "entered"
    assert walled(attack, None) == "ENOSYS"


# ------------------------------------------------------------------ the processor's own
@mark(98, "change the processor's segments (modify_ldt)", wall=FILTER)
def test_no_segments(outside: Attack, walled: Attack) -> None:
    """modify_ldt is x86's only; other processors have neither the call nor what it changes."""
    read = {"x86_64": (154, 0, 0, 0), "aarch64": (-1,)}

    assert outside(SYSCALL, read) == ("done" if X86_64 else "ENOSYS")
    assert walled(SYSCALL, read) == ("EPERM" if X86_64 else "ENOSYS")


@mark(103, "call by the numbers of x32", wall=KILLED)
def test_no_call_of_x32(outside: Attack, walled: Attack) -> None:
    """The other numbers of x86_64's calls end the process; outside they may be unknown, no more."""
    assert outside(X32, None) == "0"
    assert walled(X32, None) == SIGSYS


@mark(104, "call as a 32-bit program does (int 0x80)", wall=KILLED)
def test_no_call_of_i386(outside: Attack, walled: Attack) -> None:
    """The old way into an x86 kernel has numbers of its own, and using it ends the process.

    A kernel without that way (or another processor, which is given nothing to do) has no harm.
    """
    no_way = {"-11"} if X86_64 else set()

    assert outside(INT_80, X86_64) in {"0", *no_way}
    assert walled(INT_80, X86_64) in {SIGSYS if X86_64 else "0", *no_way}


# ------------------------------------------------------------------ what scripts need
def test_the_standard_library_works(walled: Attack) -> None:
    """Event loops, threads, processes and name look-ups need nothing that is refused."""
    attack = """
    import asyncio, socket, subprocess, sys, threading
    async def both():
        words = sys.executable, "-I", "-S", "-c", "raise SystemExit(3)"
        child = await asyncio.create_subprocess_exec(*words)
        return await child.wait(), await asyncio.to_thread(lambda: 4)
    def attempt():
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()
        socket.getaddrinfo("localhost", 80)
        return asyncio.run(both())
    """

    assert walled(attack, None) == "(3, 4)"


# ------------------------------------------------------------------ no filter, no run
def test_without_a_filter_nothing_runs(application: Application) -> None:
    """On a machine whose kernel takes no filter a script is not started."""
    refused = "the walls could not be put up: seccomp: Function not implemented"

    assert application("", "print('it ran')") == "it ran\n"
    assert application(NO_FILTERS, "print('it ran')") == f"{refused}\n"
