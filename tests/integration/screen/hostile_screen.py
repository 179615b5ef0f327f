"""Paints hostile text in every kind of widget, or all over a session; run by a test.

usage: hostile_screen.py widgets|session|home filtered|bare

At home one session is listed, whose record is as hostile: it can be replayed.
"""

from __future__ import annotations

import json
import sys
import tempfile
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
from core.approval.grants import Grant, GrantGiven, Standing
from core.aws import SHIPPED
from core.codec import parse, write
from core.events import DraftGenerated, Fact, RunFinished
from core.here import now_ms
from core.iam.containment import Permission
from core.journal.store import Journal, read
from core.session import Session, Step, apply, begin
from core.sessions import Overview, overviews
from sandbox.job import Sha
from tui.app import CountersignApp
from tui.bridge import Bridge
from tui.home_app import HomeApp
from tui.playback import Playback
from tui.seats import Seat
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


class Bare(CountersignApp):
    """The screen, with or without its last filter."""

    CSS_PATH: ClassVar = [Path(tui.app.__file__).parent / each for each in CountersignApp.CSS_PATH]
    layers = "filtered"

    def get_line_filters(self) -> Sequence[LineFilter]:
        return super().get_line_filters() if self.layers == "filtered" else ()


class HostileHome(Bare, HomeApp):
    """Home, with or without its last filter."""


class Hostile(Bare):
    """One session, or every widget."""

    def __init__(self, kind: str) -> None:
        super().__init__(Bridge(), bad("why?"))
        self._kind = kind

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
        for fact in facts():
            session = begin(fact) if session is None else apply(session, fact)
            scene.show(session, fact)
        assert session is not None
        scene.session = going_on(session)
        bodies = {each: payload(each) for step in session.steps for each in scripts(step)}
        scene.opened(lambda content: bodies.get(content, b"") + bad("code").encode())
        scene.body = _result  # type: ignore[method-assign]  # no file lies behind this scene
        self.noticed(self.seat)


def facts() -> Iterator[Fact]:
    """Yield what the demo's record says, in hostile words."""
    with read(SHIPPED / "shop-502.db") as recording:
        for entry in recording.entries():
            yield Fact(entry.seq, entry.at, poisoned(parse(entry.kind, entry.text)))


def payload(content: Sha) -> bytes:
    """Return what is stored in the demo's record."""
    with read(SHIPPED / "shop-502.db") as recording:
        return recording.payload(content)


def scripts(step: Step) -> Iterator[Sha]:
    """Yield the script of every version of a step."""
    for draft in step.drafts:
        yield draft.script


def going_on(session: Session) -> Session:
    """Return the session as if it went on, with a grant, and a version more of each step."""
    grant = Grant(
        grant=bad("name"),
        purpose="run",
        permissions=(Permission((bad("action"),), (bad("resource"),)),),
        source=bad("source"),
        partition="aws",
        account=bad("account"),
        role=bad("role"),
        regions=(bad("region"),),
        tier=1,
        code_digest=None,
        expires_at=now_ms() + 3_600_000,
        uses=0,
    )
    given = Standing(GrantGiven(grant, bad("identity"), "tui", bad("session")))
    steps = tuple(
        replace(each, drafts=(*each.drafts, version(each.drafts[-1]))) for each in session.steps
    )
    return replace(session, finished=None, grants=(given,), steps=steps)


def version(draft: DraftGenerated) -> DraftGenerated:
    """Return another version of a draft, hostile where texts of strangers stand."""
    return replace(
        draft,
        version=draft.version + 1,
        script=Sha("f" * 64),
        requirements=(bad("requirement"),),
        policy={**draft.policy, "Id": bad("policy")},
        parameters={bad("parameter"): bad("value")},
    )


class OneHostile:
    """A `House` with one session, whose record is full of sequences."""

    mode = "guided"
    modes = ("guided",)
    place = bad("place")

    def __init__(self, folder: Path) -> None:
        self._path = folder / "20261120T150000-abcdef.db"
        with Journal.create(self._path, self._path.stem) as journal:
            for fact in facts():
                journal.append([(fact.at, fact.event.kind, write(fact.event))])
                if isinstance(fact.event, DraftGenerated):
                    journal.keep(payload(fact.event.script))
                elif isinstance(fact.event, RunFinished) and fact.event.result:
                    journal.keep(payload(fact.event.result))

    def now(self) -> int:
        return now_ms()

    def sessions(self) -> tuple[Overview, ...]:
        return tuple(overviews(self._path.parent))

    def workflows(self) -> tuple[()]:
        return ()

    def sources(self) -> tuple[str, ...]:
        return ("live",)

    def verify(self, path: Path) -> str:
        return bad(f"verdict on {path.stem}")

    def replay(self, session: str) -> Seat:
        return Seat(Playback(self._path), bad(session))


def _result(content: Sha) -> bytes:
    del content
    told = {"facts": {bad("name"): bad("value")}, "warnings": [bad("warning")]}
    return json.dumps(told).encode()


def main(kind: str, layers: str) -> int:
    """Show what is wanted until it is left."""
    Bare.layers = layers
    if kind != "home":
        return Hostile(kind).show()
    with tempfile.TemporaryDirectory() as folder:
        house: Any = OneHostile(Path(folder))
        return HostileHome(house).show()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
