"""docs/settings.md against the code: every key with its default and range, every variable."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.approval.modes import MODES
from core.config import Settings, known_keys, load
from core.errors import ConfigError

HOUSE = Path(__file__).parents[2]
PAGE = (HOUSE / "docs" / "settings.md").read_text(encoding="utf-8")
KEY_ROW = re.compile(r"^\| `([a-z_.]+)` \| ([^|]+) \| `([^|]+)` \| [^|]{20,} \|$", re.MULTILINE)
VARIABLE_ROW = re.compile(r"^\| `([A-Z_]+)` \| [^|]{20,} \|$", re.MULTILINE)
ROWS = {key: (values, default) for key, values, default in KEY_ROW.findall(PAGE)}


def nested(path: str, value: Any) -> dict[str, Any]:
    """Return the document that sets one dotted key."""
    first, _, rest = path.partition(".")
    return {first: nested(rest, value) if rest else value}


def loads(folder: Path, path: str, value: Any) -> bool:
    """Return whether a file that sets only this key is accepted."""
    file = folder / "config.yaml"
    file.write_text(yaml.safe_dump(nested(path, value)), encoding="utf-8")
    try:
        load(file, {})
    except ConfigError:
        return False
    return True


def test_every_key_has_a_row() -> None:
    """The table has exactly the keys that the file may hold, in their order."""
    assert known_keys() == tuple(ROWS)


def test_every_default_is_right(tmp_path: Path) -> None:
    """A file with what the table calls the defaults is the defaults."""
    lines = {path: yaml.safe_load(default) for path, (_, default) in ROWS.items()}
    document: dict[str, Any] = {}
    for path, value in lines.items():
        section, _, key = path.rpartition(".")
        (document.setdefault(section, {}) if section else document)[key] = value
    file = tmp_path / "config.yaml"
    file.write_text(yaml.safe_dump(document), encoding="utf-8")

    assert Settings() == load(file, {})


@pytest.mark.parametrize("path", [path for path, (values, _) in ROWS.items() if " to " in values])
def test_every_range_is_right(tmp_path: Path, path: str) -> None:
    """The ends of a range are accepted and what lies beyond them is refused."""
    lowest, highest = (int(number) for number in ROWS[path][0].split(" to "))

    assert [
        loads(tmp_path, path, value) for value in (lowest - 1, lowest, highest, highest + 1)
    ] == [False, True, True, False]


def test_every_choice_is_right(tmp_path: Path) -> None:
    """Each mode that the table offers is accepted."""
    modes = re.findall(r"`([a-z]+)`", ROWS["mode"][0])

    assert modes == list(MODES)
    assert all(loads(tmp_path, "mode", mode) for mode in modes)


def test_every_variable_has_a_row() -> None:
    """The page has exactly the environment variables that the code names."""
    sources = "".join(
        file.read_text(encoding="utf-8")
        for floor in ("core", "tui", "sandbox")
        for file in sorted((HOUSE / floor).rglob("*.py"))
    )

    assert sorted(set(re.findall(r"\bCOUNTERSIGN_[A-Z]+\b", sources))) == sorted(
        VARIABLE_ROW.findall(PAGE)
    )
