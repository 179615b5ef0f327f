"""Paints hostile text in every kind of widget, or all over a recorded session; run by a test.

usage: hostile_screen.py widgets|session filtered|bare
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.content import Content
from textual.filter import LineFilter
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import Input, Log, OptionList, Static, TextArea

import tui.app
from core.aws import SHIPPED
from core.codec import parse
from core.events import Fact
from core.journal.store import read
from core.session import apply, begin
from sandbox.job import Sha
from tui.app import CountersignApp
from tui.bridge import Bridge
from tui.widgets.lines import LinesView
from tui.widgets.text_pane import TextPane

BAD = "\x1b]52;c;{0}\x07\x1b[97;97H\x9b98;98H\u202e\u200b\x1b]8;;http://{0}\x1b\\"
FREE = frozenset(
    {"alias", "asks_because", "cause", "comment", "coverage", "errors", "facts", "fix", "gaps"}
    | {"message", "problems", "question", "reason", "tables", "text", "title", "warnings", "why"}
)
"""Fields that people, scripts, models or AWS fill with any text."""


def bad(name: str) -> str:
    """Return a text that speaks to the terminal in the name of a widget."""
    return f"{name} {BAD.format(name)} after"


class Pane(TextPane):
    """A pane of running text, hostile."""

    def text(self, width: int) -> Iterator[Content]:
        del width
        yield Content(bad("pane"))


class Widgets(Screen[None]):
    """Every kind of widget that the program uses, each with a text of its own."""

    CSS = "Widgets > * { height: 3; } Widgets > .low { height: 1; }"

    def compose(self) -> ComposeResult:
        yield Static(Content(bad("static")), classes="low")
        yield OptionList(bad("option"))
        yield Log()
        yield TextArea(bad("area"))
        yield Input(bad("input"))
        yield LinesView(id="lines")
        yield Pane()
        yield Static("titled", id="titled")

    def on_mount(self) -> None:
        self.query_one(Log).write_line(bad("log"))
        self.query_one(LinesView).paint([bad("lines")])
        titled: Widget = self.query_one("#titled")
        titled.styles.border = ("round", "white")
        titled.border_title, titled.border_subtitle = bad("title"), bad("subtitle")
        self.notify(bad("toast"), markup=False, timeout=60)


def poisoned(value: Any, name: str = "") -> Any:
    """Return an event whose free texts speak to the terminal."""
    if is_dataclass(value) and not isinstance(value, type):
        changed = {
            each.name: poisoned(getattr(value, each.name), each.name) for each in fields(value)
        }
        return replace(value, **changed)
    if isinstance(value, str):
        return value + BAD.format("data") if name in FREE else value
    if isinstance(value, Mapping):
        return {key: poisoned(each, name) for key, each in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return type(value)(poisoned(each, name) for each in value)  # type: ignore[call-arg]
    return value


class Hostile(CountersignApp):
    """The screen, with or without its last filter."""

    CSS_PATH: ClassVar = [Path(tui.app.__file__).parent / each for each in CountersignApp.CSS_PATH]

    def __init__(self, kind: str, layers: str) -> None:
        super().__init__(Bridge(), bad("why?"))
        self._kind, self._layers = kind, layers

    def get_line_filters(self) -> Sequence[LineFilter]:
        return super().get_line_filters() if self._layers == "filtered" else ()

    def get_default_screen(self) -> Any:
        return Widgets() if self._kind == "widgets" else super().get_default_screen()

    def on_mount(self) -> None:
        super().on_mount()
        if self._kind == "session":
            self._tell()

    def _tell(self) -> None:
        scene = self.seat.scene
        assert isinstance(scene, Bridge)
        session = None
        with read(SHIPPED / "shop-502.db") as recording:
            for entry in recording.entries():
                event = poisoned(parse(entry.kind, entry.text))
                fact = Fact(entry.seq, entry.at, event)
                session = begin(fact) if session is None else apply(session, fact)
                scene.show(session, fact)
            bodies = {}
            for step in session.steps if session else ():
                for draft in step.drafts:
                    bodies[draft.script] = recording.payload(draft.script)
        scene.opened(lambda content: bodies.get(content, b"") + bad("code").encode())
        scene.body = _result  # type: ignore[method-assign]  # no file lies behind this scene
        self.noticed(self.seat)


def _result(content: Sha) -> bytes:
    del content
    told = {"facts": {bad("name"): bad("value")}, "warnings": [bad("warning")]}
    return json.dumps(told).encode()


if __name__ == "__main__":
    sys.exit(Hostile(sys.argv[1], sys.argv[2]).show())
