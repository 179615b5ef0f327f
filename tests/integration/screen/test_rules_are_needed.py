"""Each rule of deciding has a mutant: taken out of the code that runs, what it forbids happens.

A row is a short walk that holds while the rule is there and must break without it. Enter, Space and
Escape are no rule of the screen but of the keys: no action may be named by one of them.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from textual.content import Content

from core.errors import CountersignError
from tests.taking_out import Edit, without
from tui.actions import ACTIONS
from tui.arming import Arming
from tui.bridge import Yes
from tui.keymap import remapped
from tui.widgets.bars import StatusBar

HURRIED_S = 4.0
"""For how long a walk without its rule waits for what should have happened."""
ARMING, PAGES, DECIDING = "tui.arming:Arming.", "tui.screens.pages:PagesScreen.", ""
DECIDING = "tui.screens.deciding:DecidingScreen."
NOTHING: Callable[..., Any] = lambda *_: ()  # noqa: E731  (its code takes the place of another)
YES: Callable[..., Any] = lambda *_: True  # noqa: E731


@dataclass(frozen=True, slots=True)
class Row:
    """A rule, what holds by it, and how it is taken out."""

    walk: Callable[[Any], Awaitable[None]]
    out: Edit
    kind: Mapping[str, Any] = field(default_factory=dict)
    """Of the session that is played."""


async def early(screen: Any) -> None:
    """A key before the request was visible for a moment decides nothing."""
    await screen.asked()
    with screen.asleep():
        await screen.press("a")
    assert screen.decisions == []


async def another(screen: Any) -> None:
    """Keys are awake for one digest only."""
    await screen.armed()
    arming = screen.app.screen._arming
    assert not arming.armed("f" * 64, arming.since + 10)


async def held(screen: Any) -> None:
    """A key that is held down was pressed once."""
    del screen
    arming = Arming()
    assert [arming.pressed("a", at) for at in (1.0, 1.05, 1.1)] == [True, False, False]


async def elsewhere(screen: Any) -> None:
    """Who looks at an earlier step can't approve the one that waits."""
    await screen.armed()
    await screen.press("a")
    await screen.armed("R2")
    await screen.press("left_square_bracket", "a")
    assert len(screen.decisions) == 1


async def focus(screen: Any) -> None:
    """A request that appears leaves the focus where it is."""
    await screen.armed()
    await screen.press("4")
    focused = screen.app.focused
    assert focused is not None
    await screen.press("a")
    await screen.armed("R2")
    assert screen.app.focused is focused


async def through(screen: Any) -> None:
    """A request that shows through a dialog does not wake its keys."""
    await screen.armed()
    pages = screen.app.screen
    await screen.press("r")
    pages.query_one(StatusBar).put(Content("before"))
    screen.bridge.change()
    shown = pages.query_one(StatusBar)
    await screen.until(lambda: shown._content.plain != "before", "it is painted below")
    await screen.pilot.pause()
    assert pages._arming.visible == ""


async def second_stage(screen: Any) -> None:
    """A dangerous yes is asked for a second time."""
    await screen.read_all()
    await screen.press("a")
    assert "second stage" in screen.text


async def other_account(screen: Any) -> None:
    """A name that is not this account's approves nothing."""
    await screen.armed()
    assert screen.bridge.approve(screen.bridge.asked.digest, yes("sandbox")) != ""


async def without_reason(screen: Any) -> None:
    """Blocking findings are overridden with a reason only."""
    await screen.armed()
    assert screen.bridge.approve(screen.bridge.asked.digest, yes("shop")) != ""


async def on_cancel(screen: Any) -> None:
    """Enter at the second stage goes back."""
    await screen.read_all()
    await screen.press("a")
    await screen.until(lambda: "second stage" in screen.text, "it is asked")
    await screen.press("enter")
    await screen.until(lambda: "second stage" not in screen.text, "it goes back")


async def unread(screen: Any) -> None:
    """What was not on the screen is not approved where it is dangerous."""
    await screen.armed()
    await screen.press("a")
    assert "not on the screen yet" in screen.text


async def unfilled(screen: Any) -> None:
    """A reject without its reason is not sent."""
    await screen.armed()
    await screen.press("r", "enter", "r")
    assert screen.decisions == []
    assert "Why?" in screen.text


async def failing_editor(screen: Any) -> None:
    """An editor that says that it failed changed nothing."""
    await screen.armed()
    await screen.press("E")
    await screen.until(lambda: "ended with code 1" in screen.text, "it is told")
    assert screen.decisions == []


async def edited(screen: Any, policy: str) -> None:
    """Edit the policy on the screen, and keep that."""
    await screen.armed()
    await screen.press("4", "e")
    await screen.until(lambda: screen.app.screen.query("#edit-policy"), "it is open")
    screen.app.screen.query_one("#edit-policy").text = policy
    await screen.press("f2")


