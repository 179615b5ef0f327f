"""A run over its session, by keys: output, calls, result; it takes nothing and decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.content import Content
from textual.geometry import Region

from tui.running import Ring
from tui.screens.run import RunScreen
from tui.searching import Hit
from tui.widgets.bars import Banner, StatusBar
from tui.widgets.lines import LinesView

Play = Callable[..., Any]


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
def test_a_run_is_read_while_a_request_waits(play: Play, size: object) -> None:
    """6 opens the step's run; result as table, tree and raw; no key there decides anything."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("6")
        await screen.until(lambda: "nothing ran" in screen.text, "it says why not")
        await screen.press("a")
        await screen.armed("R2")
        await screen.press("left_square_bracket", "6")
        await screen.until(lambda: isinstance(screen.app.screen, RunScreen), "the run")
        await screen.until(lambda: "2 alarms fire" in screen.text, "its output")
        assert "▲ R2 awaits you" in screen.text
        await screen.press("3")
        await screen.until(lambda: "firing  2" in screen.text, "the result as a table")
        await screen.press("t")
        await screen.until(lambda: "▾ facts" in screen.text, "as a tree")
        await screen.press("j", "enter")
        await screen.until(lambda: "▸ facts" in screen.text, "folded")
        await screen.press("t")
        await screen.until(lambda: '"firing": 2' in screen.text, "raw")
        await screen.press("a", "e", "s", "x", "x", "enter")
        assert len(screen.decisions) == 1
        await screen.press("escape")
        await screen.until(lambda: not isinstance(screen.app.screen, RunScreen), "back")
        assert screen.bridge.asked is not None

    play(walk, size=size, steps=2)


def test_rows_are_laid_out_only_where_they_are_seen(play: Play) -> None:
    """A view of many rows shows its end while one looks there, and stays where one scrolled to."""

    async def walk(screen: Any) -> None:
        await screen.asked()
        view = LinesView()
        await screen.app.screen.mount(view)
        view.styles.height = 10
        rows = [f"row {number}" for number in range(100_000)]
        await screen.until(lambda: view.size.height == 10, "it has room")
        view.paint(rows, follow=True)
        await screen.until(lambda: "row 99999" in view.render_line(9).text, "the end")
        view.scroll_home(animate=False)
        await screen.until(lambda: "row 0" in view.render_line(0).text, "the start")
        view.paint([*rows, "another"], follow=True)
        await screen.pilot.pause()
        assert "row 0" in view.render_line(0).text

    play(walk)


def test_an_end_is_followed_before_there_is_a_scroll_bar(play: Play) -> None:
    """The bar comes with the next layout, which may be later: the end is shown all the same."""

    async def walk(screen: Any) -> None:
        await screen.asked()
        view = LinesView()
        view.styles.height = 10
        view.styles.overflow_y = "hidden"
        await screen.app.screen.mount(view)
        await screen.until(lambda: view.size.height == 10, "it has room")
        view.paint([f"row {number}" for number in range(100)], follow=True)
        await screen.until(lambda: "row 99" in view.render_line(9).text, "the end")

    play(walk)


def test_a_page_that_is_covered_is_neither_painted_nor_armed(play: Play) -> None:
    """What changes below another page is shown on the way back, and its keys wake up only then."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        pages = screen.app.screen
        await screen.press("question_mark")
        await screen.until(lambda: screen.app.screen is not pages, "help lies over it")
        pages._arming.show("", 0.0)
        pages.query_one(StatusBar).put(Content("before"))
        screen.bridge.change()
        await screen.until(lambda: not screen.bridge._told, "the change is told")
        await screen.pilot.pause()
        pages.paint_rows()
        await screen.pilot.pause()
        assert pages._arming.visible == ""
        assert pages.query_one(StatusBar)._content.plain == "before"
        await screen.press("escape")
        await screen.until(lambda: pages._arming.visible, "it can be read again")
        assert pages.query_one(StatusBar)._content.plain != "before"

    play(walk)


def test_a_page_that_is_covered_says_at_once_that_its_keys_sleep(play: Play) -> None:
    """What is seen first on the way back is no old word that they are awake."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        pages = screen.app.screen
        await screen.press("question_mark")
        await screen.until(lambda: screen.app.screen is not pages, "help lies over it")
        said = pages.query_one(Banner)._content.plain
        assert "asks because" not in said
        assert "keys wake up in a moment" in said

    play(walk)


