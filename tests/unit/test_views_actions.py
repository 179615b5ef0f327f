"""The registry of actions: no key twice, no forbidden key, and sense made of every situation."""

from __future__ import annotations

from collections import Counter

import pytest

from tui.actions import ACTIONS, BY_NAME
from tui.arming import ARMING_S, Arming
from tui.situation import Situation

ASKED = Situation(asked=True, here=True)
HANDED = Situation(asked=True, here=True, handed=True)
EDITS = {"edit", "edit_outside", "tighten"}
FORBIDDEN = {"enter", "space", "escape", "tab", "ctrl+m", "ctrl+j", "ctrl+i", "ctrl+h", "y"}


def test_no_key_is_taken_twice() -> None:
    """Each key names one action."""
    keys = Counter(key for action in ACTIONS for key in action.keys)

    assert [key for key, times in keys.items() if times > 1] == []


def test_enter_space_and_escape_name_nothing() -> None:
    """Keys that people press without thinking, or that terminals confuse, are nobody's."""
    assert {key for action in ACTIONS for key in action.keys} & FORBIDDEN == set()


@pytest.mark.parametrize(
    ("situation", "possible"),
    [
        (ASKED, {*EDITS, "approve", "approve_with", "reject", "skip", "signed"}),
        (HANDED, {*EDITS, "bring", "reject", "skip"}),
        (Situation(), set()),
        (Situation(asked=True), set()),
        (Situation(asked=True, here=True, replay=True), set()),
    ],
)
def test_deciding_makes_sense_only_at_the_request(situation: Situation, possible: set[str]) -> None:
    """A request that waits and is shown can be decided; anything else can't, least a replay."""
    found = {each.name for each in ACTIONS if each.decides and not each.why_not(situation)}

    assert found == possible


def test_a_replay_has_no_action_but_looking_and_leaving() -> None:
    """Everything that would touch a session says why it does not work."""
    replay = Situation(asked=True, here=True, replay=True, pages=3)
    possible = {each.group for each in ACTIONS if not each.why_not(replay)}

    assert possible == {"look", "read", "replay", "session"}
    assert BY_NAME["leave"].why_not(replay) == ""
    assert BY_NAME["stop"].why_not(replay) == "a replay is read-only"


def test_keys_wake_up_after_the_request_was_visible_for_a_while() -> None:
    """To the moment: just before it is too early, from then on it counts."""
    arming = Arming()
    arming.show("digest", 0.0)

    assert not arming.armed("digest", ARMING_S - 0.001)
    assert arming.armed("digest", ARMING_S)
    assert not arming.armed("another", 99.0)
    assert arming.shown_ms(1.5) == 1500


def test_another_request_starts_the_time_anew() -> None:
    """What was read before says nothing about what is shown now; the same goes on counting."""
    arming = Arming()
    arming.show("one", 10.0)
    arming.show("one", 10.5)
    assert arming.armed("one", 10.61)
    arming.show("two", 11.0)
    assert not arming.armed("two", 11.5)
    arming.show("", 12.0)
    assert not arming.armed("", 99.0)


def test_a_key_that_is_held_down_is_one_press() -> None:
    """Repeats within a blink are no presses of a person; another key, or a pause, is."""
    arming = Arming()
    pressed = [arming.pressed(key, at) for key, at in [("a", 1.0), ("a", 1.03), ("a", 1.06)]]

    assert pressed == [True, False, False]
    assert arming.pressed("a", 1.3)
    assert arming.pressed("r", 1.31)
