"""Where a searched text stands in the rows of a pane, and which place comes next. Pure.

Small letters find both; a capital letter means that the case counts, as in vim and less.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Final, Protocol, runtime_checkable

MOST_HITS: Final = 10_000
"""More places than this are not counted: nobody walks through them."""
SLICE: Final = 2_000
"""So many rows are looked through before others have their turn."""


@dataclass(frozen=True, slots=True)
class Hit:
    """Where a searched text stands."""

    row: int
    column: int
    length: int


@runtime_checkable
class Searchable(Protocol):
    """A pane in which a text can be found."""

    def searched(self) -> Sequence[str]:
        """Return what a search looks through, row by row; it stays as it is."""
        ...

    def show_hit(self, hit: Hit) -> None:
        """Mark what was found, and bring it into view."""
        ...


def hits(rows: Sequence[str], sought: str) -> list[Hit]:
    """Return every place of a text, from the top."""
    found: list[Hit] = []
    for _ in looking(rows, sought, found):
        pass
    return found


def looking(rows: Sequence[str], sought: str, found: list[Hit]) -> Iterator[None]:
    """Add every place of a text to `found`, from the top; yields often, so that others go on."""
    for begin in range(0, len(rows) if sought else 0, SLICE):
        end = min(begin + SLICE, len(rows))
        part = _found((rows[row] for row in range(begin, end)), sought, begin)
        found.extend(islice(part, MOST_HITS - len(found)))
        if len(found) == MOST_HITS:
            return
        yield


def after(found: Sequence[Hit], place: tuple[int, int]) -> int:
    """Return the number of the first hit at or after a row and column; from the top again."""
    return next((n for n, hit in enumerate(found) if (hit.row, hit.column) >= place), 0)


def _found(rows: Iterable[str], sought: str, first: int) -> Iterator[Hit]:
    exact = sought != sought.lower()
    for row, text in enumerate(rows, first):
        searched = text if exact else text.lower()
        column = searched.find(sought)
        while column >= 0:
            yield Hit(row, column, len(sought))
            column = searched.find(sought, column + len(sought))
