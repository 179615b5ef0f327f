"""The colours of code: dark, light, and in the sixteen colours of the terminal itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rich.style import Style
from textual.theme import Theme
from textual.widgets import TextArea
from textual.widgets.text_area import TextAreaTheme

from core.checks.finding import Severity


@dataclass(frozen=True, slots=True)
class Palette:
    """A colour for each part of speech of a script."""

    name: str
    text: str
    quiet: str
    keyword: str
    number: str
    function: str
    builtin: str
    error: str
    warning: str
    selection: Style

    def signs(self) -> dict[Severity, Style]:
        """Return how a sign in the gutter looks."""
        return {
            "blocker": Style(color=self.error, bold=True),
            "warning": Style(color=self.warning, bold=True),
            "note": Style(color=self.quiet, bold=True),
        }


_DARK: Final = Palette(
    name="countersign-dark",
    text="#9ece6a",
    quiet="#8089ad",
    keyword="#bb9af7",
    number="#ff9e64",
    function="#7aa2f7",
    builtin="#7dcfff",
    error="#f7768e",
    warning="#e0af68",
    selection=Style(bgcolor="#33467c"),
)
_LIGHT: Final = Palette(
    name="countersign-light",
    text="#3d7a1a",
    quiet="#5c6486",
    keyword="#7a3fc4",
    number="#a04a00",
    function="#2e5cb8",
    builtin="#00708f",
    error="#b3203a",
    warning="#8f5e00",
    selection=Style(bgcolor="#c5d2f0"),
)
_TERMINAL: Final = Palette(
    name="countersign-terminal",
    text="green",
    quiet="bright_black",
    keyword="magenta",
    number="yellow",
    function="blue",
    builtin="cyan",
    error="red",
    warning="yellow",
    selection=Style(reverse=True),
)
_ROLES: Final = {
    "keyword": "keyword conditional repeat include exception keyword.function keyword.return "
    "keyword.operator",
    "number": "number float boolean constant.builtin",
    "function": "function function.call method method.call",
    "builtin": "function.builtin type.builtin operator punctuation.special",
    "warning": "class type constructor",
    "text": "string",
}


def palette_for(theme: Theme) -> Palette:
    """Return the colours that go with a theme of the screen."""
    if theme.ansi:
        return _TERMINAL
    return _DARK if theme.dark else _LIGHT


def colour(area: TextArea) -> Palette:
    """Give code the colours that go with the screen's theme now; returns them."""
    palette = palette_for(area.app.current_theme)
    styles = {
        part: Style(color=getattr(palette, role))
        for role, parts in _ROLES.items()
        for part in parts.split()
    }
    quiet = Style(color=palette.quiet, italic=True)
    area.register_theme(
        TextAreaTheme(
            name=palette.name,
            gutter_style=Style(color=palette.quiet),
            selection_style=palette.selection,
            syntax_styles={**styles, "comment": quiet, "string.documentation": quiet},
        )
    )
    area.theme = palette.name
    return palette
