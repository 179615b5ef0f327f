"""Long lines and cells where there is little room: nothing is lost or cut without a sign."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len
from textual.widgets.option_list import Option

from core.events import Table
from tui import results
from tui.answering import table_lines
from tui.folding import folded
from tui.views import Permission, Policy
from tui.widgets.lists import PolicyPane

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


def test_a_cell_that_is_cut_says_so() -> None:
    """In the table of a result and in that of an answer's evidence: an ellipsis ends it."""
    long = "Threshold Crossed: " + "x" * 60
    table = results.read(json.dumps({"facts": {"reason": long, "short": "s"}}).encode()).table
    proof = list(table_lines(Table("firing", ("reason",), ((long,),), 1)))

    assert f"reason  {long[:59]}…" in table
    assert "short   s" in table
    assert proof[-1] == f"  {long[:39]}…"


def test_a_name_without_room_breaks_after_its_service() -> None:
    """Its sign stays beside it, and a search still finds the whole of it."""
    action = "elasticloadbalancing:DescribeTargetGroups"
    pane = PolicyPane()
    permission = Permission("Allow", action, 1, "*", need="needed", lines=(119,))
    pane._policy = Policy((permission,), (), "{}")

    [_, (text, line, _)] = pane.rows(42)
    assert line == 119
    assert str(text).split("\n") == [
        "✓ elasticloadbalancing:",
        "    DescribeTargetGroups",
        "    tier 1  line 119",
    ]
    pane.add_option(Option(text))
    assert action in pane.searched()[0]
    assert action in str(list(pane.rows(60))[1][0])
