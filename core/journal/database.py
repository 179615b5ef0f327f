"""The SQLite side of a session file: its schema, and how a connection is opened to write or read.

The triggers stop accidents (an edit by hand, a stale second writer, REPLACE INTO); who can write
the file can also drop them, so they are no security. The schema is compared word for word when a
file is opened or verified, so a change of a single letter here is a new format.

Functions here let out what SQLite raises (`DATABASE_ERRORS`); `source.translated` puts it into the
words of an operator.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from core.canonical import sha256
from core.errors import JournalAltered, JournalError
from core.journal.chain import FORMAT, Row
from sandbox.job import Sha

APPLICATION_ID = 0x43534A31
"""In the header of the file: "CSJ1"."""
VERSION = 1
"""user_version of the file."""
WAIT_SECONDS = 5.0
"""How long to wait for another program that has the file locked for a moment."""

_META = {"format", "session", "sealed"}
_LOWEST, _HIGHEST = -(2**63), 2**63 - 1
"""The seqs that a file could hold, were it made by somebody else."""
_SLICE = 500
"""Events fetched at a time, so that no statement stays open while they are looked at."""
_EVENTS = "SELECT seq, at, kind, json, prev, hash FROM event WHERE seq >= ? ORDER BY seq LIMIT ?"
DATABASE_ERRORS = (sqlite3.Error, UnicodeDecodeError)
"""What using a database can raise; the latter when SQLite quotes a damaged text in its message."""

SCHEMA = (
    """CREATE TABLE meta (
  key TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) STRICT""",
    """CREATE TABLE event (
  seq INTEGER NOT NULL PRIMARY KEY,
  at INTEGER NOT NULL,
  kind TEXT NOT NULL,
  json TEXT NOT NULL,
  prev TEXT NOT NULL,
  hash TEXT NOT NULL
) STRICT""",
    """CREATE TABLE payload (
  sha256 TEXT NOT NULL PRIMARY KEY,
  size INTEGER NOT NULL,
  body BLOB NOT NULL
) STRICT""",
    """CREATE TRIGGER meta_once BEFORE INSERT ON meta
WHEN EXISTS (SELECT 1 FROM meta WHERE key = NEW.key OR key = 'sealed')
BEGIN SELECT RAISE(ABORT, 'already in the journal'); END""",
    """CREATE TRIGGER event_next BEFORE INSERT ON event
WHEN NEW.seq IS NOT (SELECT coalesce(max(seq), 0) + 1 FROM event)
  OR (NEW.seq > 1 AND NEW.prev IS NOT (SELECT hash FROM event WHERE seq = NEW.seq - 1))
BEGIN SELECT RAISE(ABORT, 'event out of order'); END""",
    """CREATE TRIGGER event_open BEFORE INSERT ON event
WHEN EXISTS (SELECT 1 FROM meta WHERE key = 'sealed')
BEGIN SELECT RAISE(ABORT, 'the journal is sealed'); END""",
    """CREATE TRIGGER payload_once BEFORE INSERT ON payload
WHEN EXISTS (SELECT 1 FROM payload WHERE sha256 = NEW.sha256)
BEGIN SELECT RAISE(ABORT, 'already in the journal'); END""",
    """CREATE TRIGGER payload_open BEFORE INSERT ON payload
