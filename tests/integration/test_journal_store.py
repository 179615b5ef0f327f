"""The session file on a real disk: written, read while written, resumed, sealed."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import JournalAltered, JournalBusy, JournalError
from core.journal.chain import MOMENTS, genesis
from core.journal.store import Journal, read
from sandbox.job import Sha

EVENTS = [(1000, "session.started", '{"n":1}'), (2000, "note.added", '{"n":2}')]
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
KIND = TEXT.filter(lambda kind: "\n" not in kind)
BATCHES = st.lists(
    st.lists(st.tuples(st.integers(0, MOMENTS[-1]), KIND, TEXT), max_size=4), max_size=4
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return where a session's file could be, in folders that don't exist yet."""
    return tmp_path / "data" / "sessions" / "s1.db"


@pytest.fixture
def journal(path: Path) -> Iterator[Journal]:
    """Return the journal of a new session with two events."""
    with Journal.create(path, "s1") as journal:
        journal.append(EVENTS)
        yield journal


def modes(folder: Path) -> dict[str, str]:
    """Return the names in a folder and their modes."""
    return {file.name: f"{file.stat().st_mode & 0o7777:04o}" for file in folder.iterdir()}


# ------------------------------------------------------------------ writing
@settings(max_examples=25)
@given(BATCHES, BATCHES)
def test_what_was_appended_is_read_back(
    before: list[list[tuple[int, str, str]]], after: list[list[tuple[int, str, str]]]
) -> None:
    """Events come back as they were given, in order, by the writer, a reader and after resuming."""
    with TemporaryDirectory() as folder:
        path = Path(folder, "s1.db")
        with Journal.create(path, "s1") as journal:
            given_back = [entry for batch in before for entry in journal.append(batch)]
        with Journal.open(path) as journal:
            given_back += [entry for batch in after for entry in journal.append(batch)]
            assert given_back == list(journal.entries())
        with read(path) as reader:
            assert given_back == list(reader.entries())
            assert (journal.head, journal.length) == (reader.head, reader.length)
        expected = [event for batch in before + after for event in batch]
        assert expected == [(entry.at, entry.kind, entry.text) for entry in given_back]


def test_a_new_journal_is_empty(path: Path) -> None:
    """Before the first event the head is the hash of the session's name."""
    with Journal.create(path, "s1") as journal:
        assert (path, "s1", 0, genesis("s1")) == (
            journal.path,
            journal.session,
            journal.length,
            journal.head,
        )


def test_appending_nothing_changes_nothing(journal: Journal) -> None:
    """An empty batch is no event."""
    assert journal.append([]) == ()
    assert journal.length == 2


def test_events_after_some_place(journal: Journal) -> None:
    """Reading can start behind an event."""
    expected = list(journal.entries())[1:]
    with read(journal.path) as reader:
        assert expected == list(journal.entries(after=1)) == list(reader.entries(after=1))


def test_long_journals_are_read_in_slices(journal: Journal) -> None:
    """More events than one slice holds come back whole, and reading can stop anywhere."""
    journal.append([(at, "note.added", "{}") for at in range(1200)])
    with read(journal.path) as reader:
        assert list(range(1, 1203)) == [entry.seq for entry in reader.entries()]
        assert next(reader.entries(after=1000)).seq == 1001


def test_a_payload_is_kept_once(journal: Journal) -> None:
    """The same bytes have one place, however often they are kept."""
    shas = {journal.keep(b"body"), journal.keep(b"body"), journal.keep(b"")}
    with closing(sqlite3.connect(journal.path)) as database:
        assert database.execute("SELECT count(*) FROM payload").fetchone() == (2,)
    assert {b"body", b""} == {journal.payload(sha) for sha in shas}


def test_a_payload_that_was_never_kept(journal: Journal) -> None:
    """A hash without bytes is an error, not empty bytes."""
    with read(journal.path) as reader:
        for source in (journal, reader):
            with pytest.raises(JournalError, match="holds no payload"):
                source.payload(Sha("0" * 64))


