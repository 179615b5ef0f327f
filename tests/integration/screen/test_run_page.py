"""A run over its session, by keys: output, calls, result; it takes nothing and decides nothing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tui.screens.run import RunScreen
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
