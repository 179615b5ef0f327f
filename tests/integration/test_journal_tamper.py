"""Session files that somebody has changed: whatever was done, `verify` never says intact.

Each manipulation is judged a second time by the stand-alone program in docs/, which shares no code
with ours.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from core.errors import JournalError
from core.journal.store import Journal, read
from core.journal.verify import Verification, verify

STANDALONE = Path(__file__).parents[2] / "docs" / "verify_session.py"
WHEN = 0x018F_1122_3344
"""Milliseconds; the bytes 01 8f 11 22 33 44 stand for it in the file."""
SCRIPT = b"import boto3\nprint(boto3.client('sts').get_caller_identity())\n"
LARGE = b"".join(b"line %06d\n" % number for number in range(1000))
"""Several pages long."""


def write_session(path: Path, session: str = "s1") -> Journal:
    """Write a small session that names payloads; it is still open."""
    journal = Journal.create(path, session)
    events = [
        ("session.started", {"session": session, "question": "why?"}),
        ("draft.generated", {"script": journal.keep(SCRIPT), "rollback": None}),
        ("run.finished", {"result": journal.keep(LARGE), "artifacts": {"a": journal.keep(b"x")}}),
        ("session.finished", {"exit_code": 0}),
    ]
    journal.append([(WHEN, kind, json.dumps(event)) for kind, event in events])
    return journal


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of a session that was broken off after four events."""
    write_session(tmp_path / "s1.db").close()
    return tmp_path / "s1.db"


@pytest.fixture
def sealed(tmp_path: Path) -> Path:
    """Return the path of a finished session, made writable again for who wants to change it."""
    write_session(tmp_path / "s1.db").seal()
    (tmp_path / "s1.db").chmod(0o600)
    return tmp_path / "s1.db"


def sidecar_of(path: Path) -> Path:
    """Return where the hash of a session lies."""
    return path.with_name(f"{path.name}.sha256")


def forge(path: Path) -> None:
    """Write the sidecar anew, as somebody would who wants a change to go unnoticed."""
    line = f"{sha256(path.read_bytes()).hexdigest()}  {path.name}\n"
    sidecar_of(path).write_text(line, encoding="utf-8")


