"""The settings as they hold: each with its value, its source and its meaning."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from core.config import known_keys
from core.errors import ConfigError
from tools.make_settings_words import WORDS, words
from tui.effective import Effective, flags_of
from tui.look import why_wrong


def test_what_the_screen_says_is_what_the_page_says() -> None:
    """The shipped words are those of docs/settings.md, for every key."""
    assert json.loads(WORDS.read_text(encoding="utf-8")) == words()
    assert tuple(words()) == known_keys()


def test_each_setting_has_its_source(tmp_path: Path) -> None:
    """Default, file, flag and variable: each key names the one that won."""
    file = tmp_path / "config.yaml"
    file.write_text("ceiling: 1\nlimits: {files: 50}\nmode: hybrid\n", encoding="utf-8")
    flags = flags_of({"mode": "automated", "limit": ["wall_seconds=5"], "profile": None})
    environment = {"COUNTERSIGN_DATA": str(tmp_path)}

    found = {each.name: each for each in Effective(file, environment, flags).settings()}

    told = {name: (found[name].value, found[name].source) for name in found}
    assert tuple(found) == known_keys()
    assert told["ceiling"] == ("1", "file")
    assert told["mode"] == ("automated", "flag")
    assert told["limits.files"] == ("50", "file")
    assert told["limits.wall_seconds"] == ("5", "flag")
    assert told["data_directory"] == (str(tmp_path), "$COUNTERSIGN_DATA")
    assert told["theme"] == ("countersign", "default")
    assert all(each.meaning for each in found.values())


def test_a_broken_file_is_told_and_not_guessed_at(tmp_path: Path) -> None:
    """A key that is not known is a ConfigError here as at the start."""
    file = tmp_path / "config.yaml"
    file.write_text("cieling: 1\n", encoding="utf-8")

    with pytest.raises(ConfigError, match="did you mean ceiling"):
        Effective(file, {}).settings()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"ceiling: 1\n", ""),
        (b"cieling: 1\n", "cieling: unknown key; did you mean ceiling?"),
        (b"keys: {approve: [enter]}\n", "keys.approve: enter is pressed without thinking"),
        (b"theme: nonsense\n", "theme: no such theme"),
        (b"a: [\n", "line 2: "),
        (b"\xff", "not UTF-8"),
    ],
)
def test_a_text_is_checked_as_the_start_would(text: bytes, said: str) -> None:
    """What would end the next start is told before it is kept; what is right says nothing."""
    found = why_wrong(text, {})

    assert found.startswith(said)
    assert bool(found) == bool(said)


def test_a_file_is_replaced_whole_and_private(tmp_path: Path) -> None:
    """Its folder is made, nothing else is left behind, and nobody else can read it."""
    effective = Effective(tmp_path / "new" / "config.yaml", {})
    effective.write(b"ceiling: 1\n")

    assert effective.read() == b"ceiling: 1\n"
    assert [each.name for each in (tmp_path / "new").iterdir()] == ["config.yaml"]
    assert stat.S_IMODE(effective.file.stat().st_mode) == 0o600
