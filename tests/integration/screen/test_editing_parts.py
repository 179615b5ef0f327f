"""Editing packages and policy of a draft: on the screen, and in the operator's editor."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import TextArea

from core.events import DraftGenerated
from core.planner import Planner
from tui.screens.edit import EditScreen
from tui.screens.pages import PagesScreen

Play = Callable[..., Any]
Become = Callable[[str], Path]
WIDER = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "cloudwatch:Describe*", "Resource": "*"}],
}


def drafts(screen: Any) -> list[DraftGenerated]:
    """Return every version that is on record."""
    return [fact.event for fact in screen.facts if isinstance(fact.event, DraftGenerated)]


def area(screen: Any, part: str) -> TextArea:
    """Return the field in which a part is edited."""
    found: TextArea = screen.app.screen.query_one(f"#edit-{part}")
    return found


def page(screen: Any) -> PagesScreen:
    """Return the pages, whatever lies over them."""
    return next(each for each in screen.app.screen_stack if isinstance(each, PagesScreen))


async def told(screen: Any, text: str) -> None:
    """Wait until this is the last that was said, be it on the screen still or no more."""
    await screen.until(lambda: text in page(screen)._said[0], text)


async def press(screen: Any, key: str) -> None:
    """Press a key that decides, once the keys are awake; never as one that is held down."""
    pages = page(screen)
    await screen.until(
        lambda: screen.app.screen is pages and pages._armed(time.monotonic()), "the keys are awake"
    )
    await screen.press("2", key)


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Become:
    """Return what makes some shell the operator's editor; returns where it keeps its input."""

    def become(body: str) -> Path:
        path = tmp_path / "editor"
        path.write_text(f'#!/bin/sh\ncat "$@" > "$0.given"\n{body}\n', encoding="utf-8")
        path.chmod(0o755)
        monkeypatch.delenv("VISUAL", raising=False)
        monkeypatch.setenv("EDITOR", str(path))
        return path.with_name("editor.given")

    return become


def test_a_policy_is_edited_on_the_screen(play: Play) -> None:
    """What is no policy is told with its line and stays; what is one is asked anew, never a yes."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("4", "e")
        await screen.until(lambda: isinstance(screen.app.screen, EditScreen), "it is open")
        await screen.until(lambda: screen.app.focused is area(screen, "policy"), "the policy")
        area(screen, "policy").text = json.dumps(WIDER, indent=1) + ","
        await screen.press("f3")
        await screen.until(lambda: screen.app.focused is area(screen, "parameters"), "the next")
        await screen.press("f2")
        await screen.until(lambda: "not kept: policy.json: line 10" in screen.text, "it says why")
        assert area(screen, "policy").text.endswith("},")
        assert screen.app.focused is area(screen, "policy")
        assert screen.decisions == []
        area(screen, "policy").text = json.dumps(WIDER)
        await screen.press("f2")
        await screen.armed("R2")
        assert [each.verb for each in screen.decisions] == ["edit"]
        first, second = drafts(screen)
        assert (second.version, second.author, second.policy) == (2, "operator", WIDER)
        assert second.script == first.script
        assert screen.bridge.asked.digest != screen.decisions[0].digest
        assert screen.bridge.session.runs == 0

    play(walk)


def test_an_editor_is_given_three_files(play: Play, editor: Become) -> None:
    """What it gave back and can't be read is told; the next time, the editor is given that."""
    editor('if grep -q six "$2"; then : > "$2"; echo "# x" >> "$1"; else echo six==1 >> "$2"; fi')

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("E")
        await screen.until(lambda: "requirements.txt: line 1: six==1 is not" in screen.text, "why")
        assert screen.decisions == []
        await screen.press("2", "E")  # the same key at once would be one that is held down
        await screen.armed("R2")
        assert [each.verb for each in screen.decisions] == ["edit"]
        assert [each.author for each in drafts(screen)] == ["workflow", "operator"]

    play(walk)