def change(path: Path, *statements: str) -> None:
    """Run statements with the triggers out of the way, and put the triggers back."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        find = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
        triggers = database.execute(find).fetchall()
        for name, _ in triggers:
            database.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            database.execute(statement)
        for _, sql in triggers:
            database.execute(sql)


def stranger(path: Path) -> int:
    """Return the exit code of the stand-alone program."""
    command = [sys.executable, "-I", str(STANDALONE), str(path)]
    return subprocess.run(command, capture_output=True, check=False, timeout=30).returncode


def both(path: Path) -> str:
    """Return the verdict, after making sure that the stand-alone program says the same."""
    found = verify(path)
    assert found.exit_code == stranger(path), found.notes
    return found.verdict


# ------------------------------------------------------------------ nobody has changed anything
def test_a_sealed_session_is_intact(sealed: Path) -> None:
    """What was written and sealed is intact, and verifying changes nothing beside it."""
    with read(sealed) as reader:
        expected = Verification("intact", 4, reader.head, "s1", True, ())
    files = set(sealed.parent.iterdir())

    assert expected == verify(sealed)
    assert both(sealed) == "intact"
    assert files == set(sealed.parent.iterdir())


def test_sha256sum_agrees(sealed: Path) -> None:
    """The sidecar is in the form that sha256sum checks."""
    command = ["sha256sum", "-c", sidecar_of(sealed).name]
    done = subprocess.run(command, cwd=sealed.parent, capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"s1.db: OK\n")


def test_a_session_without_events_is_intact(tmp_path: Path) -> None:
    """Even an empty session can be sealed and verified."""
    Journal.create(tmp_path / "s1.db", "s1").seal()
    assert both(tmp_path / "s1.db") == "intact"


def test_a_session_that_was_broken_off_is_unknown(path: Path) -> None:
    """Without a seal nobody can say that nothing is missing at the end."""
    note = "the chain of 4 events holds; not sealed, so a cut tail would not show"
    found = verify(path)
    assert (found.verdict, found.events, found.sealed, found.notes) == (
        "unknown",
        4,
        False,
        (note,),
    )
    assert stranger(path) == 2


def test_a_live_session_is_unknown(tmp_path: Path) -> None:
    """A session can be verified while it is written, and goes on."""
    with write_session(tmp_path / "s1.db") as journal:
        assert both(journal.path) == "unknown"
        journal.append([(WHEN, "note.added", "{}")])
        assert verify(journal.path).events == 5


# ------------------------------------------------------------------ bytes
def places(whole: bytes, parts: list[bytes]) -> list[int]:
    """Return the offset of every byte of every occurrence of some parts of a file."""
    found: set[int] = set()
    for part in parts:
        start = whole.find(part)
        while start >= 0:
            found.update(range(start, start + len(part)))
            start = whole.find(part, start + 1)
    return sorted(found)


def verdicts_after_flips(
    path: Path, offsets: list[int], after: Callable[[Path], None]
) -> Iterator[tuple[int, str]]:
    """Flip one bit of one byte at a time, and yield the verdicts."""
    with path.open("r+b", buffering=0) as file:
        for offset in offsets:
            file.seek(offset)
            byte = file.read(1)[0]
            file.seek(offset)
            file.write(bytes([byte ^ 1 << offset % 8]))
            after(path)
            yield offset, verify(path).verdict
            file.seek(offset)
            file.write(bytes([byte]))


def test_any_flipped_byte_of_a_sealed_file_shows(sealed: Path) -> None:
    """All over the file: one bit is enough for altered."""
    offsets = list(range(0, sealed.stat().st_size, 7))
    found = list(verdicts_after_flips(sealed, offsets, lambda _: None))

    assert len(found) > 3000
    assert [place for place, verdict in found if verdict != "altered"] == []
    assert verify(sealed).verdict == "intact"


def test_any_flipped_byte_of_an_event_shows_behind_a_forged_sidecar(sealed: Path) -> None:
    """Every byte of every stored event is held by the chain, not only by the hash of the file."""
    with read(sealed) as reader:
        entries = list(reader.entries())
    parts = [f"{entry.kind}{entry.text}".encode() for entry in entries]
    parts += [entry.hash.encode() for entry in entries] + [WHEN.to_bytes(6)]
    offsets = places(sealed.read_bytes(), parts)
    found = list(verdicts_after_flips(sealed, offsets, forge))

    assert len(found) > sum(map(len, parts))
    assert [place for place, verdict in found if verdict != "altered"] == []


def test_any_flipped_byte_of_a_payload_shows_behind_a_forged_sidecar(sealed: Path) -> None:
    """Every byte of a small payload, and one in each line of a large one, is held by its hash."""
    lines = LARGE.splitlines()
    whole = sealed.read_bytes()
    offsets = places(whole, [SCRIPT]) + [whole.find(line) for line in lines if line in whole]
    found = list(verdicts_after_flips(sealed, offsets, forge))

    assert len(found) > len(SCRIPT) + len(lines) - 10
    assert [place for place, verdict in found if verdict != "altered"] == []


@pytest.mark.parametrize("forged", [False, True])
@pytest.mark.parametrize("length", [0, 1, 99, 100, 4095, 4096, 8192, -4096, -1])
def test_a_file_that_was_cut_is_never_intact(sealed: Path, length: int, forged: bool) -> None:
    """Wherever the file is cut, with the sidecar or with another one for the rest."""
    sealed.write_bytes(sealed.read_bytes()[:length])
    if forged:
        forge(sealed)
    assert verify(sealed).verdict in ("altered", "unknown")
    assert (verify(sealed).verdict == "altered") >= (not forged)
    assert stranger(sealed) != 0


def test_a_file_that_grew_is_altered(sealed: Path) -> None:
    """A byte more is a change too."""
    with sealed.open("ab") as file:
        file.write(b"\0")
    assert both(sealed) == "altered"


# ------------------------------------------------------------------ columns, rows, tables
COPY = "INSERT INTO event SELECT {}, at, kind, json, {}, hash FROM event WHERE seq = 4"
CHANGES = {
    "seq": ["UPDATE event SET seq = 99 WHERE seq = 4"],
    "at": ["UPDATE event SET at = at + 1 WHERE seq = 2"],
    "kind": ["UPDATE event SET kind = 'note.added' WHERE seq = 2"],
    "json": ["UPDATE event SET json = json || ' ' WHERE seq = 2"],
    "prev": ["UPDATE event SET prev = hash WHERE seq = 2"],
    "hash": ["UPDATE event SET hash = prev WHERE seq = 4"],
    "first deleted": ["DELETE FROM event WHERE seq = 1"],
    "one deleted": ["DELETE FROM event WHERE seq = 2"],
    "one deleted, gap closed": [
        "DELETE FROM event WHERE seq = 2",
        "UPDATE event SET seq = seq - 1 WHERE seq > 2",
    ],
    "two swapped": [f"UPDATE event SET seq = {a} WHERE seq = {b}" for a, b in
                    ((9, 2), (2, 3), (3, 9))],
    "one put before the first": [COPY.format("0", "prev")],
    "one put behind the last": [COPY.format("5", "hash")],
    "the last repeated": [COPY.format("5", "prev")],
    "payload's name": ["UPDATE payload SET sha256 = printf('%064d', 0) WHERE size = 1"],
    "payload's size": ["UPDATE payload SET size = size + 1 WHERE size = 1"],
    "payload's body": ["UPDATE payload SET body = x'00' WHERE size = 1"],
    "payload deleted": ["DELETE FROM payload WHERE size = 1"],
    "payload that is not its name": ["INSERT INTO payload VALUES ('x', 0, x'')"],
    "another session's name": ["UPDATE meta SET value = 's2' WHERE key = 'session'"],
    "another format": ["UPDATE meta SET value = 'x' WHERE key = 'format'"],
    "no session": ["DELETE FROM meta WHERE key = 'session'"],
    "no format": ["DELETE FROM meta WHERE key = 'format'"],
    "more in meta": ["INSERT INTO meta VALUES ('more', 'x')"],
    "one table more": ["CREATE TABLE more (x)"],
    "one index more": ["CREATE INDEX more ON event (at)"],
    "one view more": ["CREATE VIEW more AS SELECT 1"],
    "one column more": ["ALTER TABLE event ADD COLUMN more TEXT"],
    "one trigger more": ["CREATE TRIGGER more AFTER INSERT ON event BEGIN SELECT 1; END"],
}  # fmt: skip


@pytest.mark.parametrize("statements", CHANGES.values(), ids=CHANGES.keys())
def test_a_change_by_hand_is_altered(path: Path, statements: list[str]) -> None:
    """Each stored value, row and table: changed in an unfinished session, it shows."""
    change(path, *statements)
    assert both(path) == "altered"


@pytest.mark.parametrize("statements", CHANGES.values(), ids=CHANGES.keys())
def test_a_change_by_hand_behind_a_forged_sidecar_is_altered(
    sealed: Path, statements: list[str]
) -> None:
    """The same changes show in a finished session, even when its sidecar is written anew."""
    change(sealed, *statements)
    forge(sealed)
    assert both(sealed) == "altered"


def test_a_missing_trigger_is_altered(path: Path) -> None:
    """A file without its guards is not one that we wrote."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP TRIGGER event_next")
    assert both(path) == "altered"


