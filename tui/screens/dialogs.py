"""The dialogs that a person opens: why not, the second stage of a yes, and help.

None opens by itself. Enter only goes on to the last line and Escape goes back; what decides is the
letter on the last line, pressed there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from core.safe_text import safe_line
from tui.actions import ACTIONS, GROUPS, Action, Group
from tui.views import Question


class Final(Static):
    """The last line of a dialog: a letter here does it."""

    can_focus = True

    class Pressed(Message):
        """The letter was pressed while the line had the focus."""

    def __init__(self, letter: str, text: str) -> None:
        super().__init__(Content(f"{letter}  {text}"), classes="final")
        self._bindings.bind(letter, "press", show=False)

    def action_press(self) -> None:
        self.post_message(self.Pressed())


class Dialog(ModalScreen[tuple[str, ...] | None]):
    """Some texts to type and a last line; returns what was typed, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", show=False)]

    def __init__(self, title: str, said: list[str], fields: list[str], final: Final) -> None:
        super().__init__()
        self._title, self._said, self._fields, self._final = title, said, fields, final

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = self._title
            box.border_subtitle = "Enter goes on · Escape goes back"
            for line in self._said:
                yield Static(Content(line))
            yield Static(" ")
            for field in self._fields:
                yield Static(Content(field), classes="hint")
                answer = Input()
                answer.cursor_blink = False  # nothing moves by itself, nor over ssh
                yield answer
            yield self._final

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes on to the next line; it sends nothing."""
        event.stop()
        self.focus_next()

    def on_final_pressed(self, event: Final.Pressed) -> None:
        event.stop()
        typed = tuple(each.value.strip() for each in self.query(Input))
        if all(typed):
            self.dismiss(typed)
        else:
            self.query_one("#box").border_subtitle = "fill in every line first"

    def action_back(self) -> None:
        self.dismiss(None)


def rejection(question: Question) -> Dialog:
    """Return the dialog that asks why a request is rejected."""
    said = ["Nothing runs. The reason is recorded, and goes to whoever writes the next script."]
    final = Final("r", f"rejects {question.request} with this reason")
    return Dialog(f"Reject {question.request}", said, ["Why?"], final)


def second_stage(question: Question) -> Dialog:
    """Return the dialog in which the account is typed, and why blockers are overridden."""
    said = [question.head, question.because, f"digest {question.digest}"]
    said += [f"✗ {safe_line(each)}" for each in question.blockers]
    fields = [f"Type the account to go on: {question.account}"]
    if question.blockers:
        fields.append("Why run it in spite of its blocking findings?")
    final = Final("a", f"approves {question.request}, once, exactly as shown")
    return Dialog(f"Approve {question.request}: second stage", said, fields, final)


class Help(ModalScreen[None]):
    """Every key, from the registry."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "back", show=False)
    ]

    def __init__(
        self, actions: Sequence[Action] = ACTIONS, groups: Mapping[Group, str] = GROUPS
    ) -> None:
        super().__init__()
        self._actions, self._groups = actions, groups

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="box") as box:
            box.border_title = "Keys"
            box.border_subtitle = "Escape goes back"
            yield Static(Content("\n").join(list(_help_lines(self._actions, self._groups))))

    def action_back(self) -> None:
        self.dismiss(None)


def _help_lines(actions: Sequence[Action], groups: Mapping[Group, str]) -> Iterator[Content]:
    for group, title in groups.items():
        yield Content.styled(title, "bold $primary")
        for action in actions:
            if action.group == group:
                yield Content.assemble((f"  {action.key:<10}", "bold"), action.help)
        yield Content("")
    yield Content.styled(
        "A request never takes the focus. Its keys wake up once it has been visible for a moment; "
        "Enter, Space and Escape decide nothing.",
        "$text-dim",
    )
