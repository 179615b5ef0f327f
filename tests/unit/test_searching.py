"""Finding a text in the rows of a pane, bit by bit."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tui.searching import MOST_HITS, SLICE, Hit, after, hits, looking

ROWS = [f"row {number}" for number in range(2 * SLICE + 10)]


def test_a_search_lets_others_go_on() -> None:
    """It pauses after so many rows, and never looks at all of them first."""
    looked: list[int] = []

    class Noted(list[str]):
        def __getitem__(self, place: Any) -> Any:
            looked.append(place)
            return super().__getitem__(place)

    found: list[Hit] = []
    search = looking(Noted(ROWS), "row 4001", found)
    next(search)
    assert (len(looked), found) == (SLICE, [])
    assert list(search) == [None, None]
    assert (len(looked), found) == (len(ROWS), [Hit(4001, 0, 8)])


@given(st.lists(st.text("aAb", max_size=6), max_size=9), st.text("aAb", min_size=1, max_size=2))
def test_every_place_is_found_once(rows: list[str], sought: str) -> None:
    """In the order of reading; a capital letter means that the case counts."""
    exact = sought != sought.lower()
    texts = [row if exact else row.lower() for row in rows]
    found = hits(rows, sought)

    assert sum(text.count(sought) for text in texts) == len(found)
    assert all(texts[hit.row].startswith(sought, hit.column) for hit in found)
    assert found == sorted(found, key=lambda hit: (hit.row, hit.column))


def test_nobody_counts_more_places_than_anybody_walks_through() -> None:
    """Also where one row holds many of them, and in rows that come later."""
    assert len(hits(["a" * 999] * 20, "a")) == MOST_HITS
    assert hits(["a"], "") == []


def test_the_next_place_is_looked_for_from_where_one_stands() -> None:
    """And from the top again where none comes after."""
    found = hits(["a", "b", "a"], "a")

    assert after(found, (1, 0)) == 1
    assert after(found, (2, 1)) == 0