def test_another_thread_may_write(journal: Journal) -> None:
    """A journal made here can be used by the one thread that writes."""
    with ThreadPoolExecutor(1) as writer:
        (entry,) = writer.submit(journal.append, [(3000, "note.added", "{}")]).result()
    assert (entry.seq, journal.length) == (3, 3)


@pytest.mark.parametrize("item", [(1, "a\nb", "{}"), (1, "a", "\ud800")])
def test_what_has_no_hash_is_refused(journal: Journal, item: tuple[int, str, str]) -> None:
    """An event that can't be hashed is refused whole, and the journal goes on."""
    with pytest.raises(JournalError, match="event 4 can't be recorded"):
        journal.append([(3000, "note.added", "{}"), item])
    assert journal.length == 2
    assert journal.append(EVENTS)[0].seq == 3


# ------------------------------------------------------------------ who may write
def test_only_the_owner_can_read(journal: Journal) -> None:
    """Folders that were made are 0700, every file beside the session is 0600."""
    sessions = journal.path.parent
    assert (modes(sessions)) == {
        "s1.db": "0600",
        "s1.db-shm": "0600",
        "s1.db-wal": "0600",
        "s1.db.lock": "0600",
    }
    assert modes(sessions.parent) == {"sessions": "0700"}
    assert {k: v for k, v in modes(sessions.parents[1]).items() if k == "data"} == {"data": "0700"}


def test_a_folder_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    """Nobody's folder is changed."""
    tmp_path.chmod(0o755)
    Journal.create(tmp_path / "s1.db", "s1").close()
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_a_session_is_created_once(journal: Journal) -> None:
    """An existing file is never written over."""
    with pytest.raises(JournalError, match="exists already"):
        Journal.create(journal.path, "s2")
    assert journal.length == 2


def test_a_link_is_no_place_for_a_session(tmp_path: Path) -> None:
    """A prepared symbolic link can't lead the journal elsewhere."""
    (tmp_path / "s1.db").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(JournalError, match="exists already"):
        Journal.create(tmp_path / "s1.db", "s1")
    assert not (tmp_path / "elsewhere").exists()


def test_there_is_one_writer(journal: Journal) -> None:
    """A second writer is told to wait, and may start when the first has gone."""
    with pytest.raises(JournalBusy, match="another countersign writes"):
        Journal.open(journal.path)
    journal.append(EVENTS)
    journal.close()
    with Journal.open(journal.path) as second:
        assert second.length == 4


def test_a_writer_that_was_overtaken_is_refused(journal: Journal) -> None:
    """If an event is added behind the writer's back, its own next one is refused, and all later."""
    row = (3, 1, "note.added", "{}", journal.head, "0" * 64)
    with closing(sqlite3.connect(journal.path)) as database, database:
        database.execute("INSERT INTO event VALUES (?, ?, ?, ?, ?, ?)", row)
    with pytest.raises(JournalError, match="event out of order"):
        journal.append(EVENTS)
    with pytest.raises(JournalError, match="takes no more: event out of order"):
        journal.append(EVENTS)
    with pytest.raises(JournalError, match="takes no more"):
        journal.keep(b"body")
    with pytest.raises(JournalError, match="takes no more"):
        journal.seal()