def test_a_request_that_shows_through_a_dialog_is_not_armed(play: Play) -> None:
    """It is painted below the dialog, and its keys wake up only after that is gone."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        pages = screen.app.screen
        await screen.press("r")
        await screen.until(lambda: screen.app.screen is not pages, "a dialog lies over it")
        pages.query_one(StatusBar).put(Content("before"))
        screen.bridge.change()
        await screen.until(
            lambda: pages.query_one(StatusBar)._content.plain != "before", "it is painted"
        )
        await screen.pilot.pause()
        assert pages._arming.visible == ""
        await screen.press("escape")
        await screen.until(lambda: pages._arming.visible, "it can be read again")

    play(walk)


def test_the_same_rows_are_not_painted_twice(play: Play) -> None:
    """A pane is painted again when there are other rows, and not when there are the same."""

    async def walk(screen: Any) -> None:
        await screen.asked()
        view, ring = LinesView(), Ring(2)
        await screen.app.screen.mount(view)
        view.styles.height = 10
        await screen.until(lambda: view.size.height == 10, "it has room")
        ring.extend(["one", "two"])
        view.paint(ring)
        await screen.pilot.pause()
        painted: list[object] = []
        for rows in (ring, ring):
            view.paint(rows)
            painted.append(view._repaint_required)
        ring.extend(["three"])
        view.paint(ring)
        painted.append(view._repaint_required)
        assert painted == [False, False, True]
        assert view.render_line(1).text.rstrip() == "three"

    play(walk)


def test_a_row_that_goes_on_beyond_an_edge_says_so(play: Play) -> None:
    """An ellipsis stands at each edge beyond which a row goes on; left, right and find go there."""

    async def walk(screen: Any) -> None:
        await screen.asked()
        view = LinesView(classes="pane")
        await screen.app.screen.mount(view)
        view.styles.height = 10
        view.focus()
        await screen.until(lambda: view.size.height == 8, "it has room")

        def shown(row: int) -> str:
            view.render_lines(Region(0, 0, *view.outer_size))
            return view.render_line(row).text

        view.paint([f"begin {'-' * 100} end", "short", f"ü {'-' * 100}", *["more"] * 20])
        await screen.until(lambda: view.scrollable_content_region.width == 75, "a scroll bar")
        assert shown(0).endswith("-…")
        assert shown(1).rstrip() == "short"
        assert shown(2).endswith("-…")
        assert len(shown(0)) == view.scrollable_content_region.width
        await screen.press("right")
        assert view.scroll_offset.x > 0
        assert shown(0).startswith("…--")
        await screen.press(*["right"] * 20)
        assert shown(0).startswith("…--")
        assert shown(0).rstrip().endswith("- end")
        await screen.press(*["left"] * 20)
        assert shown(0).startswith("begin")
        view.show_hit(Hit(0, 107, 3))
        await screen.pilot.pause()
        assert "- end" in shown(0)

    play(walk, size=(80, 24))


def test_the_head_breaks_between_what_it_tells(play: Play) -> None:
    """Where it has no room in one row the next begins with a whole part; the tabs tell the rest."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("a")
        await screen.armed("R2")
        await screen.press("left_square_bracket", "6")
        await screen.until(lambda: "2 alarms fire" in screen.text, "its output")
        await screen.until(lambda: "3 Result" in screen.text, "the tabs")
        head = screen.app.screen.query_one("#run-head")._content.plain.split("\n")
        assert len(head) == 2
        assert all(len(row) < 80 for row in head)
        assert not any(row.rstrip().endswith("·") for row in head)
        assert head[1].startswith(" 0 of 200 calls, 0 denied · 1 line")
        assert "1 Output 1  2 Calls 0  3 Result" in screen.text

    play(walk, size=(80, 24), steps=2)
