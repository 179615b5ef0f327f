"""Keys that the settings give to actions: checked as a whole, before the screen opens.

A mistake here would be felt at night, on the wrong key. So an action that does not exist, a key
that no terminal can send, a key with two meanings, and a key that people press without thinking
are refused with a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from typing import Final

from core.errors import ConfigError
from tui.action import Action
from tui.key_names import key_named, spelled

THOUGHTLESS: Final = frozenset({"enter", "space", "escape", "tab", "backspace", "y"})
"""Keys that never decide anything."""
_SAME_ON_A_TERMINAL: Final = {"ctrl+m": "Enter", "ctrl+i": "Tab", "ctrl+j": "Enter", "ctrl+h": "⌫"}
_ALWAYS_REACHED: Final = frozenset({"help", "leave", "stop"})
"""Actions that can't be without a key."""
_KEY: Final = re.compile(
    r"(?:(?:ctrl\+)?(?:alt\+)?(?:shift\+)?"
    r"(?:f[1-9]|f1[0-2]|up|down|left|right|home|end|pageup|pagedown|insert|delete|[a-z0-9]))"
    r"|[A-Za-z0-9]",
    re.ASCII,
)


def remapped(
    actions: Sequence[Action], wanted: Mapping[str, Sequence[str]], where: str = ""
) -> tuple[Action, ...]:
    """Return the actions with the keys that are wanted, by name; raises ConfigError.

    `where` stands before each name in the settings.
    """
    known = {action.name: action for action in actions}
    for name in wanted:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            hint = f"did you mean {where}{near[0]}?" if near else "docs/keys.md lists them"
            raise ConfigError(f"keys.{where}{name}: no such action; {hint}")
    made = tuple(_with_keys(each, wanted.get(each.name), where) for each in actions)
    _check_meanings(made, where)
    return made


def _with_keys(action: Action, wanted: Sequence[str] | None, where: str) -> Action:
    if wanted is None:
        return action
    name = f"keys.{where}{action.name}"
    if not wanted and action.name in _ALWAYS_REACHED:
        raise ConfigError(f"{name}: must have a key")
    return replace(action, keys=tuple(_keys(name, wanted)))


def _keys(name: str, wanted: Sequence[str]) -> Iterator[str]:
    for written in wanted:
        key = key_named(written)
        if key in THOUGHTLESS:
            raise ConfigError(f"{name}: {written} is pressed without thinking")
        if same := _SAME_ON_A_TERMINAL.get(key):
            raise ConfigError(f"{name}: a terminal can't tell {written} from {same}")
        if key == written and not _KEY.fullmatch(key):
            raise ConfigError(f"{name}: {written} is no key; docs/keys.md has examples")
        yield key


def _check_meanings(actions: Sequence[Action], where: str) -> None:
    meanings: dict[str, str] = {}
    for action in actions:
        for key in action.keys:
            other = meanings.setdefault(key, action.name)
            if other != action.name:
                both = f"{where}{other} and {where}{action.name}"
                raise ConfigError(f"keys: {spelled(key)} would mean both {both}")
