"""The panes of running text: plan and activity."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import ClassVar

from textual.content import Content
from textual.geometry import Offset
from textual.selection import Selection
from textual.widgets import Log

from tui.folding import folded
from tui.scene import MOST_LINES, Lines
from tui.searching import Hit
from tui.views import Plan, Row
from tui.widgets.text_pane import TextPane, hanging, wrapped

_MOST_OF_A_NAME = 16


class PlanPane(TextPane):
    """Why this step, what came of it, what it is given."""

    _plan: Plan | None = None

    def paint(self, plan: Plan) -> None:
        if plan != self._plan:
            self._plan = plan
            self.fill()

    def text(self, width: int) -> Iterator[Content]:
        if self._plan is None:
            return
        if self._plan.title:
            yield Content.styled(self._plan.title, "bold $primary")
        yield Content(self._plan.why)
        if self._plan.outcome:
            yield Content("")
            yield Content.styled(self._plan.outcome, "bold $success")
            yield from rows(self._plan.found, width)
            for each in self._plan.remarks:
                yield from hanging("- ", each, width, "$warning")
        if self._plan.rows:
            yield Content("")
        yield from rows(self._plan.rows, width)


class ActivityPane(Log):
    """Everything that happened, a line each; follows unless somebody has scrolled back.

    What is too long for a row goes on below it. Hidden, it takes nothing in until it is seen.
    """

    can_focus = True
    BINDINGS: ClassVar = []

    def __init__(self, **settings: str) -> None:
        super().__init__(max_lines=MOST_LINES, **settings)  # type: ignore[arg-type]  # id, classes
        self._written = 0
        self._era = 0
        self._whole: deque[str] = deque(maxlen=MOST_LINES)
        """The lines, as they are without the breaks that the room makes."""
        self._shown: Lines | None = None
        self._room = 0
        """Columns of a row."""

    def whole(self) -> list[str]:
        """Return the lines as they are without the breaks that the room makes."""
        return list(self._whole)

    def searched(self) -> list[str]:
        """Return what a search looks through, row by row."""
        return list(self.lines)

    def show_hit(self, hit: Hit) -> None:
        """Mark what was found, and bring it into view."""
        begin, end = Offset(hit.column, hit.row), Offset(hit.column + hit.length, hit.row)
        self.screen.selections = {self: Selection(begin, end)}
        self.scroll_to(y=max(0, hit.row - self.size.height // 3), animate=False)

    def paint(self, lines: Lines) -> None:
        """Show what came; the rest is there already."""
        self._shown = lines
        if not self._room:
            return
        if lines.total < self._written or lines.era != self._era:
            self._era = lines.era
            self._empty()
            self._written = 0
        self._add(list(lines.after(self._written)))
        self._written = lines.total

    def on_resize(self) -> None:
        """Fold the lines anew where a row has other room now; the line at the top stays there."""
        room = self.scrollable_content_region.width
        if room == self._room or not room:
            return
        at_end, below = self.is_vertical_scroll_end, self.line_count - self.scroll_offset.y
        lines, hidden = self.whole(), self._below(below)
        self._room = room
        self._empty()
        self._add(lines)
        if self._shown:
            self.paint(self._shown)
        if not at_end:
            rows = sum(self._height(each) for each in lines[len(lines) - hidden :])
            self.scroll_to(y=max(0, self.line_count - rows), animate=False)

    def _below(self, rows: int) -> int:
        """Return how many lines the last so many rows are."""
        lines = 0
        for each in reversed(self._whole):
            if rows <= 0:
                break
            rows, lines = rows - self._height(each), lines + 1
        return lines

    def _height(self, line: str) -> int:
        return sum(1 for _ in folded(line, self._room))

    def _empty(self) -> None:
        self.clear()
        self._whole.clear()

    def _add(self, lines: Iterable[str]) -> None:
        new = list(lines)
        self._whole.extend(new)
        self.write_lines(row for line in new for row in folded(line, self._room))


def rows(found: Iterable[Row], width: int) -> Iterator[Content]:
    """Yield names and values side by side; what is too long goes on below its value."""
    listed = list(found)
    names = min(_MOST_OF_A_NAME, max((len(row.name) for row in listed), default=0))
    for row in listed:
        first, *rest = wrapped(row.value, width - names - 2)
        yield Content.assemble((f"{row.name:<{names}}  ", "$text-dim"), first)
        yield from (Content(" " * (names + 2) + each) for each in rest)
