"""Every page and dialog as text, at three sizes, compared with those in pages/.

`pytest --snapshot-update` writes them anew; look at what changed. Without colour each page says the
same words and signs, so nothing is told by colour alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import Any

import pytest
from textual.color import Color
from textual.command import CommandPalette
from textual.pilot import Pilot
from textual.screen import Screen

import tui
from core.aws import SHIPPED
from tests.snapshots.still import Still
from tui.app import CountersignApp
from tui.bridge import Bridge
from tui.effective import Effective
from tui.home_app import HomeApp
from tui.look import Look
from tui.playback import Playback
from tui.screens.asking import AskScreen
from tui.screens.bring import BringScreen
from tui.screens.choosing import GrantsScreen, ModeScreen
from tui.screens.dialogs import Dialog, Help
from tui.screens.diff import DiffScreen
from tui.screens.edit import EditScreen
from tui.screens.home import HomeScreen
from tui.screens.new_session import NewSession
from tui.screens.pages import PagesScreen
from tui.screens.picking import PickScreen
from tui.screens.review import ReviewScreen
from tui.screens.run import RunScreen
from tui.screens.settings import SettingsScreen

PAGES = Path(__file__).parent / "pages"
SIZES = ((80, 24), (120, 40), (200, 50))
STILL = 4
Make = Callable[[str], CountersignApp]


@dataclass(frozen=True, slots=True)
class Page:
    """A page, and how to come there."""

    screen: type[Screen[Any]]
    keys: tuple[str, ...]
    """What is pressed."""
    text: str
    """What is to be read then."""
    scene: str = "worked"
    first: str = "asks because"
    """What is to be read before."""
    sizes: tuple[tuple[int, int], ...] = SIZES
    """In this order; the page is opened at the first."""


PLACES = {
    "request": Page(ReviewScreen, (), "asks because"),
    "whole-policy": Page(ReviewScreen, ("4", "t"), '"Statement"'),
    "zoomed": Page(ReviewScreen, ("2", "z"), "firing"),
    "first-step": Page(ReviewScreen, ("left_square_bracket",), "press f to see it"),
    "answer": Page(ReviewScreen, (), "press q to leave", "answered", "press q to leave"),
    "replay": Page(ReviewScreen, (), "read-only", "replay", "read-only"),
    "go-to-a-time": Page(Dialog, ("T",), "Go to a time", "replay", "read-only"),
    "seek": Page(Dialog, ("F",), "Seek in the record", "replay", "read-only"),
    "diff": Page(DiffScreen, ("d",), "Code: +1 -1"),
    "reject": Page(Dialog, ("r",), "Why?"),
    "comment": Page(Dialog, ("w",), "goes on record beside"),
    "second-stage": Page(
        Dialog, ("1", *["ctrl+d"] * 6, "a"), "second stage", "careful", sizes=SIZES[::-1]
    ),
    "signed": Page(Dialog, ("o",), "signed elsewhere"),
    "tell": Page(Dialog, ("I",), "Tell something"),
    "entering-a-mode": Page(Dialog, ("m", "2"), "budget"),
    "modes": Page(ModeScreen, ("m",), "AUTOMATED"),
    "grants": Page(GrantsScreen, ("p",), "every request is asked"),
    "ask": Page(AskScreen, ("i",), "Ask the planner about S2", "model"),
    "bring": Page(BringScreen, ("b",), "F2 takes it", "handed", "b brings back"),
    "edit": Page(EditScreen, ("e",), "F2 keeps it"),
    "help": Page(Help, ("question_mark",), "Decide on the request"),
    "settings": Page(SettingsScreen, ("comma",), "ceiling"),
    "palette": Page(CommandPalette, ("colon",), "Edit outside  (E)"),
    "run": Page(RunScreen, ("left_square_bracket", "6"), "2 of 4 alarms fire"),
    "home": Page(HomeScreen, (), "waiting for a decision", "home", "waiting for a decision"),
    "new-session": Page(NewSession, ("n",), "A new session", "home", "waiting for a decision"),
    "home-palette": Page(
        CommandPalette, ("colon",), "Verify  (v)", "home", "waiting for a decision"
    ),
    "begin-with": Page(PickScreen, ("w",), "Begin with", "home", "waiting for a decision"),
}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with a settings file."""
    (tmp_path / "mine.yaml").write_text("ceiling: 1\nbudget: {steps: 9}\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)


def shown(app: Any) -> str:
    """Return what the screen shows, as text; of a dialog, its box only."""
    strips = app.screen._compositor.render_strips()
    if box := app.screen.query("#box"):
        region = box.first().region
        rows = strips[region.y : region.bottom]
        strips = [strip.crop(region.x, region.right) for strip in rows]
    return "\n".join(strip.text.rstrip() for strip in strips) + "\n"


def coloured(app: Any) -> bool:
    """Tell whether anything that goes to the terminal has a colour that is no grey."""
    styles = []
    for strip in app.screen._compositor.render_strips():
        for line_filter in app.get_line_filters():
            strip = strip.apply_filter(line_filter, Color(0, 0, 0))  # noqa: PLW2901 (one by one)
        styles += [segment.style for segment in strip if segment.style]
    colours = [each for style in styles for each in (style.color, style.bgcolor) if each]
    return any(len({*each.get_truecolor()}) > 1 for each in colours)


async def until(pilot: Pilot[Any], text: str) -> None:
    """Wait until a text is shown and the page has stood still for some frames."""
    async with asyncio.timeout(50):
        before, still = "", 0
        while still < STILL:
            now = shown(pilot.app)
            still = still + 1 if text in now and now == before else 0
            before = now
            await pilot.pause(0.05)


@pytest.fixture
def make(
    worked: Callable[..., Bridge],
    asked: Callable[..., Bridge],
    answered: Bridge,
    handed: Callable[[], Bridge],
) -> Iterator[Make]:
    """Return what makes the program with a scene on it, by the scene's name."""
    effective = Effective(Path("mine.yaml"), {"COUNTERSIGN_DATA": "/data"}, {"mode": "guided"})
    look = Look(effective=effective)
    with Playback(SHIPPED / "shop-502.db") as recorded:
        scenes: dict[str, Callable[[], Bridge | Playback]] = {
            "worked": lambda: worked(1),
            "model": lambda: worked(1, model=True),
            "careful": lambda: asked(3),
            "answered": lambda: answered,
            "handed": handed,
            "replay": lambda: recorded,
        }

        def made(scene: str) -> CountersignApp:
            if scene == "home":
                return HomeApp(Still(), look)
            return CountersignApp(scenes[scene](), "why?", look=look)

        yield made


async def counted(pilot: Pilot[Any], text: str) -> None:
    """Wait for a text, and leave nothing of what was seen to be counted later."""
    await until(pilot, text)
    if isinstance(below := pilot.app.screen_stack[0], PagesScreen):
        below._note_seen()
    await until(pilot, text)


def opened(app: CountersignApp, page: Page) -> Iterator[tuple[tuple[int, int], str, bool]]:
    """Return a page as text at each size, and whether it has colours there."""

    async def look() -> list[tuple[tuple[int, int], str, bool]]:
        looks = []
        async with app.run_test(size=page.sizes[0]) as pilot:
            await counted(pilot, page.first)
            await pilot.press(*page.keys)
            for size in page.sizes:
                await pilot.resize_terminal(*size)
                await counted(pilot, page.text)
                looks.append((size, shown(app), coloured(app)))
            assert type(app.screen) is page.screen
        return looks

    return iter(asyncio.run(look()))


def kept(page: str, size: tuple[int, int], now: str, request: pytest.FixtureRequest) -> str:
    """Return how a page looked when somebody looked at it; that is now when pages are updated."""
    path = PAGES / f"{page}.{size[0]}x{size[1]}.txt"
    if request.config.option.update_snapshots:
        path.parent.mkdir(exist_ok=True)
        path.write_text(now, encoding="utf-8")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PLACES)
