"""Home, and several sessions in one program: by keys alone, over real journals."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, get_args

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from core.errors import UsageError
from core.events import Mode
from core.here import now_ms
from core.journal.verify import verify
from core.sessions import Overview, overviews
from core.workflows.model import Workflow
from core.workflows.planner import load_library
from tui.attention import Attention
from tui.bridge import Bridge
from tui.home_app import HomeApp
from tui.house import Wish
from tui.playback import Playback
from tui.screens.home import HomeScreen
from tui.screens.new_session import NewSession
from tui.seats import Seat

SIZES = [(120, 40), (80, 24)]


class Practised:
    """A `House` whose sessions are worked on by the practice desk."""

    mode = "guided"
    modes = get_args(Mode)
    place = "/data"

    def __init__(self, folder: Path, work: Callable[..., Awaitable[int]]) -> None:
        self.folder = folder / "sessions"
        self._work = work
        self.wished: tuple[Wish, ...] = ()

    def now(self) -> int:
        return now_ms()

    def sessions(self) -> tuple[Overview, ...]:
        return tuple(overviews(self.folder))

    def workflows(self) -> tuple[Workflow, ...]:
        return tuple(load_library().values())

    def sources(self) -> tuple[str, ...]:
        return ("live", "simulated:shop")

    def verify(self, path: Path) -> str:
        return f"record {verify(path).verdict}"

    def begin(self, wish: Wish) -> Seat:
        self.wished = (*self.wished, wish)
        if wish.source == "nowhere":
            raise UsageError("nowhere is no source")
        bridge = Bridge()

        async def work() -> int:
            return await self._work(bridge, wish.question, mode=wish.mode)

        return Seat(bridge, wish.question, work)

    def resume(self, session: str) -> Seat:
        bridge = Bridge()

        async def work() -> int:
            return await self._work(bridge, "", self.folder / f"{session}.db")

        return Seat(bridge, session, work)

    def replay(self, session: str) -> Seat:
        return Seat(Playback(self.folder / f"{session}.db"), session)


class Sitting:
    """Home on a screen, and somebody at the keys."""

    def __init__(self, app: HomeApp, pilot: Pilot[int], folder: Path) -> None:
        self.app, self.pilot, self.folder = app, pilot, folder

    @property
    def text(self) -> str:
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text for strip in strips)

    @property
    def files(self) -> list[Overview]:
        return list(overviews(self.folder / "sessions"))

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait until something holds; fails when it does not within forty seconds."""
        deadline = time.monotonic() + 40
        while not condition():
            assert time.monotonic() < deadline, f"never: {what}\n{self.text}"
            await self.pilot.pause(0.02)

    async def shows(self, text: str) -> None:
        """Wait until a text is on the screen."""
        await self.until(lambda: text in self.text, text)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def type(self, text: str) -> None:
        """Type a text into a field."""
        await self.press(*("space" if each == " " else each for each in text))

    async def home(self) -> None:
        """Go home and wait until it is shown."""
        await self.press("H")
        await self.until(lambda: isinstance(self.app.screen, HomeScreen), "home")

    async def fill_in(self, question: str) -> None:
        """Begin a session by the form."""
        await self.press("n")
        await self.shows("A new session")
        await self.until(lambda: isinstance(self.app.focused, Input), "a field has the focus")
        await self.type(question)
        await self.press("enter", "enter", "enter", "enter", "b")

    async def begin(self, question: str) -> Seat:
        """Begin a session as the form does, and wait until its request is shown."""
        before = len(self.app.seats)
        self.app.post_message(NewSession.Begun(Wish(question, "live", "guided")))
        return await self.asked(before)

    async def asked(self, before: int = 0) -> Seat:
        """Wait until one more session is open and its request is shown."""
        await self.until(lambda: len(self.app.seats) > before, "it is open")
        seat = self.app.seats[-1]
        await self.until(lambda: seat.waits_since is not None, "it asks")
        await self.shows("▲ R1")
        return seat


