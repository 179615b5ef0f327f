"""Writers that die, disks that fill up, folders that can't be written: real processes, real limits.

The writer in another process says on its standard output, one number a line, how many events it
knows to be on the disk.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from tempfile import mkdtemp

import pytest

from core.errors import JournalAltered, JournalError
from core.journal.store import Journal, read
from core.journal.verify import verify

ROOT = Path(__file__).parents[2]
NOBODY = 65534
START = f"""
import os, resource, sys
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from core.errors import JournalError
from core.journal.store import Journal
path = Path(sys.argv[1])
def tell(number):
    os.write(1, b"%d\\n" % number)
"""
WRITE_FOR_EVER = (
    START
    + """
journal = Journal.open(path) if path.exists() else Journal.create(path, "s1")
while True:
    sha = journal.keep(os.urandom(2000))
    event = (1000, "run.finished", '{"result":"%s"}' % sha)
    journal.append([event] * 3)
    tell(journal.length)
"""
)
WRITE_UNTIL_FULL = (
    START
    + """
journal = Journal.create(path, "s1")
resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
try:
    while True:
        journal.append([(1000, "note.added", '{"text":"%s"}' % ("x" * 3000))])
        tell(journal.length)
except JournalError as error:
    sys.stderr.write(f"{error}\\n")
for attempt in (lambda: journal.append([]), lambda: journal.keep(b""), journal.seal):
    try:
        attempt()
    except JournalError as error:
        sys.stderr.write(f"{error}\\n")
journal.close()
"""
)
CREATE_WHEN_FULL = (
    START
    + """
resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000))
try:
    Journal.create(path, "s1")
except JournalError as error:
    sys.stderr.write(f"{error}\\n")
"""
)


SEAL = (
    START
    + """
journal = Journal.create(path, "s1")
for number in range(20):
    journal.append([(1000, "note.added", "{}")] * 50)
tell(journal.length)
journal.seal()
"""
)


DIE_AT_LINE = (
    START
    + """
import signal, traceback
from core import place
from core.journal import files, store
ours, line = {module.__file__ for module in (place, files, store)}, 0
def trace(frame, event, _):
    global line
    if frame.f_code.co_filename not in ours:
        return None
    line += event == "line"
    if line == int(sys.argv[2]):
        os.kill(os.getpid(), signal.SIGKILL)
    return trace
if sys.argv[3] == "create":
    sys.settrace(trace)
    journal = Journal.create(path, "s1")
else:
    journal = Journal.open(path)
    sys.settrace(trace)
    journal.seal()
