"""The parts of home: the line at its top, the list of sessions, and panes of names and values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby

from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from core.safe_text import safe_line
from tui.homing import Entry, Standing
from tui.views import Row
from tui.widgets.panes import rows
from tui.widgets.text_pane import TextPane

_STYLES: dict[Standing, str] = {
    "waiting": "bold $warning",
    "running": "bold $primary",
    "working": "$primary",
    "open": "$secondary",
    "answered": "$success",
    "failed": "$error",
    "replay": "$accent",
    "unreadable": "$error",
}
_STANDING, _WHEN, _ACCOUNT = 10, 4, 14
_ROOM_FOR_ACCOUNT = 56
"""Columns from which the account has a column of its own."""


class HomeBar(Static):
    """The program, the mode that new sessions have, and where files lie."""

    def paint(self, mode: str, place: str, here: int) -> None:
        left = Content.assemble((" countersign ", "bold $primary"), (f" {here} open here", ""))
        right = Content.assemble(
            (safe_line(place), "$text-dim"),
            (" · ", "$text-dim"),
            (f"new: {mode.upper()}", "bold"),
            " ",
        )
        gap = max(1, self.size.width - left.cell_length - right.cell_length)
        shown = left if gap == 1 else Content.assemble(left, " " * gap, right)
        self.update(shown)


class SessionList(OptionList):
    """A line for each session; the mark stays on its session when the list changes."""

    def __init__(self, **settings: str) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]  # id and classes, as texts
        self._entries: tuple[Entry, ...] = ()
        self._empty = ""
        self._width = 0

    @property
    def marked(self) -> str:
        """Key of the session on which the mark stands; empty when there is none."""
        place = self.highlighted
        known = place is not None and place < len(self._entries)
        return self._entries[place].key if known and place is not None else ""

    def paint(self, entries: Sequence[Entry], empty: str) -> None:
        """List sessions, or say that there is none."""
        width = self.scrollable_content_region.width
        if (tuple(entries), empty, width) == (self._entries, self._empty, self._width):
            return
        marked = self.marked
        self._entries, self._empty, self._width = tuple(entries), empty, width
        with self.prevent(OptionList.OptionHighlighted):
            self.set_options([Option(_line(each, width)) for each in entries])
            if not entries:
                self.add_option(Option(Content.styled(empty, "$text-dim"), disabled=True))
                return
            keys = [each.key for each in entries]
            self.highlighted = keys.index(marked) if marked in keys else 0


class RowsPane(TextPane):
    """Names and values; a row without a name is a heading."""

    _given: tuple[Row, ...] = ()

    def paint(self, found: tuple[Row, ...]) -> None:
        if found != self._given:
            self._given = found
            self.fill()

    def text(self, width: int) -> Iterator[Content]:
        for heading, group in groupby(self._given, lambda row: not row.name):
            listed = list(group)
            if heading:
                yield from (Content.styled(row.value, "bold $primary") for row in listed)
            else:
                yield from rows(listed, width)
                yield Content("")


def _line(entry: Entry, width: int) -> Content:
    style = _STYLES[entry.standing]
    name = entry.standing + ("*" if entry.here else "")
    account = f"{entry.account:<{_ACCOUNT}.{_ACCOUNT}}  " if width >= _ROOM_FOR_ACCOUNT else ""
    seal = "■ " if entry.sealed else "  "
    line = Content.assemble(
        (f"{entry.sign} {name:<{_STANDING}}", style),
        (seal, "$text-dim"),
        (f"{entry.when:>{_WHEN}}  ", "$text-dim"),
        (account, ""),
        (entry.question, "bold" if entry.here else ""),
    )
    return line.truncate(max(1, width), ellipsis=True)
