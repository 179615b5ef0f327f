"""The line in which a text to find is typed: above the keys, there only while it is typed."""

from __future__ import annotations

from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.widgets import Input


class FindBar(Input):
    """Enter finds, Escape goes back; it decides nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", show=False)]

    class Sought(Message):
        """A text was typed, or nothing: then the search is over."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    def __init__(self) -> None:
        super().__init__(placeholder="find; a capital letter means that the case counts")
        self.cursor_blink = False
        self.display = False

    def open(self) -> None:
        """Take the keys."""
        self.value = ""
        self.display = True
        self.focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.display = False
        self.post_message(self.Sought(event.value))

    def action_close(self) -> None:
        self.display = False
        self.post_message(self.Sought(""))
