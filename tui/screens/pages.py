"""A session page by page: what is painted, which page is shown, and since when it can be read.

It follows the work until a person turns to another page. A request appears in the banner and takes
nothing: not the focus, not the page that is shown.

Does not: react to keys (review.py), or hold any rule of what may run.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import Static

from core.repair import NONE as NO_REPAIRS
from core.session import Step
from tui import viewing
from tui.action import Action, pressing
from tui.actions import ACTIONS
from tui.answering import answer_page
from tui.arming import Arming
from tui.bridge import Bridge
from tui.playback import Playback
from tui.screens.reading import Reading
from tui.seen import Seen
from tui.situation import Situation
from tui.views import ANSWER, Question
from tui.widgets.answer import AnswerBoard
from tui.widgets.bars import Banner, KeyBar, PaneTabs, StatusBar, StepStrip
from tui.widgets.board import Board
from tui.widgets.find_bar import FindBar

if TYPE_CHECKING:
    from tui.app import CountersignApp

SAID_S = 3.0
READ = ("code", "policy", "findings")
"""The panes that hold what is asked about; before a yes to something dangerous, the plan too."""
_TOO_SMALL = (
    "countersign needs 60 columns and 16 rows here.\nMake the window larger, or use --ui plain."
)


class PagesScreen(Reading[None]):
    """One session, page by page."""

    AUTO_FOCUS = "#code"
    said_s: ClassVar[float] = SAID_S
    """For this time a word to the last key stays."""

    def __init__(self, scene: Bridge | Playback, question: str) -> None:
        super().__init__()
        self._scene = scene
        self._title = question
        self._page: int | None = None
        """The page that a person chose; None = follow the work."""
        self._answered = False
        """The answer is the page that was painted last."""
        self._version: int | None = None
        """The version that a person chose; None = the latest."""
        self._seen = Seen(READ)
        self._arming = Arming()
        self._said = ("", float("-inf"))
        """What the screen has to say to the last key, and until when."""

    @property
    def actions(self) -> Sequence[Action]:
        """Everything that can be done, with the keys that the settings give it."""
        return getattr(self.app, "actions", ACTIONS)

    def compose(self) -> ComposeResult:
        yield StatusBar()
        yield StepStrip()
        yield PaneTabs()
        yield Board(id="panes")
        yield AnswerBoard(id="answer")
        yield Static(_TOO_SMALL, id="too-small")
        yield Banner()
        yield FindBar()
        yield KeyBar()

    def on_mount(self) -> None:
        if isinstance(self._scene, Bridge):
            self._scene.on_change = self._changed
            self.set_interval(1.0, self._tick)
        for pane in self.query("#panes > .pane").results(Widget):
            self.watch(pane, "scroll_y", self._scrolled, init=False)
            self.watch(pane, "virtual_size", self._scrolled, init=False)
        self.call_after_refresh(self.paint)

    def on_unmount(self) -> None:
        if isinstance(self._scene, Bridge):
            self._scene.on_change = None

    def on_resize(self) -> None:
        self.call_after_refresh(self.paint)

    def on_screen_resume(self) -> None:
        self.call_after_refresh(self.paint)

    def on_screen_suspend(self) -> None:
        self._arming.show("", time.monotonic())
        self._paint_rows()  # covered or not: on the way back it must not say that keys are awake

    @property
    def page(self) -> int:
        """The page that is shown."""
        session = self._scene.session
        if session is None:
            return 1
        latest = viewing.latest_page(session)
        known = self._page is not None and self._page in self._pages
        return self._page if known and self._page is not None else latest

    @property
    def _pages(self) -> list[int]:
        session = self._scene.session
        return [chip.page for chip in viewing.chips(session)] if session else []

    @property
    def step(self) -> Step | None:
        """The step that is shown, as it was at the version that is shown."""
        session = self._scene.session
        step = viewing.step_of(session, self.page) if session else None
        if step is None or self._version is None:
            return step
        return self._scene.versions.at(step, self._version)

    @property
    def latest(self) -> bool:
        """The version that is shown is the latest of its step."""
        return self._version is None

    @property
    def question(self) -> Question | None:
        """The request that waits for this screen."""
        session, asked = self._scene.session, self._scene.asked
        return viewing.question(session, asked) if session and asked else None

    @property
    def situation(self) -> Situation:
        """What actions depend on."""
        session, question = self._scene.session, self.question
        app = cast("CountersignApp", self.app)
        return Situation(
            asked=question is not None,
            here=question is not None and self._shows(question),
            handed=question is not None and bool(question.folder),
            replay=self._scene.replay,
            finished=bool(session and session.finished),
            pages=len(self._pages),
            ran=self._ran(),
            answered=bool(session and session.answer) and self.page == ANSWER,
            home=app.several,
            others=app.others,
            waiting=len(app.elsewhere),
            versions=self._versions,
            model=bool(session and session.started.repairs != NO_REPAIRS),
        )

    def _ran(self) -> bool:
        session = self._scene.session
        step = viewing.step_of(session, self.page) if session else None
        return step is not None and self._scene.runs.of(step.plan.step) is not None

    @property
    def _versions(self) -> int:
        session = self._scene.session
        step = viewing.step_of(session, self.page) if session else None
        return len(step.drafts) if step else 0

    def _shows(self, question: Question) -> bool:
        """Tell whether this is the very page and version that is asked about."""
        return question.page == self.page and self.latest

    def _changed(self) -> None:
        """Paint soon; a word to a covered screen alone would have both screens painted anew."""
        if not self._covered:
            self.call_later(self.paint)

    @property
    def _covered(self) -> bool:
        """Another page lies over this one and hides all of it."""
        stack = self.app.screen_stack
        above = stack[stack.index(self) + 1 :] if self in stack else ()
        return any(getattr(each, "covers", False) for each in above)

    def paint(self) -> None:
        """Show the scene as it is now; a page that is covered is painted when it is seen again."""
        if self._covered:
            return
        session = self._scene.session
        if session:
            answered = self.page == ANSWER and session.answer is not None
            self.set_class(answered, "-answer")
            self.query_one(AnswerBoard).paint(answer_page(session, self._scene.moments))
            self.query_one(Board).paint(self._scene, session, self.step)
            if answered and not self._answered:
                self.query_one(AnswerBoard).settle()
            elif self._answered and not answered:
                self.query_one(Board).take_focus()
            self._answered = answered
        self.paint_rows()
        self.call_after_refresh(self._painted)

    def paint_rows(self) -> None:
        """Show the rows around the panes, unless they are covered."""
        if not self._covered:
            self._paint_rows()

    def _paint_rows(self) -> None:
        scene, session = self._scene, self._scene.session
        status = viewing.status(session, scene.now()) if session else None
        elsewhere = len(cast("CountersignApp", self.app).elsewhere)
        self.query_one(StatusBar).paint(status, self._title, scene.place, elsewhere)
        chips = viewing.chips(session) if session else ()
        self.query_one(StepStrip).paint(chips, self.page, self._version)
        if session:
            self.query_one(Board).paint_tabs(self.query_one(PaneTabs), self.step)
        self._paint_banner()
        armed = self._armed(time.monotonic())
        self.query_one(KeyBar).paint(self.actions, self.situation, armed=armed)

    def _paint_banner(self) -> None:
        banner, session, question = self.query_one(Banner), self._scene.session, self.question
        text, until = self._said
        said = text if time.monotonic() < until else ""
        if session and question:
            here = self._shows(question)
            there = f"it is not what is shown: press {pressing(self.actions, 'follow')} to see it"
            note = self._note(question) if here else there
            step = viewing.step_of(session, question.page)
            counters = viewing.findings_caption(step), viewing.findings_counter(step)
            share = self._seen.share() if self._seen.what == question.digest else 0
            banner.ask(question, counters, share, said or note, urgent=bool(said) or not here)
        elif self._scene.replay:
            note = "read-only: nothing here can be decided"
            banner.tell("↺", f"Event {self._scene.place}", said or note, urgent=bool(said))
        elif session:
            leave, run = (pressing(self.actions, each) for each in ("leave", "run"))
            note = f"press {leave} to leave" if session.finished else viewing.asked(session)
            note = f"press {run} to see what it prints and calls" if session.open_run else note
            sign, work = viewing.work_sign(session), viewing.work(session)
            banner.tell(sign, work, said or note, urgent=bool(said))
        else:
            banner.tell("◌", "Opening the session", "", urgent=False)

    def _note(self, question: Question) -> str:
        armed = self._armed(time.monotonic())
        return question.because if armed else "read first: the keys wake up in a moment …"

    def _armed(self, at: float) -> bool:
        """Tell whether the request that waits now, and no other, could be read before `at`."""
        question = self.question
        return question is not None and self._arming.armed(question.digest, at)

    def _tick(self) -> None:
        self.paint_rows()
        self._scrolled()

    def _scrolled(self) -> None:
        self.call_after_refresh(self._note_seen)

    def _note_seen(self) -> None:
        """Note which rows of what is asked about are on the screen, and tell when that is news."""
        if not self._arming.visible:
            return
        before = self._seen.share()
        self._seen.about(self._arming.visible)
        question = self.question
        self._seen.parts = (*READ, "plan") if question and question.second_stage else READ
        self.query_one(Board).note_seen(self._seen)
        if self._seen.share() != before:
            self._paint_banner()

    def _painted(self) -> None:
        """Note what is visible, once it has been painted: from now on it can be read."""
        question = self.question
        # A dialog lets what is under it show through, and who types into it reads nothing else.
        alone = self.app.screen is self
        readable = question is not None and self._shows(question) and alone
        roomy = not (self.has_class("-tiny") or self.has_class("-flat"))
        digest = question.digest if question and readable and roomy else ""
        if digest != self._arming.visible:
            self._arming.show(digest, time.monotonic())
            self.set_timer(self._arming.delay_s + 0.02, self.paint_rows)
            self.paint_rows()
        self._note_seen()

    def say(self, text: str) -> None:
        self._said = (text, time.monotonic() + self.said_s)
        self.set_timer(self.said_s, self.paint_rows)
        self.paint_rows()
