"""What hands expect of a terminal program: own keys, finding, a palette, copying, pictures."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.command import CommandPalette

from tui.actions import ACTIONS
from tui.keymap import remapped
from tui.look import Look
from tui.screens.dialogs import Help

Play = Callable[..., Any]


def test_keys_from_the_settings_work_and_the_old_ones_do_not(play: Play) -> None:
    """Approve on g, everywhere: the key acts, key bar and help name it, and a does nothing."""
    look = Look(actions=remapped(ACTIONS, {"approve": ["B"], "half_down": ["a"]}))

    async def walk(screen: Any) -> None:
        await screen.armed()
        assert "B Approve" in screen.text
        await screen.press("a")
        assert screen.decisions == []
        await screen.press("question_mark")
        await screen.until(lambda: "B          Approve exactly" in screen.text, "help names it")
        await screen.press("escape")
        await screen.armed()
        await screen.press("B")
        await screen.ended()
        assert [each.verb for each in screen.decisions] == ["approve"]

    play(walk, look=look)


def test_the_palette_names_every_action_and_decides_nothing(play: Play) -> None:
    """Found by its name and chosen with Enter, an approval is still only told its key."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("colon")
        await screen.until(lambda: isinstance(screen.app.screen, CommandPalette), "it opens")
        await screen.type("approve exactly")
        await screen.until(lambda: "Approve  (a)" in screen.text, "it is found")
        await screen.press("down", "enter")
        await screen.until(lambda: "press a at the request" in screen.text, "it says the key")
        assert screen.decisions == []
        assert screen.bridge.asked is not None

    play(walk)


def test_the_palette_does_what_decides_nothing(play: Play) -> None:
    """An action that only looks is done from the palette."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("colon")
        await screen.type("this page")
        await screen.until(lambda: "Help  (? f1)" in screen.text, "it is found")
        await screen.press("down", "enter")
        await screen.until(lambda: isinstance(screen.app.screen, Help), "it is done")

    play(walk)


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
def test_a_text_is_found_round_and_round(play: Play, size: object) -> None:
    """/ asks, Enter goes to the first place, n to the next, N back; what is not there is told."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        code = screen.app.screen.query_one("#code")
        await screen.press("2", "slash")
        await screen.type("more")
        await screen.press("enter")
        await screen.until(lambda: "1 of 40: more" in screen.text, "the first")
        assert code.selected_text == "more"
        first = code.selection
        await screen.press("n")
        assert code.selection.start[0] == first.start[0] + 1
        await screen.press("N", "N")
        await screen.until(lambda: "40 of 40: more" in screen.text, "round")
        assert code.scroll_offset.y > 0
        await screen.press("slash")
        await screen.type("nowhere")
        await screen.press("enter")
        await screen.until(lambda: "not in this pane: nowhere" in screen.text, "told")
        assert screen.decisions == []

    play(walk, size=size, lines=40)


def test_hands_that_know_vim_move_in_every_pane(play: Play) -> None:
    """J k g G ctrl+d ctrl+u move what has the focus, and nothing else."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        code = screen.app.screen.query_one("#code")
        await screen.press("2", "j", "j", "k")
        assert code.scroll_offset.y == 1
        await screen.press("ctrl+d")
        assert code.scroll_offset.y > 5
        await screen.press("ctrl+u", "G")
        assert code.scroll_offset.y == code.max_scroll_y
        await screen.press("g")
        assert code.scroll_offset.y == 0
        policy = screen.app.screen.query_one("#policy")
        await screen.press("4", "j")
        assert policy.highlighted is not None
        await screen.press("enter")
        assert code.selection.start[0] == 4

    play(walk, lines=90)


def test_a_digest_and_a_pane_can_be_copied(play: Play) -> None:
    """C copies the very digest that is asked about, c the pane; too much is refused in words."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("C")
        assert screen.app.clipboard == screen.bridge.asked.digest
        await screen.press("D")
        assert screen.bridge.asked.digest in screen.text
        await screen.press("2", "c")
        await screen.until(lambda: "too long for a terminal" in screen.text, "it is refused")
        assert screen.app.clipboard == screen.bridge.asked.digest
        await screen.press("4", "c")
        assert "cloudwatch:DescribeAlarms" in screen.app.clipboard

    play(walk, lines=6_000)


