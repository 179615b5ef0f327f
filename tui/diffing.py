"""What differs between two versions of a draft: rows for the screen. Pure, and safe to show.

Unchanged stretches are cut down to some rows of context, and the cut is said. In a pair of rows
where one took the other's place, the columns that differ are marked.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from core.events import DraftGenerated
from core.safe_text import safe_line, safe_text
from sandbox.job import Sha
from tui.drafts import shown

Change = Literal["same", "added", "removed", "cut", "head"]
CONTEXT: Final = 3
_ALIKE: Final = 0.5
"""Rows that share less than this took nobody's place: marking columns would only be noise."""


@dataclass(frozen=True, slots=True)
class DiffRow:
    """A row of a difference."""

    change: Change
    text: str
    old: int | None = None
    """Its number in the version before, from 1."""
    new: int | None = None
    marks: tuple[tuple[int, int], ...] = ()
    """Columns that differ from the row whose place it took."""


@dataclass(frozen=True, slots=True)
class Difference:
    """All that differs between two versions of a draft."""

    title: str
    rows: tuple[DiffRow, ...]
    added: int
    removed: int


def difference(
    before: DraftGenerated, after: DraftGenerated, script: Callable[[Sha], bytes]
) -> Difference:
    """Return how two versions of a draft differ: code, requirements, policy, and the rest."""
    rows: list[DiffRow] = []
    for name, old, new in _parts(before, after, script):
        rows += section(name, old, new)
    title = f"{after.step}  version {before.version} → {after.version}, by {after.author}"
    return Difference(
        title=safe_line(title),
        rows=tuple(rows),
        added=sum(row.change == "added" for row in rows),
        removed=sum(row.change == "removed" for row in rows),
    )


def section(name: str, old: str, new: str) -> list[DiffRow]:
    """Return the rows about one part, a heading first."""
    if old == new:
        return [DiffRow("head", f"{name}: the same")]
    rows = list(compared(old.splitlines(), new.splitlines()))
    added = sum(row.change == "added" for row in rows)
    removed = sum(row.change == "removed" for row in rows)
    return [DiffRow("head", f"{name}: +{added} -{removed}"), *rows]


def compared(old: Sequence[str], new: Sequence[str]) -> Iterator[DiffRow]:
    """Yield the rows that differ, with some context around them."""
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    reached = 0
    for group in matcher.get_grouped_opcodes(CONTEXT):
        if left := group[0][1] - reached:
            yield DiffRow("cut", f"{left} unchanged")
        for tag, i1, i2, j1, j2 in group:
            if tag == "equal":
                for step in range(i2 - i1):
                    yield DiffRow("same", old[i1 + step], i1 + step + 1, j1 + step + 1)
            else:
                yield from _replaced(old[i1:i2], new[j1:j2], i1, j1)
        reached = group[-1][2]
    if left := len(old) - reached:
        yield DiffRow("cut", f"{left} unchanged")


def paired(rows: Sequence[DiffRow]) -> Iterator[tuple[DiffRow | None, DiffRow | None]]:
    """Yield what stands side by side: the version before left, the one after right."""
    removed: list[DiffRow] = []
    added: list[DiffRow] = []
    for row in (*rows, None):
        if row is not None and row.change == "removed":
            removed.append(row)
            continue
        if row is not None and row.change == "added":
            added.append(row)
            continue
        for place in range(max(len(removed), len(added))):
            yield (
                removed[place] if place < len(removed) else None,
                added[place] if place < len(added) else None,
            )
        removed, added = [], []
        if row is not None:
            yield row, row


# ------------------------------------------------------------------ parts
def _parts(
    before: DraftGenerated, after: DraftGenerated, script: Callable[[Sha], bytes]
) -> Iterator[tuple[str, str, str]]:
    def body(content: Sha | None) -> str:
        return "" if content is None else shown(script(content))

    yield "Code", body(before.script), body(after.script)
    yield "Requirements", _lines(before.requirements), _lines(after.requirements)
    yield "IAM policy", _json(before.policy), _json(after.policy)
    yield "Parameters", _json(before.parameters), _json(after.parameters)
    for name, old, new in (
        ("Rollback", before.rollback, after.rollback),
        ("Post-check", before.post_check, after.post_check),
        ("Tests", before.tests, after.tests),
    ):
        if old is not None or new is not None:
            yield name, body(old), body(new)
    if before.inputs != after.inputs:
        yield "Inputs", _json(before.inputs), _json(after.inputs)


def _lines(texts: Sequence[str]) -> str:
    return safe_text("\n".join(texts))


def _json(document: object) -> str:
    return safe_text(json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True))


def _replaced(old: Sequence[str], new: Sequence[str], at: int, to: int) -> Iterator[DiffRow]:
    """Yield rows that went, then rows that came; those in each other's place with their marks."""
    together = [_marks(one, other) for one, other in zip(old, new, strict=False)]
    for place, text in enumerate(old):
        marks = together[place][0] if place < len(together) else ()
        yield DiffRow("removed", text, old=at + place + 1, marks=marks)
    for place, text in enumerate(new):
        marks = together[place][1] if place < len(together) else ()
        yield DiffRow("added", text, new=to + place + 1, marks=marks)


_Marks = tuple[tuple[int, int], ...]


def _marks(old: str, new: str) -> tuple[_Marks, _Marks]:
    matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
    if matcher.quick_ratio() < _ALIKE:
        return (), ()
    codes = [code for code in matcher.get_opcodes() if code[0] != "equal"]
    return (
        tuple((i1, i2) for _, i1, i2, _, _ in codes if i1 < i2),
        tuple((j1, j2) for _, _, _, j1, j2 in codes if j1 < j2),
    )
