"""The screen's frame: theme, the last filter before the terminal, crashes, signals, the worker.

What a crash prints is one line, and never a frame's variables: those can hold credentials. The
filter makes visible whatever control character might have slipped past tui/viewing.py, so that no
text can talk to the terminal.

Does not: know the engine (tui/bridge.py) or what a session means (tui/viewing.py).
"""

from __future__ import annotations

import asyncio
import gc
import os
import re
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from typing import ClassVar

from rich.segment import Segment
from textual import events, work
from textual.app import App
from textual.binding import BindingType
from textual.color import Color
from textual.filter import LineFilter
from textual.worker import Worker, WorkerState

from core.errors import Left
from core.safe_text import safe_text
from tui.attention import wanted
from tui.bridge import Bridge
from tui.hangup import watched
from tui.look import PLAIN_LOOK, Look
from tui.playback import Playback
from tui.screens.review import ReviewScreen
from tui.screens.telling import Telling
from tui.seats import Seat, Work
from tui.themes import THEMES, VARIABLES

_SUSPECT = re.compile(r"[^\x20-\x7e\u2500-\u25ff]")


class VisibleControls(LineFilter):
    """Replaces what could speak to the terminal; the last gate, whatever widget painted it."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        del background
        return [self._clean(segment) for segment in segments]

    def _clean(self, segment: Segment) -> Segment:
        text, style, control = segment
        if control or not _SUSPECT.search(text):
            return segment
        return Segment(safe_text(text, newlines=False), style)


class CountersignApp(App[int]):
    """One session on one screen."""

    TITLE = "countersign"
    CSS_PATH: ClassVar = [
        "styles/base.tcss",
        "styles/review.tcss",
        "styles/dialogs.tcss",
        "styles/home.tcss",
        "styles/answer.tcss",
        "styles/run.tcss",
    ]
    ENABLE_COMMAND_PALETTE = False
    BINDINGS: ClassVar[list[BindingType]] = []
    HORIZONTAL_BREAKPOINTS = [(0, "-tiny"), (60, "-narrow"), (100, "-wide"), (180, "-broad")]  # noqa: RUF012 (Textual's)
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (16, "-high")]  # noqa: RUF012 (Textual's)

    def __init__(
        self,
        scene: Bridge | Playback,
        title: str,
        work: Work | None = None,
        look: Look = PLAIN_LOOK,
    ) -> None:
        super().__init__()
        self.look = look
        self.actions = look.actions
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = look.theme
        self.set_keymap(look.keymap)
        self.animation_level = "none"
        self._first = Seat(scene, title, work)
        self.failure: BaseException | None = None
        self.last_key: tuple[str, float] = ("", float("-inf"))
        """The key that is being worked on, and when the terminal delivered it."""
        self.attention = look.attention
        """How somebody who looks elsewhere is told."""
        self._told: dict[str, str] = {}
        """What was told last, by seat."""
        self._leaving = False
        self._filter = VisibleControls()

    def show(self) -> int:
        """Run the screen until it is left; returns the exit code, raises what broke it.

        A terminal that is gone ends the process: what runs ends with our sockets, and resuming
        records it as interrupted.
        """
        gc.freeze()  # what was imported stays, and looking through it would be felt at the keys
        with watched(0, lambda: os._exit(Left.exit_code)):
            code = self.run()
        if self.failure:
            raise self.failure
        return code or 0

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [*super().get_line_filters(), self._filter]

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return {**super().get_theme_variable_defaults(), **VARIABLES}

    def get_default_screen(self) -> ReviewScreen:
        return ReviewScreen(self.seat.scene, self.seat.title)

    @property
    def seat(self) -> Seat:
        """The session that is shown."""
        return self._first

    several = False
    """Sessions come and go at this screen, and there is a home to go back to."""
    others = 0
    """How many sessions are open here besides the one that is shown."""

    @property
    def elsewhere(self) -> Sequence[Seat]:
        """The other sessions at this screen that wait for a decision, in order of arrival."""
        return ()

    def on_mount(self) -> None:
        loop = asyncio.get_running_loop()
        with suppress(ValueError, RuntimeError):  # not in the main thread, as under tests
            loop.add_signal_handler(signal.SIGTERM, self.leave)
            loop.add_signal_handler(signal.SIGHUP, self.leave)
        self.call_after_refresh(self._begin)

    def leave(self) -> None:
        """Leave in order: what runs is ended first, then the screen goes."""
        if not isinstance(self.seat.scene, Bridge) or not self.working:
            self.exit(self.seat.code)
        elif self.ended:
            self._leaving = True
        else:
            self.seat.leave()

    @property
    def working(self) -> bool:
        """The session that is shown is still being worked on."""
        return self.seat.working

    @property
    def ended(self) -> bool:
        """The session that is shown has come to its end; it may still be being sealed."""
        return self.seat.ended

    async def on_event(self, event: events.Event) -> None:
        if isinstance(event, events.Key):
            self.last_key = (event.key, event.time)
        await super().on_event(event)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        self.worked(event)

    def worked(self, event: Worker.StateChanged) -> None:
        """Leave when the session can't go on; stay, for reading, when it came to its end."""
        if event.state is WorkerState.ERROR:
            self.failure = event.worker.error
            self.exit(1)
        elif event.state is WorkerState.SUCCESS and self._leaving:
            self.exit(self.seat.code)

    @contextmanager
    def away(self) -> Iterator[None]:
        """Lend the terminal to another program; a screen without one stays as it is."""
        driver = self._driver
        if driver is None or not driver.can_suspend:
            yield
            return
        with self.batch_update(), self.suspend():
            yield

    async def action_quit(self) -> None:
        """Leave as the key bar says, wherever the keys are now."""
        for screen in self.screen_stack:
            if isinstance(screen, ReviewScreen):
                screen.action_act("leave")

    def action_help_quit(self) -> None:
        """Tell where the page tells things: a box would cover what is asked."""
        for screen in reversed(self.screen_stack):
            if isinstance(screen, Telling):
                screen.say(screen.how_to_leave)
                break

    def _begin(self) -> None:
        """Start the work when the first frame is on the terminal, and not before."""
        self.work_on(self.seat)

    def noticed(self, seat: Seat) -> None:
        """Tell somebody who looks elsewhere what is new in a session, once."""
        session, asked = seat.scene.session, seat.scene.asked
        text = wanted(session, asked) if session else ""
        if text and text != self._told.get(seat.name):
            self._call(text)
            if self._driver is not None:
                self._driver.write(self.attention.sequences(text))
        self._told[seat.name] = text

    @work(group="attention", exit_on_error=False)
    async def _call(self, text: str) -> None:
        await self.attention.call(text)

    def work_on(self, seat: Seat) -> None:
        """Start the work on a session, in a task of its own."""
        if isinstance(seat.scene, Bridge):
            seat.scene.on_notice = partial(self.noticed, seat)
        if seat.work and isinstance(seat.scene, Bridge):
            seat.worker = self.run_worker(seat.work, exit_on_error=False)

    def _handle_exception(self, error: Exception) -> None:
        """Keep the error for whoever started the screen; paint nothing of it."""
        self._return_code = 1
        self.failure = self.failure or error
        if self._exception is None:
            self._exception = error
            self._exception_event.set()
        self._close_messages_no_wait()