@pytest.mark.parametrize(
    "statement",
    [
        "REPLACE INTO event SELECT seq, at, kind, '{}', prev, hash FROM event WHERE seq = 2",
        "INSERT INTO event SELECT seq + 2, at, kind, json, hash, hash FROM event WHERE seq = 2",
        "INSERT INTO event SELECT seq + 1, at, kind, json, prev, hash FROM event WHERE seq = 2",
        "INSERT INTO event SELECT NULL, at, kind, json, hash, hash FROM event WHERE seq = 2",
        "UPDATE event SET json = '{}'",
        "DELETE FROM event WHERE seq = 2",
        "REPLACE INTO payload SELECT sha256, 0, x'' FROM payload",
        "UPDATE payload SET body = x''",
        "DELETE FROM payload",
        "REPLACE INTO meta VALUES ('session', 's2')",
        "UPDATE meta SET value = 's2' WHERE key = 'session'",
        "DELETE FROM meta",
    ],
)
def test_the_file_refuses_what_is_no_appending(journal: Journal, statement: str) -> None:
    """Triggers stop edits by hand, REPLACE INTO among them, on every table."""
    journal.keep(b"body")
    with (
        closing(sqlite3.connect(journal.path)) as database,
        pytest.raises(sqlite3.IntegrityError, match=r"append-only|out of order|already in"),
    ):
        database.execute(statement)


# ------------------------------------------------------------------ reading
def test_a_reader_sees_a_moment(journal: Journal) -> None:
    """A reader of a live session keeps to the events that there were; a new one sees the rest."""
    with read(journal.path) as reader:
        journal.append(EVENTS)
        assert (reader.length, len(list(reader.entries()))) == (2, 2)
    with read(journal.path) as reader:
        assert (4, journal.head, "s1", False) == (
            reader.length,
            reader.head,
            reader.session,
            reader.sealed,
        )


def test_a_reader_changes_nothing(journal: Journal) -> None:
    """Reading leaves a closed file as it is, byte for byte, finished or not."""
    sha = journal.keep(b"body")
    journal.close()
    before = journal.path.read_bytes()
    with read(journal.path) as reader:
        assert (len(list(reader.entries())), reader.payload(sha)) == (2, b"body")
    assert before == journal.path.read_bytes()


@pytest.mark.parametrize("content", [b"", b"not a database at all, but long enough to be one"])
def test_a_file_that_is_no_journal(tmp_path: Path, content: bytes) -> None:
    """Neither an empty file nor any other is taken for a session, and none is changed."""
    file = tmp_path / "notes.db"
    file.write_bytes(content)
    for opened in (read, Journal.open):
        with pytest.raises(JournalError):
            opened(file)
    assert content == file.read_bytes()
    assert {"notes.db"} == set(modes(tmp_path))


def test_another_programs_database(tmp_path: Path) -> None:
    """A SQLite file of another program is no session."""
    with closing(sqlite3.connect(tmp_path / "other.db")) as database:
        database.execute("CREATE TABLE event (seq)")
    for opened in (read, Journal.open):
        with pytest.raises(JournalError, match="not a session file"):
            opened(tmp_path / "other.db")


@pytest.mark.parametrize("opened", [read, Journal.open])
def test_a_file_that_does_not_exist(path: Path, opened: Callable[[Path], object]) -> None:
    """A missing file is an error, and nothing is made in its place."""
    with pytest.raises(JournalError, match="there is no session file"):
        opened(path)
    assert not path.parent.exists()


def test_odd_names_are_only_names(tmp_path: Path) -> None:
    """Characters that mean something in a URI mean nothing in the name of a file."""
    path = tmp_path / "a b?mode=memory#%41 é.db"
    with Journal.create(path, "s1") as journal:
        journal.append(EVENTS)
    with read(path) as reader:
        assert reader.length == 2


# ------------------------------------------------------------------ resuming
def test_resuming_goes_on_with_the_chain(journal: Journal) -> None:
    """A resumed session stands exactly where it was left."""
    head = journal.head
    journal.close()
    with Journal.open(journal.path) as resumed:
        assert ("s1", head, 2) == (resumed.session, resumed.head, resumed.length)
        assert resumed.append(EVENTS)[0].seq == 3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DROP TRIGGER event_no_update", "another schema"),
        ("INSERT INTO meta VALUES ('more', 'x')", "whose journal"),
        ("INSERT INTO event VALUES (3, 1, 'x', '{}', (SELECT hash FROM event WHERE seq = 2), '')",
         "event 3 is not what"),
    ],
)  # fmt: skip
def test_an_altered_session_is_not_resumed(journal: Journal, change: str, said: str) -> None:
    """What was changed is refused, and the next writer is not locked out by the refusal."""
    journal.close()
    with closing(sqlite3.connect(journal.path)) as database, database:
        database.execute(change)
    for _ in range(2):
        with pytest.raises(JournalAltered, match=said):
            Journal.open(journal.path)


