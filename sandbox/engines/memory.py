"""Watches the memory of a whole run: the kernel's own limit holds for one process only.

Every 100 ms the memory of the run's first process and of all below it is added up. Resident memory
comes first: it costs little to read, and the run takes no more than that. Only when it is too much,
pages that processes share, as they do after a fork, are counted once (PSS). Where the kernel won't
tell (a container without CAP_SYS_PTRACE), each process counts with all of it that is not a file's,
which after many forks is more than the truth.

This takes less than 0.1 % of a core for one process and 2 % for thirty. Counting the shares of
thirty takes a thread of its own: 15 % of a core for processes of 50 MB each, 40 % for 200 MB.

Trade-off: a memory cgroup would be exact, and ordinary users have none. Not seen are: what is taken
and given back between two looks, the kernel's buffers of sockets and pipes (some 500 MB for each
process with its 128 descriptors, which only a cgroup would bound), page tables, files of /job that
nobody has mapped, which have a limit of their own, and whatever /proc does not show us. Needs
CONFIG_PROC_CHILDREN, as kernels of distributions have it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from contextlib import suppress

EVERY = 0.1
"""Seconds between two looks."""
LACKING = "a memory cgroup: all processes together are looked at every 100 ms"
"""For `degraded` of an engine that relies on this."""

_KIBIBYTE = 1024


async def outgrown(pidfd: int, most: int) -> None:
    """Return when the process behind `pidfd` and all below it take more than `most` bytes.

    Never returns otherwise, not even when they have ended: cancel it then.
    """
    while not await takes_more(pidfd, most):  # noqa: ASYNC110 - nothing tells of growth
        await asyncio.sleep(EVERY)


async def takes_more(pidfd: int, most: int) -> bool:
    """Tell whether the process behind `pidfd` and all below it take more than `most` bytes now."""
    members = list(family(process_behind(pidfd)))
    if sum(map(resident, members)) <= most:
        return False
    # The kernel walks through every page: milliseconds, in which the screen should go on.
    return await asyncio.to_thread(lambda: sum(map(proportional, members))) > most


def process_behind(pidfd: int) -> int:
    """Return the process id behind a pidfd; -1 when it has ended."""
    return _sum(f"/proc/self/fdinfo/{pidfd}", b"Pid:")


def family(process: int) -> Iterator[int]:
    """Yield a process and all below it, each once; who starts or ends meanwhile may be missing."""
    waiting, seen = [process], set[int]()
    while waiting:
        member = waiting.pop()
        if member in seen:
            continue
        seen.add(member)
        yield member
        with suppress(OSError), os.scandir(f"/proc/{member}/task") as threads:
            for thread in threads:  # a child is listed by the thread that made it
                waiting += map(int, _read(f"{thread.path}/children").split())


def resident(process: int) -> int:
    """Return the bytes of memory of a process, shared ones included; 0 when it has ended."""
    with suppress(OSError):
        return _sum(f"/proc/{process}/status", b"VmRSS:", b"VmSwap:") * _KIBIBYTE
    return 0


def proportional(process: int) -> int:
    """Return the bytes of memory of a process, of shared ones its share where that is told."""
    with suppress(OSError):
        return _sum(f"/proc/{process}/smaps_rollup", b"Pss:", b"SwapPss:") * _KIBIBYTE
    with suppress(OSError):
        return _sum(f"/proc/{process}/status", b"RssAnon:", b"RssShmem:", b"VmSwap:") * _KIBIBYTE
    return 0


def _sum(path: str, *fields: bytes) -> int:
    """Return the sum of some fields of a file in which each line is a name and a number."""
    lines = _read(path).splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith(fields))


def _read(path: str) -> bytes:
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC), "rb", buffering=0) as file:
        return file.readall()
