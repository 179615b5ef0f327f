"""The panes of running text: plan and activity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import ClassVar

from textual.content import Content
from textual.geometry import Offset
from textual.selection import Selection
from textual.widgets import Log

from tui.scene import MOST_LINES, Lines
from tui.searching import Hit
from tui.views import Plan, Row
from tui.widgets.text_pane import TextPane, hanging, wrapped

_MOST_OF_A_NAME = 14


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
    """Everything that happened, a line each; follows unless somebody has scrolled back."""

    can_focus = True
    BINDINGS: ClassVar = []

    def __init__(self, **settings: str) -> None:
        super().__init__(max_lines=MOST_LINES, **settings)  # type: ignore[arg-type]  # id, classes
        self._written = 0
        self._era = 0

    def searched(self) -> list[str]:
        """Return what a search looks through, row by row."""
        return list(self.lines)

    def show_hit(self, hit: Hit) -> None:
        """Mark what was found, and bring it into view."""
        begin, end = Offset(hit.column, hit.row), Offset(hit.column + hit.length, hit.row)
        self.screen.selections = {self: Selection(begin, end)}
        self.scroll_to(y=max(0, hit.row - self.size.height // 3), animate=False)

    def paint(self, lines: Lines) -> None:
        if lines.total < self._written or lines.era != self._era:
            self._era = lines.era
            self.clear()
            self._written = 0
        new: Iterable[str] = lines.after(self._written)
        self.write_lines(new)
        self._written = lines.total


def rows(found: Iterable[Row], width: int) -> Iterator[Content]:
    """Yield names and values side by side; what is too long goes on below its value."""
    listed = list(found)
    names = min(_MOST_OF_A_NAME, max((len(row.name) for row in listed), default=0))
    for row in listed:
        first, *rest = wrapped(row.value, width - names - 2)
        yield Content.assemble((f"{row.name:<{names}}  ", "$text-dim"), first)
        yield from (Content(" " * (names + 2) + each) for each in rest)
