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
from tui import viewing
from tui.actions import ACTIONS, BY_NAME, MORE_THAN_ONE, Action
from tui.bridge import Bridge
from tui.editor import EditorFailed, edit
from tui.exporting import export
from tui.playback import Playback
from tui.screens.dialogs import Dialog, Help, rejection, second_stage, with_comment
from tui.screens.diff import DiffScreen
from tui.screens.edit import EditScreen, editable
from tui.screens.pages import SAID_S, PagesScreen
from tui.views import ANSWER, Question
from tui.widgets.board import Board
from tui.widgets.code_pane import CodePane
from tui.widgets.lists import LineChosen

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
                self.say(why)
        elif action.group in ("decide", "session") and not pressed:
            return  # a key that is held down
        elif action.decides and not self._armed(at):
            self.say("too early: read first")
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
            self._scrolled()

    def _twice(self, name: str, text: str) -> bool:
        """Tell whether a key that ends something was pressed for the second time."""
        before, at = self._again
        self._again = (name, time.monotonic())
        if before == name and time.monotonic() - at < _AGAIN_S:
            self._again = ("", float("-inf"))
            return True
        self.say(text)
        return False

    # ------------------------------------------------------------------ deciding
    def _do_approve(self) -> None:
        question = self.question
        if question and question.second_stage:
            self._approve_carefully(question, comment=False)
        elif question:
            self._approve(question)

    def _do_approve_with(self) -> None:
        question = self.question
        if question and question.second_stage:
            self._approve_carefully(question, comment=True)
        elif question:
            self._open(with_comment(question), lambda typed: self._approve(question, "", typed[0]))

    def _approve_carefully(self, question: Question, *, comment: bool) -> None:
        if missing := self._unread(question):
            self.say(f"read it first; not on the screen yet: {', '.join(missing)}")
            return
        dialog = second_stage(question, comment=comment)
        self._open(dialog, lambda typed: self._approve(question, *typed))

    def _unread(self, question: Question) -> tuple[str, ...]:
        """Return what of a request was not on the screen yet."""
        self._note_seen()
        return self._seen.missing() if self._seen.what == question.digest else self._seen.parts

    def _approve(self, question: Question, typed: str = "", comment: str = "") -> None:
        shown = self._arming.shown_ms(time.monotonic())
        if isinstance(self._scene, Bridge) and (
            why := self._scene.approve(question.digest, typed, comment, shown)
        ):
            self.say(f"not approved: {why}")

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
        question, script = self.question, self._script()
        text = None if script is None else editable(script)
        if question and script is not None and text is None:
            self.say("this script holds what a screen can't show as it is: E opens your editor")
        elif question and script is not None and text is not None:
            title = f"Edit the script of {question.head.partition(' awaits')[0]}"
            self.app.push_screen(
                EditScreen(title, text), lambda edited: self._edited(question, script, edited)
            )

    def _do_edit_outside(self) -> None:
        question, script = self.question, self._script()
        if question and script is not None:
            self.run_worker(self._edit(question, script), group="editor", exclusive=True)

    def _script(self) -> bytes | None:
        session = self._scene.session
        draft = session.step.draft if session and session.step else None
        return self._scene.script(draft.script) if draft else None

    async def _edit(self, question: Question, script: bytes) -> None:
        try:
            with cast("CountersignApp", self.app).away():
                edited = await edit(script)
        except EditorFailed as error:
            self.say(f"nothing changed: {safe_line(str(error))}")
        else:
            self._edited(question, script, edited)

    def _edited(self, question: Question, script: bytes, edited: bytes | None) -> None:
        if edited is None or edited == script:
            self.say("nothing was changed")
        else:
            self._decide(question, Decision("edit", script=edited))

    def _decide(self, question: Question, decision: Decision) -> None:
        if isinstance(self._scene, Bridge) and not self._scene.decide(question.digest, decision):
            self.say("this request waits no more")

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
            self.say(export(session, form, Path.cwd()))

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

    def _do_help(self) -> None:
        self.app.push_screen(Help())

    def on_line_chosen(self, event: LineChosen) -> None:
        self.query_one(CodePane).go_to(event.line)

    def _walk(self, name: str) -> None:
        far = 1_000_000
        by = {"event_back": -1, "event_on": 1, "event_first": -far, "event_last": far}[name]
        if isinstance(self._scene, Playback):
            self._page = self._version = None
            self._scene.move(by)
            self.paint()
