"""Long lines in rows of some width: what goes on stands below its own text. Pure.

Cheap enough for a script that prints thousands of lines a second, which `textwrap` is not.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.cells import cell_len

TIME: Final = 10
"""Columns before what a line of the activity says: the time of day, or none."""
_FURTHER: Final = "  "
_LEAST_OF_A_ROW: Final = 10


def folded(line: str, width: int, before: int = TIME) -> Iterator[str]:
    """Yield a line as rows of at most `width` columns; breaks at spaces.

    What it says begins after `before` columns, or at the first letter after them.
    """
    if len(line) <= width and (line.isascii() or cell_len(line) <= width):
        yield line
        return
    indent = " " * _begin(line, before) + _FURTHER
    if width - len(indent) < _LEAST_OF_A_ROW:
        indent = ""
    head, rest = _broken(line, width)
    yield head
    while rest:
        head, rest = _broken(rest, width - len(indent))
        yield indent + head


def fitted(cell: str, width: int) -> str:
    """Return a cell of a table in so many columns; one that is longer ends with an ellipsis."""
    return f"{cell:<{width}}" if len(cell) <= width else f"{cell[: max(0, width - 1)]}…"


def _begin(line: str, before: int) -> int:
    """Return the column where what a line says begins."""
    said = line[before:]
    return min(len(line), before) + len(said) - len(said.lstrip(" "))


def _broken(text: str, width: int) -> tuple[str, str]:
    """Return what has room of a text, up to a space if there is one not too early; and the rest."""
    room = _letters(text, max(1, width))
    if len(text) <= room:
        return text, ""
    place = text.rfind(" ", room // 2, room + 1)
    if place < 0 or not text[:place].strip():
        return text[:room], text[room:]
    return text[:place], text[place:].lstrip(" ")


def _letters(text: str, width: int) -> int:
    """Return how many letters of a text have room in so many columns; at least one."""
    if text[:width].isascii():
        return width
    cells = 0
    for place, letter in enumerate(text):
        cells += cell_len(letter)
        if cells > width:
            return max(1, place)
    return len(text)
