"""What a script printed, as plain text shows it."""

from __future__ import annotations

from core.events import Fact, RunOutput
from tui.plain import fact_text


def shown(text: str, dropped: int) -> list[str]:
    """Return the lines of one stretch, without the time of day."""
    fact = Fact(7, 0, RunOutput("X1", "stdout", 5, text, dropped))
    return [line.removeprefix("00:00:00").strip() for line in fact_text(fact).splitlines()]


def test_a_gap_is_a_line_of_its_own() -> None:
    """Where output is missing, how much of which stream is said in its place."""
    assert shown("", 900_000) == ["| ... 900000 bytes of stdout dropped ..."]


def test_what_follows_a_gap_does_not_tell_it_again() -> None:
    """The gap is told once, however many stretches come after it."""
    assert shown("one\ntwo\n", 900_000) == ["| one", "| two"]
