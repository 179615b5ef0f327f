"""docs/keys.md against the registry: every action with its keys and what it does."""

from __future__ import annotations

import re
from pathlib import Path

from tui.action import GROUPS
from tui.actions import ACTIONS
from tui.home_actions import HOME_ACTIONS
from tui.keymap import THOUGHTLESS

HOUSE = Path(__file__).parents[2]
PAGE = (HOUSE / "docs" / "keys.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| `([a-z_]+)` \| (.+) \| ([^|]+) \|$", re.MULTILINE)


def test_every_action_has_its_row() -> None:
    """The tables have exactly the actions of the registry, in order, with keys and meaning."""
    expected = [
        (action.name, " ".join(f"`{key}`" for key in action.key.split(" ")), action.help)
        for group in GROUPS
        for action in ACTIONS
        if action.group == group
    ]

    assert ROW.findall(PAGE) == expected


def test_every_action_of_home_has_its_row() -> None:
    """Home's table has exactly its actions, by the names under which the settings know them."""
    row = re.compile(r"^\| `home\.([a-z_]+)` \| (.+) \| ([^|]+) \|$", re.MULTILINE)

    assert row.findall(PAGE) == [
        (action.name, " ".join(f"`{key}`" for key in action.key.split(" ")), action.help)
        for action in HOME_ACTIONS
    ]


def test_every_group_has_its_heading() -> None:
    """Groups stand in the registry's order."""
    assert re.findall("^### (.+)$", PAGE, re.MULTILINE) == list(GROUPS.values())


def test_keys_that_never_decide_are_named() -> None:
    """The page lists the keys that no action can have."""
    assert all(f"`{key}`" in PAGE for key in THOUGHTLESS)
