"""Asking the model that plans about the step that is shown; its answer is read right here.

The page stays open until it is left; what it shows is what the session has on record. It decides
nothing: the request that waits stays as it is, and its keys sleep while this page stands over it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from core.safe_text import safe_text
from tui.bridge import Bridge
from tui.screens.dialogs import Final
from tui.widgets.text_pane import TextPane, wrapped

_LOOK_S = 0.1
_HINT = "Enter goes on to the last line · Escape goes back"
_WAITING = "The planner is being asked …"
_SAID = "It decides nothing: what waits for a decision stays open, exactly as it is."


class AnswerPane(TextPane):
    """What the planner said, or why it said nothing."""

    _given = ""
    _style = ""

    def paint(self, text: str, style: str = "") -> None:
        """Show a text that may come from anybody."""
        if (text, style) != (self._given, self._style):
            self._given, self._style = text, style
            self.fill()

    def text(self, width: int) -> Iterator[Content]:
        for line in wrapped(safe_text(self._given), width):
            yield Content.styled(line, self._style)


class AskScreen(ModalScreen[None]):
    """A question to type, and below it what the planner says to it."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", show=False)]

    def __init__(self, scene: Bridge) -> None:
        super().__init__()
        self._scene = scene
        self._before = self._answers

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            session = self._scene.session
            latest = session.steps[-1].plan.step if session and session.steps else "the case"
            box.border_title = f"Ask the planner about {latest}"
            box.border_subtitle = _HINT
            yield Static(Content(_SAID))
            yield Static(Content("What?"), classes="hint")
            question = Input()
            question.cursor_blink = False
            yield question
            yield Final("i", "asks, and puts question and answer on record")
            yield AnswerPane(id="said-to-it")

    def on_mount(self) -> None:
        self.set_interval(_LOOK_S, self._look)

    @property
    def _answers(self) -> int:
        session = self._scene.session
        return len(session.answered) if session else 0

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes on to the last line; it sends nothing."""
        event.stop()
        self.focus_next()

    def on_final_pressed(self, event: Final.Pressed) -> None:
        event.stop()
        question = self.query_one(Input).value.strip()
        if not question:
            self.query_one("#box").border_subtitle = "say what you want to know first"
            return
        self._before = self._answers
        self._scene.ask(question)
        self.query_one("#box").border_subtitle = _HINT
        self.query_one(AnswerPane).paint(_WAITING, "$text-dim")
        self.query_one(AnswerPane).focus()

    def _look(self) -> None:
        """Show what came, as soon as it is on record."""
        session = self._scene.session
        if session is None or len(session.answered) == self._before:
            return
        last = session.answered[-1]
        text = last.text or f"No answer: {last.problem}"
        self.query_one(AnswerPane).paint(text, "" if last.text else "$warning")

    def action_back(self) -> None:
        self.dismiss(None)
