"""Deciding: what the keys do that answer a request, end something, or leave.

Everything here is asked of the bridge, and goes with the digest of what was on the screen.

Does not: know whether a key counts now (review.py), or hold any rule of what may run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, cast

from core.approval.approvers import Decision
from core.checks.permissions import tighter
from core.events import Mode
from core.repair import NONE as NO_REPAIRS
from core.safe_text import safe_line
from tui import consent, viewing
from tui.action import how_to_leave
from tui.bridge import Bridge, Yes
from tui.consent import StandingGrant, Wanted
from tui.editing import FILES, Part, Parts, Unreadable, changed, parts_of
from tui.editor import EditorFailed, edit_files
from tui.others import signing
from tui.screens.asking import AskScreen
from tui.screens.bring import BringScreen
from tui.screens.choosing import GrantsScreen, ModeScreen, entering, granting
from tui.screens.dialogs import (
    Dialog,
    rejection,
    remark,
    second_stage,
    signed_elsewhere,
    with_comment,
)
from tui.screens.edit import EditScreen, hidden
from tui.screens.pages import SAID_S, PagesScreen
from tui.views import Question
from tui.widgets.board import Board

if TYPE_CHECKING:
    from tui.app import CountersignApp

_AGAIN_S = SAID_S
"""Within this time the second press of a key that ends something counts."""


class DecidingScreen(PagesScreen):
    """The pages of a session, and what can be decided on them."""

    _again = ("", float("-inf"))
    """The last key that ends something, and when it was pressed."""
    _typed: Mapping[str, Parts] = MappingProxyType({})
    """What an editor gave back that could not be read, by the digest of the request."""

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
        yes = Yes(
            typed=typed,
            comment=comment,
            shown_ms=self._arming.shown_ms(time.monotonic()),
            seen=self._seen.share() if self._seen.what == question.digest else 0,
            screen=self.query_one(Board).read().encode(),
        )
        if isinstance(self._scene, Bridge) and (why := self._scene.approve(question.digest, yes)):
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

    def _do_bring(self) -> None:
        question, scene = self.question, self._scene
        if question and isinstance(scene, Bridge):
            take = partial(scene.bring, question.digest)
            self.app.push_screen(BringScreen(question.request, question.folder, take))

    def _do_signed(self) -> None:
        question, session, asked = self.question, self._scene.session, self._scene.asked
        if question and session and asked:
            dialog = signed_elsewhere(question, signing(session, asked))
            self._open(dialog, lambda typed: self._take_signed(question, typed[0]))

    def _take_signed(self, question: Question, path: str) -> None:
        self.run_worker(self._signed(question, Path(path).expanduser()), group="signed")

    async def _signed(self, question: Question, path: Path) -> None:
        if isinstance(self._scene, Bridge) and (
            why := await self._scene.take_signed(question.digest, path)
        ):
            # The reason stands after the path, and a long one would leave no room for it.
            self.say(f"not taken: {safe_line(why.replace(str(path), path.name))}")

    def _do_edit(self) -> None:
        """Edit here, beginning with the part on which the focus is."""
        question, parts = self.question, self._parts()
        if question is None or parts is None:
            return
        focused = self.focused.id if self.focused else ""
        first: Part = "policy" if focused == "policy" else "script"
        typed = self._typed.get(question.digest, parts)
        if part := hidden(parts, typed, first):
            self.say(f"{FILES[part]} holds what can't be shown as it is: E opens your editor")
            return
        title = f"Edit {question.head.partition(' awaits')[0]}"
        dialog = EditScreen(title, parts, typed, first)
        self.app.push_screen(dialog, lambda edited: self._edited(question, edited))

    def _do_edit_outside(self) -> None:
        question, parts = self.question, self._parts()
        if question and parts:
            self.run_worker(self._edit(question, parts), group="editor", exclusive=True)

    def _do_tighten(self) -> None:
        question, session = self.question, self._scene.session
        policy = tighter(session.step) if session and session.step else None
        if question and policy is None:
            self.say("nothing can be taken out of the policy")
        elif question:
            self._decide(question, Decision("edit", policy=policy))

    def _parts(self) -> Parts | None:
        session = self._scene.session
        draft = session.step.draft if session and session.step else None
        return parts_of(draft, self._scene.script) if draft else None

    async def _edit(self, question: Question, parts: Parts) -> None:
        typed = self._typed.get(question.digest, parts)
        try:
            with cast("CountersignApp", self.app).away():
                typed = typed.edited(await edit_files(typed.files()))
            self._edited(question, changed(parts, typed))
        except EditorFailed as error:
            self.say(f"nothing changed: {safe_line(str(error))}")
        except Unreadable as error:
            self._typed = {question.digest: typed}
            self.say(f"not kept: {safe_line(str(error))} · E goes on with what you typed")

    def _edited(self, question: Question, edited: Decision | None) -> None:
        if edited is None:
            self._typed = {}  # it was dropped, or made what it was before
            self.say("nothing was changed")
        else:
            self._decide(question, edited)

    def _decide(self, question: Question, decision: Decision) -> None:
        if isinstance(self._scene, Bridge) and not self._scene.decide(question.digest, decision):
            self.say("this request waits no more")

    def _open(self, dialog: Dialog, act: Callable[[tuple[str, ...]], None]) -> None:
        self.app.push_screen(dialog, lambda typed: act(typed) if typed else None)

    # ------------------------------------------------------------------ from here on
    def _do_ask(self) -> None:
        scene = self._scene
        if isinstance(scene, Bridge):
            self.app.push_screen(AskScreen(scene))

    def _do_note(self) -> None:
        scene, session = self._scene, self._scene.session
        if session and isinstance(scene, Bridge):
            dialog = remark(model=session.started.repairs != NO_REPAIRS)
            self._open(dialog, lambda typed: scene.note(typed[0]))

    def _do_mode(self) -> None:
        session = self._scene.session
        if session is None:
            return
        by_mode = {choice.mode: choice for choice in consent.choices(session)}

        def chosen(mode: Mode | None) -> None:
            if mode is not None:
                account = viewing.account_name(session)
                dialog = entering(by_mode[mode], account)
                self.app.push_screen(dialog, lambda typed: self._enter(mode, typed))

        self.app.push_screen(ModeScreen(tuple(by_mode.values())), chosen)

    def _enter(self, mode: Mode, typed: tuple[str, ...] | None) -> None:
        if typed is None or not isinstance(self._scene, Bridge):
            return
        if why := self._scene.change_mode(mode, typed[0] if typed else ""):
            self.say(why)

    def _do_grants(self) -> None:
        scene = self._scene
        if isinstance(scene, Bridge):
            self.app.push_screen(GrantsScreen(self._grants, scene.revoke, self._offer))

    def _grants(self) -> Sequence[StandingGrant]:
        session = self._scene.session
        return consent.standing(session, self._scene.now()) if session else ()

    def _offer(self, wanted: Wanted) -> str:
        """Open the second stage of a grant; returns why there is none to offer."""
        session, scene = self._scene.session, self._scene
        grant = consent.offered(session, scene.now(), wanted) if session else None
        if grant is None or not isinstance(scene, Bridge):
            return consent.NOT_OFFERED[wanted]

        def given(typed: tuple[str, ...] | None) -> None:
            if typed is not None and (why := scene.grant(grant)):
                self.say(why)

        lines = consent.grant_lines(grant)
        self.app.push_screen(granting(grant.grant, lines, lasting=grant.lasting), given)
        return ""

    # ------------------------------------------------------------------ the session
    @property
    def how_to_leave(self) -> str:
        """What ctrl+c is answered with."""
        session = self._scene.session
        over = self._scene.replay or (session is not None and session.finished)
        return how_to_leave(self.actions, stops=not over)

    def _do_stop(self) -> None:
        if isinstance(self._scene, Bridge) and self._twice("stop", "press x again to stop"):
            self._scene.stop()

    def _do_leave(self) -> None:
        app = cast("CountersignApp", self.app)
        said = "press q again to leave; the session stays open"
        if not app.working or app.ended or self._twice("leave", said):
            app.leave()

    def _twice(self, name: str, text: str) -> bool:
        """Tell whether a key that ends something was pressed for the second time."""
        before, at = self._again
        self._again = (name, time.monotonic())
        if before == name and time.monotonic() - at < _AGAIN_S:
            self._again = ("", float("-inf"))
            return True
        self.say(text)
        return False