def test_a_missing_table_is_altered(path: Path) -> None:
    """What still says that it is a session, but lacks a part, was changed."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("DROP TABLE payload")
    assert both(path) == "altered"


@pytest.mark.parametrize("value", ["NULL", "'text'", "x'00'", "1.5"])
def test_a_value_of_another_type_is_altered(path: Path, value: str) -> None:
    """Values that a strict table never holds, smuggled in past it, show."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        find = "SELECT sql FROM sqlite_schema WHERE name = 'event'"
        (strict,) = database.execute(find).fetchone()
        for sql in (strict.replace(" STRICT", "").replace(" NOT NULL", ""), strict):
            database.execute("PRAGMA writable_schema=ON")
            database.execute("UPDATE sqlite_schema SET sql = ? WHERE name = 'event'", (sql,))
            database.execute("PRAGMA writable_schema=RESET")
            if sql != strict:
                change(path, f"UPDATE event SET at = {value} WHERE seq = 2")
    assert both(path) == "altered"


# ------------------------------------------------------------------ the tail
def test_a_tail_that_was_cut_off_and_sealed_over_is_altered(sealed: Path) -> None:
    """The seal names the last event, so the sidecar alone can't be made to fit."""
    change(sealed, "DELETE FROM event WHERE seq = 4")
    forge(sealed)
    assert both(sealed) == "altered"


