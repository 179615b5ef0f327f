"""Taking back what a script found that was handed over: pasted, or from a file.

What can't be read is told in a line, and everything that was typed or pasted stays.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static, TextArea

from core.errors import ResultUnreadable
from core.handing import Brought, read_brought, sorted_out
from core.safe_text import safe_line

_HINT = "F2 takes it · Tab goes on · Escape goes back"


class BringScreen(ModalScreen[None]):
    """A place to paste, and a path; what is pasted counts, else the file."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2,ctrl+s", "take", show=False, priority=True),
        Binding("escape", "back", show=False, priority=True),
    ]

    def __init__(self, request: str, folder: str, take: Callable[[Brought], str]) -> None:
        """`take` is given what was brought; it returns why not, a sentence, or nothing."""
        super().__init__()
        self._request, self._folder, self._take = request, folder, take
        self._warned = False

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = f"{self._request}: what was found by hand"
            box.border_subtitle = _HINT
            yield Static(Content(safe_line(f"It lies in {self._folder}: see INSTRUCTIONS.md.")))
            told = "Paste result.json, or what was printed. It becomes evidence “by hand”."
            yield Static(Content(told))
            area = TextArea(soft_wrap=True, compact=True, id="pasted")
            area.cursor_blink = False
            yield area
            yield Static(Content("Or, where nothing is pasted, the file:"), classes="hint")
            path = Input(str(Path(self._folder) / "out" / "result.json"))
            path.cursor_blink = False
            yield path
            yield Static(id="why")

    def on_mount(self) -> None:
        self.query_one(TextArea).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter takes nothing."""
        event.stop()
        self.focus_next()

    def action_take(self) -> None:
        pasted, path = self.query_one(TextArea).text, self.query_one(Input).value.strip()
        try:
            brought = (
                sorted_out(pasted.encode())
                if pasted.strip()
                else read_brought(Path(path).expanduser())
            )
        except ResultUnreadable as error:
            self._tell(f"not taken: {error}")
            return
        if why := self._take(brought):
            self._tell(f"not taken: {why}")
        else:
            self.dismiss(None)

    def action_back(self) -> None:
        """Go back; what was pasted is dropped only when told twice."""
        if not self.query_one(TextArea).text.strip() or self._warned:
            self.dismiss(None)
            return
        self._warned = True
        self._tell("Escape again drops what you pasted · F2 takes it")

    def on_text_area_changed(self) -> None:
        self._warned = False
        self._tell("")

    def _tell(self, text: str) -> None:
        self.query_one("#why", Static).update(Content(safe_line(text)))
