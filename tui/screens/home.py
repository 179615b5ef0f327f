"""Home: every session on this machine and those that are open here; begin, go on, read again.

It reads files in a thread and paints what it has, so that a thousand sessions keep nobody waiting.

Does not: decide on requests. It opens the session where that can be done.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, OptionList, Static

from core.safe_text import safe_line
from tui import homing
from tui.action import Action, how_to_leave
from tui.home_actions import HOME_ACTIONS, AtHome, why_not
from tui.homing import Entry, Here
from tui.house import House
from tui.screens.home_pages import HomePages
from tui.situation import Situation
from tui.views import Row
from tui.widgets.bars import KeyBar
from tui.widgets.home import HomeBar, RowsPane, SessionList

_SAID_S = 4.0
_AGAIN_S = 3.0
_TOO_SMALL = (
    "countersign needs 60 columns and 16 rows here.\nMake the window larger, or name a command."
)


class HomeScreen(HomePages):
    """All sessions, with somebody at the keys."""

    AUTO_FOCUS = "#sessions"
    said_s: ClassVar[float] = _SAID_S
    """For this time a word to the last key stays."""
    BINDINGS: ClassVar[list[BindingType]] = [
        *(
            Binding(",".join(each.keys), f"act('{each.name}')", show=False, id=f"home.{each.name}")
            for each in HOME_ACTIONS
        ),
        Binding("escape", "clear", show=False),
    ]

    class Wanted(Message):
        """Somebody wants to be somewhere: `what` is open, resume, replay, waiting or leave."""

        def __init__(self, what: str, key: str = "") -> None:
            super().__init__()
            self.what, self.key = what, key

    def __init__(self, house: House, here: Callable[[], Sequence[Here]]) -> None:
        super().__init__(house)
        self._here = here
        self._verdicts: dict[str, str] = {}
        self._said = ("", float("-inf"))
        self._again = float("-inf")

    def compose(self) -> ComposeResult:
        yield HomeBar()
        with Horizontal(id="home"):
            with Vertical(id="left"):
                yield Input(placeholder="words that a session must hold", id="filter")
                yield SessionList(id="sessions", classes="pane")
            with Vertical(id="right"):
                yield RowsPane(id="detail", classes="pane")
                yield RowsPane(id="library", classes="pane")
        yield Static(_TOO_SMALL, id="too-small")
        yield Static(id="said")
        yield KeyBar()

    def on_mount(self) -> None:
        self.query_one("#sessions").border_title = "Sessions"
        self.query_one("#detail").border_title = "Marked"
        self.query_one("#library").border_title = "At hand"
        self.query_one("#filter", Input).cursor_blink = False
        self.set_interval(5.0, self.paint)
        self.call_after_refresh(self.paint)
        self.call_after_refresh(self.read)

    def on_screen_resume(self) -> None:
        self.call_after_refresh(self.paint)
        self.call_after_refresh(self.read)

    def on_resize(self) -> None:
        self.call_after_refresh(self.paint)

    # ------------------------------------------------------------------ what there is
    def read(self) -> None:
        """Read files and workflows anew, in a thread."""
        self._read()

    @work(group="home", exclusive=True)
    async def _read(self) -> None:
        self._files = await asyncio.to_thread(self._house.sessions)
        self.paint()
        library = await asyncio.to_thread(self._house.workflows)
        self.query_one("#library", RowsPane).paint(homing.library(library, self._files))

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What is listed."""
        wanted = self.query_one("#filter", Input).value
        return homing.entries(self._here(), self._files or (), self._house.now(), wanted)

    @property
    def marked(self) -> Entry | None:
        """The session on which the mark stands."""
        key = self.query_one(SessionList).marked
        return next((each for each in self.entries if each.key == key), None)

    @property
    def situation(self) -> AtHome:
        """What actions depend on."""
        marked = self.marked
        waiting = [each for each in self._here() if each.asked]
        return AtHome(
            chosen=marked is not None,
            here=bool(marked and marked.here),
            resumable=bool(marked and marked.standing in ("open", "waiting")),
            waiting=len(waiting),
        )

    def why_not_now(self, action: Action) -> str:
        return why_not(action.name, self.situation)

    # ------------------------------------------------------------------ painting
    def paint(self) -> None:
        """Show what there is now."""
        if not self.is_mounted:
            return
        entries = self.entries
        known = len(homing.entries(self._here(), self._files or (), 0))
        empty = "reading the sessions" if self._files is None else "no session yet: press n"
        listed = self.query_one(SessionList)
        listed.paint(entries, empty if not known else "no session holds these words")
        listed.border_subtitle = homing.caption(entries, known)
        self.query_one(HomeBar).paint(self._house.mode, self._house.place, len(self._here()))
        self.paint_marked()

    def paint_marked(self) -> None:
        """Show the marked session in detail, and the keys for it."""
        self.query_one("#detail", RowsPane).paint(tuple(self._detail()))
        situation = self.situation
        useful = [each for each in self.actions if each.label and not self.why_not_now(each)]
        self.query_one(KeyBar).paint(useful, Situation(), armed=True)
        text, until = self._said
        said = text if time.monotonic() < until else self._standing_word(situation)
        self.query_one("#said", Static).update(Content(f" {said}"))

    def _standing_word(self, situation: AtHome) -> str:
        if situation.waiting:
            several = "sessions wait" if situation.waiting > 1 else "session waits"
            return f"▲ {situation.waiting} {several} for a decision: press W"
        return "Enter opens the marked session"

    def _detail(self) -> Iterator[Row]:
        marked = self.marked
        if marked is None:
            return
        yield Row("", marked.question)
        if marked.here:
            found = next(each for each in self._here() if each.key == marked.key)
            yield from homing.detail_here(found)
            return
        for file in self._files or ():
            if file.session == marked.key:
                yield from homing.detail(file, self._verdicts.get(file.session, ""))

    @property
    def how_to_leave(self) -> str:
        """What ctrl+c is answered with."""
        return how_to_leave(self.actions)

    def say(self, text: str) -> None:
        """Say something for a while."""
        self._said = (safe_line(text), time.monotonic() + self.said_s)
        self.set_timer(self.said_s, self.paint_marked)
        self.paint_marked()

    # ------------------------------------------------------------------ keys
    def action_act(self, name: str) -> None:
        """Do what a key names, if it makes sense now."""
        if why := why_not(name, self.situation):
            self.say(why)
        else:
            getattr(self, f"_do_{name}")()

    def action_clear(self) -> None:
        """Forget the filter; Escape leaves nothing but that."""
        field = self.query_one("#filter", Input)
        field.value = ""
        field.remove_class("-shown")
        self.query_one(SessionList).focus()
        self.paint()

    def _do_open(self) -> None:
        marked = self.marked
        if marked and (marked.here or marked.standing in ("open", "waiting")):
            self._want("open" if marked.here else "resume")
        else:
            self._want("replay")

    def _do_resume(self) -> None:
        self._want("resume")

    def _do_replay(self) -> None:
        self._want("replay")

    def _want(self, what: str) -> None:
        marked = self.marked
        self.post_message(self.Wanted(what, marked.key if marked else ""))

    def _do_waiting(self) -> None:
        self.post_message(self.Wanted("waiting"))

    @work(group="verify", exclusive=True)
    async def _do_verify(self) -> None:
        marked = self.marked
        file = next(each for each in self._files or () if marked and each.session == marked.key)
        self.say(f"verifying {file.session}")
        verdict = await asyncio.to_thread(self._house.verify, file.path)
        self._verdicts[file.session] = safe_line(verdict)
        self.say(f"{file.session}: {verdict}")

    def _do_filter(self) -> None:
        field = self.query_one("#filter", Input)
        field.add_class("-shown")
        field.focus()

    def _do_reload(self) -> None:
        self.read()

    def _do_down(self) -> None:
        self.query_one(SessionList).action_cursor_down()

    def _do_up(self) -> None:
        self.query_one(SessionList).action_cursor_up()

    def _do_leave(self) -> None:
        working = [each for each in self._here() if not (each.replay or each.problem)]
        open_ones = [each for each in working if not (each.session and each.session.finished)]
        if not open_ones or time.monotonic() - self._again < _AGAIN_S:
            self.post_message(self.Wanted("leave"))
            return
        self._again = time.monotonic()
        several = "sessions stay" if len(open_ones) > 1 else "session stays"
        self.say(f"press q again to leave; {len(open_ones)} {several} open")

    # ------------------------------------------------------------------ widgets
    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.paint()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if not event.value:
            event.input.remove_class("-shown")
        self.query_one(SessionList).focus()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self.paint_marked()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._do_open()