def test_a_tail_cut_off_an_unfinished_session_does_not_show(path: Path) -> None:
    """This is what "unknown" is for: the events that are left hold."""
    change(path, "DELETE FROM event WHERE seq = 4")
    assert (verify(path).verdict, verify(path).events) == ("unknown", 3)


def test_a_session_written_anew_has_another_head(sealed: Path, tmp_path: Path) -> None:
    """Who rewrites all of it can't be found by the file alone, only by a head kept elsewhere."""
    before = verify(sealed)
    (tmp_path / "other").mkdir()
    with Journal.create(tmp_path / "other" / "s1.db", "s1") as journal:
        with read(sealed) as reader:
            for entry in reader.entries():
                for body in (SCRIPT, LARGE, b"x"):
                    journal.keep(body)
                text = entry.text.replace("why?", "how?")
                journal.append([(entry.at, entry.kind, text)])
        journal.seal()
    after = verify(journal.path)
    assert (before.verdict, after.verdict) == ("intact", "intact")
    assert before.head != after.head


# ------------------------------------------------------------------ whole files
def test_another_session_in_its_place_is_altered(sealed: Path, tmp_path: Path) -> None:
    """A sealed file does not fit beside the sidecar of another one."""
    other = write_session(tmp_path / "s2.db", "s2")
    other.seal()
    shutil.copyfile(other.path, sealed)
    assert both(sealed) == "altered"


def test_an_unfinished_copy_in_its_place_is_altered(sealed: Path, tmp_path: Path) -> None:
    """An earlier state does not pass, not even with a sidecar made for it."""
    unfinished = write_session(tmp_path / "copy.db")
    unfinished.close()
    shutil.copyfile(unfinished.path, sealed)
    assert both(sealed) == "altered"
    forge(sealed)
    assert both(sealed) == "altered"


@pytest.mark.parametrize("suffix", ["-wal", "-journal"])
def test_a_log_beside_a_sealed_file_is_altered(sealed: Path, suffix: str) -> None:
    """SQLite would read it as part of the session; ours does not, and says so."""
    sealed.with_name(f"s1.db{suffix}").write_bytes(b"")
    found = verify(sealed)
    assert (found.verdict, found.sealed) == ("altered", False)
    assert found.notes == (f"s1.db{suffix} beside a sealed file would be read with it",)


