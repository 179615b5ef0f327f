"""The rules of the screen, one by one: what decides, and above all what does not."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.errors import Left

SIZES = [(120, 40), (80, 24)]
Play = Callable[..., Any]


@pytest.mark.parametrize("size", SIZES)
def test_an_early_key_is_dropped_and_a_later_one_approves(play: Play, size: object) -> None:
    """A yes before the request could be read is no yes; afterwards one key is one yes."""

    async def walk(screen: Any) -> None:
        await screen.asked()
        digest = screen.bridge.asked.digest
        with screen.asleep():
            await screen.press("a")
        assert screen.decisions == []
        await screen.armed()
        assert screen.bridge.asked.digest == digest
        await screen.press("a")
        await screen.ended()
        [decision] = screen.decisions
        assert ("approve", digest, "human") == (decision.verb, decision.digest, decision.by)
        assert decision.shown_ms >= 600

    play(walk, size=size)


def test_a_key_for_what_was_shown_decides_nothing_that_took_its_place(play: Play) -> None:
    """Keys that were awake for one request sleep for the next, though it was not painted yet."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        approver = screen.bridge.approver
        approver.asked = replace(approver.asked, digest="f" * 64)
        with screen.asleep():
            await screen.press("a")
        await screen.until(lambda: "too early" in screen.text, "it says why not")
        assert screen.decisions == []

    play(walk)


@pytest.mark.parametrize("size", SIZES)
def test_no_other_key_decides(play: Play, size: object) -> None:
    """Enter, Space, Escape and the like decide nothing, wherever the focus is."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        for pane in ("1", "2", "3", "4", "5"):
            await screen.press(pane, "enter", "space", "escape", "y", "ctrl+j")
        assert screen.decisions == []
        assert screen.bridge.asked is not None

    play(walk, size=size)


@pytest.mark.parametrize("size", SIZES)
def test_a_request_takes_neither_focus_nor_page(play: Play, size: object) -> None:
    """Who reads an earlier step goes on reading it when a request appears, and can't approve it."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("4")
        focused = screen.app.focused
        await screen.press("a")
        await screen.armed("R2")
        assert screen.app.focused is focused
        await screen.press("left_square_bracket")
        assert "[✓ S1 Look 1]" in screen.text
        assert "press f to see it" in screen.text
        await screen.press("a")
        assert len(screen.decisions) == 1
        with screen.asleep():
            await screen.press("f", "a")
        assert len(screen.decisions) == 1, "it became visible a moment ago"
        await screen.armed("R2")
        await screen.press("a")
        await screen.ended()
        assert len(screen.decisions) == 2

    play(walk, size=size, steps=2)


@pytest.mark.parametrize("size", SIZES)
def test_a_reject_needs_a_reason_and_its_own_letter(play: Play, size: object) -> None:
    """Enter in the dialog goes on to its last line; only the letter there rejects."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("r", "enter", "r")
        assert "fill in every line" in screen.text
        await screen.press("shift+tab")
        await screen.type("too wide")
        await screen.press("enter", "enter", "space")
        assert screen.decisions == []
        await screen.press("r")
        await screen.ended()
        [decision] = screen.decisions
        assert (decision.verb, decision.comment) == ("reject", "too wide")
        assert "too wide" in screen.text

    play(walk, size=size)


def test_escape_leaves_a_dialog_undecided(play: Play) -> None:
    """Escape goes back to the request, whose keys have to wake up again."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("r")
        await screen.type("no")
        with screen.asleep():
            await screen.press("escape", "a")
        assert screen.decisions == []
        await screen.armed()
        await screen.press("s")
        await screen.ended()
        assert [each.verb for each in screen.decisions] == ["skip"]

    play(walk)


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return what makes a shell script the operator's editor."""

    def become(body: str) -> None:
        path = tmp_path / "editor"
        path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        monkeypatch.setenv("EDITOR", str(path))

    return become


