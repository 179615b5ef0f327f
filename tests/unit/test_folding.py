"""Long lines of the activity in rows: nothing is lost, nothing is too wide."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.folding import folded

LINE = "12:00:00  S1 reviewed: READ-ONLY · 1 operation · 1 service"


def test_a_line_that_has_room_stays_as_it_is() -> None:
    """Nothing is done to it, whatever it holds."""
    assert list(folded(LINE, len(LINE))) == [LINE]
    assert list(folded("", 10)) == [""]


def test_what_goes_on_stands_below_its_own_text() -> None:
    """A row breaks at a space, and goes on a little further in than where its text begins."""
    assert list(folded(LINE, 40)) == [
        "12:00:00  S1 reviewed: READ-ONLY · 1",
        "            operation · 1 service",
    ]
    assert list(folded("            alarm  since then it goes on", 30)) == [
        "            alarm  since then",
        "              it goes on",
    ]


def test_a_word_without_an_end_is_broken() -> None:
    """A digest or an ARN that has no room is cut where the row ends, and all of it is there."""
    rows = list(folded("12:00:00  R1 asks about " + "f" * 64, 40))

    assert all(len(row) <= 40 for row in rows)
    assert "".join(row.strip() for row in rows[1:]) == "f" * 64


@given(st.text(st.sampled_from("ab  ·✓漢字e\u0301"), max_size=80), st.integers(2, 40))
def test_nothing_is_lost_and_nothing_is_too_wide(text: str, width: int) -> None:
    """Whatever it holds, also letters that are two columns wide: only spaces go at a break."""
    rows = list(folded(text, width))

    assert all(cell_len(row) <= width for row in rows)
    assert "".join(rows).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize("width", [0, 1])
def test_no_room_at_all_ends(width: int) -> None:
    """Even where nothing has room the rows come to an end."""
    assert "".join(folded("ab", width)) == "ab"