def test_a_planted_log_is_not_read(sealed: Path, tmp_path: Path) -> None:
    """A log that would change what the file says leads to altered."""
    copy = tmp_path / "copy.db"
    shutil.copyfile(sealed, copy)
    with closing(sqlite3.connect(copy, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=WAL")
        database.execute("DROP TRIGGER meta_no_delete")
        database.execute("DELETE FROM meta WHERE key = 'sealed'")
        shutil.copyfile(f"{copy}-wal", f"{sealed}-wal")
        assert verify(sealed).verdict == "altered"
        assert stranger(sealed) == 1


@pytest.mark.parametrize(
    ("sidecar", "note"),
    [
        (None, "s1.db.sha256, the hash of the whole file, is missing"),
        ("", "s1.db.sha256 is not what sha256sum would read"),
        ("0123\n", "s1.db.sha256 is not what sha256sum would read"),
    ],
)
def test_a_lost_sidecar_is_unknown(sealed: Path, sidecar: str | None, note: str) -> None:
    """Without the hash of the whole file nobody can say that all of it is as it was."""
    sidecar_of(sealed).unlink()
    if sidecar is not None:
        sidecar_of(sealed).write_text(sidecar)
    found = verify(sealed)
    assert (found.verdict, found.sealed, found.notes) == ("unknown", True, (note,))
    assert stranger(sealed) != 0


def test_a_wrong_sidecar_is_altered(sealed: Path) -> None:
    """A hash of something else contradicts the file."""
    sidecar_of(sealed).write_text(f"{'0' * 64}  s1.db\n")
    assert both(sealed) == "altered"


def test_a_session_may_be_renamed(sealed: Path) -> None:
    """The name of a file is no part of what happened; a note says what it was called."""
    renamed = sealed.with_name("evidence.db")
    sealed.rename(renamed)
    sidecar_of(sealed).rename(sidecar_of(renamed))
    found = verify(renamed)
    assert found.verdict == "intact"
    assert found.notes == ("evidence.db.sha256 knows the file as s1.db",)
    assert stranger(renamed) == 0


def test_a_link_leads_to_the_session(sealed: Path, tmp_path: Path) -> None:
    """A symbolic link is verified as what it points to."""
    (tmp_path / "link.db").symlink_to(sealed)
    assert both(tmp_path / "link.db") == "intact"


def test_a_destroyed_header_is_altered_when_there_is_a_sidecar(sealed: Path) -> None:
    """What no longer opens contradicts its sidecar; without one nothing can be said."""
    sealed.write_bytes(b"not SQLite" + sealed.read_bytes()[10:])
    assert both(sealed) == "altered"
    sidecar_of(sealed).unlink()
    assert both(sealed) == "unknown"


@pytest.mark.parametrize("content", [None, b"", b"text\n", b"SQLite format 3\0" + b"\0" * 4080])
def test_what_is_no_session_is_unknown(tmp_path: Path, content: bytes | None) -> None:
    """A file that is no journal, or none at all, is neither intact nor altered."""
    path = tmp_path / "s1.db"
    if content is not None:
        path.write_bytes(content)
    assert both(path) == "unknown"


def test_a_folder_is_no_session(tmp_path: Path) -> None:
    """Nothing is raised for a path that is not even a file."""
    assert (verify(tmp_path).verdict, stranger(tmp_path)) == ("unknown", 2)


def test_a_later_format_is_unknown(path: Path) -> None:
    """A file of a later version is not called altered by an earlier one."""
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA user_version=2")
    found = verify(path)
    assert (found.verdict, found.session) == ("unknown", None)
    with pytest.raises(JournalError, match="has format 2; the one known here is 1"):
        read(path)


def test_an_event_that_is_no_json_is_unknown(tmp_path: Path) -> None:
    """Which payloads it names can't be told; that it was changed can't be said either."""
    with Journal.create(tmp_path / "s1.db", "s1") as journal:
        journal.append([(1, "x", "[]"), (2, "x", "nonsense"), (3, "x", "[" * 100_000)])
        journal.seal()
    found = verify(journal.path)
    assert (found.verdict, len(found.notes)) == ("unknown", 3)


# ------------------------------------------------------------------ payloads that are gone
def test_an_erased_payload_is_noted(tmp_path: Path) -> None:
    """A payload that an event says was erased is missing rightly, and the note says so."""
    with write_session(tmp_path / "s1.db") as journal:
        sha = journal.keep(SCRIPT)
        journal.append([(WHEN, "payload.erased", json.dumps({"payload": sha}))])
    change(journal.path, f"DELETE FROM payload WHERE sha256 = '{sha}'")
    with Journal.open(journal.path) as journal:
        journal.seal()
    assert both(journal.path) == "intact"
    assert verify(journal.path).notes == (f"the payload {sha} of event 2 was erased on purpose",)


def test_a_payload_without_an_event_is_no_contradiction(tmp_path: Path) -> None:
    """A writer that died between payload and event leaves a payload that nothing names."""
    with write_session(tmp_path / "s1.db") as journal:
        journal.keep(b"never named")
        journal.seal()
    assert both(journal.path) == "intact"
