"""The screen where everything happens: the keys over the pages of a session.

It turns keys into what the bridge is asked to do. The keys that decide work when the request's step
is the page that is shown, has been for a moment, and no dialog stands over it.

Does not: hold any rule of what may run. The bridge and the core refuse whatever does not fit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual.binding import Binding, BindingType

from core.approval.approvers import Decision
from core.safe_text import safe_line
from tui.actions import ACTIONS, BY_NAME, Action
from tui.bridge import Bridge
from tui.editor import EditorFailed, edit
from tui.exporting import export
from tui.playback import Playback
from tui.screens.dialogs import Dialog, Help, rejection, second_stage
from tui.screens.pages import SAID_S, PagesScreen
from tui.views import ANSWER, Question
from tui.widgets.board import Board
from tui.widgets.code_pane import CodePane
from tui.widgets.panes import FindingsPane

if TYPE_CHECKING:
    from tui.app import CountersignApp

_AGAIN_S = SAID_S
"""Within this time the second press of a key that ends something counts."""


_TOLD = frozenset({"home", "other", "waiting", "markdown", "json"})
"""Actions that say why they make no sense, besides those that decide."""


class ReviewScreen(PagesScreen):
    """The pages of a session, with somebody at the keys."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding(",".join(each.keys), f"act('{each.name}')", each.label, show=False, id=each.name)
        for each in ACTIONS
    ]
    _again = ("", float("-inf"))
    """The last key that ends something, and when it was pressed."""

    # ------------------------------------------------------------------ keys
    def action_act(self, name: str) -> None:
        """Do what a key names, if it makes sense now."""
        action = BY_NAME[name]
        key, at = cast("CountersignApp", self.app).last_key
        pressed = self._arming.pressed(key, at)
        if why := action.why_not(self.situation):
            told = action.decides or action.name in _TOLD
            if told and not self._scene.replay:
                self._say(why)
        elif action.group in ("decide", "session") and not pressed:
            return  # a key that is held down
        elif action.decides and not self._armed(at):
            self._say("too early: read first")
        else:
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

    def _twice(self, name: str, text: str) -> bool:
        """Tell whether a key that ends something was pressed for the second time."""
        before, at = self._again
        self._again = (name, time.monotonic())
        if before == name and time.monotonic() - at < _AGAIN_S:
            self._again = ("", float("-inf"))
            return True
        self._say(text)
        return False

    # ------------------------------------------------------------------ deciding
    def _do_approve(self) -> None:
        question = self.question
        if question and question.second_stage:
            self._open(second_stage(question), lambda typed: self._approve(question, *typed))
        elif question:
            self._approve(question)

    def _approve(self, question: Question, typed: str = "", comment: str = "") -> None:
        shown = self._arming.shown_ms(time.monotonic())
        if isinstance(self._scene, Bridge) and (
            why := self._scene.approve(question.digest, typed, comment, shown)
        ):
            self._say(f"not approved: {why}")

    def _do_reject(self) -> None:
        if question := self.question:
            self._open(
                rejection(question),
                lambda typed: self._decide(question, Decision("reject", comment=typed[0])),
            )

    def _do_skip(self) -> None:
        if question := self.question:
            self._decide(question, Decision("skip"))

    def _do_edit(self) -> None:
        if question := self.question:
            self.run_worker(self._edit(question), group="editor", exclusive=True)

    async def _edit(self, question: Question) -> None:
        session = self._scene.session
        draft = session.step.draft if session and session.step else None
        if draft is None:
            return
        try:
            with cast("CountersignApp", self.app).away():
                edited = await edit(self._scene.script(draft.script))
        except EditorFailed as error:
            self._say(f"nothing changed: {safe_line(str(error))}")
            return
        if edited is None:
            self._say("nothing was changed")
        else:
            self._decide(question, Decision("edit", script=edited))

    def _decide(self, question: Question, decision: Decision) -> None:
        if isinstance(self._scene, Bridge) and not self._scene.decide(question.digest, decision):
            self._say("this request waits no more")

    def _open(self, dialog: Dialog, act: Callable[[tuple[str, ...]], None]) -> None:
        self.app.push_screen(dialog, lambda typed: act(typed) if typed else None)

    # ------------------------------------------------------------------ the session
    def _do_stop(self) -> None:
        if isinstance(self._scene, Bridge) and self._twice("stop", "press x again to stop"):
            self._scene.stop()

    def _do_leave(self) -> None:
        if self.situation.home:
            self._do_home()
            return
        app = cast("CountersignApp", self.app)
        said = "press q again to leave; the session stays open"
        if not app.working or app.ended or self._twice("leave", said):
            app.leave()

    def _do_markdown(self) -> None:
        self._export("markdown")

    def _do_json(self) -> None:
        self._export("json")

    def _export(self, form: str) -> None:
        if session := self._scene.session:
            self._say(export(session, form, Path.cwd()))

    def _do_home(self) -> None:
        self._among("to_home")

    def _do_waiting(self) -> None:
        self._among("to_waiting")

    def _do_other(self) -> None:
        self._among("to_other")

    def _among(self, where: str) -> None:
        """Walk among the sessions of a screen that has several."""
        self.app.call_next(getattr(self.app, where))

    # ------------------------------------------------------------------ looking
    def _do_previous(self) -> None:
        self._turn(-1)

    def _do_next(self) -> None:
        self._turn(+1)

    def _turn(self, by: int) -> None:
        pages = self._pages
        place = pages.index(self.page) + by if self.page in pages else 0
        self._page = pages[max(0, min(len(pages) - 1, place))]
        self.paint()

    def _do_follow(self) -> None:
        self._page = None
        self.paint()

    def _do_zoom(self) -> None:
        if self.maximized:
            self.minimize()
        elif self.focused:
            self.maximize(self.focused)

    def _do_help(self) -> None:
        self.app.push_screen(Help())

    def on_findings_pane_chosen(self, event: FindingsPane.Chosen) -> None:
        self.query_one(CodePane).go_to(event.line)

    def _walk(self, name: str) -> None:
        far = 1_000_000
        by = {"event_back": -1, "event_on": 1, "event_first": -far, "event_last": far}[name]
        if isinstance(self._scene, Playback):
            self._page = None
            self._scene.move(by)
            self.paint()
