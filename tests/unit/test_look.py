"""Theme and keys from the settings file."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.config import load
from core.errors import ConfigError
from tui.actions import ACTIONS
from tui.look import look_of


def test_a_file_that_says_nothing_gives_the_screen_as_it_is(tmp_path: Path) -> None:
    """Own theme, own keys; pictures go to the data directory."""
    file = tmp_path / "config.yaml"
    file.write_text("{}")
    look = look_of(load(file, {"COUNTERSIGN_DATA": str(tmp_path)}))

    assert (look.theme, look.actions) == ("countersign", ACTIONS)
    assert look.pictures == tmp_path / "pictures"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("theme: nrod", "did you mean nord"),
        ("theme: 7", "theme: "),
        ("keys: [approve]", "keys: "),
        ("keys: {approve: 7}", "must be a key or a list of keys"),
        ("keys: {no: [B]}", "in quotes"),
        ("keys: {aprove: [B]}", "did you mean approve"),
    ],
)
def test_mistakes_are_sentences(tmp_path: Path, text: str, said: str) -> None:
    """A theme or an action that does not exist, and values of another type."""
    file = tmp_path / "config.yaml"
    file.write_text(text)

    with pytest.raises(ConfigError, match=said):
        look_of(load(file, {}))


def test_one_key_may_stand_without_a_list(tmp_path: Path) -> None:
    """Most people give one."""
    file = tmp_path / "config.yaml"
    file.write_text("theme: countersign-light\nkeys: {approve: B, stop: [ctrl+x, X]}\n")
    look = look_of(load(file, {}))
    keys = {action.name: action.keys for action in look.actions}

    assert (look.theme, keys["approve"], keys["stop"]) == (
        "countersign-light",
        ("B",),
        ("ctrl+x", "X"),
    )
