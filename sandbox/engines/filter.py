"""What of the kernel a script may call at all: compiles a seccomp filter.

Namespaces have no say in some of what the kernel offers: a socket to the machine's hypervisor
belongs to no network namespace, and every rarely used call is more kernel to find a hole in. So
sockets are those of the internet only (which stay within the empty network), and the calls of each
group below are refused, for the reason that the group is named by. All else is allowed: a list of
what is allowed would break scripts with every new libc.

A pair of unix sockets that are connected with each other can be made, since event loops need one.
No other unix socket can, and no pair for datagrams, which could send to others: those with a path
are reached through files, past the empty network.

Pure: a processor's name in, a program for the kernel's BPF machine out; `kernel.install_filter`
installs it. Standard library only, as it is delivered inside where bubblewrap puts up the walls.
"""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Iterable

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}  # as the kernel's audit names them

# The numbers of a call, in the order of _ARCHITECTURES; None where there is no such call.
_SOCKET = 41, 198
_SOCKETPAIR = 53, 199
_MMAP = 9, 222
_PRCTL = 157, 167
_CLONE = 56, 220
_CLONE3 = 435, 435
_IOCTL = 16, 29
_PERSONALITY = 135, 92
REFUSED: dict[str, dict[str, tuple[int, int | None]]] = {
    "reaches into other processes": {
        "kcmp": (312, 272),
        "migrate_pages": (256, 238),
        "move_pages": (279, 239),
        "pidfd_getfd": (438, 438),
        "process_madvise": (440, 440),
        "process_mrelease": (448, 448),
        "process_vm_readv": (310, 270),
        "process_vm_writev": (311, 271),
        "ptrace": (101, 117),
    },
    "opens files past their paths": {
        "name_to_handle_at": (303, 264),
        "open_by_handle_at": (304, 265),
    },
    "changes what is seen": {
        "chroot": (161, 51),
        "fsconfig": (431, 431),
        "fsmount": (432, 432),
        "fsopen": (430, 430),
        "fspick": (433, 433),
        "mount": (165, 40),
        "mount_setattr": (442, 442),
        "move_mount": (429, 429),
        "open_tree": (428, 428),
        "open_tree_attr": (467, 467),
        "pivot_root": (155, 41),
        "setns": (308, 268),
        "umount2": (166, 39),
        "unshare": (272, 97),
    },
    "counters that the whole machine shares": {
        "inotify_init": (253, None),
        "inotify_init1": (294, 26),
        "io_setup": (206, 0),
    },
    "keys, which namespaces do not divide": {
        "add_key": (248, 217),
        "keyctl": (250, 219),
        "request_key": (249, 218),
    },
    # Without these there is nothing that the other calls of System V's families could work on.
    "memory that no limit of a run counts": {
        "memfd_create": (319, 279),
        "memfd_secret": (447, 447),
        "mq_open": (240, 180),
        "msgget": (68, 186),
        "semget": (64, 190),
        "shmget": (29, 194),
    },
    "devices and pipes that have a path": {
        "mknod": (133, None),
        "mknodat": (259, 33),
    },
    # Who answered in the gateway's place could tell a later import what AWS never said.
    "listening, which only the gateway does": {
        "listen": (50, 201),
    },
    "the machine, its clock and its log": {
        "acct": (163, 89),
        "adjtimex": (159, 171),
        "clock_adjtime": (305, 266),
        "clock_settime": (227, 112),
        "delete_module": (176, 106),
        "finit_module": (313, 273),
        "init_module": (175, 105),
        "ioperm": (173, None),
        "iopl": (172, None),
        "kexec_file_load": (320, 294),
        "kexec_load": (246, 104),
        "quotactl": (179, 60),
        "quotactl_fd": (443, 443),
        "reboot": (169, 142),
        "settimeofday": (164, 170),
        "swapoff": (168, 225),
        "swapon": (167, 224),
        "syslog": (103, 116),
        "vhangup": (153, 58),
    },
    "kernel code with a history and no use to a script": {
        "bpf": (321, 280),
        "fanotify_init": (300, 262),
        "io_uring_enter": (426, 426),
        "io_uring_register": (427, 427),
        "io_uring_setup": (425, 425),
        "lookup_dcookie": (212, 18),
        "modify_ldt": (154, None),
        "nfsservctl": (180, 42),
        "perf_event_open": (298, 241),
        "sysfs": (139, None),
        "uselib": (134, None),
        "userfaultfd": (323, 282),
        "ustat": (136, None),
        "vmsplice": (278, 75),
    },
}
"""Reason to calls that are refused whatever their arguments."""
_FAMILIES = socket.AF_INET, socket.AF_INET6
_KINDS = socket.SOCK_STREAM, socket.SOCK_SEQPACKET
"""Of a pair: those that stay connected with each other."""
_KIND_BITS = 0xF
_SHARED, _ANONYMOUS = 0x01, 0x20
"""Flags of mmap: memory of both kinds belongs to no process, so that no watcher can count it."""
_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG: without it a script could outlive everything that watches it."""
_NEW_NAMESPACES = 0x7E020000
"""Every flag of clone that makes a namespace; threads and processes are made without."""
_TERMINAL = 0x5412, 0x541C, 0x540E
"""TIOCSTI and TIOCLINUX type into a terminal, TIOCSCTTY takes one."""
_ASK = 0xFFFFFFFF
"""The persona that changes nothing: personality only tells the present one."""
_X32 = 0x40000000
"""The bit of x86_64's other calls, which would pass by their numbers. aarch64 has none so high."""

