"""Session files from strangers, made to do harm to whoever only looks at them.

A file that is verified, listed or replayed must change nothing on this machine, use up nothing of
it, and write nothing to the terminal but text.
"""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from core.errors import JournalAltered, JournalError
from core.journal.files import write_sidecar
from core.journal.store import Journal, read
from core.journal.verify import verify
from core.sessions import overview
from tui import cli
from tui.surfaces import replay_banner

HOSTILE = "\x1b]0;owned\x07\x9b2J\u202e\r"
STANDALONE = Path(__file__).parents[2] / "docs" / "verify_session.py"
MAGIC = bytes.fromhex("d9d505f920a163d7")
PAGE = 4096


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Return the path of an unfinished session without a log beside it."""
    with Journal.create(tmp_path / "s1.db", "s1") as journal:
        journal.append([(1000, "note.added", "{}")])
    return journal.path


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """Return a file of the operator's that no session has anything to do with."""
    (tmp_path / "precious.txt").write_text("mine\n")
    return tmp_path / "precious.txt"


def leave_in_a_hurry(path: Path, victim: Path) -> None:
    """Lay a rollback journal beside `path` that names `victim` as the one of several databases."""
    name = str(victim).encode()
    source = path.with_name("source.db")
    shutil.copyfile(path, source)
    with closing(sqlite3.connect(source, isolation_level=None)) as database:
        database.execute("PRAGMA journal_mode=DELETE")
        database.execute("PRAGMA cache_size=1")
        database.execute("BEGIN")
        rows = ((f"{number}", PAGE, b"x" * PAGE) for number in range(100))
        database.executemany("INSERT INTO payload VALUES (?, ?, ?)", rows)
        shutil.copyfile(source, path)
        rollback = source.with_name("source.db-journal").read_bytes()
    record = (2**30 // PAGE + 1).to_bytes(4) + name
    record += len(name).to_bytes(4) + sum(name).to_bytes(4) + MAGIC
    path.with_name(f"{path.name}-journal").write_bytes(rollback + record)


def resume(path: Path) -> None:
    """Go on with a session."""
    with pytest.raises(JournalAltered, match="names another file"):
        Journal.open(path)


LOOKS: dict[str, Callable[[Path], object]] = {"verify": verify, "list": overview, "resume": resume}


@pytest.mark.parametrize("look", LOOKS.values(), ids=LOOKS.keys())
def test_a_rollback_journal_deletes_no_other_file(
    path: Path, victim: Path, look: Callable[[Path], object]
) -> None:
    """SQLite would delete the file that a stranger's rollback journal names; it never sees it."""
    leave_in_a_hurry(path, victim)
    look(path)
    assert victim.read_text() == "mine\n"
    assert verify(path).verdict == "altered"


def test_sqlite_does_what_is_guarded_against(path: Path, victim: Path) -> None:
    """The rollback journal of these tests is one that SQLite itself believes."""
    leave_in_a_hurry(path, victim)
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT count(*) FROM event").fetchone() == (1,)
    assert not victim.exists()


def test_a_rollback_journal_of_ours_is_followed(path: Path, victim: Path) -> None:
    """What names no other file is rolled back as before, in a copy."""
    leave_in_a_hurry(path, victim)
    rollback = path.with_name("s1.db-journal")
    rollback.write_bytes(rollback.read_bytes().removesuffix(MAGIC))
    found = verify(path)
    assert (found.verdict, found.events) == ("unknown", 1)


@pytest.mark.parametrize("suffix", ["-wal", "-journal"])
@pytest.mark.parametrize("kind", ["link", "pipe"])
def test_a_companion_that_is_no_plain_file_is_not_read(path: Path, suffix: str, kind: str) -> None:
    """A link would have any file, or one without end, copied; a pipe would be waited for."""
    companion = path.with_name(f"s1.db{suffix}")
    if kind == "link":
        companion.symlink_to("/dev/zero")
    else:
        os.mkfifo(companion)
    with pytest.raises(JournalAltered, match="is no plain file"):
        read(path)
    assert verify(path).verdict == "altered"


@pytest.mark.parametrize("kind", ["link", "second name"])
def test_nothing_is_written_into_another_file(path: Path, victim: Path, kind: str) -> None:
    """SQLite shares memory with other readers by a file, which is not one of the operator's."""
    shared = path.with_name("s1.db-shm")
    if kind == "link":
        shared.symlink_to(victim)
    else:
        shared.hardlink_to(victim)
    assert verify(path).verdict == "altered"
    assert victim.read_text() == "mine\n"


def test_a_table_that_computes_what_it_holds_is_not_read(path: Path) -> None:
    """Each row of such a table can be a gigabyte, and nothing of it lies in the file."""
    with closing(sqlite3.connect(path)) as database:
        (sql,) = database.execute("SELECT sql FROM sqlite_schema WHERE name = 'event'").fetchone()
        database.execute("DROP TABLE event")
        database.execute(sql.replace("json TEXT NOT NULL", "json TEXT AS (hex(zeroblob(1 << 28)))"))
    with pytest.raises(JournalAltered, match="another schema"):
        read(path)
    assert overview(path).state == "unreadable"


def test_the_highest_number_of_an_event_ends_the_file(path: Path) -> None:
    """There is no number behind it that could be asked for, and a list of sessions goes on."""
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        find = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
        triggers = database.execute(find).fetchall()
        for name, _ in triggers:
            database.execute(f"DROP TRIGGER {name}")
        database.execute(f"UPDATE event SET seq = {2**63 - 1}")
        for _, sql in triggers:
            database.execute(sql)
    assert overview(path).state == "unreadable"
    assert verify(path).verdict == "altered"


def test_a_link_that_leads_to_itself_is_no_session(tmp_path: Path) -> None:
    """One in the folder of sessions does not keep the others from being listed."""
    loop = tmp_path / "loop.db"
    loop.symlink_to(loop)
    assert overview(loop).state == "unreadable"
    assert verify(loop).verdict == "unknown"
    with pytest.raises(JournalError, match="there is no session file"):
        Journal.open(loop)


def test_a_sidecar_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    """A hash is one line; a file of a terabyte in its place is none."""
    with Journal.create(tmp_path / "s1.db", "s1") as journal:
        journal.seal()
    os.truncate(tmp_path / "s1.db.sha256", 1 << 40)
    found = verify(journal.path)
    assert found.verdict == "unknown"
    assert found.notes == ("s1.db.sha256 is not what sha256sum would read",)


# ------------------------------------------------------------------ what is printed of one
def hostile_file(folder: Path) -> Path:
    """Return a finished session whose texts would repaint a terminal."""
    path = folder / "s1.db"
    Journal.create(path, f"s1{HOSTILE}").close()
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("INSERT INTO payload VALUES (?, 0, x'')", (HOSTILE,))
    with Journal.open(path) as journal:
        journal.seal()
    return path


def shows(text: str) -> bool:
    """Tell whether a text is nothing but what can be seen."""
    return all(letter == "\n" or letter.isprintable() for letter in text)


def test_the_banner_of_a_replay_is_text(tmp_path: Path) -> None:
    """Neither the name of a payload nor the one in the sidecar reaches the terminal as it is."""
    path = hostile_file(tmp_path)
    sidecar = write_sidecar(path)
    sidecar.write_text(sidecar.read_text().replace("s1.db", HOSTILE))
    found = verify(path)
    assert HOSTILE in " ".join(found.notes)
    assert shows(replay_banner(found))


def test_the_stand_alone_program_prints_text(tmp_path: Path) -> None:
    """A payload named like a verdict, behind characters that go back, does not look like one."""
    command = [sys.executable, "-I", str(STANDALONE), str(hostile_file(tmp_path))]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("altered: the payload \\x1b")
    assert shows(done.stdout)


@pytest.mark.parametrize("text", ["[]", "5", "[" * 100_000])
def test_the_stand_alone_program_cannot_tell_what_it_cannot_read(tmp_path: Path, text: str) -> None:
    """An event that is no JSON object is no crash, which would say altered."""
    with Journal.create(tmp_path / "s1.db", "s1") as journal:
        journal.append([(1, "x", text)])
        journal.seal()
    command = [sys.executable, "-I", str(STANDALONE), str(journal.path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (verify(journal.path).exit_code, "")


def test_json_for_machines_is_text_on_a_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A control character of eight bits, or one that turns the line around, is written as ASCII."""
    path = hostile_file(tmp_path)
    assert cli.main(["verify", "--json", str(path)]) == 1
    printed = capsys.readouterr().out
    assert shows(printed)
    assert json.loads(printed)["session"] == f"s1{HOSTILE}"
