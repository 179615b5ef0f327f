"""A pane of running text: laid out in rows for the room that it gets, scrolled, and searched."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from textwrap import wrap

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui.searching import Hit

_LEAST_OF_A_LINE = 10


class TextPane(VerticalScroll):
    """A pane of text that scrolls, and takes the focus so that keys can scroll it."""

    can_focus = True
    _rows: Sequence[Content] = ()
    _hit: Hit | None = None

    def compose(self) -> ComposeResult:
        yield Static(classes="text")

    def on_resize(self) -> None:
        self.fill()

    def fill(self) -> None:
        """Show the text anew, in the room that there is; a pane without any gets its text later."""
        if width := self.scrollable_content_region.width:
            self._rows = [row for line in self.text(width) for row in (line.wrap(width) or [line])]
            self._hit = None
            self._show_rows()

    def text(self, width: int) -> Iterator[Content]:
        """Yield the lines for a pane of so many columns."""
        del width
        yield from ()

    def searched(self) -> list[str]:
        """Return what a search looks through, row by row."""
        return [row.plain for row in self._rows]

    def show_hit(self, hit: Hit) -> None:
        """Mark what was found, and bring it into view."""
        self._hit = hit
        self._show_rows()
        self.scroll_to(y=max(0, hit.row - self.size.height // 3), animate=False)

    def _show_rows(self) -> None:
        rows, hit = list(self._rows), self._hit
        if hit and hit.row < len(rows):
            end = hit.column + hit.length
            rows[hit.row] = rows[hit.row].stylize("reverse", hit.column, end)
        self.query_one(Static).update(Content("\n").join(rows))


def hanging(head: str, text: str, width: int, style: str = "") -> Iterator[Content]:
    """Yield a text wrapped beside its head."""
    indent = " " * len(head)
    for number, line in enumerate(wrapped(text, width - len(head))):
        yield Content.styled(f"{indent if number else head}{line}", style)


def wrapped(text: str, width: int) -> list[str]:
    """Return a text as lines of at most `width` columns, and of some columns at least."""
    room = max(_LEAST_OF_A_LINE, width)
    return [part for line in text.split("\n") for part in wrap(line, room) or [""]]
