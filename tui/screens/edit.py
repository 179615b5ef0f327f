"""Editing a script on the screen; what is kept is a new version, reviewed and asked anew."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import TextArea

from core.safe_text import safe_text
from tui.widgets.code_colours import colour

_HINT = "F2 keeps it as a new version · Escape goes back"


def editable(script: bytes) -> str | None:
    """Return the script as text that a screen can hold without changing it; None when it can't."""
    try:
        text = script.decode("utf-8")
    except UnicodeDecodeError:
        return None
    plain = "\r" not in text and safe_text(text) == text
    return text if plain else None


class EditScreen(ModalScreen[bytes | None]):
    """The script, to change; returns the new bytes, or None when nothing is to change."""

    covers = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2,ctrl+s", "keep", show=False, priority=True),
        Binding("escape", "back", show=False, priority=True),
        Binding("ctrl+home", "go('start')", show=False, priority=True),
        Binding("ctrl+end", "go('end')", show=False, priority=True),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title, self._text = title, text
        self._warned = False

    def compose(self) -> ComposeResult:
        area = TextArea(
            self._text,
            language="python",
            show_line_numbers=True,
            soft_wrap=True,
            tab_behavior="indent",
            compact=True,
            id="editor",
            classes="pane",
        )
        area.cursor_blink = False
        area.border_title, area.border_subtitle = self._title, _HINT
        yield area

    def on_mount(self) -> None:
        colour(self.query_one(TextArea))

    def action_go(self, where: str) -> None:
        """Go to the start or the end of the script."""
        area = self.query_one(TextArea)
        area.call_later(self._go, where)

    def _go(self, where: str) -> None:
        area = self.query_one(TextArea)
        area.move_cursor(area.document.end if where == "end" else area.document.start)

    def action_keep(self) -> None:
        """Keep the script, once the keys that were pressed before have all been typed into it."""
        self.query_one(TextArea).call_later(self._keep)

    def _keep(self) -> None:
        if self.is_current:
            self.dismiss(self.query_one(TextArea).text.encode())

    def action_back(self) -> None:
        """Go back; what was changed is dropped only when told twice."""
        self.query_one(TextArea).call_later(self._back)

    def _back(self) -> None:
        area = self.query_one(TextArea)
        if not self.is_current:
            return
        if area.text == self._text or self._warned:
            self.dismiss(None)
            return
        self._warned = True
        area.border_subtitle = "Escape again drops what you changed · F2 keeps it"

    def on_text_area_changed(self) -> None:
        self._warned = False
        self.query_one(TextArea).border_subtitle = _HINT