async def unreadable(screen: Any) -> None:
    """What is no policy is not kept."""
    await edited(screen, '{"Version": "2012-10-17", "Statement": [{"Effect": "Perhaps"}]}')
    await screen.until(lambda: "not kept: policy.json" in screen.text, "it says why")
    assert screen.decisions == []


async def unlabelled(screen: Any) -> None:
    """Whoever lets a script do more is its author from then on."""
    statement = {"Effect": "Allow", "Action": "cloudwatch:Describe*", "Resource": "*"}
    await edited(screen, json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    await screen.armed("R2")
    assert screen.bridge.session.step.draft.author == "operator"


async def stop_once(screen: Any) -> None:
    """One press stops nothing."""
    await screen.armed()
    await screen.press("x")
    await screen.until(lambda: "press x again" in screen.text, "it asks")
    assert not screen.bridge.session.stopping


async def thoughtless(screen: Any) -> None:
    """No action is named by a key that is pressed without thinking."""
    del screen
    for key in ("enter", "space", "escape", "y"):
        with pytest.raises(Exception, match="without thinking"):
            remapped(ACTIONS, {"approve": [key]})


RULES = {
    "keys wake up after a moment": Row(
        early, (f"{ARMING}armed", ("and now - self.since >= self.delay_s", ""))
    ),
    "for one digest": Row(another, (f"{ARMING}armed", ("what == self.visible and", ""))),
    "a held key is one key": Row(held, (f"{ARMING}pressed", ("return not held", "return True"))),
    "on its own page": Row(elsewhere, (f"{PAGES}_shows", YES), {"steps": 2}),
    "no focus is taken": Row(
        focus,
        (f"{PAGES}_painted", ("self._note_seen()", "self._note_seen(); self.set_focus(None)")),
        {"steps": 2},
    ),
    "not under a dialog": Row(
        through, (f"{PAGES}_painted", ("self.app.screen is self", "self.is_current"))
    ),
    "second stage": Row(
        second_stage,
        (f"{DECIDING}_do_approve", ("question.second_stage", "False")),
        {"tier": 3},
    ),
    "the account is typed": Row(
        other_account,
        ("tui.bridge:Bridge.approve", ("if asked.second_stage:", "if False:")),
        {"tier": 3},
    ),
    "a reason over blockers": Row(
        without_reason,
        ("tui.bridge:Bridge.approve", ("asked.blockers and not yes.comment", "False")),
        {"blockers": 1},
    ),
    "focus on Cancel": Row(
        on_cancel,
        ("tui.screens.dialogs:Dialog.on_mount", ("if self._asks.careful:", "if False:")),
        {"tier": 3},
    ),
    "all was on the screen": Row(
        unread, (f"{DECIDING}_unread", NOTHING), {"tier": 3, "lines": 60, "size": (80, 24)}
    ),
    "every line is filled in": Row(
        unfilled,
        ("tui.screens.dialogs:Dialog.on_final_pressed", ("if all(needed):", "if True:")),
    ),
    "the editor's exit status": Row(
        failing_editor, ("tui.editor:edit_files", ("if code:", "if False:"))
    ),
    "only a policy is kept as one": Row(
        unreadable, ("tui.editing:_other", ("if why := problem(", "if False and problem("))
    ),
    "an edit has its author": Row(
        unlabelled, ("core.planner:adopt", ('replace(after, author="operator")', "after"))
    ),
    "stop twice": Row(stop_once, (f"{DECIDING}_twice", YES)),
    "no thoughtless key": Row(
        thoughtless, ("tui.keymap:_keys", ("if key in THOUGHTLESS:", "if False:"))
    ),
}


def yes(typed: str) -> Yes:
    """Return a yes from a screen on which all was seen."""
    return Yes(typed=typed, comment="", shown_ms=1000, seen=100, screen=b"")


@pytest.fixture(autouse=True)
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have an editor that changes the file and fails."""
    path = tmp_path / "editor"
    path.write_text('#!/bin/sh\necho "# changed" >> "$1"\nexit 1\n', encoding="utf-8")
    path.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(path))


@pytest.mark.parametrize("name", RULES)
def test_a_rule_that_is_taken_out_is_missed(play: Callable[..., Any], name: str) -> None:
    """The walk holds with the rule, and breaks without it."""
    row = RULES[name]

    async def hurried(screen: Any) -> None:
        screen.patience_s = HURRIED_S
        await row.walk(screen)

    play(row.walk, **row.kind)
    with without(row.out), pytest.raises((AssertionError, CountersignError)):
        play(hurried, **row.kind)
