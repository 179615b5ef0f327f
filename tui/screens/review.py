"""The screen where everything happens: the keys over the pages of a session.

It turns keys into what the bridge is asked to do. The keys that decide work when the request's step
is the page that is shown, has been for a moment, and no dialog stands over it.

Does not: hold any rule of what may run. The bridge and the core refuse whatever does not fit.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.command import CommandPalette
from textual.widgets import TextArea

from core.safe_text import safe_line
from tui import viewing
from tui.action import Action
from tui.actions import ACTIONS, BY_NAME
from tui.bridge import Bridge
from tui.clipboard import keep_picture, why_not_copied
from tui.others import signing
from tui.screens.among import TOLD
from tui.screens.commands import Commands
from tui.screens.dialogs import Help
from tui.screens.diff import DiffScreen
from tui.screens.replaying import ReplayingScreen
from tui.screens.settings import SettingsScreen
from tui.searching import Searchable
from tui.situation import MORE_THAN_ONE
from tui.views import ANSWER
from tui.widgets.board import Board
from tui.widgets.code_pane import CodePane
from tui.widgets.lists import LineChosen
from tui.widgets.panes import ActivityPane

if TYPE_CHECKING:
    from tui.app import CountersignApp


class ReviewScreen(ReplayingScreen):
    """The pages of a session, with somebody at the keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(",".join(each.keys), f"act('{each.name}')", each.label, show=False, id=each.name)
        for each in ACTIONS
    ]

    # ------------------------------------------------------------------ keys
    def action_act(self, name: str) -> None:
        """Do what a key names, if it makes sense now."""
        action = BY_NAME[name]
        key, at = cast("CountersignApp", self.app).last_key
        pressed = self._arming.pressed(key, at)
        if why := action.why_not(self.situation):
            told = action.decides or action.name in TOLD
            if told and not self._scene.replay:
                self.say(why)
        elif action.group in ("decide", "session") and not pressed:
            return  # a key that is held down
        elif action.decides and not self._armed(at):
            self.say("too early: read first")
        else:
            self._do(action)

    def why_not_now(self, action: Action) -> str:
        """Return why an action makes no sense now, a sentence; empty when it does."""
        return action.why_not(self.situation)

    def command(self, action: Action) -> None:
        """Do an action that was chosen by its name; none that decides is done that way."""
        if not action.decides and not action.why_not(self.situation):
            self._do(action)

    def _do(self, action: Action) -> None:
        if handler := getattr(self, f"_do_{action.name}", None):
            handler()
        elif action.group == "replay":
            self._walk(action.name)
        else:
            self._page = self._page if self.page != ANSWER else len(self._pages) - 1
            self.paint()
            self.query_one(Board).show(action.name)
            self.paint_rows()
            self._scrolled()

    # ------------------------------------------------------------------ looking
    def _do_previous(self) -> None:
        self._turn(-1)

    def _do_next(self) -> None:
        self._turn(+1)

    def _turn(self, by: int) -> None:
        pages = self._pages
        place = pages.index(self.page) + by if self.page in pages else 0
        self._page, self._version = pages[max(0, min(len(pages) - 1, place))], None
        self.paint()

    def _do_follow(self) -> None:
        self._page = self._version = None
        self.paint()

    def _do_older(self) -> None:
        self._turn_version(-1)

    def _do_newer(self) -> None:
        self._turn_version(+1)

    def _turn_version(self, by: int) -> None:
        latest = self._versions
        version = max(1, min(latest, (self._version or latest) + by))
        self._page = self.page
        self._version = None if version == latest else version
        self.paint()

    def _do_diff(self) -> None:
        session = self._scene.session
        step = viewing.step_of(session, self.page) if session else None
        if step and len(step.drafts) >= MORE_THAN_ONE:
            version = max(MORE_THAN_ONE, self._version or len(step.drafts))
            self.app.push_screen(DiffScreen(step.drafts, version, self._scene.script))

    def _do_raw(self) -> None:
        self.query_one(Board).turn_policy()

    def _do_digest(self) -> None:
        if question := self.question:
            self.say(f"digest {question.digest}")

    def _do_zoom(self) -> None:
        if self.maximized:
            self.minimize()
        elif self.focused:
            self.maximize(self.focused)

    def _do_palette(self) -> None:
        self.app.push_screen(CommandPalette([Commands], placeholder="what to do"))

    def _do_copy(self) -> None:
        pane = self.reading_pane()
        chosen = pane.selected_text if isinstance(pane, TextArea) else self.get_selected_text()
        searchable: object = pane
        rows = searchable.searched() if isinstance(searchable, Searchable) else []
        rows = pane.whole() if isinstance(pane, ActivityPane) else rows
        text = chosen or "\n".join(rows)
        self._copy(text, "what is selected" if chosen else "the pane")

    def _do_copy_digest(self) -> None:
        if question := self.question:
            self._copy(question.digest, "the digest")

    def _do_copy_out(self) -> None:
        scene, session, asked = self._scene, self._scene.session, self._scene.asked
        if isinstance(scene, Bridge) and session and asked:
            handed = scene.handed()
            what = "what is handed over" if handed else "the lines that sign a yes"
            self._copy(handed or "\n".join(signing(session, asked)) + "\n", what)

    def _copy(self, text: str, what: str) -> None:
        if why := why_not_copied(text):
            self.say(why)
        else:
            self.app.copy_to_clipboard(text)
            self.say(f"{what} went to the terminal's clipboard ({len(text)} characters)")

    def _do_picture(self) -> None:
        folder = cast("CountersignApp", self.app).look.pictures
        if folder is None:
            self.say("there is no folder for pictures here")
            return
        try:
            path = keep_picture(self.app.export_screenshot(title="countersign"), folder)
        except OSError as error:
            self.say(f"no picture: {error.strerror}")
        else:
            self.say(f"kept as {safe_line(str(path))}")

    def _do_settings(self) -> None:
        self.app.push_screen(SettingsScreen(cast("CountersignApp", self.app).look.effective))

    def _do_help(self) -> None:
        self.app.push_screen(Help())

    def on_line_chosen(self, event: LineChosen) -> None:
        self.query_one(CodePane).go_to(event.line)