# struct seccomp_data, little-endian on both. Of an argument the lower half is read, as the kernel
# itself does with these, so nothing in the upper half is a way by.
_NUMBER, _ARCHITECTURE, _FIRST, _SECOND, _FOURTH = 0, 4, 16, 24, 40

_LOAD = 0x20  # BPF_LD | BPF_W | BPF_ABS
_EQUAL, _AT_LEAST, _ANY_BIT = 0x15, 0x35, 0x45  # BPF_JMP | BPF_K with BPF_JEQ, BPF_JGE, BPF_JSET
_AND = 0x54  # BPF_ALU | BPF_AND | BPF_K
_RETURN = 0x06  # BPF_RET | BPF_K

_KILL = 0x80000000  # SECCOMP_RET_KILL_PROCESS
_ERROR = 0x00050000  # SECCOMP_RET_ERRNO
_ALLOW = 0x7FFF0000  # SECCOMP_RET_ALLOW

_INSTRUCTION = struct.Struct("=HBBI")
"""struct sock_filter: code, how many to skip if a test holds, how many if not, constant."""


def compile_filter(machine: str) -> bytes:
    """Return the filter as an array of struct sock_filter, for a processor as uname names it.

    Raises OSError when there is none for it: then nothing may run.
    """
    if machine not in _ARCHITECTURES:
        raise OSError(errno.EINVAL, f"no filter is known for the processor type {machine}")
    column = list(_ARCHITECTURES).index(machine)
    allow, refuse = _end(_ALLOW), _end(_ERROR | errno.EPERM)
    kinds = _load(_SECOND) + _one(_AND, _KIND_BITS) + _each(_KINDS, allow) + refuse
    refused = [calls[name][column] for calls in REFUSED.values() for name in calls]
    rules = {
        **{number: refuse for number in refused if number is not None},
        _SOCKET[column]: _load(_FIRST) + _each(_FAMILIES, allow) + refuse,
        _SOCKETPAIR[column]: _load(_FIRST) + _if(_EQUAL, socket.AF_UNIX, kinds) + refuse,
        _MMAP[column]: _load(_FOURTH)
        + _if(_ANY_BIT, _ANONYMOUS, _if(_ANY_BIT, _SHARED, refuse))
        + allow,
        _PRCTL[column]: _load(_FIRST) + _if(_EQUAL, _DEATH_SIGNAL, refuse) + allow,
        _CLONE[column]: _load(_FIRST) + _if(_ANY_BIT, _NEW_NAMESPACES, refuse) + allow,
        # Its flags are in memory, where no filter can see them; libc then falls back to clone.
        _CLONE3[column]: _end(_ERROR | errno.ENOSYS),
        _IOCTL[column]: _load(_SECOND) + _each(_TERMINAL, refuse) + allow,
        _PERSONALITY[column]: _load(_FIRST) + _each((_ASK,), allow) + refuse,
    }
    return b"".join(
        (
            _load(_ARCHITECTURE),
            _one(_EQUAL, _ARCHITECTURES[machine], if_so=1),
            _end(_KILL),
            _load(_NUMBER),
            _if(_AT_LEAST, _X32, _end(_KILL)),
            *(_if(_EQUAL, number, rule) for number, rule in rules.items()),
            allow,
        )
    )


def _load(offset: int) -> bytes:
    return _one(_LOAD, offset)


def _each(values: Iterable[int], block: bytes) -> bytes:
    """Run the block when what was loaded is one of the values."""
    return b"".join(_if(_EQUAL, value, block) for value in values)


def _if(test: int, value: int, block: bytes) -> bytes:
    """Run the block when the test of what was loaded holds, else go on behind it."""
    return _one(test, value, if_not=len(block) // _INSTRUCTION.size) + block


def _end(verdict: int) -> bytes:
    return _one(_RETURN, verdict)


def _one(code: int, constant: int, *, if_so: int = 0, if_not: int = 0) -> bytes:
    return _INSTRUCTION.pack(code, if_so, if_not, constant)
