"""The file-system side of a session file: private folders, the writer's lock, the seal's sidecar.

The lock is on a file of its own. SQLite locks the session file with POSIX locks, which a process
loses as soon as it closes any descriptor of that file: nothing here opens a session file that
SQLite may have open.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from core.errors import JournalBusy, JournalError
from core.place import place, sync
from sandbox.job import Sha


class WriterLock:
    """Held by the one process that writes a session; the kernel drops it when the process dies."""

    __slots__ = ("_descriptor", "_path")

    def __init__(self, path: Path) -> None:
        """Take the lock of the session file `path`; raises JournalBusy, OSError."""
        self._path = path.with_name(f"{path.name}.lock")
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        self._descriptor = os.open(self._path, flags, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.release()
            raise JournalBusy(f"another countersign writes to the session file {path}") from error
        except OSError:
            self.release()
            raise

    def release(self) -> None:
        """Let others write; may be called again."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def remove(self) -> None:
        """Release, and leave no lock file behind; only for a file that nobody can write again."""
        self._path.unlink(missing_ok=True)
        self.release()


def make_private_folder(folder: Path) -> None:
    """Make `folder` and its missing parents, mode 0700; those that exist stay as they are."""
    missing = [each for each in (folder, *folder.parents) if not each.exists()]
    for each in reversed(missing):
        each.mkdir(mode=0o700, exist_ok=True)
        with suppress(PermissionError):  # a folder that we may enter but not list
            sync(each.parent)


@contextmanager
def named_when_done(path: Path) -> Iterator[Path]:
    """Give a new file, mode 0600, to work on; it gets its name when the block ends well.

    Raises JournalError when there is something of that name. Whoever is killed inside leaves a
    file beside it that is no session file by its name.
    """
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(descriptor)
    draft = Path(name)
    try:
        yield draft
        sync(draft)
        path.hardlink_to(draft)
    except FileExistsError as error:
        raise JournalError(f"the session file {path} exists already") from error
    finally:
        remove(draft)
    sync(path.parent)


def remove(path: Path) -> None:
    """Remove a file that never became a session, and what SQLite laid beside it."""
    for suffix in ("", "-wal", "-shm", "-journal"):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)


def sha256_of_file(path: Path) -> Sha:
    """Return the SHA-256 of a file's content, read in pieces."""
    with path.open("rb") as file:
        return Sha(hashlib.file_digest(file, "sha256").hexdigest())


def sidecar_of(path: Path) -> Path:
    """Return where the hash of a sealed session file lies: beside it."""
    return path.with_name(f"{path.name}.sha256")


def write_sidecar(path: Path) -> Path:
    """Write the hash of a finished file beside it, as `sha256sum -c` reads it; returns its path."""
    sidecar = sidecar_of(path)
    place(sidecar, f"{sha256_of_file(path)}  {path.name}\n".encode(), over=True)
    return sidecar
