"""Proposed, static, observed: what a policy allows, what the code shows, what a run did.

One table with a row for each action, pure. Each row is in one of eight states; which of them matter
and what to offer for them is the surface's. What the code shows is advice: "unseeable" says that
calls are hidden in it, so that nothing can be called too much.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, Protocol

from core.iam.actions import CHANGE, find, lookup
from core.iam.document import Document, Statement
from core.iam.globs import UNKNOWN_PART, action_match
from core.iam.propose import Shown, resources_of
from core.iam.tiers import tier_of_pattern
from sandbox.job import Tier

State = Literal[
    "matched",
    "not called",
    "not taken",
    "missing",
    "denied",
    "surprise",
    "too wide",
    "unseeable",
]
"""matched: allowed, and the code calls it. not called: allowed, and no line calls it. not taken:
allowed and in the code, and the run did not call it. missing: in the code and not allowed. denied:
called by the run and refused. surprise: called by the run, though not seen in the code. too wide:
allowed on more than the code names. unseeable: allowed and not seen, where calls are hidden."""


class Counted(Protocol):
    """How often a run called an operation: `core.runs.Counted`."""

    @property
    def service(self) -> str: ...
    @property
    def operation(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def called(self) -> int: ...
    @property
    def denied(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Row:
    """One action of the table."""

    action: str
    """An IAM action; where the policy has a pattern that nothing needs, that pattern."""
    tier: Tier
    why: str
    state: State
    lines: tuple[int, ...] = ()
    """Of the script, where it is called."""
    resources: tuple[str, ...] = ()
    """What would do, as far as the code tells."""
    called: int = 0
    denied: int = 0


@dataclass(slots=True)
class _Seen:
    called: int = 0
    denied: int = 0


@dataclass(frozen=True, slots=True)
class Static:
    """What the code shows."""

    needed: Mapping[str, tuple[str, ...]]
    """Actions that its calls need, each with the resources that would do."""
    lines: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    """Of the script, where they are called."""


def rows(
    document: Document,
    calls: Sequence[Shown],
    observed: Iterable[Counted] | None = None,
    *,
    complete: bool = True,
) -> tuple[Row, ...]:
    """Compare a policy with the calls of the code, and with those of a run where there was one.

    Without `complete` the code may hide calls. Raises MachineUnfit when the table can't be read.
    """
    found = table(document, Static(resources_of(calls), _lines(calls)), observed)
    sure = complete and _are_known(calls)
    allowed = (
        pattern
        for one in _allows(document)
        if not one.actions.inverted
        for pattern in one.actions.values
        if is_called(pattern) or sure
    )
    return (*found, *unneeded(allowed, found, complete=complete))


def table(
    document: Document, static: Static, observed: Iterable[Counted] | None
) -> tuple[Row, ...]:
    """Return a row for each action that the code needs or a run called."""
    seen, allows = _seen(observed or ()), _allows(document)
    found = []
    for action in dict.fromkeys((*static.needed, *seen)):
        own = seen.get(action, _Seen())
        statements = [one for one in allows if _names(one, action)]
        state = _state(
            statements,
            action in static.needed,
            own,
            ran=observed is not None and is_called(action),
        )
        resources = static.needed.get(action, ())
        if state == "matched" and _is_wider(statements, resources):
            state = "too wide"
        tier, why = tier_of_pattern(action)
        lines = static.lines.get(action, ())
        found.append(Row(action, tier, why, state, lines, resources, own.called, own.denied))
    return tuple(found)


def unneeded(patterns: Iterable[str], found: Sequence[Row], *, complete: bool) -> tuple[Row, ...]:
    """Return a row for each pattern that matches no action of the table so far."""
    state: State = "not called" if complete else "unseeable"
    return tuple(
        Row(pattern, *tier_of_pattern(pattern), state)
        for pattern in dict.fromkeys(patterns)
        if not any(action_match(pattern, row.action) for row in found)
    )


def _allows(document: Document) -> list[Statement]:
    return [one for one in document.statements if one.effect == "Allow" and not one.problems]


def _lines(calls: Iterable[Shown]) -> Mapping[str, tuple[int, ...]]:
    found: dict[str, set[int]] = {}
    for call in calls:
        for action in resources_of([call]):
            found.setdefault(action, set()).add(call.line)
    return {action: tuple(sorted(lines)) for action, lines in found.items()}


def _seen(observed: Iterable[Counted]) -> dict[str, _Seen]:
    found: dict[str, _Seen] = {}
    for one in observed:
        action = lookup(one.service, one.operation) if one.service else None
        if (action is not None and action.free) or not one.action:
            continue  # needs nothing, or was no call that anybody could read
        own = found.setdefault(one.action, _Seen())
        own.called += one.called
        own.denied += one.denied
        for besides in action.always() if action is not None and one.called > one.denied else ():
            found.setdefault(besides, _Seen()).called += one.called - one.denied
    return found


def _state(statements: list[Statement], needed: bool, own: _Seen, *, ran: bool) -> State:
    if own.denied:
        return "denied"
    if not needed:
        return "surprise"
    if not statements:
        return "missing"
    return "not taken" if ran and not own.called else "matched"


def _is_wider(statements: list[Statement], resources: tuple[str, ...]) -> bool:
    """Whether every resource is allowed where the code names some."""
    if not resources or "*" in resources:
        return False
    return any(not one.resources.inverted and "*" in one.resources.values for one in statements)


def _names(statement: Statement, action: str) -> bool:
    named = any(action_match(pattern, action) for pattern in statement.actions.values)
    return named is not statement.actions.inverted


def _are_known(calls: Iterable[Shown]) -> bool:
    """Whether all parameters of all changes are named, so that none can hand over a role unseen."""
    changes = (one for one in calls if lookup(one.service, one.operation).tier >= CHANGE)
    return all(one.parameters and UNKNOWN_PART not in one.parameters for one in changes)


def is_called(pattern: str) -> bool:
    """Whether code can show a call of it: iam:PassRole is only ever checked along with others."""
    action = find(pattern)
    return action is None or not action.along
