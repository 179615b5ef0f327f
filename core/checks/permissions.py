"""Proposed, static, observed, as a session knows them: one table for every surface.

`core.iam.compare` makes the table where the code is at hand. Here its static half is taken from
what a review left on record, so that a screen, a replay and a resumed session show the same; what
was observed are the calls that the runs of a step made. A rehearsal counts until the script ran.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from core.checks.finding import Call, Reviewed
from core.iam.actions import lookup
from core.iam.compare import Counted, Row, Static, table, unneeded
from core.iam.document import parse
from core.iam.tighten import tightened
from core.runs import Counted as Count
from core.runs import together
from core.step import Step, Turn
from sandbox.job import Json

_FIRST = ("denied", "missing", "surprise", "too wide", "not called", "unseeable")
"""States that want a look, in the order of a list; all others come behind."""


def permissions(
    policy: Json, reviewed: Reviewed, observed: Iterable[Counted] | None = None
) -> tuple[Row, ...]:
    """Return the table of a draft: with the calls of its runs where there were some; pure.

    Raises MachineUnfit when the action table can't be read.
    """
    static = Static(_needed(reviewed), lines_of(reviewed.calls))
    found = tuple(
        replace(row, state="missing") if row.action in reviewed.missing and not row.called else row
        for row in table(parse(policy), static, observed)
    )
    rest = unneeded(reviewed.excess, found, complete=reviewed.unresolved == 0)
    return tuple(sorted((*found, *rest), key=_order))


def permissions_of(step: Step) -> tuple[Row, ...]:
    """Return the table of the latest draft of a step; empty before its review."""
    if step.draft is None or step.review is None:
        return ()
    return permissions(step.draft.policy, step.review, observed(step))


def tighter(step: Step) -> dict[str, Any] | None:
    """Return the policy of the latest draft without what nothing needs; None where all of it is."""
    if step.draft is None or step.review is None:
        return None
    ran = any(one.succeeded for one in step.turns if one.request.purpose in ("run", "rehearse"))
    complete = step.review.unresolved == 0
    return tightened(step.draft.policy, permissions_of(step), complete=complete, ran=ran)


def observed(step: Step) -> tuple[Count, ...] | None:
    """Return what the ended runs of the latest draft called; None where none has ended."""
    ended = [turn for turn in step.turns if turn.run and turn.run.ended]
    real = [turn for turn in ended if turn.request.purpose != "rehearse"]
    counted = list(_counted(real or ended))
    return together(counted) if ended else None


def lines_of(calls: Iterable[Call]) -> Mapping[str, tuple[int, ...]]:
    """Return each action that calls of the script need, with the lines that need it."""
    found: dict[str, set[int]] = {}
    for call in calls:
        for name in _actions(call):
            found.setdefault(name, set()).add(call.line)
    return {name: tuple(sorted(lines)) for name, lines in found.items()}


def _actions(call: Call) -> tuple[str, ...]:
    action = lookup(call.service, call.operation)
    return (*(() if action.free else (action.name,)), *action.always())


def _needed(reviewed: Reviewed) -> dict[str, tuple[str, ...]]:
    """Actions that the code needs, as the policy names them that was proposed for it."""
    found: dict[str, tuple[str, ...]] = {}
    for statement in parse(reviewed.proposed).statements:  # what stands on record may be anything
        for action in () if statement.problems else statement.actions.values:
            found[action] = statement.resources.values
    for call in reviewed.calls:  # old records propose nothing
        for action in _actions(call):
            found.setdefault(action, ("*",))
    return found


def _counted(turns: Iterable[Turn]) -> Iterator[Count]:
    for turn in turns:
        yield from turn.run.counted if turn.run else ()


def _order(row: Row) -> tuple[int, str]:
    place = _FIRST.index(row.state) if row.state in _FIRST else len(_FIRST)
    return place, row.action
