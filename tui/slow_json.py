"""JSON read bit by bit: what `json.loads` returns, without one long call that stops every thread.

The decoder of the standard library holds the interpreter until the whole text is read, some tens
of milliseconds for a few megabytes; on the screen a key would wait for that. Here a list is decoded
one by one, and so is what lies in the objects around it. Pure.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

_DECODER: Final = json.JSONDecoder()
_SPACE: Final = re.compile(r"[ \t\n\r]*")
_DEEPEST: Final = 8
"""Objects in objects that are looked into; deeper ones are decoded in one go."""


def loaded(text: str) -> Any:
    """Return what a JSON text says; raises ValueError, or RecursionError, as json.loads does."""
    value, place = _value(text, _after_space(text, 0), _DEEPEST)
    if _after_space(text, place) != len(text):
        raise ValueError("something follows the value")
    return value


def _value(text: str, place: int, deeper: int) -> tuple[Any, int]:
    if deeper and text.startswith("{", place):
        return _object(text, place, deeper)
    if text.startswith("[", place):
        return _list(text, place)
    return _DECODER.raw_decode(text, place)


def _list(text: str, place: int) -> tuple[list[Any], int]:
    found: list[Any] = []
    place = _after_space(text, place + 1)
    if text.startswith("]", place):
        return found, place + 1
    while True:
        value, place = _DECODER.raw_decode(text, place)
        found.append(value)
        place, more = _goes_on(text, place, "]")
        if not more:
            return found, place


def _object(text: str, place: int, deeper: int) -> tuple[dict[str, Any], int]:
    found: dict[str, Any] = {}
    place = _after_space(text, place + 1)
    if text.startswith("}", place):
        return found, place + 1
    while True:
        key, place = _DECODER.raw_decode(text, place)
        place = _after_space(text, place)
        if not isinstance(key, str) or not text.startswith(":", place):
            raise ValueError("a name and a colon are missing")
        found[key], place = _value(text, _after_space(text, place + 1), deeper - 1)
        place, more = _goes_on(text, place, "}")
        if not more:
            return found, place


def _goes_on(text: str, place: int, end: str) -> tuple[int, bool]:
    """Return where to go on after a value, and whether another one comes."""
    place = _after_space(text, place)
    more = text.startswith(",", place)
    if not more and not text.startswith(end, place):
        raise ValueError("a comma is missing")
    return _after_space(text, place + 1) if more else place + 1, more


def _after_space(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place
