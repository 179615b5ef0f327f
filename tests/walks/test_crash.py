"""kill -9 at any moment: the record is whole, nothing runs twice, and the session goes on."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from typing import Any

import pytest

from core.aws import source_of
from core.codec import parse
from core.config import load
from core.decide import Done, Move, Record, decide
from core.errors import JournalError
from core.events import BULK, Fact, RunInterrupted, RunStarted, SessionFinished
from core.here import now_ms
from core.journal.store import read
from core.loop import Loop
from core.session import Session, fold
from core.start import resume

CHILD = Path(__file__).with_name("crash_child.py")
PARTS = 4
"""Tests that share what is killed, so that they can run side by side."""
SLICES = 25
"""Equal parts into which a child's life is cut, once by time and once by what it wrote."""


@dataclass(frozen=True, slots=True)
class Template:
    """A data directory with a runtime, and when a child in it wrote each byte and ended.

    A moment is so many bytes and some seconds after the last of them: a machine that is slower now
    than it was then is hit at the same place.
    """

    data: Path
    marks: list[float]

    def moments(self) -> list[tuple[int, float]]:
        """Return a random moment in each slice, long waits in the one half and busy times too."""
        chance = random.Random(20261120)
        places = [(number + chance.random()) / SLICES for number in range(2 * SLICES)]
        begin, end = self.marks[0], self.marks[-1]
        times = [begin + (end - begin) * place for place in places[:SLICES]]
        times += [self._at((place - 1) * (len(self.marks) - 1)) for place in places[SLICES:]]
        numbers = [bisect_right(self.marks, each) for each in times]
        return [(n, each - self.marks[n - 1]) for n, each in zip(numbers, times, strict=True)]

    def _at(self, place: float) -> float:
        """Return when a child was there: 2.5 is half way between the third and the fourth mark."""
        number = int(place)
        before, after = self.marks[number : number + 2]
        return before + (after - before) * (place - number)


