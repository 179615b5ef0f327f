"""A policy made narrower: what neither the code nor a run needs is taken out of it.

Pure. Only Allow statements change, and only where the table of `core.iam.compare` is sure: an
action that nothing calls goes, a wildcard becomes the actions that it was for, and `*` becomes the
resources that the code names. Conditions, Deny statements and exceptions stay as they are. What
comes out is held against what went in, statement by statement (`is_narrower`): where it is not
surely within it, there is no tighter policy. A run proves that something is needed, never that
something is not, so a branch that was not taken keeps its actions.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from core.canonical import canonical
from core.iam.actions import find, names
from core.iam.compare import Row
from core.iam.containment import Permission, covers
from core.iam.document import Statement, parse
from core.iam.globs import action_match
from sandbox.job import Json

_WILD = re.compile(r"[*?]")
_NEEDED = ("matched", "too wide", "not taken", "surprise")


@dataclass(frozen=True, slots=True)
class _Grant:
    """One statement as what it permits."""

    permissions: Sequence[Permission]


def tightened(
    policy: Json, rows: Sequence[Row], *, complete: bool, ran: bool
) -> dict[str, Any] | None:
    """Return the tighter policy, or None where there is nothing to take away.

    `complete`: no call is hidden in the code. `ran`: it has come to its end once, and `rows` know
    what it called.
    """
    document = parse(policy)
    if document.all_problems():
        return None
    raw = _statements(policy)
    made: list[Any] = []
    for statement, own in zip(document.statements, raw, strict=True):
        plain = statement.effect == "Allow" and not statement.actions.inverted
        made += _narrowed(statement, own, rows, complete, ran) if plain else [own]
    narrow = {**policy, "Statement": made}
    return narrow if made != raw and is_narrower(policy, narrow) else None


def is_narrower(wide: Json, narrow: Json) -> bool:
    """Tell whether a policy surely allows nothing that another does not; unknown means no."""
    wider, narrower = _statements(wide), _statements(narrow)
    if parse(narrow).all_problems() or wide.get("Version") != narrow.get("Version"):
        return False  # a policy variable is plain text in another version: a Deny ends with it
    kept = {canonical(one) for one in narrower}
    denies = (one for one in wider if one.get("Effect") != "Allow")
    return all(canonical(one) in kept for one in denies) and all(
        one.get("Effect") == "Deny" or any(_within(one, other) for other in wider)
        for one in narrower
    )


def _within(narrow: Mapping[str, Any], wide: Mapping[str, Any]) -> bool:
    """Whether a statement is another, or allows less under the same condition."""
    if canonical(narrow) == canonical(wide):
        return True
    same = narrow.get("Condition") == wide.get("Condition") and wide.get("Effect") == "Allow"
    (statement,) = parse({"Statement": [dict(wide)]}).statements or (None,)
    if not same or statement is None or statement.problems:
        return False
    if statement.actions.inverted or statement.resources.inverted:
        return False
    permission = Permission(statement.actions.values, statement.resources.values)
    return covers(_Grant([permission]), {"Statement": [dict(narrow)]})


def _narrowed(
    statement: Statement, own: Mapping[str, Any], rows: Sequence[Row], complete: bool, ran: bool
) -> Iterator[dict[str, Any]]:
    """Yield a statement with less in it: one for each set of resources, none where all goes."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for action, row in _actions(statement, rows, complete or ran):
        everywhere = not statement.resources.inverted and "*" in statement.resources.values
        limited = row is not None and row.state == "too wide" and complete and everywhere
        resources = row.resources if row is not None and limited else ()
        groups.setdefault(resources, []).append(action)
    if groups == {(): list(statement.actions.values)}:
        yield dict(own)
        return
    for resources, actions in groups.items():
        made = {**own, "Action": list(dict.fromkeys(actions))}
        if resources:
            made.pop("Sid", None)  # it was for all of them, and has to be unique
            made["Resource"] = list(resources)
        yield made


def _actions(
    statement: Statement, rows: Sequence[Row], sure: bool
) -> Iterator[tuple[str, Row | None]]:
    """Yield what is left of the actions of a statement, with the rows that want them."""
    for pattern in statement.actions.values:
        wanted = [row for row in rows if action_match(pattern, row.action) and _is_needed(row)]
        if _WILD.search(pattern):
            if sure and not _reaches_along(pattern):
                yield from ((row.action, row) for row in wanted)
            else:
                yield pattern, None
        elif wanted:
            yield pattern, wanted[0]
        elif not _goes(pattern, rows, sure):
            yield pattern, None


def _is_needed(row: Row) -> bool:
    return row.state in _NEEDED or (row.state == "denied" and bool(row.lines or row.resources))


def _goes(action: str, rows: Iterable[Row], sure: bool) -> bool:
    """Whether the table knows that nothing calls an action."""
    states = {row.state for row in rows if row.action == action}
    return "not called" in states or (sure and "unseeable" in states)


def _reaches_along(pattern: str) -> bool:
    """Whether a wildcard reaches what no call shows, such as iam:PassRole."""
    return any(
        action_match(pattern, name) and (found := find(name)) is not None and found.along
        for name in names(pattern.partition(":")[0])
    )


def _statements(policy: Json) -> list[Any]:
    found = policy.get("Statement", [])
    return list(found) if isinstance(found, list | tuple) else [found]
