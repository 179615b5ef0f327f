"""What a run printed, as the journal has it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from core.events import RunOutput
from core.journal.store import Journal
from core.log import Log

PRINTED = (
    RunOutput("X1", "stdout", 0, "first\n", 0),
    RunOutput("X1", "stderr", 0, "Trace\n", 0),
    RunOutput("X2", "stdout", 0, "another run\n", 0),
    RunOutput("X1", "stdout", 16, "", 10),
    RunOutput("X1", "stdout", 46, "", 40),
    RunOutput("X1", "stdout", 46, "second\n", 40),
    RunOutput("X1", "stdout", 53, "third\n", 40),
    RunOutput("X1", "stderr", 106, "", 100),
    RunOutput("X1", "stderr", 106, "MemoryError\n", 100),
)


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    """Return a log of two runs that printed, one of them too much."""
    journal = Journal.create(tmp_path / "s.db", "s")
    log = Log(journal, lambda: 1)

    async def append() -> None:
        for event in PRINTED:
            await log.append(event)

    asyncio.run(append())
    yield log
    log.close()
    journal.close()


def test_what_was_dropped_is_said_in_its_place(log: Log) -> None:
    """Beginning and end never look as if nothing had been between them."""
    assert log.printed("X1", 1000) == "first\n\n... 40 bytes dropped ...\nsecond\nthird\n"
    assert log.complaint("X1", 1000) == "Trace\n\n... 100 bytes dropped ...\nMemoryError\n"
    assert log.printed("X2", 1000) == "another run\n"


def test_texts_have_a_length(log: Log) -> None:
    """Of what was printed the head counts, of a complaint the end."""
    assert log.printed("X1", 3) == "fir"
    assert log.complaint("X1", 6) == "Error\n"
