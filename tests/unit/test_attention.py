"""Telling somebody who looks elsewhere: what is told, and that no text of others gets through."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from core.answer import conclude
from core.events import SessionFinished
from tui.attention import Attention, wanted

HOSTILE = "a\x1b]52;c;x\x07b\u202ec\x9c"


def test_a_request_and_an_answer_are_worth_telling(story: Callable[..., Any]) -> None:
    """A request that waits, and the end; nothing in between."""
    told = story().identified().drafted().reviewed()
    assert wanted(told.session, None) == ""
    request = told.requested()
    assert wanted(told.session, request) == "▲ R1 awaits you: why?"
    told.decided("reject", comment="no")
    told.add(conclude("likely", "x", [], []))
    told.add(SessionFinished(0, "answered"))
    assert wanted(told.session, None) == "✓ inconclusive: why?"


@pytest.mark.parametrize(
    ("attention", "expected"),
    [
        (Attention(), "\x07\x1b]2;ab\x07"),
        (Attention(bell=False, title=False), ""),
        (Attention(title=False, terminal=True), "\x07\x1b]9;ab\x07"),
    ],
)
def test_each_way_of_telling_is_a_setting(attention: Attention, expected: str) -> None:
    """Bell, title and OSC 9, each by itself."""
    assert attention.sequences("ab") == expected


def test_a_text_ends_no_sequence() -> None:
    """What a question holds is inside the title, as a picture of what it was."""
    written = Attention(bell=False, terminal=True).sequences(HOSTILE)

    assert written.count("\x1b") == written.count("\x07") == 2
    assert not set("\u202e\x9c") & set(written)


def test_a_command_gets_the_text_as_one_argument(tmp_path: Path) -> None:
    """No shell reads it; a command that is not there breaks nothing."""
    file = tmp_path / "told"
    program = f"import sys; open({str(file)!r}, 'w').write('|'.join(sys.argv[1:]))"
    command = (sys.executable, "-c", program, "first")

    asyncio.run(Attention(command=command).call("x; $(touch y) 'z'"))
    asyncio.run(Attention(command=(str(tmp_path / "nothing"),)).call("x"))

    assert file.read_text(encoding="utf-8") == "first|x; $(touch y) 'z'"