WHEN EXISTS (SELECT 1 FROM meta WHERE key = 'sealed')
BEGIN SELECT RAISE(ABORT, 'the journal is sealed'); END""",
    *(
        f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table}\n"
        "BEGIN SELECT RAISE(ABORT, 'the journal is append-only'); END"
        for table in ("meta", "event", "payload")
        for act in ("UPDATE", "DELETE")
    ),
)


def connect_to_write(path: Path) -> sqlite3.Connection:
    """Open an existing file; nothing is changed before `prepare_to_write`."""
    return _connect(path, "mode=rw")


def prepare_to_write(database: sqlite3.Connection) -> None:
    """Make every commit durable when it returns."""
    mode = database.execute("PRAGMA journal_mode=WAL").fetchone()[0]
    if mode != "wal":
        raise sqlite3.OperationalError(f"no write-ahead log here, SQLite offers {mode!r}")
    for pragma in ("synchronous=FULL", "fullfsync=ON", "checkpoint_fullfsync=ON"):
        database.execute(f"PRAGMA {pragma}")


def create_schema(database: sqlite3.Connection, session: str) -> None:
    """Make an empty file the journal of `session`, in one transaction."""
    database.execute("BEGIN IMMEDIATE")
    for statement in SCHEMA:
        database.execute(statement)
    database.executemany(
        "INSERT INTO meta VALUES (?, ?)", [("format", FORMAT), ("session", session)]
    )
    database.execute(f"PRAGMA application_id={APPLICATION_ID}")
    database.execute(f"PRAGMA user_version={VERSION}")
    database.execute("COMMIT")


def connect_to_read(path: Path, *, still: bool = False) -> sqlite3.Connection:
    """Open a file without changing it; `still` when nobody can write it and no companion counts."""
    database = _connect(path, "mode=ro&immutable=1" if still else "mode=ro")
    database.execute("PRAGMA query_only=ON")
    return database


def connect_to_copy(path: Path) -> sqlite3.Connection:
    """Open a private copy, in which SQLite may finish what a dead writer left beside the file."""
    database = _connect(path, "mode=rw")
    database.execute("PRAGMA query_only=ON")
    return database


def check_is_journal(path: Path, database: sqlite3.Connection) -> None:
    """Raise JournalError for what is no journal, JournalAltered for what is left of one."""
    try:
        mark = database.execute("PRAGMA application_id").fetchone()[0]
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError as error:
        raise JournalError(f"{path} is not a session file: {error}") from error
    if mark != APPLICATION_ID:
        raise JournalError(f"{path} is not a session file")
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version != VERSION:
        raise JournalError(f"{path} has format {version}; the one known here is {VERSION}")
    tables = database.execute("SELECT name FROM sqlite_schema WHERE type = 'table'").fetchall()
    if missing := {"meta", "event", "payload"} - {name for (name,) in tables}:
        raise JournalAltered(f"{path} lacks the table {min(missing)}")
    if not _has_schema(database):
        # Somebody else's table can compute what it holds: a gigabyte for each row that is read.
        raise JournalAltered(f"the session file {path} has another schema")


def _has_schema(database: sqlite3.Connection) -> bool:
    """Whether tables and triggers are word for word those of the format, none more, none fewer."""
    found = database.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    return sorted(sql for (sql,) in found) == sorted(SCHEMA)


def read_meta(database: sqlite3.Connection) -> dict[str, str]:
    """Return the table `meta`; raises JournalAltered when it can't be that of a journal."""
    meta = dict(database.execute("SELECT key, value FROM meta").fetchall())
    if not all(isinstance(part, str) for pair in meta.items() for part in pair):
        raise JournalAltered("the table meta holds values of another type")
    if meta.get("format") != FORMAT or "session" not in meta or meta.keys() - _META:
        raise JournalAltered("the table meta does not say whose journal this is")
    return meta


def read_rows(database: sqlite3.Connection, first: int) -> list[Row]:
    """Return the next slice of events, in order, that begins with seq `first` or a later one."""
    return database.execute(_EVENTS, (first, _SLICE)).fetchall()


def all_rows(database: sqlite3.Connection) -> Iterator[Row]:
    """Yield every event in order, and whatever else lies in the table."""
    return in_slices(partial(read_rows, database), _LOWEST)


def in_slices(fetch: Callable[[int], list[Row]], first: int) -> Iterator[Row]:
    """Yield rows slice by slice; `fetch` returns the slice that begins with a seq."""
    while rows := fetch(first):
        yield from rows
        last = rows[-1][0]
        if not isinstance(last, int) or not first <= last < _HIGHEST:
            raise JournalAltered(f"the events from {first} on are out of order")
        first = last + 1


def read_payload(database: sqlite3.Connection, sha: Sha) -> bytes:
    """Return a payload, hashed again; JournalError when missing, JournalAltered when changed."""
    row = database.execute("SELECT body FROM payload WHERE sha256 = ?", (sha,)).fetchone()
    if row is None:
        raise JournalError(f"the journal holds no payload {sha}")
    if not isinstance(row[0], bytes) or sha256(row[0]) != sha:
        raise JournalAltered(f"the payload {sha} is not what its hash was made from")
    return row[0]


def _connect(path: Path, options: str) -> sqlite3.Connection:
    database = sqlite3.connect(
        f"{path.absolute().as_uri()}?{options}",
        uri=True,
        timeout=WAIT_SECONDS,
        isolation_level=None,
        check_same_thread=False,
    )
    database.execute("PRAGMA trusted_schema=OFF")
    database.execute("PRAGMA cell_size_check=ON")
    return database
