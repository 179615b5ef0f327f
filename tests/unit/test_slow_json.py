"""JSON that is read bit by bit says what json.loads says, or is refused as it is there."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from tui.slow_json import loaded

VALUES = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats(allow_nan=False) | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
)
PARTS = some.sampled_from(['"a"', "1", "-2e3", "null", "NaN", *'[]{},:"\\ \n', "\t", "\ufeff", "x"])


def told(read: Callable[[str], Any], text: str) -> str:
    """Return what a reader makes of a text."""
    try:
        return repr(read(text))
    except ValueError:
        return "no JSON"


@given(VALUES, some.sampled_from([None, 1, 3]))
def test_it_reads_what_the_standard_library_reads(value: Any, indent: int | None) -> None:
    """Any value, however it is spaced, comes back as it is."""
    text = f" {json.dumps(value, indent=indent)}\r\n"

    assert told(loaded, text) == told(json.loads, text) != "no JSON"


@given(some.lists(PARTS).map("".join))
def test_it_refuses_what_the_standard_library_refuses(text: str) -> None:
    """Texts that are nearly JSON are read by both, or by neither."""
    assert told(loaded, text) == told(json.loads, text)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[", "[1,]", "[1 2]", '{"a" 1}', '{"a":1,}', "{1: 2}", '{"a": 1 "b": 2}', "[] []"],
)
def test_it_refuses_what_is_nearly_json(text: str) -> None:
    """Each mark that is missing, or one too many, is an error as in the standard library."""
    assert told(loaded, text) == told(json.loads, text) == "no JSON"


def test_the_last_of_two_equal_names_counts() -> None:
    """A name that comes twice means what it means in the standard library, at its first place."""
    text = '{"a": 1, "b": {"c": 2, "c": [3]}, "a": 4}'

    assert told(loaded, text) == told(json.loads, text) == "{'a': 4, 'b': {'c': [3]}}"
