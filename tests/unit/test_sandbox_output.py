"""What is kept of a stream, what is dropped, and how it is told."""

from __future__ import annotations

import asyncio
import os

import pytest
from hypothesis import given
from hypothesis import strategies as some

from sandbox.engines.output import STRETCH, Keeper, Tap
from sandbox.job import Output

PIECES = some.lists(some.tuples(some.binary(max_size=20), some.booleans()), max_size=20)


def tell(pieces: list[tuple[bytes, bool]], most: int) -> tuple[bytes, list[Output]]:
    """Return a stream that arrives in pieces, flushed after some, and all that is told of it."""
    keeper, told = Keeper("stdout", most), []
    for data, flush in pieces:
        keeper.take(data)
        if flush:
            told.append(keeper.flush())
    told += keeper.finish()
    return b"".join(data for data, _ in pieces), [output for output in told if output is not None]


@given(pieces=PIECES, most=some.integers(0, 100))
def test_beginning_and_end_are_kept(pieces: list[tuple[bytes, bool]], most: int) -> None:
    """However it arrives: half of the limit from each end, in order, and a count of the middle."""
    whole, outputs = tell(pieces, most)

    end = most // 2
    beginning = most - end
    dropped = max(0, len(whole) - most)
    expected = whole[:beginning] + whole[beginning + dropped :]
    assert expected == b"".join(output.data for output in outputs)
    assert len(expected) + dropped == len(whole)
    assert [output.dropped for output in outputs][-1:] == ([dropped] if whole else [])


@given(pieces=PIECES, most=some.integers(0, 100))
def test_every_stretch_tells_its_place(pieces: list[tuple[bytes, bool]], most: int) -> None:
    """Offset and data of each output are those of the stream; the gap is at one place and grows."""
    whole, outputs = tell(pieces, most)

    given, dropped = 0, 0
    for output in outputs:
        assert output.offset == given + output.dropped
        assert output.data == whole[output.offset :][: len(output.data)]
        assert output.dropped >= dropped
        given, dropped = given + len(output.data), output.dropped


def test_nothing_printed_tells_nothing() -> None:
    """A silent stream has no output at all."""
    assert list(Keeper("stderr", 10).finish()) == []


def test_the_beginning_does_not_wait_for_the_end() -> None:
    """What belongs to the first half is handed on as it comes, and no more than once."""
    keeper = Keeper("stderr", 8)
    keeper.take(b"abc")

    assert keeper.waiting == 3
    assert keeper.flush() == Output("stderr", 0, b"abc", 0)
    keeper.take(b"defg")
    assert keeper.flush() == Output("stderr", 3, b"d", 0)
    assert keeper.flush() is None
    assert list(keeper.finish()) == [Output("stderr", 4, b"efg", 0)]
    assert list(keeper.finish()) == []


def test_dropping_is_told_while_it_happens() -> None:
    """A reader hears of the growing gap when it has doubled, and exactly at the end."""
    keeper = Keeper("stderr", 4)
    told = []
    for _ in range(1000):
        keeper.take(b"x")
        told.append(keeper.flush())

    outputs = [output for output in told if output is not None]
    assert [output.dropped for output in outputs] == [0, 0, *(2**n for n in range(10))]
    assert outputs[-1] == Output("stderr", 514, b"", 512)
    assert list(keeper.finish()) == [Output("stderr", 998, b"xx", 996)]


def test_a_long_end_comes_in_stretches() -> None:
    """No single output is larger than a stretch, however much of the end is kept."""
    keeper = Keeper("stdout", 6 * STRETCH)
    keeper.take(bytes(20 * STRETCH))
    beginning = keeper.flush()
    rest = list(keeper.finish())

    assert beginning is not None
    assert len(beginning.data) == 3 * STRETCH
    assert [(len(output.data), output.offset, output.dropped) for output in rest] == [
        (STRETCH, number * STRETCH, 14 * STRETCH) for number in (17, 18, 19)
    ]


@pytest.mark.parametrize("size", [0, 5, 1000])
def test_a_stream_is_read_to_its_end(size: int) -> None:
    """What a pipe still holds when its writer is gone is read before the end is told."""
    told: list[Output] = []

    async def read() -> None:
        source, sink = os.pipe()
        tap = Tap(Keeper("stdout", 100), source, told.append)
        os.write(sink, b"x" * size)
        os.close(sink)
        tap.finish()
        os.close(source)

    asyncio.run(read())
    assert sum(len(output.data) for output in told) == min(size, 100)
    assert [output.dropped for output in told][-1:] == ([max(0, size - 100)] if size else [])
