"""A page that opens over the session, to be read: help, differences. Escape goes back."""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widget import Widget

from tui.actions import ACTIONS
from tui.screens.reading import Reading
from tui.widgets.find_bar import FindBar
from tui.widgets.text_pane import TextPane


def bindings(*groups: str) -> list[BindingType]:
    """Return the keys of some groups of the registry; each can be set to others by its name."""
    return [
        Binding(",".join(each.keys), f"act('{each.name}')", each.label, show=False, id=each.name)
        for each in ACTIONS
        if each.group in groups
    ]


class Paper(Reading[None], ModalScreen[None]):
    """One text pane over everything else, with the keys of reading."""

    covers = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", show=False),
        *bindings("read"),
    ]

    def __init__(self, title: str, pane: TextPane) -> None:
        super().__init__()
        self._title, self._pane = title, pane
        self._pane.id = "paper"

    def compose(self) -> ComposeResult:
        self._pane.border_title = self._title
        self._pane.border_subtitle = self.hint
        yield self._pane
        yield FindBar()

    hint = "/ finds · Escape goes back"

    def reading_pane(self) -> Widget | None:
        return self._pane

    def say(self, text: str) -> None:
        self._pane.border_subtitle = text

    def action_act(self, name: str) -> None:
        """Do what a key of the registry names."""
        getattr(self, f"_do_{name}")()

    def action_back(self) -> None:
        self.dismiss(None)
