"""The session file: one SQLite file per session, written by one process, read by anyone who may.

`Journal` is the one writer. What it is given is on the disk when a call returns, so that a fact
can be recorded before it is acted on; when it can't write it refuses everything that follows rather
than leave a gap. `Reader` never changes a file.

SQLite rather than lines of JSON: the same speed with one flush per event, and torn tails, full
disks and kill -9 are its problem, not ours. Trade-offs: an unfinished session is up to three files
and a lock, one file once it is sealed; text and bodies lie there as they are, neither compressed
nor encrypted. Nothing here knows events: kinds and JSON come and go as text. The format is in
docs/journal.md.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path
from types import TracebackType
from typing import Self

from core.canonical import sha256
from core.errors import JournalAltered, JournalError
from core.journal import database as sqlite
from core.journal import files
from core.journal.chain import MOMENTS, Row, follow, genesis, link
from core.journal.database import connect_to_write
from core.journal.source import Source, real, translated
from core.journal.verify import check_inside
from core.place import sync
from sandbox.job import Sha

_LAST = "SELECT seq, hash FROM event ORDER BY seq DESC LIMIT 1"


@dataclass(frozen=True, slots=True)
class Entry:
    """One event as it lies in the file."""

    seq: int
    """1, 2, 3, ..."""
    at: int
    """Milliseconds since the epoch, UTC."""
    kind: str
    text: str
    """The event's JSON, exactly as stored."""
    hash: Sha
    """Of this event and all before it."""


class Journal:
    """The one writer of a session file; one thread at a time may use it."""

    __slots__ = ("_database", "_lock", "_marked", "_trouble", "head", "length", "path", "session")

    def __init__(self, path: Path, lock: files.WriterLock, database: sqlite3.Connection) -> None:
        """Use `create` or `open`."""
        self._lock = lock
        self._database = database
        self._trouble = ""
        self.path = path
        meta = sqlite.read_meta(database)
        self._marked = "sealed" in meta
        self.session = meta["session"]
        self.head = genesis(self.session)
        """Hash of the last event: what stands for the whole session so far."""
        self.length = 0
        """Number of events."""

    @classmethod
    def create(cls, path: Path, session: str) -> Journal:
        """Start the file of a new session, readable by its owner only; raises JournalError."""
        path = path.absolute()
        with translated(path):
            files.make_private_folder(path.parent)
            with files.named_when_done(path) as draft, closing(connect_to_write(draft)) as database:
                sqlite.create_schema(database, session)
            lock = files.WriterLock(path)
            database = connect_to_write(path)
            try:
                sqlite.prepare_to_write(database)
                return cls(path, lock, database)
            except sqlite3.Error:
                database.close()
                files.remove(path)
                lock.remove()
                raise

    @classmethod
    def open(cls, path: Path) -> Journal:
        """Go on with a session that was broken off; every link of its chain is checked first.

        One that was broken off on its way to the seal takes no more events: `seal` finishes it.
        Raises JournalBusy while another process writes to it, JournalAltered when the chain does
        not hold, JournalError when it is sealed or can't be opened.
        """
        path = real(path)
        Source(path).close()  # refuses what is no journal before a lock is laid beside it
        with translated(path):
            lock = files.WriterLock(path)
            try:
                return cls._resume(path, lock)
            except JournalError:
                lock.remove()
                raise
            except sqlite.DATABASE_ERRORS:
                lock.release()
                raise

    @classmethod
    def _resume(cls, path: Path, lock: files.WriterLock) -> Journal:
        marked = _lacks_its_sidecar(path)
        database = connect_to_write(path)
        try:
            _check_can_go_on(path, database, marked=marked)
            if not marked:
                sqlite.prepare_to_write(database)
            journal = cls(path, lock, database)
            chain = follow(journal.session, sqlite.all_rows(database))
            for _, _, journal.head in chain:
                journal.length += 1
        except (JournalError, *sqlite.DATABASE_ERRORS):
            database.close()
            raise
        return journal

    def append(self, items: Sequence[tuple[int, str, str]]) -> tuple[Entry, ...]:
        """Record events, each (at, kind, JSON text), all or none; durable when it returns.

        Raises JournalError; after that the journal takes nothing more, since only opening the file
        again can tell what it holds.
        """
        entries: list[Entry] = []
        hashes = [self.head]
        for seq, (at, kind, text) in enumerate(items, start=self.length + 1):
            try:
                hashes.append(link(hashes[-1], seq, at, kind, text))
            except ValueError as error:
                raise JournalError(f"event {seq} can't be recorded: {error}") from error
            entries.append(Entry(seq, at, kind, text, hashes[-1]))
        rows = [
            (entry.seq, entry.at, entry.kind, entry.text, prev, entry.hash)
            for entry, prev in zip(entries, hashes, strict=False)
        ]
        with self._transaction():
            self._database.executemany("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)", rows)
        self.head, self.length = hashes[-1], self.length + len(entries)
        return tuple(entries)

    def keep(self, body: bytes) -> Sha:
        """Store a payload, once however often it is kept; durable when it returns. JournalError."""
        sha = sha256(body)
        with self._transaction():
            known = self._database.execute("SELECT 1 FROM payload WHERE sha256 = ?", (sha,))
            if known.fetchone() is None:
                row = (sha, len(body), body)
                self._database.execute("INSERT INTO payload VALUES (?, ?, ?)", row)
        return sha

    def payload(self, sha: Sha) -> bytes:
        """Return a payload, hashed again; JournalError if missing, JournalAltered if changed."""
        with translated(self.path):
            return sqlite.read_payload(self._database, sha)

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yield the events whose seq is larger than `after`, in order."""
        return (_entry(row) for row in sqlite.in_slices(self._next, after + 1))

    def seal(self) -> Path:
        """Finish the file: one file, read-only, its hash beside it; returns the path of the hash.

        The journal is closed by it. When another program has the file open for longer than a few
        seconds it raises JournalError and stays as it was, unsealed. The mark comes first and the
        hash last: whoever finds the one without the other can call it again, here or after `open`.
        """
        self._refuse_after_trouble()
        with translated(self.path):
            if not self._marked:
                self._mark()
            self._database.close()
            self.path.chmod(0o400)
            sync(self.path)
            sidecar = files.write_sidecar(self.path)
            self._lock.remove()
            return sidecar

    def _mark(self) -> None:
        """Fold the log into the file and say in it that nothing more will come."""
        mode = self._database.execute("PRAGMA journal_mode=DELETE").fetchone()[0]
        if mode != "delete":
            raise JournalError(f"the session file {self.path} can't leave its log ({mode})")
        self._database.execute("INSERT INTO meta VALUES ('sealed', ?)", (self.head,))
        self._marked = True

    def close(self) -> None:
        """Let go of the file, unsealed; may be called again."""
        with translated(self.path):
            try:
                self._database.close()
            finally:
                self._lock.release()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _next(self, first: int) -> list[Row]:
        with translated(self.path):
            return sqlite.read_rows(self._database, first)

    def _refuse_after_trouble(self) -> None:
        if self._trouble:
            raise JournalError(f"the session file {self.path} takes no more: {self._trouble}")

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing; whatever goes wrong inside ends this journal's life as a writer."""
        self._refuse_after_trouble()
        self._trouble = "an earlier write was broken off"
        with translated(self.path):
            try:
                self._database.execute("BEGIN IMMEDIATE")
                yield
                self._database.execute("COMMIT")
            except sqlite3.Error as error:
                self._trouble = str(error)
                raise
            finally:
                self._roll_back()
        self._trouble = ""

    def _roll_back(self) -> None:
        """Undo what is open. On a full disk SQLite has done so itself, and a second one raises."""
        with suppress(sqlite3.Error):
            if self._database.in_transaction:
                self._database.execute("ROLLBACK")


