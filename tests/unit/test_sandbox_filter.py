"""The seccomp filter, run by a small BPF machine: what is allowed, refused and deadly."""

from __future__ import annotations

import errno
import struct

import pytest

from sandbox.engines.filter import REFUSED as REFUSED_GROUPS
from sandbox.engines.filter import compile_filter

ALLOWED, KILLED = 0x7FFF0000, 0x80000000
REFUSED, UNKNOWN = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
AUDIT = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}

# By the kernel's own tables (unistd_64.h of x86, unistd.h of asm-generic), in their order.
ALWAYS_REFUSED = {
    "x86_64": [
        *(
            29,
            50,
            64,
            68,
            101,
            103,
            133,
            134,
            136,
            139,
            153,
            154,
            155,
            159,
            161,
            163,
            164,
            165,
            166,
        ),
        *(167, 168, 169, 172, 173, 175, 176, 179, 180, 206, 212, 227, 240, 246, 248, 249, 250),
        *(253, 256, 259, 272, 278, 279, 294, 298, 300, 303, 304, 305, 308, 310, 311, 312, 313),
        *(319, 320, 321, 323),
        *(425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 440, 442, 443, 447, 448, 467),
    ],
    "aarch64": [
        *(
            0,
            18,
            26,
            33,
            39,
            40,
            41,
            42,
            51,
            58,
            60,
            75,
            89,
            97,
            104,
            105,
            106,
            112,
            116,
            117,
            142,
            170,
        ),
        *(171, 180, 186, 190, 194, 201, 217, 218, 219, 224, 225, 238, 239, 241, 262, 264, 265, 266),
        *(268, 270, 271, 272, 273, 279, 280, 282, 294),
        *(425, 426, 427, 428, 429, 430, 431, 432, 433, 438, 440, 442, 443, 447, 448, 467),
    ],
}
SOCKET = {"x86_64": 41, "aarch64": 198}
SOCKETPAIR = {"x86_64": 53, "aarch64": 199}
CLONE = {"x86_64": 56, "aarch64": 220}
CLONE3 = 435
IOCTL = {"x86_64": 16, "aarch64": 29}
PERSONALITY = {"x86_64": 135, "aarch64": 92}
MMAP = {"x86_64": 9, "aarch64": 222}
PRCTL = {"x86_64": 157, "aarch64": 167}
UPPER_HALVES = (0, 1 << 32, 0xFFFFFFFF << 32)
"""What may stand where the kernel does not look at an argument."""

both = pytest.mark.parametrize("machine", list(AUDIT))


def verdict(machine: str, number: int, *arguments: int, audit: int | None = None) -> int:
    """Run the filter of the machine for one call, as the kernel would."""
    architecture = AUDIT[machine] if audit is None else audit
    six = (*arguments, 0, 0, 0, 0, 0, 0)[:6]
    call = struct.pack("<IIQ6Q", number & 0xFFFFFFFF, architecture, 0, *six)
    program = list(struct.iter_unpack("=HBBI", compile_filter(machine)))
    position = accumulator = 0
    while True:
        code, if_so, if_not, constant = program[position]
        position += 1
        match code:
            case 0x20:
                (accumulator,) = struct.unpack_from("<I", call, constant)
            case 0x15:
                position += if_so if accumulator == constant else if_not
            case 0x35:
                position += if_so if accumulator >= constant else if_not
            case 0x45:
                position += if_so if accumulator & constant else if_not
            case 0x54:
                accumulator &= constant
            case 0x06:
                return int(constant)
            case _:
                raise AssertionError(f"no instruction that is needed: {code:#x}")


@both
def test_exactly_these_calls_are_refused(machine: str) -> None:
    """Of all calls without a look at arguments, those that are listed fail and no other does."""
    by_argument = (SOCKET, SOCKETPAIR, CLONE, IOCTL, PERSONALITY, MMAP, PRCTL)
    judged = {CLONE3, *(numbers[machine] for numbers in by_argument)}
    verdicts = {number: verdict(machine, number) for number in range(1024)}
    plain = {number: found for number, found in verdicts.items() if number not in judged}

    assert [n for n, found in plain.items() if found == REFUSED] == ALWAYS_REFUSED[machine]
    assert set(plain.values()) == {ALLOWED, REFUSED}


@pytest.mark.parametrize(
    ("call", "allowed"), [(SOCKET, [2, 10]), (SOCKETPAIR, [1])], ids=["socket", "socketpair"]
)
@pytest.mark.parametrize("upper", UPPER_HALVES)
@both
def test_few_families_have_sockets(
    machine: str, upper: int, call: dict[str, int], allowed: list[int]
) -> None:
    """AF_INET and AF_INET6; AF_UNIX in pairs only, which know nobody but each other."""
    verdicts = {family: verdict(machine, call[machine], upper | family, 1) for family in range(64)}

    assert [family for family, found in verdicts.items() if found == ALLOWED] == allowed
    assert set(verdicts.values()) == {ALLOWED, REFUSED}


@pytest.mark.parametrize("upper", UPPER_HALVES)
@pytest.mark.parametrize("flags", [0, 0o2000000, 0o4000], ids=["plain", "cloexec", "nonblock"])
@both
def test_a_pair_knows_nobody_else(machine: str, flags: int, upper: int) -> None:
    """Streams and sequences stay connected; a pair for datagrams or raw could send to others."""
    verdicts = {
        kind: verdict(machine, SOCKETPAIR[machine], 1, upper | flags | kind) for kind in range(16)
    }

    assert [kind for kind, found in verdicts.items() if found == ALLOWED] == [1, 5]
    assert set(verdicts.values()) == {ALLOWED, REFUSED}