MARKED = 'printf "\\357\\273\\277" > "$3.new"; cat "$3" >> "$3.new"; mv "$3.new" "$3"'
LOCKED = "six==1.17.0 --hash=sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("body", "name", "kept"),
    [
        (MARKED, "policy.json", b"\xef\xbb\xbf{"),
        ('printf "caf\\351\\n" > "$2"', "requirements.txt", b"caf\xe9\n"),
        ('printf "six==1\\r\\n" > "$2"', "requirements.txt", b"six==1\r\n"),
        (f'printf "{LOCKED}\\r\\n" > "$2"; echo , >> "$3"', "requirements.txt", b"0\r\n"),
    ],
    ids=("a byte order mark", "Latin-1", "other ends of lines", "others that can be read"),
)
def test_a_change_that_no_screen_can_hold_is_not_left_out_of_it(
    play: Play, editor: Become, body: str, name: str, kept: bytes
) -> None:
    """The screen would keep what nobody sees, or fall over it; the editor goes on with it."""
    given = editor(body)

    async def walk(screen: Any) -> None:
        await screen.armed()
        await press(screen, "E")
        await told(screen, "not kept: ")
        await press(screen, "e")
        assert not isinstance(screen.app.screen, EditScreen)
        await told(screen, f"{name} holds what can't be shown as it is: E opens your editor")
        await press(screen, "E")
        await told(screen, "not kept: ")
        assert kept in given.read_bytes()
        assert screen.decisions == []

    play(walk)


def test_what_was_dropped_does_not_come_back(play: Play, editor: Become) -> None:
    """Escape twice drops what an editor gave back as well; the next edit begins with the draft."""
    editor('echo , >> "$3"')

    async def walk(screen: Any) -> None:
        async def opened() -> str:
            await press(screen, "e")
            await screen.until(lambda: isinstance(screen.app.screen, EditScreen), "it is open")
            await screen.until(lambda: screen.app.focused is area(screen, "script"), "the script")
            return area(screen, "policy").text

        await screen.armed()
        await press(screen, "E")
        await told(screen, "not kept: policy.json: line ")
        assert (await opened()).endswith("\n,\n")
        await screen.press("escape")
        await screen.until(lambda: "Escape again drops" in screen.text, "it is told")
        await screen.press("escape")
        await told(screen, "nothing was changed")
        assert json.loads(await opened()) == drafts(screen)[0].policy
        assert screen.decisions == []

    play(walk)


def test_what_was_made_good_does_not_come_back(play: Play, editor: Become) -> None:
    """Once the editor gave the draft back as it was, it is given that the next time."""
    editor('if grep -q six "$2"; then : > "$2"; else echo six==1 >> "$2"; fi')

    async def walk(screen: Any) -> None:
        await screen.armed()
        for said in ("not kept: ", "nothing was changed", "not kept: "):
            await press(screen, "E")
            await told(screen, said)
        assert screen.decisions == []

    play(walk)


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
def test_parameters_and_rollback_are_edited_on_the_screen(
    play: Play, careful: Planner, size: object
) -> None:
    """Each part that the draft has is offered; what was kept is asked anew, what was not stays."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("e")
        await screen.until(lambda: isinstance(screen.app.screen, EditScreen), "it is open")
        assert not screen.app.screen.query("#edit-post_check"), "it has none"
        for part in ("requirements", "policy", "parameters", "rollback", "tests"):
            await screen.press("f3")
            await screen.until(lambda p=part: screen.app.focused is area(screen, p), part)
            await screen.until(lambda p=part: p in screen.text, "its name is shown")
        area(screen, "parameters").text = '{"place": 7, "hours": 2}'
        area(screen, "rollback").text = "undo(7)\n"
        area(screen, "tests").text = ""
        await screen.press("f2")
        await screen.armed("R2")
        first, second = drafts(screen)
        assert (second.version, second.author) == (2, "operator")
        assert second.parameters == {"place": 7, "hours": 2}
        assert screen.bridge.script(second.rollback) == b"undo(7)\n"
        assert first.tests is not None
        assert second.tests is None
        assert (second.script, second.policy) == (first.script, first.policy)
        assert screen.bridge.asked.digest != screen.decisions[0].digest
        assert screen.bridge.session.runs == 0

    play(walk, size=size, planner=careful)
