"""A result in three views: as tables, as a tree that folds, and raw. Pure; slow for large ones.

Every row is safe to show. What can't be read as JSON has a raw view only, and says so. No single
call in here takes long, so that a thread can do it while the screen goes on.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, Literal, NamedTuple, overload

from core.safe_text import safe_text
from tui.folding import fitted
from tui.plain import of_rows
from tui.slow_json import loaded

View = Literal["table", "tree", "raw"]
VIEWS: tuple[View, ...] = ("table", "tree", "raw")
MOST_OF_A_CELL: Final = 60
MOST_OF_A_ROW: Final = 4_000
MOST_ROWS: Final = 200_000
_MEASURED_ROWS = 500
"""Rows by which the widths of columns are found."""


class Node(NamedTuple):
    """A row of the tree."""

    depth: int
    text: str
    end: int
    """Number of the first row after everything below this one."""


class Tree(Sequence[Node]):
    """Rows of a tree: a hundred thousand of them are three objects for the garbage collector."""

    def __init__(self) -> None:
        self.depths, self.ends = array("L"), array("L")
        self._texts: list[str] = []

    def begin(self, depth: int) -> int:
        """Add a row, and return its number; what lies below it comes next."""
        self.depths.append(depth)
        self.ends.append(0)
        self._texts.append("")
        return len(self._texts) - 1

    def end(self, number: int, text: str) -> None:
        """Say what a row says, when all that lies below it is there."""
        self.ends[number], self._texts[number] = len(self._texts), text

    def __len__(self) -> int:
        return len(self._texts)

    @overload
    def __getitem__(self, place: int) -> Node: ...
    @overload
    def __getitem__(self, place: slice) -> list[Node]: ...
    def __getitem__(self, place: int | slice) -> Node | list[Node]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        return Node(self.depths[place], self._texts[place], self.ends[place])


class TreeRows(Sequence[str]):
    """The rows of a tree that are not inside a folded one; each is made when it is looked at."""

    def __init__(self, tree: Tree, folded: frozenset[int]) -> None:
        self._tree, self._folded = tree, folded
        self.numbers = visible(tree, folded)

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, place: int) -> str: ...
    @overload
    def __getitem__(self, place: slice) -> list[str]: ...
    def __getitem__(self, place: int | slice) -> str | list[str]:
        if isinstance(place, slice):
            return [self[number] for number in range(*place.indices(len(self)))]
        number = self.numbers[place]
        return tree_row(self._tree[number], number, self._folded)


@dataclass(frozen=True, slots=True)
class Result:
    """A result, ready to show."""

    table: Sequence[str]
    tree: Tree
    raw: Sequence[str]


NOTHING = Result(("no result",), Tree(), ("no result",))


def read(body: bytes) -> Result:
    """Return the views of a result.json."""
    text = body.decode("utf-8", errors="replace")
    try:
        value = loaded(text)
    except (ValueError, RecursionError):
        return Result(("it is no JSON: press t for the raw text",), Tree(), _rows(_lines(text)))
    tree = Tree()
    try:
        _grow(tree, 0, "result", value)
    except RecursionError:
        tree = Tree()
    encoder = json.JSONEncoder(indent=2, ensure_ascii=False)
    raw = _rows(_lines("".join(encoder.iterencode(value))))
    return Result(tuple(_tables(value)), tree, raw)


def visible(tree: Tree, folded: frozenset[int]) -> list[int]:
    """Return the numbers of the rows that are not inside a folded one."""
    shown, place, ends = [], 0, tree.ends
    while place < len(ends):
        shown.append(place)
        place = ends[place] if place in folded else place + 1
    return shown


def folded_at_first(tree: Tree, deepest: int = 2) -> frozenset[int]:
    """Return which rows are folded when a tree opens: what has many rows below it, and is deep."""
    rows = enumerate(zip(tree.depths, tree.ends, strict=True))
    return frozenset(n for n, (depth, end) in rows if depth >= deepest and end > n + 1)


def tree_row(node: Node, number: int, folded: frozenset[int]) -> str:
    """Return a row of the tree as it is shown."""
    has_more = node.end > number + 1
    sign = ("▸ " if number in folded else "▾ ") if has_more else "  "
    return f"{'  ' * node.depth}{sign}{node.text}"


# ------------------------------------------------------------------ parts
def _lines(text: str) -> Iterator[str]:
    begin = 0
    while (end := text.find("\n", begin)) >= 0:
        yield text[begin:end]
        begin = end + 1
    yield text[begin:]


def _rows(lines: Iterable[str]) -> tuple[str, ...]:
    left = iter(lines)
    kept = [safe_text(line[:MOST_OF_A_ROW], newlines=False) for line in islice(left, MOST_ROWS)]
    if more := sum(1 for _ in left):
        kept.append(f"... {more} rows more are in the record ...")
    return tuple(kept)


def _grow(tree: Tree, depth: int, name: str, value: Any) -> None:
    if len(tree) >= MOST_ROWS:
        return
    place = tree.begin(depth)
    match value:
        case dict():
            for key, each in value.items():
                _grow(tree, depth + 1, key, each)
            text = f"{name}  {{{len(value)}}}"
        case list():
            for number, each in enumerate(value):
                _grow(tree, depth + 1, str(number), each)
            text = f"{name}  [{len(value)}]"
        case _:
            text = f"{name}: {json.dumps(value, ensure_ascii=False)}"
    tree.end(place, safe_text(text[:MOST_OF_A_ROW], newlines=False))


def _tables(value: Any) -> Iterator[str]:
    facts = value.get("facts") if isinstance(value, Mapping) else None
    if isinstance(facts, Mapping) and facts:
        yield from _table("facts", ["name", "value"], [[k, v] for k, v in facts.items()])
    tables = value.get("tables") if isinstance(value, Mapping) else None
    found = False
    for name, table in tables.items() if isinstance(tables, Mapping) else ():
        if isinstance(table, Mapping) and isinstance(table.get("rows"), list):
            found = True
            columns = table.get("columns")
            listed = columns if isinstance(columns, list) else []
            yield from _table(str(name), listed, table["rows"])
    if isinstance(value, list) and value and all(isinstance(each, Mapping) for each in value):
        columns = list(dict.fromkeys(key for each in value[:_MEASURED_ROWS] for key in each))
        rows = [[each.get(column) for column in columns] for each in value]
        yield from _table("rows", columns, rows)
    elif not facts and not found:
        yield "it holds no table: press t for the tree"


def _table(name: str, columns: Sequence[Any], rows: Sequence[Any]) -> Iterator[str]:
    listed = [row if isinstance(row, list) else [row] for row in rows[:MOST_ROWS]]
    head = [_cell(each) for each in columns]
    measured = [[_cell(cell) for cell in row] for row in listed[:_MEASURED_ROWS]]
    width = max((len(row) for row in [head, *measured]), default=0)
    widths = [
        min(MOST_OF_A_CELL, max(len(row[n]) for row in [head, *measured] if n < len(row)))
        for n in range(width)
    ]
    yield safe_text(f"{name} ({of_rows(len(rows), len(rows))})", newlines=False)
    yield _line(head, widths)
    yield "  ".join("─" * each for each in widths)
    for row in listed:
        yield _line([_cell(cell) for cell in row], widths)
    yield ""


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    shown = (fitted(cell, width) for cell, width in zip(cells, widths, strict=False))
    return "  ".join(shown).rstrip()


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return safe_text(text[: MOST_OF_A_CELL + 1], newlines=False)
