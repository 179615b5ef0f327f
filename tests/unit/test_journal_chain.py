"""The chain of a session file, computed without a file."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import JournalAltered
from core.journal.chain import FORMAT, MOMENTS, Row, follow, genesis, link
from core.journal.verify import REFERENCES, references
from sandbox.job import Sha

HASH = Sha("5" * 64)
PREV = st.integers(0, 2**256 - 1).map(lambda number: Sha(f"{number:064x}"))
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
KIND = TEXT.filter(lambda kind: "\n" not in kind)
AT = st.integers(0, MOMENTS[-1])
LINK = st.tuples(PREV, st.integers(1), AT, KIND, TEXT)


def rows_of(session: str, events: Sequence[tuple[int, str, str]]) -> list[Row]:
    """Return the rows that a writer would store."""
    rows: list[Row] = []
    head = genesis(session)
    for seq, (at, kind, text) in enumerate(events, start=1):
        prev, head = head, link(head, seq, at, kind, text)
        rows.append((seq, at, kind, text, prev, head))
    return rows


@given(LINK)
def test_a_link_is_the_hash_of_five_lines(parts: tuple[Sha, int, int, str, str]) -> None:
    """Anybody can compute a link: five parts, a line feed between them, SHA-256."""
    lines = "\n".join(str(part) for part in parts)

    assert hashlib.sha256(lines.encode()).hexdigest() == link(*parts)


@given(LINK, LINK)
def test_different_events_have_different_links(
    one: tuple[Sha, int, int, str, str], other: tuple[Sha, int, int, str, str]
) -> None:
    """No two events share a hash, wherever the line feeds in them are."""
    assert (one == other) == (link(*one) == link(*other))


def test_what_could_be_read_in_two_ways_is_refused() -> None:
    """A kind with a line feed could pass for another kind with another text."""
    with pytest.raises(ValueError, match="line feed"):
        link(Sha(HASH), 1, 0, "a\nb", "{}")


def test_half_a_surrogate_pair_is_refused() -> None:
    """A text that has no bytes has no hash."""
    with pytest.raises(ValueError, match="surrogates not allowed"):
        link(Sha(HASH), 1, 0, "a", "\ud800")


@given(TEXT, TEXT)
def test_each_session_starts_from_another_hash(one: str, other: str) -> None:
    """The events of one session can't pose as those of another."""
    assert (one == other) == (genesis(one) == genesis(other))


def test_the_first_hash_names_the_format() -> None:
    """A later format can't pass for this one."""
    assert hashlib.sha256(f"{FORMAT}\ns1".encode()).hexdigest() == genesis("s1")


@given(st.lists(st.tuples(AT, KIND, TEXT), max_size=5))
def test_a_chain_is_followed_to_its_end(events: list[tuple[int, str, str]]) -> None:
    """Rows as they were written hold, and come back in order."""
    rows = rows_of("s1", events)

    assert [(row[2], row[3], row[5]) for row in rows] == list(follow("s1", rows))


@pytest.mark.parametrize("column", range(6))
@pytest.mark.parametrize("value", [None, 7, "7", b"7", "0" * 64])
@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_changed_column_breaks_the_chain(place: int, column: int, value: object) -> None:
    """Whatever is changed in whichever event, the chain breaks there."""
    rows = rows_of("s1", [(1, "a", "{}"), (2, "b", "{}"), (3, "c", "{}")])
    cells = list(rows[place])
    cells[column] = value
    rows[place] = (cells[0], cells[1], cells[2], cells[3], cells[4], cells[5])

    with pytest.raises(JournalAltered, match=f"event {place + 1} "):
        list(follow("s1", rows))


@pytest.mark.parametrize("order", [(1, 2), (0, 2), (1, 0, 2), (0, 2, 1), (0, 0, 1, 2)])
def test_events_lost_or_moved_break_the_chain(order: tuple[int, ...]) -> None:
    """Rows can't be left out, swapped or repeated."""
    rows = rows_of("s1", [(1, "a", "{}"), (2, "b", "{}"), (3, "c", "{}")])

    with pytest.raises(JournalAltered):
        list(follow("s1", [rows[place] for place in order]))


@pytest.mark.parametrize("at", [-1, MOMENTS.stop, 2**60])
def test_a_time_without_a_date_is_no_link(at: int) -> None:
    """What nobody could show can't be written, and breaks the chain where it was written."""
    with pytest.raises(ValueError, match="no date"):
        link(HASH, 1, at, "a", "{}")
    with pytest.raises(JournalAltered, match="event 1 can't be hashed"):
        list(follow("s1", [(1, at, "a", "{}", genesis("s1"), HASH)]))


def test_another_sessions_events_break_the_chain() -> None:
    """The first event is linked to the session's name."""
    with pytest.raises(JournalAltered, match="event 1 is not linked"):
        list(follow("s2", rows_of("s1", [(1, "a", "{}")])))


# ------------------------------------------------------------------ which payloads an event names
def test_an_event_names_payloads_at_its_top() -> None:
    """A hash under a known key counts: by itself, in a list, in an object."""
    event = {
        "script": "a" * 64,
        "feedback": ["b" * 64, "not a hash"],
        "inputs": {"E1.json": "c" * 64, "n": 1},
        "digest": "d" * 64,
    }

    assert list(references(event)) == ["b" * 64, "c" * 64, "a" * 64]


@pytest.mark.parametrize("value", [None, 1, "", "a" * 63, "A" * 64, "a" * 65, {"x": ["a" * 64]}])
def test_anything_else_names_no_payload(value: object) -> None:
    """What is no hash, or lies deeper than one level, is not taken for one."""
    assert list(references({"result": value, "parameters": {"result": "a" * 64}})) == []


def test_every_key_that_counts_is_looked_at() -> None:
    """Each key of the closed set makes a reference."""
    assert [HASH] * len(REFERENCES) == list(references(dict.fromkeys(REFERENCES, HASH)))
