"""The dialogs that a person opens: why not, the second stage of a yes, and help.

None opens by itself. Enter only goes on to the last line and Escape goes back; what decides is the
letter on the last line, pressed there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from core.safe_text import safe_line
from tui.action import GROUPS, Action, Group
from tui.actions import ACTIONS
from tui.screens.paper import Paper
from tui.views import Question
from tui.widgets.text_pane import TextPane, wrapped

_KEYS = 13
"""Columns for the keys."""
_RULES = (
    "A request never takes the focus. Its keys wake up once it has been visible for a moment; "
    "Enter, Space and Escape decide nothing."
)


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


class Back(Static):
    """The way out of a dialog, as a line: here, Enter goes back too."""

    can_focus = True
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "screen.back", show=False)]

    def __init__(self) -> None:
        super().__init__(Content("Cancel"), classes="final")


@dataclass(frozen=True, slots=True)
class Asks:
    """What a dialog says, and what is typed into it."""

    title: str
    said: tuple[str, ...]
    fields: tuple[str, ...] = ()
    careful: bool = False
    """Cancel has the focus first."""
    may_be_empty: bool = False
    """The last field need not be filled in."""


class Dialog(ModalScreen[tuple[str, ...] | None]):
    """Some texts to type and a last line; returns what was typed, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", show=False)]

    def __init__(self, asks: Asks, final: Final) -> None:
        super().__init__()
        self._asks, self._final = asks, final

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = self._asks.title
            box.border_subtitle = "Tab and Enter go on · Escape goes back"
            for line in self._asks.said:
                yield Static(Content(line))
            yield Static(" ")
            for field in self._asks.fields:
                yield Static(Content(field), classes="hint")
                answer = Input()
                answer.cursor_blink = False  # nothing moves by itself, nor over ssh
                yield answer
            yield self._final
            yield Back()

    def on_mount(self) -> None:
        if self._asks.careful:
            self.query_one(Back).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes on to the next line; it sends nothing."""
        event.stop()
        self.focus_next()

    def on_final_pressed(self, event: Final.Pressed) -> None:
        event.stop()
        typed = tuple(each.value.strip() for each in self.query(Input))
        needed = typed[:-1] if self._asks.may_be_empty else typed
        if all(needed):
            self.dismiss(typed)
        else:
            self.query_one("#box").border_subtitle = "fill in every line first"

    def action_back(self) -> None:
        self.dismiss(None)


def rejection(question: Question) -> Dialog:
    """Return the dialog that asks why a request is rejected."""
    said = "Nothing runs. The reason is recorded, and goes to whoever writes the next script."
    final = Final("r", f"rejects {question.request} with this reason")
    return Dialog(Asks(f"Reject {question.request}", (said,), ("Why?",)), final)


def remark(*, model: bool) -> Dialog:
    """Return the dialog for a remark; says who reads it."""
    reader = (
        "The model reads it before its next step; what it makes of it stands in the plan there."
        if model
        else "No model works on this session: it goes on record, for whoever reads that."
    )
    said = ("It decides nothing: a request that is open stays open.", reader)
    final = Final("i", "puts it on record")
    return Dialog(Asks("Tell something", said, ("What?",)), final)


def with_comment(question: Question) -> Dialog:
    """Return the dialog that takes a comment to a yes."""
    said = "The comment goes on record beside your approval, and to whoever plans the next step."
    final = Final("a", f"approves {question.request}, once, exactly as shown")
    title = f"Approve {question.request} with a comment"
    return Dialog(Asks(title, (question.head, said), ("Comment",)), final)


def second_stage(question: Question, *, comment: bool) -> Dialog:
    """Return the dialog in which the account is typed, and why blockers are overridden."""
    said = [question.head, question.because, f"digest {question.digest}"]
    said += [f"✗ {safe_line(each)}" for each in question.blockers]
    fields = [f"Type the account to go on: {question.account}"]
    if question.blockers:
        fields.append("Why run it in spite of its blocking findings?")
    elif comment:
        fields.append("Comment")
    final = Final("a", f"approves {question.request}, once, exactly as shown")
    title = f"Approve {question.request}: second stage"
    return Dialog(Asks(title, tuple(said), tuple(fields), careful=True), final)


def signed_elsewhere(question: Question, lines: Sequence[str]) -> Dialog:
    """Return the dialog that says what somebody else signs, and takes the file they signed."""
    who = f"somebody else than {question.other}" if question.other else "somebody else"
    said = (
        f"For {who}, who read it elsewhere. They type (Y copies these lines):",
        *(safe_line(each) for each in lines),
        f"and send decision.json with decision.json.sig. digest {question.digest}",
    )
    final = Final("o", f"takes what they signed as the decision on {question.request}")
    field = "The file, with its .sig beside it"
    return Dialog(Asks(f"{question.request}: signed elsewhere", said, (field,)), final)


class HelpPane(TextPane):
    """Every key, from the registry as the settings made it."""

    _of: tuple[Sequence[Action], Mapping[Group, str]] = ((), GROUPS)

    def of(self, actions: Sequence[Action], groups: Mapping[Group, str]) -> HelpPane:
        """Take the keys of another registry; empty = those of the program."""
        self._of = (actions, groups)
        return self

    def text(self, width: int) -> Iterator[Content]:
        actions, groups = self._of
        for group, title in groups.items():
            yield Content.styled(title, "bold $primary")
            for action in actions or getattr(self.app, "actions", ACTIONS):
                if action.group == group:
                    yield from _key_and_help(action, width)
            yield Content("")
        yield Content.styled(_RULES, "$text-dim")


class Help(Paper):
    """Every key, and what it does."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("question_mark,f1", "back", show=False)]

    def __init__(
        self, actions: Sequence[Action] = (), groups: Mapping[Group, str] = GROUPS
    ) -> None:
        super().__init__("Keys", HelpPane(classes="pane").of(actions, groups))


def _key_and_help(action: Action, width: int) -> Iterator[Content]:
    head, *rest = wrapped(action.help, width - _KEYS)
    yield Content.assemble((f"  {action.key:<{_KEYS - 2}}", "bold"), head)
    yield from (Content(" " * _KEYS + each) for each in rest)