@pytest.mark.parametrize("size", SIZES)
def test_an_edit_is_a_new_version_that_asks_anew(
    play: Play, editor: Callable[[str], None], size: object
) -> None:
    """What was edited is reviewed again, has another digest, and needs its own yes."""
    editor('printf "# looked at by a person\\n" >> "$1"')

    async def walk(screen: Any) -> None:
        await screen.armed()
        before = screen.bridge.asked.digest
        await screen.press("E")
        await screen.asked("R2")
        assert screen.bridge.asked.digest != before
        assert screen.bridge.asked.version == 2
        with screen.asleep():
            await screen.press("a")
        assert [each.verb for each in screen.decisions] == ["edit"]
        await screen.armed("R2")
        assert "version 2 by operator" in screen.text
        await screen.press("a")
        await screen.ended()
        assert [each.verb for each in screen.decisions] == ["edit", "approve"]

    play(walk, size=size)


@pytest.mark.parametrize(
    ("body", "said"), [("exit 1", "ended with code 1"), ("exit 0", "nothing was changed")]
)
def test_an_editor_that_changes_nothing_decides_nothing(
    play: Play, editor: Callable[[str], None], body: str, said: str
) -> None:
    """A failing editor, or one that was only looked into, leaves the request as it is."""
    editor(body)

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("E")
        await screen.until(lambda: said in screen.text, said)
        assert screen.decisions == []

    play(walk)


@pytest.mark.parametrize("size", SIZES)
def test_an_edit_on_the_screen_is_a_new_version_too(play: Play, size: object) -> None:
    """Typed and kept with F2: a new version with another digest; Enter and Escape keep nothing."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        before = screen.bridge.asked.digest
        await screen.press("e", "x", "enter", "escape")
        assert "Escape again" in screen.text
        await screen.press("escape")
        await screen.until(lambda: "nothing was changed" in screen.text, "it is dropped")
        assert screen.decisions == []
        await screen.armed()
        await screen.press("e", "ctrl+end")
        await screen.type("# looked at by a person")
        await screen.press("enter", "f2")
        await screen.asked("R2")
        assert screen.bridge.asked.digest != before
        assert [each.verb for each in screen.decisions] == ["edit"]
        await screen.armed("R2")
        assert "version 2 by operator" in screen.text
        await screen.press("d")
        await screen.until(lambda: "Code: +1 -0" in screen.text, "what changed is shown")
        assert "looked at by a person" in screen.text

    play(walk, size=size)


def test_a_yes_with_a_comment_keeps_the_comment(play: Play) -> None:
    """The comment is asked for, and goes on record with the approval; Enter alone sends nothing."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("w", "enter", "a")
        assert "fill in every line" in screen.text
        await screen.press("shift+tab")
        await screen.type("only this once")
        await screen.press("enter", "enter", "space")
        assert screen.decisions == []
        await screen.press("a")
        await screen.ended()
        [decision] = screen.decisions
        assert (decision.verb, decision.comment) == ("approve", "only this once")

    play(walk)


@pytest.mark.parametrize("size", SIZES)
def test_a_dangerous_yes_has_a_second_stage(play: Play, size: object) -> None:
    """From tier 3 on the account is typed: another name approves nothing, its alias does."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.read_all()
        await screen.press("a")
        assert screen.decisions == []
        assert "second stage" in screen.text
        await screen.press("tab")
        await screen.type("sandbox")
        await screen.press("enter", "a")
        await screen.until(lambda: "not this account" in screen.text, "it says why")
        assert screen.decisions == []
        await screen.until(lambda: not screen.text.count("not this account"), "it fades")
        await screen.press("a", "tab")
        await screen.type("shop")
        await screen.press("enter", "enter")
        assert screen.decisions == []
        await screen.press("a")
        await screen.ended()
        assert [each.verb for each in screen.decisions] == ["approve"]

    play(walk, size=size, tier=3)


@pytest.mark.parametrize("keys", [("enter",), ("escape",), ("a", "a", "enter")])
def test_the_second_stage_has_its_focus_on_cancel(play: Play, keys: tuple[str, ...]) -> None:
    """Whoever hits Enter, or types on without looking, goes back with nothing decided."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.read_all()
        await screen.press("a")
        assert "second stage" in screen.text
        await screen.press(*keys)
        await screen.until(lambda: "second stage" not in screen.text, "it goes back")
        assert screen.decisions == []

    play(walk, tier=3)


