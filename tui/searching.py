"""Where a searched text stands in the rows of a pane, and which place comes next. Pure.

Small letters find both; a capital letter means that the case counts, as in vim and less.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, runtime_checkable

MOST_HITS: Final = 10_000
"""More places than this are not counted: nobody walks through them."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a searched text stands."""

    row: int
    column: int
    length: int


@runtime_checkable
class Searchable(Protocol):
    """A pane in which a text can be found."""

    def searched(self) -> list[str]:
        """Return what a search looks through, row by row."""
        ...

    def show_hit(self, hit: Hit) -> None:
        """Mark what was found, and bring it into view."""
        ...


def hits(rows: Sequence[str], sought: str) -> list[Hit]:
    """Return every place of a text, from the top."""
    return list(_found(rows, sought)) if sought else []


def after(found: Sequence[Hit], place: tuple[int, int]) -> int:
    """Return the number of the first hit at or after a row and column; from the top again."""
    return next((n for n, hit in enumerate(found) if (hit.row, hit.column) >= place), 0)


def _found(rows: Sequence[str], sought: str) -> Iterator[Hit]:
    exact = sought != sought.lower()
    number = 0
    for row, text in enumerate(rows):
        searched = text if exact else text.lower()
        column = searched.find(sought)
        while column >= 0:
            yield Hit(row, column, len(sought))
            number += 1
            if number >= MOST_HITS:
                return
            column = searched.find(sought, column + len(sought))
