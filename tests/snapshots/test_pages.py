"""Every page and dialog as text, at three sizes, compared with those in pages/.

`pytest --snapshot-update` writes them anew; look at what changed. Without colour each page says the
same words and signs, so nothing is told by colour alone.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.color import Color
from textual.pilot import Pilot

from tui.app import CountersignApp
from tui.bridge import Bridge
from tui.effective import Effective
from tui.look import Look

PAGES = Path(__file__).parent / "pages"
SIZES = [(80, 24), (120, 40), (200, 50)]
OPENED: dict[str, tuple[tuple[str, ...], str]] = {
    "request": ((), "asks because"),
    "whole-policy": (("4", "t"), '"Statement"'),
    "zoomed": (("2", "z"), "firing"),
    "diff": (("d",), "Code: +1 -1"),
    "reject": (("r",), "Why?"),
    "comment": (("w",), "goes on record beside"),
    "edit": (("e",), "F2 keeps it"),
    "tell": (("I",), "Tell something"),
    "ask": (("i",), "Ask the planner"),
    "modes": (("m",), "AUTOMATED"),
    "entering-a-mode": (("m", "2"), "budget"),
    "grants": (("p",), "every request is asked"),
    "help": (("question_mark",), "Decide on the request"),
    "settings": (("comma",), "ceiling"),
    "palette": (("colon",), "Edit outside  (E)"),
    "run": (("left_square_bracket", "6"), "2 of 4 alarms fire"),
    "first-step": (("left_square_bracket",), "press f to see it"),
}
"""What is pressed at a request, and what is to be read then."""
DIALOGS = ("reject", "comment", "tell", "ask", "modes", "entering-a-mode", "grants")
"""Boxes over the session, which are as large on a larger screen."""
SHOWN = [(page, size) for page in OPENED for size in SIZES[: 2 if page in DIALOGS else 3]]
STILL = 4
Worked = Callable[..., Bridge]


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


async def counted(pilot: Pilot[Any], text: str) -> None:
    """Wait for a text, and leave nothing of what was seen to be counted later."""
    await until(pilot, text)
    pilot.app.screen_stack[0]._note_seen()  # type: ignore[attr-defined]  # the pages of a session
    await until(pilot, text)


def opened(
    scene: Bridge,
    keys: tuple[str, ...],
    text: str,
    size: tuple[int, int],
    first: str = "asks because",
) -> tuple[str, bool]:
    """Return a page as text, and whether it has colours."""
    effective = Effective(Path("mine.yaml"), {"COUNTERSIGN_DATA": "/data"}, {"mode": "guided"})
    app = CountersignApp(scene, "why?", look=Look(effective=effective))

    async def look() -> tuple[str, bool]:
        async with app.run_test(size=size) as pilot:
            await counted(pilot, first)
            await pilot.press(*keys)
            await counted(pilot, text)
            return shown(app), coloured(app)

    return asyncio.run(look())


def kept(page: str, size: tuple[int, int], now: str, request: pytest.FixtureRequest) -> str:
    """Return how a page looked when somebody looked at it; that is now when pages are updated."""
    path = PAGES / f"{page}.{size[0]}x{size[1]}.txt"
    if request.config.option.update_snapshots:
        path.parent.mkdir(exist_ok=True)
        path.write_text(now, encoding="utf-8")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(("page", "size"), SHOWN, ids=lambda each: str(each).replace(" ", ""))
def test_a_page(
    worked: Worked, request: pytest.FixtureRequest, page: str, size: tuple[int, int]
) -> None:
    """The page is as it was looked at, and nothing of it is cut off unseen."""
    text, has_colours = opened(worked(1, model=page == "ask"), *OPENED[page], size)

    assert text == kept(page, size, text, request)
    assert has_colours


@pytest.mark.parametrize("page", OPENED)
def test_a_page_without_colour(worked: Worked, monkeypatch: pytest.MonkeyPatch, page: str) -> None:
    """With NO_COLOR it is painted in greys only, and says exactly the same."""
    monkeypatch.setenv("NO_COLOR", "1")
    text, has_colours = opened(worked(1, model=page == "ask"), *OPENED[page], (120, 40))

    assert text == (PAGES / f"{page}.120x40.txt").read_text(encoding="utf-8")
    assert not has_colours


@pytest.mark.parametrize("size", SIZES, ids=lambda each: f"{each[0]}x{each[1]}")
def test_the_answer(
    answered: Bridge,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    size: tuple[int, int],
) -> None:
    """Cause, claims and gaps, in colours and without them."""
    page: tuple[Any, ...] = ((), "press q to leave", size, "press q to leave")
    text, has_colours = opened(answered, *page)
    monkeypatch.setenv("NO_COLOR", "1")
    grey, still_has = opened(answered, *page)

    assert text == grey == kept("answer", size, text, request)
    assert (has_colours, still_has) == (True, False)