def test_a_picture_of_the_screen_is_kept(play: Play, tmp_path: Path) -> None:
    """P writes an SVG and says where; nobody but its owner can read it."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("P")
        await screen.until(lambda: "kept as" in screen.text, "it says where")
        [path] = (tmp_path / "pictures").iterdir()
        assert "awaits" in path.read_text(encoding="utf-8")

    play(walk, look=Look(pictures=tmp_path / "pictures"))


@pytest.mark.parametrize("theme", ["countersign-light", "ansi-dark", "nord"])
def test_every_theme_has_the_colours_that_we_use(play: Play, theme: str) -> None:
    """Ours, the terminal's own sixteen colours, and any other of Textual: nothing is missing."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("question_mark", "escape", "r", "escape")
        await screen.armed()
        await screen.press("a")
        await screen.ended()

    play(walk, look=Look(theme=theme))


def test_below_the_smallest_size_the_screen_says_so_and_decides_nothing(play: Play) -> None:
    """What can't be shown can't be approved; made larger, it is all there again."""

    async def walk(screen: Any) -> None:
        await screen.asked_quietly()
        assert "Make the window larger" in screen.text
        await screen.press("a", "a")
        assert screen.decisions == []
        await screen.pilot.resize_terminal(80, 24)
        await screen.armed()
        await screen.press("a")
        await screen.ended()
        assert [each.verb for each in screen.decisions] == ["approve"]

    play(walk, size=(50, 12))


def test_an_older_version_is_shown_and_can_not_be_approved(play: Play) -> None:
    """What is on the screen is what a yes is about: at version 1 of 2 no key decides."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("e", "ctrl+end")
        await screen.type("# looked at by a person")
        await screen.press("enter", "f2")
        await screen.armed("R2")
        assert "v2 of 2" in screen.text
        await screen.press("left_curly_bracket")
        assert "v1 of 2" in screen.text
        assert "looked at by a person" not in screen.app.screen.query_one("#code").text
        assert "not what is shown" in screen.text
        await screen.pilot.pause(0.7)
        await screen.press("a", "s")
        assert [each.verb for each in screen.decisions] == ["edit"]
        await screen.press("f")
        await screen.armed("R2")
        await screen.press("a")
        await screen.ended()
        assert [each.verb for each in screen.decisions] == ["edit", "approve"]

    play(walk)


def test_a_long_line_of_the_activity_goes_on_below(play: Play) -> None:
    """All of a line can be read at 80 columns; copied it is whole; resizing keeps the place."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("5")
        await screen.until(lambda: screen.app.focused.id == "activity", "the activity")
        digest = screen.bridge.asked.digest
        await screen.until(lambda: digest[:30] in screen.text, "the digest")
        assert digest not in screen.text
        assert digest[-10:] in screen.text
        await screen.press("c")
        assert f"R1 asks about digest {digest}\n" in screen.app.clipboard
        pane = screen.app.focused
        await screen.press("g")
        assert pane.scroll_offset.y == 0
        await screen.pilot.resize_terminal(160, 40)
        await screen.until(lambda: digest in "\n".join(pane.lines), "it has room in one row")
        assert pane.scroll_offset.y == 0

    play(walk, size=(80, 24))


def test_ctrl_c_tells_how_to_leave_and_covers_nothing(play: Play) -> None:
    """It ends nothing, says so in the row below the request, and names the keys as they are."""
    look = Look(actions=remapped(ACTIONS, {"leave": ["B"]}))

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("ctrl+c")
        await screen.until(lambda: "ctrl+c ends nothing" in screen.text, "it is told")
        assert "B leaves, x twice stops the session" in screen.text
        assert screen.bridge.asked.digest[:12] in screen.text
        assert screen.decisions == []

    play(walk, look=look, size=(80, 24))
