"""docs/security.md is held to the attacks that are tried: each one once, as the tests name it."""

from __future__ import annotations

import importlib.util
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

HOUSE = Path(__file__).parents[2]
PAGE = (HOUSE / "docs" / "security.md").read_text(encoding="utf-8")
TRIED, DOCUMENTED = PAGE.split("## Attacks that are documented only")
EVERY_ATTACK = [number for number in (*range(1, 126), *range(147, 154)) if number != 54]  # a Mac's
ONLY_DOCUMENTED = [20, 28, 50, 85, 111, 152, 153]


def rows(part: str) -> list[list[str]]:
    """Return the cells of each numbered row of a table."""
    lines = re.findall(r"^\| (\d+ \|.*) \|$", part, re.MULTILINE)
    return [line.split(" | ") for line in lines]


def marks() -> dict[int, set[tuple[str, str]]]:
    """Return each attack that a test is marked with: title and wall by number."""
    found = defaultdict(set)
    for path in sorted((HOUSE / "tests" / "attacks").glob("test_*.py")):
        for test in vars(load(path)).values():
            for mark in each_mark(getattr(test, "pytestmark", [])):
                number, title = mark.args
                found[number].add((title, mark.kwargs["wall"]))
    return dict(found)


def each_mark(given: list[Any]) -> Iterator[Any]:
    """Yield the attacks that a test is marked with, also for some of its parameters only."""
    for mark in given:
        if mark.name == "attack":
            yield mark
        elif mark.name == "parametrize":
            for values in mark.args[1]:
                yield from each_mark(list(getattr(values, "marks", ())))


def load(path: Path) -> ModuleType:
    """Import a file of tests, which is in no package."""
    spec = importlib.util.spec_from_file_location(f"attacks_{path.stem}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_attack_is_on_the_page() -> None:
    """Each number is once in the table or once among those that are documented only."""
    tried = [int(row[0]) for row in rows(TRIED)]
    documented = [int(row[0]) for row in rows(DOCUMENTED)]

    assert documented == ONLY_DOCUMENTED
    assert sorted(tried + documented) == EVERY_ATTACK


def test_the_table_says_what_the_tests_try() -> None:
    """Titles and walls are the marks', and there is no mark beside the table."""
    on_the_page = {int(number): {(title, wall)} for number, title, wall, *_ in rows(TRIED)}

    assert on_the_page == marks()


def test_every_attack_was_stopped_on_each_engine() -> None:
    """No row has a gap: namespaces as root and as an ordinary user, bubblewrap as the latter."""
    assert [row for row in rows(TRIED) if row[3:] != ["held"] * 3] == []


def test_documented_attacks_have_a_reason() -> None:
    """What is not tried says why."""
    assert [row for row in rows(DOCUMENTED) if len(row) != 3 or len(row[2]) < 40] == []
