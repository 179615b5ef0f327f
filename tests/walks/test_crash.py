"""kill -9 at any moment: the record is whole, nothing runs twice, and the session goes on."""

from __future__ import annotations

import asyncio
import json
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
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from socket import AF_UNIX, SOCK_SEQPACKET, send_fds, socket, socketpair
from typing import Any, BinaryIO

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

    nest: Nest
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


@dataclass(slots=True)
class Child:
    """One that lives, and how it ended."""

    events: BinaryIO
    """A byte for each event that is durable, until it is over."""
    spared: bool = False
    """It is left alone until it ends, and not killed at the end of its block."""
    code: int | None = None


@pytest.fixture(scope="module")
def child() -> Any:
    """Return the module of the child, to resume its sessions in this process."""
    spec = spec_from_file_location("crash_child", CHILD)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Nest:
    """A process that has worked once already, and becomes a child as often as it is told."""

    def __init__(self, orders: socket) -> None:
        self._orders = orders

    @contextmanager
    def killed_at(self, data: Path, number: int, kind: str) -> Iterator[Child]:
        """Have a child that kills itself at event `number`; 0 = never."""
        environment = {**os.environ, "COUNTERSIGN_DATA": str(data)}
        order = {"environment": environment, "number": number, "kind": kind}
        told, tells = os.pipe()
        with os.fdopen(told, "rb") as events:
            send_fds(self._orders, [json.dumps(order).encode()], [tells])
            os.close(tells)
            child = Child(events)
            try:
                yield child
            finally:
                self._orders.send(b"w" if child.spared else b"k")
                child.code = int(self._orders.recv(16))

    def code_of(self, data: Path, number: int, kind: str) -> int | None:
        """Return the exit code of a child that nobody else kills."""
        with self.killed_at(data, number, kind) as child:
            child.spared = True
        return child.code


@pytest.fixture(scope="module")
def nested(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Nest, Path]]:
    """Return the nest, and the data directory in which it worked once."""
    data = tmp_path_factory.mktemp("unbroken")
    ours, theirs = socketpair(AF_UNIX, SOCK_SEQPACKET)
    with ours:
        with theirs:
            process = subprocess.Popen(
                [sys.executable, str(CHILD), str(theirs.fileno()), str(data)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": str(CHILD.parents[2])},
                cwd="/",
                start_new_session=True,
                pass_fds=(theirs.fileno(),),
            )
        assert ours.recv(16) == b"ready"
        yield Nest(ours), data
    assert process.wait() == 0


@pytest.fixture
def nest(nested: tuple[Nest, Path]) -> Nest:
    """Return what children come from."""
    return nested[0]


@pytest.fixture(scope="module")
def unbroken(nested: tuple[Nest, Path]) -> list[Fact]:
    """Return the facts of the session that nobody killed."""
    return facts_of(session_of(nested[1]))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory, nested: tuple[Nest, Path]) -> Template:
    """Return what a child that nobody kills needs, and how it lives."""
    data = tmp_path_factory.mktemp("template")
    marks = []
    with nested[0].killed_at(data, 0, "real") as child:
        while child.events.read(1):
            marks.append(time.monotonic())
        child.spared = True
    assert child.code == 0
    assert left_behind(data) == []
    return Template(nested[0], data, [*marks, time.monotonic()])


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
    tmp_path: Path, nest: Nest, unbroken: list[Fact], child: Any, part: int
) -> None:
    """After each event: the next move is that of the unbroken session, or the interruption."""
    expected = next_moves(unbroken)
    numbers = range(1 + part, len(unbroken) + 1, PARTS)
    assert len(numbers) >= 2

    for number in numbers:
        data = tmp_path / str(number)
        assert nest.code_of(data, number, "replayed") == -signal.SIGKILL
        path = session_of(data)
        assert len(facts_of(path)) == number
        check(child, path, expected)


def test_killed_before_its_hash_was_written(tmp_path: Path, nest: Nest, countersign: Any) -> None:
    """A session that was over when it was killed ends with its exit code, and is sealed."""
    assert nest.code_of(tmp_path, 0, "replayed") == 0
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
        with template.nest.killed_at(tmp_path, 0, "real") as living:
            living.events.read(bytes_written)
            time.sleep(seconds)
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