@pytest.fixture(scope="module")
def child() -> Any:
    """Return the module of the child, to resume its sessions in this process."""
    spec = spec_from_file_location("crash_child", CHILD)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> list[Fact]:
    """Return the facts of the session that nobody killed."""
    data = tmp_path_factory.mktemp("unbroken")
    assert code_of(data, 0, "replayed") == 0
    return facts_of(session_of(data))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Return what a child that nobody kills needs, and how it lives."""
    data = tmp_path_factory.mktemp("template")
    marks = []
    with killed_at(data, 0, "real") as process:
        assert process.stdout
        while process.stdout.read(1):
            marks.append(time.monotonic())
    assert process.returncode == 0
    assert left_behind(data) == []
    return Template(data, [*marks, time.monotonic()])


def killed_at(data: Path, number: int, kind: str) -> subprocess.Popen[bytes]:
    """Start a child that kills itself at event `number`; 0 = never."""
    command = [sys.executable, str(CHILD), str(data), str(number), kind]
    environment = {**os.environ, "PYTHONPATH": str(CHILD.parents[2])}
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        env=environment,
        cwd="/",
        start_new_session=True,
    )


def code_of(data: Path, number: int, kind: str) -> int:
    """Return the exit code of a child that nobody else kills."""
    with killed_at(data, number, kind) as process:
        return process.wait()


def session_of(data: Path) -> Path:
    """Return the only session file below a data directory."""
    (path,) = (data / "sessions").glob("*.db")
    return path


def begun(data: Path) -> list[Path]:
    """Return the session files with an event; a child that died before left none, or no session."""
    found = []
    for path in (data / "sessions").glob("*.db"):
        try:
            found += [path] if facts_of(path) else []
        except JournalError:
            assert b"session.started" not in path.read_bytes()
    return found


def facts_of(path: Path) -> list[Fact]:
    """Return what a session file holds."""
    with read(path) as journal:
        return [Fact(e.seq, e.at, parse(e.kind, e.text)) for e in journal.entries()]


def turning(facts: list[Fact]) -> list[Fact]:
    """Return the facts whose number and order do not depend on timing."""
    return [fact for fact in facts if fact.event.kind not in BULK]


def next_moves(unbroken: list[Fact]) -> dict[int, Move]:
    """Return the next move of the unbroken session by how many turning events there were."""
    return {
        len(turning(unbroken[:length])): decide(fold(unbroken[:length]), unbroken[length - 1].at)
        for length in range(1, len(unbroken) + 1)
    }


def go_on(child: Any, path: Path) -> list[Fact]:
    """Resume a session in this process, with the sandbox that runs nothing, to its end."""

    async def to_the_end() -> None:
        settings = load(None, {"COUNTERSIGN_DATA": str(path.parents[1])})
        source = source_of(path, path.parent)
        desk, session = await resume(settings, source, path, nothing)
        loop = Loop(child.replayed_engine(desk), desk.log, asyncio.Queue(), nothing, now_ms)
        await loop.work(session)
        await desk.close()

    asyncio.run(to_the_end())
    return facts_of(path)


def nothing(_: Session, __: Fact) -> None:
    """Show nothing."""


def check(child: Any, path: Path, expected: dict[int, Move]) -> None:
    """Hold a killed session to the unbroken one, and bring it to its end."""
    facts = facts_of(path)
    move = decide(fold(facts), facts[-1].at)
    interruption = isinstance(move, Record) and isinstance(move.event, RunInterrupted)
    assert interruption or move == expected[len(turning(facts))]
    if isinstance(move, Done):
        return

    ended = go_on(child, path)

    started = Counter(f.event.request for f in ended if isinstance(f.event, RunStarted))
    assert set(started.values()) <= {1}
    assert ended[-1].event.kind == "session.finished"


@pytest.mark.timeout(180)
@pytest.mark.parametrize("part", range(PARTS))
def test_killed_after_every_event(
    tmp_path: Path, unbroken: list[Fact], child: Any, part: int
) -> None:
    """After each event: the next move is that of the unbroken session, or the interruption."""
    expected = next_moves(unbroken)
    numbers = range(1 + part, len(unbroken) + 1, PARTS)
    assert len(numbers) >= 2

    for number in numbers:
        data = tmp_path / str(number)
        assert code_of(data, number, "replayed") == -signal.SIGKILL
        path = session_of(data)
        assert len(facts_of(path)) == number
        check(child, path, expected)


def test_killed_before_its_hash_was_written(tmp_path: Path, countersign: Any) -> None:
    """A session that was over when it was killed ends with its exit code, and is sealed."""
    assert code_of(tmp_path, 0, "replayed") == 0
    path = session_of(tmp_path)
    path.with_name(f"{path.name}.sha256").unlink()
    path.chmod(0o600)
    ended = facts_of(path)[-1].event
    assert isinstance(ended, SessionFinished)
    here = type(countersign)(tmp_path)

    assert here("ask", "--resume", path.stem).code == ended.exit_code
    assert here("verify", path.stem).code == 0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("part", range(PARTS))
def test_killed_at_random_moments(
    tmp_path: Path, unbroken: list[Fact], template: Template, child: Any, part: int
) -> None:
    """At 50 random moments, all parts together: the same, and no process of the run is left."""
    expected = next_moves(unbroken)
    moments = template.moments()[part::PARTS]
    shutil.copytree(template.data / "runtimes", tmp_path / "runtimes", symlinks=True)
    for bytes_written, seconds in moments:
        with killed_at(tmp_path, 0, "real") as process:
            assert process.stdout
            process.stdout.read(bytes_written)
            time.sleep(seconds)
            process.kill()
    died = begun(tmp_path)
    in_the_middle = [path for path in died if fold(facts_of(path)).finished is None]

    for path in died:
        check(child, path, expected)
    assert len(in_the_middle) >= len(moments) // 2
    assert left_behind(tmp_path) == []


def left_behind(folder: Path) -> list[str]:
    """Return processes that still have to do with `folder`, after a moment to die."""
    deadline = time.monotonic() + 5
    while found := [process for process, traces in processes() if str(folder) in traces]:
        if time.monotonic() > deadline:
            return found
        time.sleep(0.1)
    return []


def processes() -> Iterator[tuple[str, str]]:
    """Yield each process that can be seen, with its command line and the mounts it sees."""
    for process in Path("/proc").glob("[0-9]*"):
        try:
            traces = (process / "cmdline").read_bytes() + (process / "mountinfo").read_bytes()
        except OSError:
            continue
        yield process.name, traces.replace(b"\0", b" ").decode(errors="replace")
