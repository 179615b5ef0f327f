"""The form for a new session: question, account or world, mode. Nothing runs by it.

Up and down in a line offer what stood there before; left and right choose the mode.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from tui.homing import Pick
from tui.house import House, Wish
from tui.screens.dialogs import Final


class Remembering(Input):
    """A line in which up and down offer texts."""

    def __init__(self, value: str, offered: Sequence[str], name: str) -> None:
        super().__init__(value, id=name)
        self.cursor_blink = False
        self._offered = list(offered)
        self._place = self._offered.index(value) if value in self._offered else -1

    def on_key(self, event: events.Key) -> None:
        step = {"up": 1, "down": -1}.get(event.key)
        if step is None or not self._offered:
            return
        event.stop()
        event.prevent_default()
        self._place = max(0, min(len(self._offered) - 1, self._place + step))
        self.value = self._offered[self._place]
        self.cursor_position = len(self.value)


class Choice(Static):
    """One of a few words; left and right choose."""

    can_focus = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "turn(-1)", show=False),
        Binding("right,l", "turn(1)", show=False),
        Binding("enter", "screen.onward", show=False),
    ]

    def __init__(self, words: Sequence[str], chosen: str) -> None:
        super().__init__(classes="choice")
        self._words = list(words)
        self._place = self._words.index(chosen) if chosen in self._words else 0

    @property
    def value(self) -> str:
        """The word that is chosen."""
        return self._words[self._place]

    def on_mount(self) -> None:
        self._paint()

    def action_turn(self, by: int) -> None:
        self._place = (self._place + by) % len(self._words)
        self._paint()

    def _paint(self) -> None:
        parts = [
            Content.styled(f"[{each}]", "bold $primary") if each == self.value else Content(each)
            for each in self._words
        ]
        self.update(Content("  ").join(parts))


class NewSession(ModalScreen[None]):
    """Asks what a new session is to be."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "back", show=False)]

    class Begun(Message):
        """Somebody wants this session."""

        def __init__(self, wish: Wish) -> None:
            super().__init__()
            self.wish = wish

    def __init__(self, house: House, recent: Sequence[str], begins: Pick | None = None) -> None:
        """`begins`: what was picked to begin with."""
        super().__init__()
        self._house, self._recent = house, recent
        self._begins = begins or Pick("", "")

    def compose(self) -> ComposeResult:
        sources = self._house.sources()
        with Vertical(id="box") as box:
            box.border_title = "A new session"
            box.border_subtitle = "Enter goes on · ↑ ↓ offer · Escape goes back"
            yield Static("What do you want to know? A simulated world brings its own question.")
            yield Remembering(self._begins.question, self._recent, "question")
            if self._begins.workflow:
                yield Static(Content(f"Begins with {self._begins.label}"), classes="hint")
            yield Static("Account: live, simulated:WORLD or recorded:SESSION", classes="hint")
            yield Remembering(sources[0], sources, "source")
            yield Static("AWS profile; empty: the settings', then AWS's", classes="hint")
            yield Remembering("", (), "profile")
            yield Static("Mode", classes="hint")
            yield Choice(self._house.modes, self._house.mode)
            yield Final("b", "begins; only what the mode allows runs unasked")

    def action_onward(self) -> None:
        self.focus_next()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes on to the next line; it begins nothing."""
        event.stop()
        self.focus_next()

    def on_final_pressed(self, event: Final.Pressed) -> None:
        event.stop()
        question, source, profile = (
            self.query_one(f"#{name}", Input).value.strip()
            for name in ("question", "source", "profile")
        )
        if not question and not source.startswith("simulated:"):
            self.query_one("#box").border_subtitle = "ask a question first"
            return
        self.app.post_message(
            self.Begun(
                Wish(
                    question,
                    source,
                    self.query_one(Choice).value,
                    profile,
                    self._begins.workflow,
                )
            )
        )
        self.dismiss(None)

    def action_back(self) -> None:
        self.dismiss(None)