class Reader:
    """A session as it was when it was opened: later events need a new Reader."""

    __slots__ = ("_source", "head", "length", "path", "sealed", "session")

    def __init__(self, source: Source) -> None:
        """Use `read`."""
        self._source = source
        self.path = source.path
        self.sealed = source.sealed
        with source.connect() as database:
            meta = sqlite.read_meta(database)
            last = database.execute(_LAST).fetchone()
        self.session = meta["session"]
        self.length: int = last[0] if last else 0
        self.head: Sha = last[1] if last else genesis(self.session)

    def entries(self, after: int = 0) -> Iterator[Entry]:
        """Yield the events whose seq is larger than `after`, in order; raises JournalError.

        Neither hashes nor links are checked; `verify` does that.
        """
        rows = sqlite.in_slices(self._next, after + 1)
        return takewhile(lambda entry: entry.seq <= self.length, map(_entry, rows))

    def payload(self, sha: Sha) -> bytes:
        """Return a payload, hashed again; JournalError if missing, JournalAltered if changed."""
        with self._source.connect() as database:
            return sqlite.read_payload(database, sha)

    def close(self) -> None:
        """May be called again."""
        self._source.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _next(self, first: int) -> list[Row]:
        with self._source.connect() as database:
            return sqlite.read_rows(database, first)


def read(path: Path) -> Reader:
    """Open a session for reading, finished or not; its chain is not checked.

    Raises JournalError when there is no file, or it is no journal.
    """
    source = Source(path)
    try:
        return Reader(source)
    except JournalError:
        source.close()
        raise


def _lacks_its_sidecar(path: Path) -> bool:
    """Whether the file is marked as finished and only its hash is missing; all of it is checked."""
    with closing(Source(path)) as source:
        if not source.sealed or files.sidecar_of(path).exists():
            return False
    check_inside(path)
    return True


def _check_can_go_on(path: Path, database: sqlite3.Connection, *, marked: bool) -> None:
    if "sealed" in sqlite.read_meta(database) and not marked:
        hint = "a sealed session is finished; look at it with `countersign replay`"
        raise JournalError(f"the session file {path} is sealed", hint=hint)


def _entry(row: Row) -> Entry:
    seq, at, kind, text, _, stored = row
    if not (
        isinstance(seq, int)
        and isinstance(at, int)
        and isinstance(kind, str)
        and isinstance(text, str)
        and isinstance(stored, str)
    ):
        raise JournalAltered(f"event {seq} holds values of another type")
    if at not in MOMENTS:
        raise JournalAltered(f"event {seq} happened at a time that has no date")
    return Entry(seq, at, kind, text, Sha(stored))