def test_a_page(make: Make, request: pytest.FixtureRequest, page: str) -> None:
    """At each size it is as it was looked at, in colours, and nothing is cut off unseen."""
    place = PLACES[page]
    for size, text, has_colours in opened(make(place.scene), place):
        assert text == kept(page, size, text, request)
        assert has_colours


@pytest.mark.parametrize("page", PLACES)
def test_a_page_without_colour(make: Make, monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    """With NO_COLOR it is painted in greys only, and says exactly the same at each size."""
    monkeypatch.setenv("NO_COLOR", "1")
    place = PLACES[page]
    for size, text, has_colours in opened(make(place.scene), place):
        assert text == (PAGES / f"{page}.{size[0]}x{size[1]}.txt").read_text(encoding="utf-8")
        assert not has_colours


def screens() -> set[type[Screen[Any]]]:
    """Return every screen and dialog of the program that is not there to be built upon."""
    for module in walk_packages(tui.__path__, "tui."):
        if not module.name.endswith("__main__"):
            import_module(module.name)
    found, left = set(), [Screen[Any].__origin__]  # type: ignore[attr-defined]  # a generic has it
    while left:
        one = left.pop()
        left += one.__subclasses__()
        found.add(one)
    ours = {each for each in found if each.__module__.startswith("tui.")}
    return {
        each
        for each in ours
        if not any(one.__module__[:4] == "tui." for one in each.__subclasses__())
    }


def test_every_screen_has_its_pages() -> None:
    """No screen and no dialog is without a page, and no page lies there that is not looked at."""
    files = {f"{page}.{w}x{h}.txt" for page in PLACES for w, h in SIZES}

    assert screens() <= {each.screen for each in PLACES.values()}
    assert {path.name for path in PAGES.iterdir()} == files