"""
)
"""Dies before line number N of ours that is run while a session file is created, or sealed."""


def start(program: str, path: Path, *more: str) -> subprocess.Popen[bytes]:
    """Start a writer process."""
    command = [sys.executable, "-I", "-c", program, str(path), *more]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def last_told(output: bytes) -> int:
    """Return the last whole number that a writer told."""
    whole = output[: output.rfind(b"\n") + 1].split()
    return int(whole[-1]) if whole else 0


# ------------------------------------------------------------------ dying
def test_no_acknowledged_event_is_lost_by_kill_9(tmp_path: Path) -> None:
    """Twenty writers of one session are killed somewhere; each goes on where the one before was."""
    path, chance = tmp_path / "s1.db", random.Random(20)
    for _ in range(20):
        with start(WRITE_FOR_EVER, path) as writer:
            assert writer.stdout is not None
            first = writer.stdout.readline()
            time.sleep(chance.random() / 30)
            writer.kill()
            told = last_told(first + writer.stdout.read())
            assert writer.stderr is not None
            assert writer.stderr.read() == b""
        assert writer.returncode == -signal.SIGKILL
        found = verify(path)
        assert found.verdict == "unknown"
        assert found.notes[0].startswith(f"the chain of {found.events} events holds; not sealed")
        assert 0 < told <= found.events <= told + 3
        assert found.events % 3 == 0
    with Journal.open(path) as journal:
        assert journal.length == found.events
        journal.seal()
    assert verify(path).verdict == "intact"


def test_dying_while_sealing_is_never_called_altered(tmp_path: Path) -> None:
    """Wherever a writer dies on its way to the seal, nothing is lost and nothing looks changed."""
    chance = random.Random(12)
    for number in range(12):
        path = tmp_path / f"s{number}.db"
        with start(SEAL, path) as writer:
            assert writer.stdout is not None
            told = int(writer.stdout.readline())
            time.sleep(chance.random() / 100)
            writer.kill()
        found = verify(path)
        assert found.verdict in ("intact", "unknown")
        assert found.events == told
        if not found.sealed:
            Journal.open(path).seal()
            assert verify(path).verdict == "intact"


def died_at(act: str, path: Path, line: int) -> bool:
    """Let a writer die at a line of `act`; returns False when the act was over before."""
    with start(DIE_AT_LINE, path, str(line), act) as writer:
        _, errors = writer.communicate(timeout=30)
    assert (writer.returncode, errors) in ((-signal.SIGKILL, b""), (0, b""))
    return writer.returncode != 0


def half_sealed(path: Path) -> str:
    """Return how far a dead writer came on its way to the seal."""
    with closing(sqlite3.connect(path)) as database:
        marked = database.execute("SELECT count(*) FROM meta WHERE key = 'sealed'").fetchone()[0]
    sidecar = path.with_name(f"{path.name}.sha256").exists()
    return f"{'marked' if marked else 'open'} {path.stat().st_mode & 0o777:o} {sidecar}"


def test_a_seal_that_broke_off_is_finished(tmp_path: Path) -> None:
    """A writer dies at each line of the seal: whoever opens the file again can finish it."""
    seen, line = set(), 0
    while True:
        line += 1
        path = tmp_path / str(line) / "s1.db"
        with Journal.create(path, "s1") as journal:
            sha = journal.keep(b"body")
            journal.append([(1000, "run.finished", f'{{"result":"{sha}"}}')] * 2)
        if not died_at("seal", path, line):
            break
        seen.add(how_far := half_sealed(path))
        if how_far == "marked 400 True":
            with pytest.raises(JournalError, match="is sealed"):
                Journal.open(path)
        else:
            with Journal.open(path) as journal:
                assert (len(list(journal.entries())), journal.payload(sha)) == (2, b"body")
                journal.seal()
        assert verify(path).verdict == "intact"
        assert not path.with_name("s1.db.lock").exists()

    states = {"open 600 False", "marked 600 False", "marked 400 False", "marked 400 True"}
    assert states == seen


def test_a_file_that_lost_its_sidecar_takes_no_event(tmp_path: Path) -> None:
    """What is marked as finished stays as it is; only its hash is written anew."""
    path = tmp_path / "s1.db"
    write(path).seal()
    path.with_name("s1.db.sha256").unlink()
    before = path.read_bytes()

    with Journal.open(path) as journal, pytest.raises(JournalError):
        journal.append([(1000, "note.added", "{}")])
    with Journal.open(path) as journal:
        journal.seal()
    assert (before, "intact") == (path.read_bytes(), verify(path).verdict)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE payload SET body = x'00'",
        "DELETE FROM payload",
        "UPDATE event SET json = '{}' WHERE seq = 1",
        "UPDATE meta SET value = 'x' WHERE key = 'sealed'",
    ],
)
def test_a_changed_file_is_not_sealed_anew(tmp_path: Path, change: str) -> None:
    """The seal is finished only for a file whose chain and payloads hold."""
    path = tmp_path / "s1.db"
    with Journal.create(path, "s1") as journal:
        sha = journal.keep(b"body")
        journal.append([(1000, "run.finished", f'{{"result":"{sha}"}}')])
        journal.seal()
    path.with_name("s1.db.sha256").unlink()
    path.chmod(0o600)
    triggers = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
    with closing(sqlite3.connect(path)) as database, database:
        kept = database.execute(triggers).fetchall()
        for name, _ in kept:
            database.execute(f"DROP TRIGGER {name}")
        database.execute(change)
        for _, statement in kept:
            database.execute(statement)

    with pytest.raises(JournalAltered):
        Journal.open(path)
    assert {"s1.db"} == {file.name for file in tmp_path.iterdir()}


def test_a_session_is_there_whole_or_not_at_all(tmp_path: Path) -> None:
    """A writer dies at each line of making a file: no session, or one that can be gone on with."""
    seen, line = set(), 0
    while True:
        line += 1
        folder = tmp_path / str(line)
        folder.mkdir()
        if not died_at("create", folder / "s1.db", line):
            break
        sessions = list(folder.glob("*.db"))
        seen.add(len(sessions))
        for path in sessions:
            with Journal.open(path) as journal:
                assert journal.length == 0

    assert seen == {0, 1}


def test_a_dead_writer_holds_no_lock(tmp_path: Path) -> None:
    """The lock is the kernel's, so nobody has to clean up after a writer that was killed."""
    path = tmp_path / "s1.db"
    with start(WRITE_FOR_EVER, path) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        with pytest.raises(JournalError, match="another countersign writes"):
            Journal.open(path)
        writer.kill()
    with Journal.open(path) as journal:
        assert journal.length > 0


# ------------------------------------------------------------------ no room
def test_a_full_disk_stops_the_journal(tmp_path: Path) -> None:
    """What was acknowledged is there, nothing else is, and the journal refuses to go on."""
    path = tmp_path / "s1.db"
    with start(WRITE_UNTIL_FULL, path) as writer:
        output, errors = writer.communicate(timeout=30)
    told, said = last_told(output), errors.decode().splitlines()

    assert writer.returncode == 0
    assert told > 10
    assert len(said) == 4
    assert all("disk" in line for line in said)
    assert all("takes no more" in line for line in said[1:])
    with Journal.open(path) as journal:
        assert (told, told) == (journal.length, len(list(journal.entries())))
        journal.append([(1000, "note.added", "{}")])
        journal.seal()
    assert verify(path).verdict == "intact"


