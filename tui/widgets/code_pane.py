"""The script, whole: numbered, coloured, wrapped, with a sign at each line that has a finding."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Offset
from textual.strip import Strip
from textual.widgets import TextArea
from textual.widgets.text_area import Selection, TextAreaTheme

from core.checks.finding import Severity
from tui.searching import Hit
from tui.views import Code
from tui.widgets.lists import SEVERITY_SIGNS

_MOST_COLOURED = 2_000
"""Lines above which colouring would make scrolling slow."""
_SIGN_STYLES: dict[Severity, Style] = {
    "blocker": Style(color="#f7768e", bold=True),
    "warning": Style(color="#e0af68", bold=True),
    "note": Style(color="#8089ad", bold=True),
}
_SYNTAX = {
    "string": Style(color="#9ece6a"),
    "string.documentation": Style(color="#8089ad", italic=True),
    "comment": Style(color="#8089ad", italic=True),
    "keyword": Style(color="#bb9af7"),
    "operator": Style(color="#89ddff"),
    "conditional": Style(color="#bb9af7"),
    "repeat": Style(color="#bb9af7"),
    "include": Style(color="#bb9af7"),
    "exception": Style(color="#bb9af7"),
    "keyword.function": Style(color="#bb9af7"),
    "keyword.return": Style(color="#bb9af7"),
    "keyword.operator": Style(color="#bb9af7"),
    "number": Style(color="#ff9e64"),
    "float": Style(color="#ff9e64"),
    "boolean": Style(color="#ff9e64"),
    "constant.builtin": Style(color="#ff9e64"),
    "function": Style(color="#7aa2f7"),
    "function.call": Style(color="#7aa2f7"),
    "function.builtin": Style(color="#7dcfff"),
    "method": Style(color="#7aa2f7"),
    "method.call": Style(color="#7aa2f7"),
    "class": Style(color="#e0af68"),
    "type": Style(color="#e0af68"),
    "type.class": Style(color="#e0af68"),
    "type.builtin": Style(color="#7dcfff"),
    "punctuation.bracket": Style(color="#9aa5ce"),
}
_THEME = TextAreaTheme(
    name="countersign",
    gutter_style=Style(color="#565f89"),
    selection_style=Style(bgcolor="#33467c"),
    syntax_styles=_SYNTAX,
)


class CodePane(TextArea):
    """Read-only. The text is already safe; what is edited is the stored script, never this."""

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
        themed(self)

    def paint(self, code: Code) -> None:
        """Show a version; the same version keeps its place."""
        before, self._code = self._code, code
        if code.key != before.key:
            plain = code.text.count("\n") > _MOST_COLOURED
            self.language = None if plain else "python"
            self.load_text(code.text)
            self.scroll_home(animate=False)
        elif code.marks != before.marks:
            self.notify_style_update()
            self.refresh()

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
        style = self.rich_style + _SIGN_STYLES[severity]
        sign = Strip([Segment(f"{SEVERITY_SIGNS[severity]} ", style)], 2)
        return Strip.join([strip.crop(0, width - 2), sign, strip.crop(width)])

    def _severity(self, y: int) -> Severity | None:
        """Return what the line that begins at this row is marked with."""
        place = Offset(0, y + self.scroll_offset.y)
        if not self._code.marks or place.y >= self.wrapped_document.height:
            return None
        row, column = self.wrapped_document.offset_to_location(place)
        return self._code.marks.get(row + 1) if column == 0 else None


def themed(area: TextArea) -> None:
    """Give code the colours of the screen."""
    area.register_theme(_THEME)
    area.theme = _THEME.name
