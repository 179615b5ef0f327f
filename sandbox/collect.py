"""Takes result.json and other files out of a dead run's work folder.

Everything in there was made by a script that nobody trusts: names, kinds of file, sizes, depth. The
folder is reached only by its descriptor, its files only by openat2 with every way out closed, and
only plain files are taken, content alone: owners, rights and times stay behind. Bytes, files,
folders, depth and time have budgets; folders nearer to the top come first. What can't be taken
becomes a sentence in `problems`; nothing a script leaves behind makes this fail. Call it only when
the process tree is dead, so that what was looked at is what is read.

What comes out is bytes for people and parsers. Nothing outside the walls unpickles, imports or
executes any of it (tests/house/test_nothing_is_executed.py), and nothing writes to a path that is
named here: artifacts are stored by their hash.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice

from sandbox.engines import kernel

MOST_ENTRIES = 200
"""Files and folders that are looked at, beside result.json."""
MOST_DEPTH = 8
"""Parts of the longest path, such as 2 in "tables/hosts.csv"."""
MOST_NAME = 100
"""Bytes of the longest file name."""
MOST_PROBLEMS = 20
MOST_SECONDS = 2.0
RESULT = "result.json"
_PIECE = 1024 * 1024
"""Bytes that are read before the clock is looked at again."""
_KINDS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe"}


@dataclass(slots=True)
class Collected:
    """What came out; artifacts by their path below /job/out, parts divided by "/"."""

    result: bytes | None = None
    artifacts: dict[str, bytes] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)


class _NotTaken(Exception):
    """Why a file stays behind; what follows its name in a sentence."""


def collect(
    work: int,
    *,
    result_bytes: int,
    artifact_bytes: int,
    clock: Callable[[], float] = time.monotonic,
) -> Collected:
    """Read /job/out below the descriptor `work`, at most that many bytes of each sort."""
    found = Collected(problems=full(work))
    try:
        folder = kernel.open_beneath(work, "out", os.O_RDONLY | os.O_DIRECTORY)
    except OSError as error:
        found.problems.append(f"/job/out can't be read: {_why(error)}")
        return found
    try:
        _Walk(folder, found, clock).take_all(result_bytes, artifact_bytes)
    finally:
        os.close(folder)
    if len(found.problems) > MOST_PROBLEMS:
        more = len(found.problems) - MOST_PROBLEMS
        found.problems[MOST_PROBLEMS:] = [f"{more} more files and folders could not be taken"]
    return found


def full(work: int) -> list[str]:
    """Name the limits that the folder is filled up to: nothing more could be written at the end."""
    now = os.fstatvfs(work)
    limits = {"work_bytes": (now.f_blocks, now.f_bfree), "files": (now.f_files, now.f_ffree)}
    return [
        f"the work folder is full ({limit})"
        for limit, (most, free) in limits.items()
        if most and not free
    ]


def is_plain_name(name: str) -> bool:
    """Tell whether a file name is short UTF-8 without control or invisible characters."""
    return name.isprintable() and len(name.encode("utf-8", "surrogateescape")) <= MOST_NAME


class _Walk:
    """One way through the folder, its budgets growing smaller."""

    def __init__(self, folder: int, found: Collected, clock: Callable[[], float]) -> None:
        self._folder = folder
        self._found = found
        self._clock = clock
        self._deadline = clock() + MOST_SECONDS
        self._entries = MOST_ENTRIES
        self._bytes = 0

    def take_all(self, result_bytes: int, artifact_bytes: int) -> None:
        """Take the result, then whatever else there is, level by level."""
        self._bytes = result_bytes
        self._visit(RESULT, self._take_result)
        self._bytes = artifact_bytes
        paths = deque(path for path in self._list(self._folder, "") if path != RESULT)
        while paths:
            if self._late():
                self._problem(f"time was up with {len(paths)} files and folders left to look at")
                return
            paths += self._visit(paths.popleft(), self._take)

    def _visit(self, path: str, take: Callable[[str, int], list[str]]) -> list[str]:
        """Open `path` and `take` it; returns the paths to visit next."""
        if not is_plain_name(path.rpartition("/")[2]):
            self._problem(f"{_shown(path)} has a name that can't be kept")
            return []
        try:
            # O_NONBLOCK: opening a pipe that nobody writes to must not wait.
            flags = os.O_RDONLY | os.O_NONBLOCK
            descriptor = kernel.open_beneath(self._folder, path, flags)
            try:
                return take(path, descriptor)
            finally:
                os.close(descriptor)
        except _NotTaken as reason:
            self._problem(f"{_shown(path)} {reason}")
        except OSError as error:
            if path != RESULT or error.errno != errno.ENOENT:
                self._problem(f"{_shown(path)} can't be read: {_why(error)}")
        return []

    def _take_result(self, _: str, descriptor: int) -> list[str]:
        self._found.result = self._content(descriptor)
        return []

    def _take(self, path: str, descriptor: int) -> list[str]:
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            return self._list(descriptor, f"{path}/")
        self._found.artifacts[path] = self._content(descriptor)
        return []

    def _list(self, folder: int, prefix: str) -> list[str]:
        """Return what is in a folder, as far as the budget for that goes."""
        if prefix.count("/") >= MOST_DEPTH:
            raise _NotTaken(f"is a folder that lies too deep, {MOST_DEPTH} levels can be taken")
        with os.scandir(folder) as entries:
            names = [entry.name for entry in islice(entries, self._entries + 2)]
        names = sorted(name for name in names if prefix + name != RESULT)
        if len(names) > self._entries:
            names = names[: self._entries]
            self._problem(f"more than {MOST_ENTRIES} files and folders, the others were left")
        self._entries -= len(names)
        return [prefix + name for name in names]

    def _content(self, descriptor: int) -> bytes:
        """Return all of a plain file that fits into the budget; raises _NotTaken, OSError."""
        about = os.fstat(descriptor)
        if not stat.S_ISREG(about.st_mode):
            kind = _KINDS.get(stat.S_IFMT(about.st_mode), "a special file")
            raise _NotTaken(f"is {kind}, not a file")
        if about.st_size > self._bytes:
            raise _NotTaken(f"has {about.st_size} bytes, {self._bytes} can be taken")
        content = bytearray()
        while len(content) < about.st_size:
            if self._late():
                raise _NotTaken("could not be read in time")
            piece = os.read(descriptor, min(_PIECE, about.st_size - len(content)))
            if not piece:
                break
            content += piece
        self._bytes -= len(content)
        return bytes(content)

    def _late(self) -> bool:
        return self._clock() > self._deadline

    def _problem(self, sentence: str) -> None:
        if sentence not in self._found.problems:
            self._found.problems.append(sentence)


def _why(error: OSError) -> str:
    code = error.errno or errno.EIO
    return "it is a symbolic link" if code == errno.ELOOP else os.strerror(code)


def _shown(path: str) -> str:
    """Return a path fit for a sentence on a terminal, whatever its last part holds."""
    folder, slash, name = path.rpartition("/")
    return ascii(folder + slash + name[:MOST_NAME])
