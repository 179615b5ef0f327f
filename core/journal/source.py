"""Where a session file is read from, without ever changing it.

Three ways, tried in this order: a sealed file as it lies (nobody can write it, so no locks and no
companions count); an unfinished one together with its write-ahead log; and, where SQLite can't do
that because the folder or the disk is read-only, a private copy of both.

Each read has a connection of its own: a replay that stands still for an hour must not keep the
session from being sealed.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from core.errors import JournalAltered, JournalError
from core.journal import database as sqlite

COMPANIONS = ("-wal", "-journal")
"""What SQLite reads together with a file that is in use, or that was left in a hurry."""
_SHARED = "-shm"
"""What SQLite writes into also where it only reads, beside a file that is in use."""
_NAMES_ANOTHER = bytes.fromhex("d9d505f920a163d7")
"""How a rollback journal ends that names one more file, which SQLite deletes when it is done."""


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turn what SQLite and the file system raise into JournalError; damage into JournalAltered."""
    try:
        yield
    except (*sqlite.DATABASE_ERRORS, OSError) as error:
        if _is_damage(error):
            raise JournalAltered(f"the session file {path} is damaged: {error}") from error
        raise JournalError(f"the session file {path}: {error}") from error


def real(path: Path) -> Path:
    """Return where links lead; those that lead round and round lead to no file."""
    return Path(os.path.realpath(path))  # Path.resolve raises RuntimeError for those


def companions(path: Path) -> list[str]:
    """Return the names of the files that SQLite would read together with `path`."""
    names = [f"{path.name}{suffix}" for suffix in COMPANIONS]
    return [name for name in names if os.path.lexists(path.parent / name)]


class Source:
    """A session file that can be read; `sealed` means marked as finished and lying alone."""

    __slots__ = ("_copy", "path", "sealed")

    def __init__(self, path: Path) -> None:
        """Raises JournalError when there is no session file at `path`."""
        self.path = real(path)
        self.sealed = False
        self._copy: TemporaryDirectory[str] | None = None
        if not self.path.is_file():
            raise JournalError(f"there is no session file {path}")
        with translated(self.path):
            _check_companions(self.path)
            self.sealed = not companions(self.path) and self._is_marked()
            if not self.sealed:
                self._try_in_place()

    @contextmanager
    def connect(self) -> Iterator[sqlite3.Connection]:
        """Open it for one read; what goes wrong inside comes out as JournalError."""
        with translated(self.path), closing(self._connect()) as database:
            yield database

    def close(self) -> None:
        """Remove the private copy, if one was needed; may be called again."""
        if self._copy is not None:
            self._copy.cleanup()

    def _connect(self) -> sqlite3.Connection:
        if self._copy is not None:
            return sqlite.connect_to_copy(Path(self._copy.name, self.path.name))
        return sqlite.connect_to_read(self.path, still=self.sealed)

    def _is_marked(self) -> bool:
        with closing(sqlite.connect_to_read(self.path, still=True)) as database:
            sqlite.check_is_journal(self.path, database)
            return "sealed" in sqlite.read_meta(database)

    def _try_in_place(self) -> None:
        """Read one thing where the file lies; make a copy when only the place is the trouble."""
        try:
            with closing(sqlite.connect_to_read(self.path)) as database:
                sqlite.check_is_journal(self.path, database)
        except sqlite3.OperationalError as error:
            if _code(error) not in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN):
                raise
            self._make_copy()

    def _make_copy(self) -> None:
        """Copy the file and its logs; safe, since who can't write the folder is not the writer."""
        self._copy = TemporaryDirectory(prefix="countersign-journal-")
        try:
            for name in (self.path.name, *companions(self.path)):
                shutil.copyfile(self.path.parent / name, Path(self._copy.name, name))
        except OSError:
            self.close()
            raise


def _check_companions(path: Path) -> None:
    """Raise JournalAltered for what we never leave beside a session file; SQLite would act on it.

    Reading a session must not change any other file: SQLite rolls back what was left in a hurry,
    and deletes whichever file the rollback journal names as that of several databases at once.
    """
    for companion in (path.with_name(f"{path.name}{each}") for each in (*COMPANIONS, _SHARED)):
        with suppress(FileNotFoundError):  # there is none, or its writer has just finished
            found = companion.lstat()
            written = companion.name.endswith(_SHARED) and found.st_nlink > 1
            if written or not stat.S_ISREG(found.st_mode):
                raise JournalAltered(f"{companion} beside the session file is no plain file")
            if companion.name.endswith("-journal") and _end_of(companion) == _NAMES_ANOTHER:
                raise JournalAltered(f"{companion} names another file to SQLite")


def _end_of(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - len(_NAMES_ANOTHER)))
        return file.read()


def _is_damage(error: Exception) -> bool:
    """Whether this says that the content is wrong, rather than that it can't be reached now."""
    if isinstance(error, sqlite3.Error):
        return _code(error) == sqlite3.SQLITE_CORRUPT
    return isinstance(error, UnicodeDecodeError)


def _code(error: sqlite3.Error) -> int:
    """Return SQLite's primary code. Texts that are no UTF-8 are found by Python, without a code."""
    code: int = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    return code & 0xFF