def test_a_changed_payload_is_not_handed_out(journal: Journal) -> None:
    """Bytes are hashed again whenever they are read."""
    sha = journal.keep(b"body")
    with closing(sqlite3.connect(journal.path)) as database, database:
        find = "SELECT sql FROM sqlite_schema WHERE name = 'payload_no_update'"
        (trigger,) = database.execute(find).fetchone()
        database.execute("DROP TRIGGER payload_no_update")
        database.execute("UPDATE payload SET body = x'00'")
        database.execute(trigger)
    with read(journal.path) as reader:
        for source in (journal, reader):
            with pytest.raises(JournalAltered, match="not what its hash was made from"):
                source.payload(sha)


# ------------------------------------------------------------------ sealing
def test_a_sealed_session_is_one_file_and_its_hash(journal: Journal) -> None:
    """Nothing is left beside the file but its hash, and nobody can write to it by accident."""
    sidecar = journal.seal()
    assert journal.path.with_name("s1.db.sha256") == sidecar
    assert modes(sidecar.parent) == {"s1.db": "0400", "s1.db.sha256": "0600"}


def test_a_sealed_session_can_be_read(journal: Journal) -> None:
    """Everything is there, and the reader knows that nothing more will come."""
    sha = journal.keep(b"body")
    expected = list(journal.entries())
    journal.seal()
    with read(journal.path) as reader:
        assert (True, expected, b"body") == (
            reader.sealed,
            list(reader.entries()),
            reader.payload(sha),
        )
    assert {"s1.db", "s1.db.sha256"} == set(modes(journal.path.parent))


def test_a_sealed_session_is_finished(journal: Journal) -> None:
    """Neither its writer nor a new one can add to it."""
    journal.seal()
    with pytest.raises(JournalError):
        journal.append(EVENTS)
    with pytest.raises(JournalError, match="is sealed"):
        Journal.open(journal.path)
    journal.close()
    assert {"s1.db", "s1.db.sha256"} == set(modes(journal.path.parent))


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO event SELECT seq + 1, at, kind, json, hash, hash FROM event WHERE seq = 2",
        "INSERT INTO payload VALUES ('x', 0, x'')",
        "INSERT INTO meta VALUES ('more', 'x')",
    ],
)
def test_the_file_itself_knows_that_it_is_sealed(journal: Journal, statement: str) -> None:
    """Even with write permission, nothing is added to a sealed file by accident."""
    journal.seal()
    journal.path.chmod(0o600)
    with (
        closing(sqlite3.connect(journal.path)) as database,
        pytest.raises(sqlite3.IntegrityError, match=r"sealed|already in"),
    ):
        database.execute(statement)


def test_watching_does_not_keep_a_session_from_being_sealed(journal: Journal) -> None:
    """A reader that stands still in the middle holds nothing."""
    with read(journal.path) as reader:
        entries = reader.entries()
        next(entries)
        journal.seal()
        assert next(entries).seq == 2


def test_a_program_that_holds_the_file_keeps_it_unsealed(journal: Journal) -> None:
    """Sealing fails as long as another program reads, harms nothing, and works afterwards."""
    journal._database.execute("PRAGMA busy_timeout=20")
    with closing(sqlite3.connect(journal.path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT * FROM event").fetchall()
        with pytest.raises(JournalError, match="locked"):
            journal.seal()
        assert journal.append(EVENTS)[0].seq == 3
        other.execute("COMMIT")
    journal.seal()
    with read(journal.path) as reader:
        assert (reader.sealed, reader.length) == (True, 4)
