"""The difference between two versions: side by side where there is room, else one below the other.

A sign stands at each row, so that no colour is needed: + came, - went.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import zip_longest
from typing import Final

from textual.content import Content

from tui.diffing import Change, Difference, DiffRow, paired
from tui.widgets.text_pane import TextPane

SIDE_BY_SIDE_FROM: Final = 118
"""Columns of the pane."""
_NUMBER: Final = 4
_SIGNS: Final[dict[Change, str]] = {"added": "+", "removed": "-"}
_STYLES: Final[dict[Change, str]] = {"added": "$success", "removed": "$error", "cut": "$text-dim"}


class DiffPane(TextPane):
    """All that differs between two versions of a draft."""

    def __init__(self, found: Difference) -> None:
        super().__init__(classes="pane")
        self.found = found

    def text(self, width: int) -> Iterator[Content]:
        begin = 0
        rows = self.found.rows
        for place, row in enumerate(rows):
            if row.change == "head" and place > begin:
                yield from self._part(rows[begin:place], width)
                begin = place
        yield from self._part(rows[begin:], width)

    def _part(self, rows: Sequence[DiffRow], width: int) -> Iterator[Content]:
        if not rows:
            return
        yield Content.styled(rows[0].text, "bold $primary")
        if width >= SIDE_BY_SIDE_FROM:
            yield from _beside(rows[1:], width)
        else:
            for row in rows[1:]:
                yield from _cells(row, row.old, row.new, width)
        yield Content("")


def _beside(rows: Sequence[DiffRow], width: int) -> Iterator[Content]:
    half = (width - 3) // 2
    empty = Content(" " * half)
    for left, right in paired(rows):
        if left is not None and left is right and left.change == "cut":
            yield _cut(left, width)
            continue
        before = list(_cells(left, left.old, None, half)) if left else []
        after = list(_cells(right, None, right.new, half)) if right else []
        for one, other in zip_longest(before, after, fillvalue=empty):
            yield Content.assemble(_filled(one, half), (" │ ", "$border-calm"), other)


def _cells(row: DiffRow, old: int | None, new: int | None, width: int) -> Iterator[Content]:
    """Yield a row as lines of at most `width` columns, numbered on the first of them."""
    if row.change == "cut":
        yield _cut(row, width)
        return
    number = old if new is None else new
    style = _STYLES.get(row.change, "")
    sign = _SIGNS.get(row.change, " ")
    room = max(1, width - _NUMBER - 3)
    text = Content.styled(row.text.replace("\t", " "), style)
    for begin, end in row.marks:
        text = text.stylize("bold reverse", begin, end)
    for place, part in enumerate(_chopped(text, room)):
        told = f"{number:>{_NUMBER}}" if number and not place else " " * _NUMBER
        shown = sign if not place else " "
        yield Content.assemble((f"{told} ", "$text-dim"), (f"{shown} ", f"bold {style}"), part)


def _cut(row: DiffRow, width: int) -> Content:
    text = f"  ⋯ {row.text} "
    return Content.styled(text + "·" * max(0, width - len(text)), "$text-dim")


def _chopped(text: Content, room: int) -> list[Content]:
    return text.fold(room) if text.plain else [text]


def _filled(text: Content, width: int) -> Content:
    return Content.assemble(text, " " * max(0, width - text.cell_length))
