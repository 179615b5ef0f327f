"""What counts as seen, and what is shown of two versions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tui.diffing import compared, difference, paired, section
from tui.seen import Seen

TEXTS = st.lists(st.sampled_from(["a", "b", "c", "dd"]), max_size=30)


def test_all_is_seen_when_every_row_of_every_part_was() -> None:
    """A row short in one pane, or a pane never opened, is less than 100, and is named."""
    seen = Seen(("code", "policy"))
    seen.about("digest")
    seen.saw("code", 0, 20, 40)
    assert seen.share() < 100
    assert seen.missing() == ("20 rows of code", "the policy")
    seen.saw("code", 20, 39, 40)
    seen.saw("policy", 0, 9, 3)
    assert seen.missing() == ("1 row of code",)
    assert seen.share() == 97
    seen.saw("code", 39, 60, 40)
    assert (seen.share(), seen.missing()) == (100, ())


def test_another_width_counts_anew_what_was_not_complete() -> None:
    """Rows of another layout say nothing about those of this one; what was complete stays so."""
    seen = Seen(("code", "policy"))
    seen.saw("code", 0, 10, 40)
    seen.saw("policy", 0, 3, 3)
    seen.saw("code", 10, 60, 60)
    seen.saw("policy", 0, 1, 5)

    assert seen.missing() == ("10 rows of code",)


def test_another_digest_was_not_seen() -> None:
    """What was read of one version is not read of the next; the same one goes on counting."""
    seen = Seen(("code",))
    seen.about("one")
    seen.saw("code", 0, 5, 5)
    seen.about("one")
    assert seen.share() == 100
    seen.about("two")
    assert (seen.share(), seen.missing()) == (0, ("the code",))


@given(TEXTS, TEXTS)
def test_a_difference_leads_from_one_text_to_the_other(old: list[str], new: list[str]) -> None:
    """Every row of both texts is there or counted as unchanged, with its right number."""
    rows = list(compared(old, new))
    cut = sum(int(row.text.split()[0]) for row in rows if row.change == "cut")

    assert sum(row.old is not None for row in rows) + (cut if rows else len(old)) == len(old)
    assert all(row.old is None or old[row.old - 1] == row.text for row in rows)
    assert all(row.new is None or new[row.new - 1] == row.text for row in rows)
    assert [row.text for row in rows if row.change == "added"] != [] or len(new) <= len(old)
    left = [one for one, _ in paired(rows) if one and one.change in ("same", "removed")]
    right = [two for _, two in paired(rows) if two and two.change in ("same", "added")]
    assert [row.old for row in left] == [row.old for row in rows if row.old is not None]
    assert [row.new for row in right] == [row.new for row in rows if row.new is not None]


def test_changed_columns_are_marked_where_rows_are_alike() -> None:
    """One changed word in a row is found; rows that have nothing in common get no marks."""
    _, removed, added = section("Code", "limit = 10", "limit = 20")

    assert [removed.text[a:b] for a, b in removed.marks] == ["1"]
    assert [added.text[a:b] for a, b in added.marks] == ["2"]
    assert all(row.marks == () for row in section("Code", "alpha", "12345678"))


def test_a_difference_has_code_requirements_and_policy(story: Callable[..., Any]) -> None:
    """Each part has a heading with its counts, and says so when it is the same; texts are safe."""
    told = story().identified().drafted()
    before = told.session.steps[0].draft
    evil = told.keep(b"print('\x1b[2Jhello')\n")
    after = replace(before, version=2, author="operator", script=evil, requirements=("x==1",))
    found = difference(before, after, told.payload)
    heads = [row.text for row in found.rows if row.change == "head"]

    assert heads == [
        "Code: +1 -1",
        "Requirements: +1 -0",
        "IAM policy: the same",
        "Parameters: the same",
    ]
    assert found.title == "S1  version 1 → 2, by operator"
    assert (found.added, found.removed) == (2, 1)
    assert any("␛[2J" in row.text for row in found.rows)
    assert not any("\x1b" in row.text for row in found.rows)
