"""docs/exit_codes.md is held to the error tree."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from core import errors

PAGE = (Path(__file__).parents[2] / "docs" / "exit_codes.md").read_text(encoding="utf-8")
TABLE = re.findall(r"^\| (\d+) \| ([^|]*) \|([^|]*)\|$", PAGE, re.MULTILINE)


def tree() -> dict[str, int]:
    """Return every error of the core's tree with its exit code."""
    return {
        name: each.exit_code
        for name, each in inspect.getmembers(errors, inspect.isclass)
        if issubclass(each, errors.CountersignError)
    }


def test_every_error_stands_in_the_row_of_its_exit_code() -> None:
    """Each class of the tree is named once on the page, in the row of its code."""
    named = [(code, re.findall(r"`(\w+)`", names)) for code, _, names in TABLE]

    assert {name: int(code) for code, names in named for name in names} == tree()


def test_every_error_stands_in_the_picture_of_the_tree() -> None:
    """The docstring of core/errors.py draws each class with its code."""
    drawn = re.findall(r"(\w+) +(\d+) ", errors.__doc__ or "")

    assert dict(drawn) | {"CountersignError": "1"} == {
        name: str(code) for name, code in tree().items()
    }


def test_every_error_has_a_hint() -> None:
    """No error leaves the operator without a way out."""
    assert [name for name in tree() if not getattr(errors, name).hint] == []


def test_the_codes_of_the_page_are_those_of_the_contract() -> None:
    """0 to 6 and 130, each in one row; `verify` has three."""
    assert [int(code) for code, _, _ in TABLE] == [0, 1, 2, 3, 4, 5, 6, 130]
    assert re.findall(r"^\| (\d+) \| [^|]+ \|$", PAGE, re.MULTILINE) == ["0", "1", "2"]