@pytest.mark.parametrize("upper", UPPER_HALVES)
@both
def test_no_memory_belongs_to_nobody(machine: str, upper: int) -> None:
    """Shared anonymous memory fails, validated or not; shared files and private memory do not."""
    verdicts = {
        flags: verdict(machine, MMAP[machine], 0, 4096, 3, upper | flags) for flags in range(64)
    }

    refused = [flags for flags, found in verdicts.items() if found == REFUSED]
    assert refused == [flags for flags in range(64) if flags & 0x21 == 0x21]
    assert set(verdicts.values()) == {ALLOWED, REFUSED}


@pytest.mark.parametrize("upper", UPPER_HALVES)
@both
def test_nobody_undoes_the_death_signal(machine: str, upper: int) -> None:
    """Of the first arguments of prctl only PR_SET_PDEATHSIG fails."""
    verdicts = {option: verdict(machine, PRCTL[machine], upper | option) for option in range(80)}

    assert [option for option, found in verdicts.items() if found == REFUSED] == [1]
    assert set(verdicts.values()) == {ALLOWED, REFUSED}


@pytest.mark.parametrize("upper", UPPER_HALVES)
@both
def test_no_terminal_is_typed_into_or_taken(machine: str, upper: int) -> None:
    """Of all requests to devices TIOCSCTTY, TIOCSTI and TIOCLINUX fail, also in disguise."""
    verdicts = {r: verdict(machine, IOCTL[machine], 0, upper | r) for r in range(0x5400, 0x5480)}

    assert [r for r, found in verdicts.items() if found == REFUSED] == [0x540E, 0x5412, 0x541C]
    assert set(verdicts.values()) == {ALLOWED, REFUSED}
    assert verdict(machine, IOCTL[machine], 0x5412, 0) == ALLOWED  # a descriptor of that number


@pytest.mark.parametrize("upper", UPPER_HALVES)
@both
def test_the_persona_is_only_asked_for(machine: str, upper: int) -> None:
    """A change would turn address randomisation off, or let data be executed."""
    assert verdict(machine, PERSONALITY[machine], upper | 0xFFFFFFFF) == ALLOWED
    for persona in (0, 0x0040000, 0x0400000, 0xFFFFFFFE):
        assert verdict(machine, PERSONALITY[machine], upper | persona) == REFUSED


def test_what_scripts_need_is_refused_nowhere() -> None:
    """No group holds a call that Python's own library makes, and each has a reason and a call."""
    names = [name for calls in REFUSED_GROUPS.values() for name in calls]
    needed = {"bind", "connect", "accept4", "pidfd_open", "execve", "symlinkat", "seccomp"}

    assert len(names) == len(set(names))
    assert not needed & set(names)
    assert all(reason and calls for reason, calls in REFUSED_GROUPS.items())


@both
@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        (0x11, ALLOWED),  # fork: SIGCHLD only
        (0x3D0F00, ALLOWED),  # a thread of libc
        (0x4111, ALLOWED),  # posix_spawn: CLONE_VM | CLONE_VFORK
        (0x80, ALLOWED),  # a part of the signal's number here, CLONE_NEWTIME elsewhere
        (0x00020011, REFUSED),  # CLONE_NEWNS
        (0x02000011, REFUSED),  # CLONE_NEWCGROUP
        (0x04000011, REFUSED),  # CLONE_NEWUTS
        (0x08000011, REFUSED),  # CLONE_NEWIPC
        (0x10000011, REFUSED),  # CLONE_NEWUSER
        (0x20000011, REFUSED),  # CLONE_NEWPID
        (0x40000011, REFUSED),  # CLONE_NEWNET
        (1 << 32 | 0x10000011, REFUSED),
    ],
)
def test_processes_are_made_and_namespaces_are_not(machine: str, flags: int, expected: int) -> None:
    """Clone fails with a flag that makes a namespace, and only then."""
    assert verdict(machine, CLONE[machine], flags) == expected


@both
def test_clone3_is_unknown(machine: str) -> None:
    """Libc takes clone instead, whose flags can be looked at."""
    assert verdict(machine, CLONE3) == UNKNOWN


@both
@pytest.mark.parametrize("audit", [0x40000003, 0x40000028, 0xC0000032, 0])
def test_calls_of_another_architecture_kill(machine: str, audit: int) -> None:
    """Their numbers mean other calls, so none is let through (i386, arm, ia64, none)."""
    assert verdict(machine, 1, audit=audit) == KILLED


def test_the_two_architectures_differ() -> None:
    """A filter does not take the other processor's calls for its own."""
    assert verdict("x86_64", 1, audit=AUDIT["aarch64"]) == KILLED
    assert verdict("aarch64", 1, audit=AUDIT["x86_64"]) == KILLED


@pytest.mark.parametrize("number", [0x40000000, 0x40000029, 0x7FFFFFFF, -1])
def test_calls_of_x32_kill(number: int) -> None:
    """They share the architecture and differ by one bit of the number."""
    assert verdict("x86_64", number) == KILLED


@pytest.mark.parametrize("machine", ["", "i686", "riscv64", "aarch64_be"])
def test_other_processors_have_no_filter(machine: str) -> None:
    """Where no filter is known nothing runs, rather than without one."""
    with pytest.raises(OSError, match=f"no filter is known for the processor type {machine}$"):
        compile_filter(machine)
