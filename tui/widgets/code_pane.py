"""The script, whole: numbered, coloured, wrapped, with a sign at each line that has a finding."""

from __future__ import annotations

from typing import ClassVar

from rich.segment import Segment
from textual.binding import Binding, BindingType
from textual.document._document import Document
from textual.document._document_navigator import DocumentNavigator
from textual.geometry import Offset
from textual.strip import Strip
from textual.widgets import TextArea
from textual.widgets.text_area import Selection

from core.checks.finding import Severity
from tui.searching import Hit
from tui.views import Code
from tui.widgets.code_colours import colour
from tui.widgets.code_lines import Parts, WrappedLines
from tui.widgets.lists import SEVERITY_SIGNS

_MOST_COLOURED = 5_000
"""Lines above which finding out what their parts are would be felt."""


class CodePane(TextArea, inherit_bindings=False):
    """Read-only. The text is already safe; what is edited is the stored script, never this."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up", "scroll_up", show=False),
        Binding("down", "scroll_down", show=False),
        Binding("pageup", "page_up", show=False),
        Binding("pagedown", "page_down", show=False),
        Binding("home,ctrl+home", "scroll_home", show=False),
        Binding("end,ctrl+end", "scroll_end", show=False),
    ]

    def __init__(self, **settings: str) -> None:
        super().__init__(
            read_only=True,
            show_cursor=False,
            show_line_numbers=True,
            soft_wrap=True,
            highlight_cursor_line=False,
            compact=True,
            **settings,  # type: ignore[arg-type]  # id and classes, as texts
        )
        self._code = Code("", "", {}, "")

    def on_mount(self) -> None:
        self._colour()
        self.app.theme_changed_signal.subscribe(self, lambda _: self._colour())

    def _colour(self) -> None:
        self._sign_styles = colour(self).signs()

    def paint(self, code: Code) -> None:
        """Show a version; the same version keeps its place."""
        before, self._code = self._code, code
        if code.key != before.key:
            self.load_text(code.text)
            self.scroll_home(animate=False)
        elif code.marks != before.marks:
            self.notify_style_update()
            self.refresh()

    def _set_document(self, text: str, language: str | None) -> None:
        """Take in a text that is only read: lines are wrapped and coloured when they are seen."""
        del language
        self.document = Document(text)
        self.wrapped_document = WrappedLines(self.document, self.indent_width)
        self.navigator = DocumentNavigator(self.wrapped_document)
        lines = self.document.lines
        self._highlights = Parts("\n".join(lines)) if len(lines) <= _MOST_COLOURED else {}
        self._line_cache.clear()
        self.move_cursor((0, 0))
        self._rewrap_and_refresh_virtual_size()

    def go_to(self, line: int) -> None:
        """Show and mark a line, from 1."""
        row = min(line, self.document.line_count) - 1
        self.show_hit(Hit(row, 0, len(self.document.get_line(row))))

    def searched(self) -> list[str]:
        """Return what a search looks through, line by line."""
        return list(self.document.lines)

    def show_hit(self, hit: Hit) -> None:
        """Mark what was found, and bring it into view."""
        end = hit.column + hit.length
        self.selection = Selection((hit.row, hit.column), (hit.row, end))
        row = self.wrapped_document.location_to_offset((hit.row, hit.column)).y
        self.scroll_to(y=max(0, row - self.size.height // 3), animate=False)

    def render_line(self, y: int) -> Strip:
        """Put the sign of the worst finding between number and code."""
        strip = super().render_line(y)
        severity = self._severity(y)
        if severity is None:
            return strip
        width = self.gutter_width
        style = self.rich_style + self._sign_styles[severity]
        sign = Strip([Segment(f"{SEVERITY_SIGNS[severity]} ", style)], 2)
        return Strip.join([strip.crop(0, width - 2), sign, strip.crop(width)])

    def _severity(self, y: int) -> Severity | None:
        """Return what the line that begins at this row is marked with."""
        place = Offset(0, y + self.scroll_offset.y)
        if not self._code.marks or place.y >= self.wrapped_document.height:
            return None
        row, column = self.wrapped_document.offset_to_location(place)
        return self._code.marks.get(row + 1) if column == 0 else None
