"""From stretches of output to `run.output` events: whole lines, redacted, gaps told once."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from core.events import RunOutput
from core.output import MOST_HELD, Lines
from sandbox.engines.output import Keeper
from sandbox.job import Output


def lines(*outputs: Output) -> list[RunOutput]:
    """Return the events of a run that printed this; redaction puts a word in capitals."""
    made = Lines("X1", lambda text: text.replace("secret", "SECRET"))
    return [event for output in outputs for event in made.add(output)] + list(made.rest())


def event(offset: int, text: str, dropped: int = 0) -> RunOutput:
    """Return an event of stdout."""
    return RunOutput("X1", "stdout", offset, text, dropped)


def test_a_line_is_redacted_whole() -> None:
    """A line that arrives in two stretches is one event, so what is secret in it is found."""
    told = lines(Output("stdout", 0, b"a\nsec", 0), Output("stdout", 5, b"ret\nend", 0))

    assert told == [event(0, "a\n"), event(2, "SECRET\n"), event(9, "end")]


def test_a_gap_is_an_event_of_its_own() -> None:
    """What stands before a gap is told first, then the gap, then what follows it."""
    told = lines(
        Output("stdout", 0, b"one\ntw", 0),
        Output("stdout", 106, b"", 100),
        Output("stdout", 206, b"n\nlast\n", 200),
        Output("stdout", 213, b"!", 200),
    )

    assert told == [
        *(event(0, "one\n"), event(4, "tw")),
        *(event(106, "", 100), event(206, "", 200)),
        *(event(206, "n\nlast\n", 200), event(213, "!", 200)),
    ]


def test_streams_have_their_own_gaps() -> None:
    """A gap in one stream says nothing of the other."""
    told = lines(Output("stdout", 9, b"", 9), Output("stderr", 0, b"x\n", 0))

    assert told == [event(9, "", 9), RunOutput("X1", "stderr", 0, "x\n", 0)]


def test_a_line_without_end_is_not_held_for_ever() -> None:
    """A line that is longer than what is held at most goes on in pieces."""
    data = b"x" * (MOST_HELD + 1)

    assert lines(Output("stdout", 0, data, 0)) == [event(0, data.decode())]


@given(
    pieces=some.lists(some.text("ab\n", max_size=9).map(str.encode), max_size=15),
    most=some.integers(0, 40),
)
def test_nothing_is_lost_or_told_twice(pieces: list[bytes], most: int) -> None:
    """All texts are the kept bytes at their offsets; an event without text is a gap that grew."""
    keeper, outputs = Keeper("stdout", most), []
    for piece in pieces:
        keeper.take(piece)
        outputs.append(keeper.flush())
    told = lines(*(each for each in outputs if each), *keeper.finish())

    whole, dropped = b"".join(pieces), 0
    assert len(whole) == sum(len(each.text) for each in told) + (told[-1].dropped if told else 0)
    for each in told:
        assert (each.text == "") == (each.dropped > dropped)
        assert each.text.encode() == whole[each.offset :][: len(each.text)]
        dropped = each.dropped
