"""Several sessions in one program: home, and a screen for each session that is open.

Each session works in a task of its own. A request takes nobody away from what they read: it counts
in the badge, and waits in the order in which it arrived. Leaving ends what runs in every session,
in order, before the screen goes.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Sequence

from textual.worker import Worker, WorkerState

from core.errors import CountersignError, Left
from core.safe_text import safe_line
from sandbox.errors import SandboxError
from tui.app import CountersignApp
from tui.bridge import Bridge
from tui.homing import Here
from tui.house import House
from tui.live import check_terminal, farewell
from tui.look import PLAIN_LOOK, Look
from tui.screens.home import HomeScreen
from tui.screens.new_session import NewSession
from tui.screens.review import ReviewScreen
from tui.seats import Seat, queue

_HOME = "home"
_EXPECTED = (CountersignError, SandboxError, OSError)
"""What may end one session while the program goes on."""


class HomeApp(CountersignApp):
    """Home and the sessions that are open."""

    DEFAULT_MODE = _HOME
    several = True

    def __init__(self, house: House, look: Look = PLAIN_LOOK) -> None:
        super().__init__(Bridge(), "countersign", look=look)
        self._house = house
        self.seats: list[Seat] = []
        self.add_mode(_HOME, self.get_default_screen)
        self._going = False

    def get_default_screen(self) -> HomeScreen:  # type: ignore[override]  # home instead of a session
        return HomeScreen(self._house, self.here)

    # ------------------------------------------------------------------ who is here
    @property
    def seat(self) -> Seat:
        """The session that is shown; at home, one that never begins."""
        return next((each for each in self.seats if each.name == self.current_mode), super().seat)

    @property
    def elsewhere(self) -> Sequence[Seat]:
        return [each for each in queue(self.seats) if each is not self.seat]

    @property
    def others(self) -> int:  # type: ignore[override]  # it changes here
        return sum(each is not self.seat for each in self.seats)

    @property
    def at_home(self) -> bool:
        """Home is shown, or something over it."""
        return self.current_mode == _HOME

    def here(self) -> list[Here]:
        """Return what home says of the sessions that are open."""
        return [
            Here(
                key=each.name,
                title=each.title,
                session=each.scene.session,
                asked=each.waits_since is not None,
                replay=each.scene.replay,
                problem=safe_line(str(each.failure)) if each.failure else "",
            )
            for each in self.seats
        ]

    # ------------------------------------------------------------------ opening
    async def open(self, seat: Seat) -> None:
        """Give a session a screen of its own, show it, and start the work on it."""
        self.seats.append(seat)
        self.add_mode(seat.name, lambda: ReviewScreen(seat.scene, seat.title))
        await self.switch_mode(seat.name)
        self.work_on(seat)

    async def on_new_session_begun(self, event: NewSession.Begun) -> None:
        await self._try(lambda: self._house.begin(event.wish))

    async def on_home_screen_wanted(self, event: HomeScreen.Wanted) -> None:
        found = next((each for each in self.seats if each.name == event.key), None)
        match event.what:
            case "leave":
                self.leave()
            case "waiting":
                await self.to_waiting()
            case "open" if found:
                await self.switch_mode(found.name)
            case "resume":
                await self._try(lambda: self._house.resume(event.key))
            case "replay":
                await self._replay(found.session_id if found else event.key)

    async def _replay(self, session: str) -> None:
        shown = [each for each in self.seats if each.scene.replay and each.session_id == session]
        if shown:
            await self.switch_mode(shown[0].name)
        else:
            await self._try(lambda: self._house.replay(session))

    async def _try(self, make: Callable[[], Seat]) -> None:
        """Open what can be opened; what can't is told at home."""
        try:
            seat = await asyncio.to_thread(make)
        except _EXPECTED as error:
            self._say(str(error))
            return
        await self.open(seat)

    def _say(self, text: str) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, HomeScreen):
                screen.say(text)

    # ------------------------------------------------------------------ walking
    async def to_home(self) -> None:
        """Show home; sessions go on. One that is done with makes room."""
        seat = self.seat
        await self.switch_mode(_HOME)
        if seat in self.seats and not seat.working:
            await self._close(seat)

    async def to_waiting(self) -> None:
        """Show the session that has waited longest, of those that are not shown."""
        if self.elsewhere:
            await self.switch_mode(self.elsewhere[0].name)

    async def to_other(self) -> None:
        """Show the next session that is open here."""
        if self.seats:
            place = self.seats.index(self.seat) + 1 if self.seat in self.seats else 0
            await self.switch_mode(self.seats[place % len(self.seats)].name)

    def noticed(self, seat: Seat) -> None:
        """Show that something changed in a session that may not be the one that is shown."""
        super().noticed(seat)
        for screen in self.screen_stack:
            if isinstance(screen, HomeScreen):
                screen.paint()
            elif isinstance(screen, ReviewScreen):
                screen.paint_rows()

    async def _close(self, seat: Seat) -> None:
        self.seats.remove(seat)
        await self.remove_mode(seat.name)
        seat.close()

    # ------------------------------------------------------------------ the end
    def leave(self) -> None:
        """Leave every session in order; the screen goes when nothing is worked on any more."""
        self._going = True
        for each in self.seats:
            each.leave()
        self._gone()

    def _gone(self) -> None:
        if not any(each.working for each in self.seats):
            for each in self.seats:
                each.close()
            self.exit(self._code())

    def _code(self) -> int:
        left = any(isinstance(each.failure, Left) for each in self.seats)
        return Left.exit_code if left else 0

    def worked(self, event: Worker.StateChanged) -> None:
        """Keep what ended one session; what nobody expects ends the program, as a crash does."""
        seat = next((each for each in self.seats if each.worker is event.worker), None)
        if event.state is WorkerState.ERROR:
            error = event.worker.error
            if seat is None or not isinstance(error, _EXPECTED):
                self.failure = error
                self.exit(1)
                return
            seat.failure = error
        if seat is not None and event.worker.is_finished:
            self.noticed(seat)
            if self._going:
                self._gone()

    def _begin(self) -> None:
        """Home has no work of its own."""


def at_home(house: House, look: Look) -> int:
    """Show home until it is left; returns the exit code, raises what broke it."""
    check_terminal()
    app = HomeApp(house, look)
    try:
        return app.show()
    finally:
        for seat in app.seats:
            if seat.scene.session and not seat.scene.replay:
                sys.stderr.write(farewell(seat.scene.session))