@pytest.fixture
def sit(tmp_path: Path, practice: Callable[..., Awaitable[int]]) -> Callable[..., HomeApp]:
    """Return what plays a walk from home."""

    def seated(walk: Callable[[Any], Awaitable[None]], size: tuple[int, int]) -> HomeApp:
        app = HomeApp(Practised(tmp_path, practice))

        async def play() -> None:
            async with app.run_test(size=size) as pilot:
                await walk(Sitting(app, pilot, tmp_path))

        asyncio.run(play())
        return app

    return seated


Sit = Callable[..., HomeApp]


@pytest.mark.parametrize("size", SIZES)
def test_a_session_begins_at_home_and_is_read_again_there(sit: Sit, size: object) -> None:
    """Begun by the form, approved by key, listed as answered, verified, and replayed read-only."""

    async def walk(screen: Any) -> None:
        await screen.shows("no session yet: press n")
        await screen.fill_in("why")
        seat = await screen.asked()
        await screen.shows("asks because")
        await screen.press("a")
        await screen.until(lambda: seat.ended and not seat.working, "it is sealed")
        await screen.home()
        await screen.until(lambda: not screen.app.seats, "its place is free")
        await screen.shows("✓ answered")
        await screen.press("v")
        await screen.shows("record intact")
        await screen.press("enter")
        await screen.shows("REPLAY")
        await screen.press("a")
        assert "Approve" not in screen.text
        await screen.home()
        await screen.press("q")

    app = sit(walk, size)
    assert app.failure is None
    assert app.return_value == 0


@pytest.mark.parametrize("size", SIZES)
def test_requests_of_several_sessions_wait_in_order_of_arrival(sit: Sit, size: object) -> None:
    """The badge counts the others; W goes to the one that has waited longest, S to the next."""

    async def walk(screen: Any) -> None:
        seats = []
        for question in ("1", "2", "3"):
            seats.append(await screen.begin(question))
            await screen.home()
        await screen.shows("3 sessions wait")
        await screen.press("W")
        await screen.until(lambda: screen.app.seat is seats[0], "the first")
        await screen.shows("2 elsewhere: W")
        await screen.press("S")
        await screen.until(lambda: screen.app.seat is seats[1], "the next")
        await screen.press("W")
        await screen.until(lambda: screen.app.seat is seats[0], "the longest again")
        await screen.shows("asks because")
        await screen.press("a")
        await screen.until(lambda: seats[0].ended, "only the first was approved")
        assert [each.ended for each in seats] == [True, False, False]
        await screen.home()
        await screen.press("q", "q")
        await screen.until(lambda: screen.app.return_code is not None, "it is left")

    app = sit(walk, size)
    assert app.failure is None
    assert app.return_value == 130
    assert not any(each.working for each in app.seats)


def test_a_request_takes_nobody_away(sit: Sit) -> None:
    """Who types into the form at home goes on typing while a session asks; nothing is decided."""

    async def walk(screen: Any) -> None:
        await screen.begin("one")
        await screen.home()
        await screen.press("n")
        await screen.shows("A new session")
        await screen.type("aaa aaa")
        await screen.press("escape")
        await screen.until(lambda: isinstance(screen.app.screen, HomeScreen), "home")
        [seat] = screen.app.seats
        assert seat.waits_since is not None
        await screen.press("q", "q")
        await screen.until(lambda: screen.app.return_code is not None, "it is left")
        assert [each.state for each in screen.files] == ["waiting"]

    sit(walk, (80, 24))


def test_a_session_that_was_left_is_gone_on_with(sit: Sit, tmp_path: Path) -> None:
    """Left open by one program, listed as waiting by the next, resumed by Enter and approved."""

    async def leave(screen: Any) -> None:
        await screen.begin("one")
        await screen.home()
        await screen.press("q", "q")
        await screen.until(lambda: screen.app.return_code is not None, "it is left")

    async def go_on(screen: Any) -> None:
        await screen.shows("▲ waiting")
        await screen.press("enter")
        await screen.shows("asks because")
        await screen.press("a")
        await screen.until(lambda: screen.app.seats[0].ended, "it ends")
        await screen.until(lambda: not screen.app.seats[0].working, "it is sealed")

    sit(leave, (120, 40))
    sit(go_on, (120, 40))

    assert [each.state for each in overviews(tmp_path / "sessions")] == ["answered"]