@pytest.mark.parametrize("size", [(80, 24), (60, 16)])
def test_what_was_not_on_the_screen_is_not_approved(play: Play, size: object) -> None:
    """A change whose last line, or whose policy, nobody has seen is refused, with why."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        assert "terminate_instances" not in screen.text
        assert "seen 100%" not in screen.text
        await screen.press("a")
        assert "not on the screen yet" in screen.text
        assert "second stage" not in screen.text
        await screen.until(lambda: "not on the screen yet" not in screen.text, "it fades")
        await screen.press("4", "3", "1", "G")
        await screen.press("2", "a")
        assert "not on the screen yet: " in screen.text
        assert "rows of code" in screen.text
        assert screen.decisions == []
        await screen.until(lambda: "not on the screen yet" not in screen.text, "it fades")
        await screen.press("G")
        assert "terminate_instances" in screen.text

    last = b'boto3.client("ec2").terminate_instances(InstanceIds=["i-1"])\n'
    play(walk, size=size, tier=4, lines=60, last=last)


@pytest.mark.parametrize("size", SIZES)
def test_blockers_are_overridden_with_a_reason(play: Play, size: object) -> None:
    """A blocked draft runs only when the account and a reason were typed; both are on record."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.read_all()
        await screen.press("a", "tab")
        await screen.type("shop")
        await screen.press("enter")
        await screen.type("known")
        await screen.press("enter", "a")
        await screen.ended()
        [decision] = screen.decisions
        assert (decision.override_blockers, decision.comment) == (True, "known")

    play(walk, size=size, blockers=1)


def test_stop_needs_two_presses(play: Play) -> None:
    """One x asks to press it again; two end the session with what there is."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("x")
        assert "press x again" in screen.text
        assert screen.decisions == []
        await screen.pilot.pause(0.2)
        await screen.press("x")
        await screen.ended()
        assert screen.bridge.session.finished.exit_code == 4

    play(walk)


def test_leaving_keeps_the_session_open(play: Play, sessions: Callable[[], list[Path]]) -> None:
    """Two q leave: nothing was decided, and the journal has no end."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("q")
        assert "press q again" in screen.text
        await screen.pilot.pause(0.2)
        await screen.press("q")
        await screen.until(lambda: screen.app.failure, "it leaves")
        assert screen.decisions == []
        assert screen.bridge.session.finished is None

    app = play(walk)

    assert isinstance(app.failure, Left)
    assert len(sessions()) == 1


def test_one_q_leaves_a_finished_session_whatever_a_widget_does(play: Play) -> None:
    """Only the work on the session is waited for: a pane that works by the side keeps nobody."""

    async def walk(screen: Any) -> None:
        await screen.ended()
        await screen.until(lambda: not screen.app.working, "it is sealed")
        screen.app.screen.run_worker(asyncio.sleep(60))
        await screen.press("q")
        await screen.until(lambda: screen.app.return_value == 0, "it leaves")

    play(walk, mode="automated")


@pytest.mark.parametrize("size", SIZES)
def test_automated_mode_asks_nobody_and_says_so(play: Play, size: object) -> None:
    """The session runs by itself, each decision is the mode's, and the mode stands in words."""

    async def walk(screen: Any) -> None:
        await screen.ended()
        await screen.until(lambda: "LIKELY" in screen.text, "the answer is shown")
        assert "AUTOMATED" in screen.text
        assert [each.by for each in screen.decisions] == ["mode", "mode"]

    play(walk, size=size, mode="automated", steps=2)


@pytest.mark.parametrize("size", SIZES)
def test_the_answer_names_cause_evidence_and_gaps(play: Play, size: object) -> None:
    """The last page holds the cause, each claim with its values, and what is missing."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("a")
        await screen.armed("R2")
        await screen.press("s")
        await screen.ended()
        await screen.until(lambda: "The disk is full." in screen.text, "the cause")
        for text in ("2 alarms fire", "E1 firing = 2", "GAPS", "skipped", "[✓ Answer]"):
            assert text in screen.text
        await screen.press("left_square_bracket", "left_square_bracket")
        assert "[✓ S1 Look 1]" in screen.text

    play(walk, size=size, steps=2)
