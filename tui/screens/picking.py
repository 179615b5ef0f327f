"""What a session can begin with: saved workflows, and the questions that were asked last.

Enter picks, which begins nothing: the form for a new session follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.homing import Pick


class PickScreen(ModalScreen[Pick | None]):
    """One of a list, or none."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "back", show=False),
        Binding("j", "down", show=False),
        Binding("k", "up", show=False),
    ]

    def __init__(self, picks: Sequence[Pick]) -> None:
        super().__init__()
        self._picks = picks

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = "Begin with"
            box.border_subtitle = "Enter goes on to the form · Escape goes back"
            yield OptionList(*(Option(_line(each)) for each in self._picks))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.dismiss(self._picks[event.option_index])

    def action_down(self) -> None:
        self.query_one(OptionList).action_cursor_down()

    def action_up(self) -> None:
        self.query_one(OptionList).action_cursor_up()

    def action_back(self) -> None:
        self.dismiss(None)


def _line(pick: Pick) -> Content:
    sign = ("⧉ ", "$primary") if pick.workflow else ("? ", "$secondary")
    return Content.assemble(sign, pick.label)
