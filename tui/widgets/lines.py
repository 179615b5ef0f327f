"""Many rows of text of which only those in view are laid out: output, calls, results.

Opening a million rows costs as much as opening a screenful. Rows are never wrapped: where one goes
on beyond an edge an ellipsis stands there, and left and right move sideways.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from tui.searching import Hit

_HIT = _MARKED = Style(reverse=True)
_BOLD = Style(bold=True)
_ERROR = "! "
_MORE = "…"
_SIDEWAYS = 8
"""Columns that a key moves."""


class LinesView(ScrollView, can_focus=True):
    """Rows, as many as there are; follows their end while somebody looks at the end."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "choose", show=False)]

    class Chosen(Message):
        """Enter was pressed on a row."""

        def __init__(self, view: LinesView, row: int) -> None:
            super().__init__()
            self.view, self.row = view, row

    def __init__(self, *, cursor: bool = False, **settings: str) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]  # id and classes, as texts
        self._rows: Sequence[str] = ()
        self._wide = 0
        self._cursor = 0 if cursor else -1
        self._hit: Hit | None = None
        self._painted: tuple[int, int] = (0, 0)
        """Of the rows that were painted last: how many there have been, and are."""
        self._look: Style | None = None
        """How text looks; finding that out for each row anew would take longer than the rest."""
        self._room = 0
        """How many columns there are for it."""

    @property
    def cursor(self) -> int:
        """The row on which the mark stands; -1 = there is no mark."""
        return self._cursor

    def paint(self, rows: Sequence[str], *, follow: bool = False) -> None:
        """Show rows; `follow` stays at their end when it was there. The same again is no work."""
        at_end = self.scroll_offset.y >= self.max_scroll_y
        new, painted = rows is not self._rows, (getattr(rows, "total", 0), len(rows))
        if not new and painted == self._painted:
            return
        self._rows, self._painted = rows, painted
        self._wide = max(self._wide * (not new), self._width_of_some())
        self.virtual_size = Size(self._wide, len(rows))
        if follow and at_end:
            # By force: the bar may come later than the first rows, and without it nothing scrolls.
            self.scroll_end(animate=False, force=True, immediate=self.show_vertical_scrollbar)
        self.refresh()

    def move(self, by: int) -> None:
        """Move the mark, or what is shown where there is none."""
        if self._cursor < 0:
            self.scroll_relative(y=by, animate=False)
            return
        self._cursor = max(0, min(len(self._rows) - 1, self._cursor + by))
        top, height = self.scroll_offset.y, max(1, self.scrollable_content_region.height)
        if not top <= self._cursor < top + height:
            self.scroll_to(y=max(0, self._cursor - height // 2), animate=False)
        self.refresh()

    def action_choose(self) -> None:
        self.post_message(self.Chosen(self, self._cursor))

    def action_scroll_up(self) -> None:
        self.move(-1)

    def action_scroll_down(self) -> None:
        self.move(+1)

    def action_scroll_left(self) -> None:
        self._sideways(-_SIDEWAYS)

    def action_scroll_right(self) -> None:
        self._sideways(+_SIDEWAYS)

    def _sideways(self, by: int) -> None:
        # No bar is shown for it: one that comes and goes with the rows in view would flicker.
        self.scroll_to(x=self.scroll_offset.x + by, animate=False, force=True)

    def searched(self) -> Sequence[str]:
        """Return what a search looks through, row by row; rows that still come are not in it."""
        return list(self._rows) if hasattr(self._rows, "total") else self._rows

    def show_hit(self, hit: Hit) -> None:
        """Mark what was found, and bring it into view."""
        self._hit = hit
        if self._cursor >= 0:
            self._cursor = hit.row
        room = max(1, self.scrollable_content_region.width)
        sideways = 0 if hit.column + hit.length < room else hit.column - room // 2
        self.scroll_to(y=max(0, hit.row - self.size.height // 3), animate=False)
        self.virtual_size = Size(max(self._wide, len(self._rows[hit.row])), len(self._rows))
        self.scroll_to(x=sideways, animate=False, force=True)
        self.refresh()

    def render_lines(self, crop: Region) -> list[Strip]:
        """Lay out the rows that are in view."""
        self._look, self._room = self.rich_style, self.scrollable_content_region.width
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """Lay out one row that is in view."""
        left, top = self.scroll_offset
        width, row = self._room or self.size.width, y + top
        style = self.rich_style if self._look is None else self._look
        if row >= len(self._rows):
            return Strip.blank(width, style)
        text = self._rows[row]
        if text.startswith(_ERROR):
            style += _BOLD
        if row == self._cursor and self.has_focus:
            style += _MARKED
        if text.isascii() and (self._hit is None or self._hit.row != row):
            seen = text[left : left + width].ljust(width)
            return _told(Strip([Segment(seen, style)], width), style, left, len(text))
        whole = Strip(self._segments(row, text, style))
        strip = whole.crop(left, left + width).extend_cell_length(width, style)
        return _told(strip, style, left, whole.cell_length)

    def _segments(self, row: int, text: str, style: Style) -> list[Segment]:
        hit = self._hit
        if hit is None or hit.row != row:
            return [Segment(text, style)]
        end = hit.column + hit.length
        parts = ((text[: hit.column], style), (text[hit.column : end], style + _HIT))
        return [Segment(*part) for part in (*parts, (text[end:], style)) if part[0]]

    def _width_of_some(self) -> int:
        """Return the width of the rows near the place that is shown; others are found later."""
        top = max(0, min(self.scroll_offset.y, len(self._rows) - 1))
        last = range(max(0, len(self._rows) - 100), len(self._rows))
        near = range(top, min(len(self._rows), top + 200))
        return max((len(self._rows[n]) for n in (*near, *last)), default=0)


def _told(strip: Strip, style: Style, left: int, whole: int) -> Strip:
    """Return what is seen of a row of `whole` cells, with a sign at each edge where it goes on."""
    width, more = strip.cell_length, [Strip([Segment(_MORE, style)], 1)]
    if left and whole and width > 1:
        strip = Strip.join([*more, strip.crop(1, width)])
    if whole > left + width and width:
        strip = Strip.join([strip.crop(0, width - 1), *more])
    return strip
