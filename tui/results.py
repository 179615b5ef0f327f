"""A result in three views: as tables, as a tree that folds, and raw. Pure; slow for large ones.

Every row is safe to show. What can't be read as JSON has a raw view only, and says so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from core.safe_text import safe_text

View = Literal["table", "tree", "raw"]
VIEWS: tuple[View, ...] = ("table", "tree", "raw")
MOST_OF_A_CELL: Final = 60
MOST_OF_A_ROW: Final = 4_000
MOST_ROWS: Final = 200_000
_MEASURED_ROWS = 500
"""Rows by which the widths of columns are found."""


@dataclass(frozen=True, slots=True)
class Node:
    """A row of the tree."""

    depth: int
    text: str
    end: int
    """Number of the first row after everything below this one."""


@dataclass(frozen=True, slots=True)
class Result:
    """A result, ready to show."""

    table: Sequence[str]
    tree: Sequence[Node]
    raw: Sequence[str]


NOTHING = Result(("no result",), (), ("no result",))


def read(body: bytes) -> Result:
    """Return the views of a result.json."""
    text = body.decode("utf-8", errors="replace")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return Result(("it is no JSON: press t for the raw text",), (), _rows(text.split("\n")))
    nodes: list[Node] = []
    try:
        _grow(nodes, 0, "result", value)
    except RecursionError:
        nodes = []
    encoder = json.JSONEncoder(indent=2, ensure_ascii=False)
    return Result(
        tuple(_tables(value)), nodes, _rows("".join(encoder.iterencode(value)).split("\n"))
    )


def visible(nodes: Sequence[Node], folded: frozenset[int]) -> list[int]:
    """Return the numbers of the rows that are not inside a folded one."""
    shown, place = [], 0
    while place < len(nodes):
        shown.append(place)
        place = nodes[place].end if place in folded else place + 1
    return shown


def folded_at_first(nodes: Sequence[Node], deepest: int = 2) -> frozenset[int]:
    """Return which rows are folded when a tree opens: what has many rows below it, and is deep."""
    return frozenset(n for n, one in enumerate(nodes) if one.depth >= deepest and one.end > n + 1)


def tree_row(node: Node, number: int, folded: frozenset[int]) -> str:
    """Return a row of the tree as it is shown."""
    has_more = node.end > number + 1
    sign = ("▸ " if number in folded else "▾ ") if has_more else "  "
    return f"{'  ' * node.depth}{sign}{node.text}"


# ------------------------------------------------------------------ parts
def _rows(lines: Sequence[str]) -> tuple[str, ...]:
    kept = [safe_text(line[:MOST_OF_A_ROW], newlines=False) for line in lines[:MOST_ROWS]]
    if len(lines) > MOST_ROWS:
        kept.append(f"... {len(lines) - MOST_ROWS} rows more are in the record ...")
    return tuple(kept)


def _grow(nodes: list[Node], depth: int, name: str, value: Any) -> None:
    if len(nodes) >= MOST_ROWS:
        return
    place = len(nodes)
    nodes.append(Node(depth, "", 0))
    match value:
        case dict():
            for key, each in value.items():
                _grow(nodes, depth + 1, key, each)
            text = f"{name}  {{{len(value)}}}"
        case list():
            for number, each in enumerate(value):
                _grow(nodes, depth + 1, str(number), each)
            text = f"{name}  [{len(value)}]"
        case _:
            text = f"{name}: {json.dumps(value, ensure_ascii=False)}"
    nodes[place] = Node(depth, safe_text(text[:MOST_OF_A_ROW], newlines=False), len(nodes))


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
    yield safe_text(f"{name} ({len(rows)} rows)", newlines=False)
    yield _line(head, widths)
    yield "  ".join("─" * each for each in widths)
    for row in listed:
        yield _line([_cell(cell) for cell in row], widths)
    yield ""


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    shown = (f"{cell:<{width}.{width}}" for cell, width in zip(cells, widths, strict=False))
    return "  ".join(shown).rstrip()


def _cell(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return safe_text(text[: MOST_OF_A_CELL + 1], newlines=False)