def test_what_can_t_be_opened_is_told_at_home(sit: Sit) -> None:
    """A mistake in the form ends nothing: a line says what is wrong."""

    async def walk(screen: Any) -> None:
        await screen.press("n")
        await screen.shows("A new session")
        await screen.until(lambda: isinstance(screen.app.focused, Input), "a field has the focus")
        await screen.type("one")
        await screen.press("enter", "ctrl+u")
        await screen.type("nowhere")
        await screen.press("enter", "enter", "enter", "b")
        await screen.shows("nowhere is no source")
        assert screen.app.seats == []

    sit(walk, (120, 40))


def test_the_filter_lists_what_holds_every_word(sit: Sit) -> None:
    """Words narrow the list down, Escape brings it back."""

    async def walk(screen: Any) -> None:
        for question in ("the disk is full", "the shop is down"):
            await screen.begin(question)
            await screen.home()
        await screen.press("slash")
        await screen.type("down wait")
        await screen.shows("1 of 2 · 1 waiting")
        assert screen.app.screen.marked.question == "the shop is down"
        await screen.press("escape")
        await screen.shows(" 2 · 2 waiting")

    sit(walk, (120, 40))


def test_who_looks_elsewhere_is_told_once(sit: Sit, tmp_path: Path) -> None:
    """A request, and the end, each call the operator's command once, with a text of their own."""
    told = tmp_path / "told"
    program = f"import sys; open({str(told)!r}, 'a').write(sys.argv[1] + chr(10))"

    async def walk(screen: Any) -> None:
        screen.app.attention = Attention(command=(sys.executable, "-c", program))
        seat = await screen.begin("why")
        await screen.until(told.exists, "somebody is told")
        await screen.shows("asks because")
        await screen.press("a")
        await screen.until(lambda: seat.ended, "it ends")
        await screen.until(lambda: "✓" in told.read_text(encoding="utf-8"), "and told again")

    sit(walk, (120, 40))
    lines = told.read_text(encoding="utf-8").splitlines()
    assert lines == ["▲ R1 awaits you: why", "✓ likely: why"]


@pytest.mark.parametrize("size", SIZES)
def test_a_session_begins_with_a_workflow(sit: Sit, size: object) -> None:
    """Picked with Enter, which begins nothing; the form then says with what it begins."""

    async def walk(screen: Any) -> None:
        await screen.shows("no session yet: press n")
        await screen.press("w")
        await screen.shows("Begin with")
        await screen.shows("firing-alarms: ")
        names = [each.name for each in screen.app._house.workflows()]
        await screen.press(*["j"] * names.index("firing-alarms"), "enter")
        await screen.shows("Begins with firing-alarms")
        assert screen.app.seats == []
        await screen.until(lambda: isinstance(screen.app.focused, Input), "a field has the focus")
        await screen.press("enter", "enter", "enter", "enter", "b")
        await screen.asked()
        [wish] = screen.app._house.wished
        assert (wish.workflow, wish.question) == ("firing-alarms", "Which alarms fire")

    sit(walk, size)


def test_home_has_its_actions_by_name(sit: Sit) -> None:
    """What makes sense now is listed with its key and done; what makes none is not offered."""

    async def walk(screen: Any) -> None:
        await screen.shows("no session yet: press n")
        await screen.press("colon")
        await screen.shows("Begin  (n)")
        assert "Resume  (u)" not in screen.text
        await screen.type("saved workflow")
        await screen.until(lambda: "Begin  (n)" not in screen.text, "only that one is left")
        await screen.shows("Workflow  (w)")
        await screen.press("down", "enter")
        await screen.shows("Begin with")

    sit(walk, (120, 40))