def test_a_session_that_can_not_be_started_leaves_nothing(tmp_path: Path) -> None:
    """On a full disk no half-made file stays behind."""
    with start(CREATE_WHEN_FULL, tmp_path / "s1.db") as writer:
        _, errors = writer.communicate(timeout=30)
    assert (writer.returncode, errors.count(b"disk")) == (0, 1)
    assert list(tmp_path.iterdir()) == []


# ------------------------------------------------------------------ read-only
@pytest.fixture
def shared() -> Iterator[Path]:
    """Return a folder that every user of this machine can reach."""
    folder = Path(mkdtemp(dir="/tmp"))
    folder.chmod(0o755)
    yield folder
    folder.chmod(0o755)
    shutil.rmtree(folder)


def as_somebody_else(look: Callable[[], str]) -> str:
    """Return what a user who owns nothing finds; not being root, we are such a user already."""
    if os.geteuid() != 0:
        return look()
    outcome, answer = os.pipe()
    with warnings.catch_warnings():
        # The child only reads a file and ends: threads of the parent don't matter to it.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if child == 0:
        try:
            os.setgroups([])
            os.setresgid(NOBODY, NOBODY, NOBODY)
            os.setresuid(NOBODY, NOBODY, NOBODY)
            os.write(answer, look().encode())
        finally:
            os._exit(0)
    os.close(answer)
    with os.fdopen(outcome, encoding="utf-8") as answers:
        said = answers.read()
    os.waitpid(child, 0)
    return said


def judged(path: Path) -> str:
    """Return what can be read of a session, and what is said of it."""
    with read(path) as reader:
        numbers = [entry.seq for entry in reader.entries()]
        found = verify(path)
        return f"{found.verdict} {found.events} {numbers} {reader.sealed}"


def make_read_only(folder: Path) -> None:
    """Let everybody read and nobody write."""
    for file in folder.iterdir():
        file.chmod(0o444)
    folder.chmod(0o555)


def write(path: Path) -> Journal:
    """Return an open session with two events."""
    journal = Journal.create(path, "s1")
    journal.append([(1000, "note.added", "{}"), (2000, "note.added", "{}")])
    return journal


def test_somebody_elses_sealed_session(shared: Path) -> None:
    """A finished session can be read and verified by anybody who gets a copy, from any disk."""
    write(shared / "s1.db").seal()
    make_read_only(shared)
    assert as_somebody_else(lambda: judged(shared / "s1.db")) == "intact 2 [1, 2] True"
    assert {"s1.db", "s1.db.sha256"} == {file.name for file in shared.iterdir()}


def test_somebody_elses_closed_session(shared: Path) -> None:
    """An unfinished session can be read where nothing can be written beside it."""
    write(shared / "s1.db").close()
    make_read_only(shared)
    assert as_somebody_else(lambda: judged(shared / "s1.db")) == "unknown 2 [1, 2] False"
    assert {"s1.db", "s1.db.lock"} == {file.name for file in shared.iterdir()}


def test_somebody_elses_broken_off_session(shared: Path) -> None:
    """What a dead writer left in its log is read too, without the log being touched."""
    with write(shared / "live.db"):
        for suffix in ("", "-wal"):
            shutil.copyfile(shared / f"live.db{suffix}", shared / f"s1.db{suffix}")
    before = (shared / "s1.db").read_bytes(), (shared / "s1.db-wal").read_bytes()
    make_read_only(shared)
    assert as_somebody_else(lambda: judged(shared / "s1.db")) == "unknown 2 [1, 2] False"
    assert before == ((shared / "s1.db").read_bytes(), (shared / "s1.db-wal").read_bytes())
    assert len(before[1]) > 0


def test_somebody_elses_private_session(shared: Path) -> None:
    """What can't be read is neither intact nor altered, and nothing is raised."""
    write(shared / "s1.db").seal()
    (shared / "s1.db").chmod(0)
    assert as_somebody_else(lambda: verify(shared / "s1.db").verdict) == "unknown"


def test_somebody_elses_session_is_not_resumed(shared: Path) -> None:
    """Who can't write the folder is told so, in one line."""
    write(shared / "s1.db").close()
    make_read_only(shared)

    def attempt() -> str:
        try:
            Journal.open(shared / "s1.db")
        except JournalError as error:
            return str(error)
        return "opened"

    assert "Permission denied" in as_somebody_else(attempt)


def test_a_folder_that_can_not_be_written(shared: Path) -> None:
    """No session is started where nothing can be recorded."""
    shared.chmod(0o555)

    def attempt() -> str:
        try:
            Journal.create(shared / "new" / "s1.db", "s1")
        except JournalError as error:
            return str(error)
        return "created"

    assert "Permission denied" in as_somebody_else(attempt)
