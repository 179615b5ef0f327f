"""Proposed, static, observed: what a policy allows, what the code shows, what a run did.

One table with a row for each action, pure. Each row is in one of eight states; which of them matter
and what to offer for them is the surface's. What the code shows is advice: "unseeable" says that
calls are hidden in it, so that nothing can be called too much.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
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


class Called(Protocol):
    """A call of a run, as `aws.called` records it."""

    @property
    def service(self) -> str: ...
    @property
    def operation(self) -> str: ...
    @property
    def action(self) -> str: ...
    @property
    def verdict(self) -> str: ...


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
    lines: set[int] = field(default_factory=set)
    called: int = 0
    denied: int = 0


def rows(
    document: Document,
    calls: Sequence[Shown],
    observed: Iterable[Called] | None = None,
    *,
    complete: bool = True,
) -> tuple[Row, ...]:
    """Compare a policy with the calls of the code, and with those of a run where there was one.

    Without `complete` the code may hide calls. Raises MachineUnfit when the table can't be read.
    """
    needed = resources_of(calls)
    seen = _seen(calls, observed or ())
    allows = [one for one in document.statements if one.effect == "Allow" and not one.problems]
    found = []
    for action in dict.fromkeys((*needed, *seen)):
        own = seen.get(action, _Seen())
        statements = [one for one in allows if _names(one, action)]
        state = _state(statements, action in needed, own, ran=observed is not None)
        resources = needed.get(action, ())
        if state == "matched" and _is_wider(statements, resources):
            state = "too wide"
        tier, why = tier_of_pattern(action)
        lines = tuple(sorted(own.lines))
        found.append(Row(action, tier, why, state, lines, resources, own.called, own.denied))
    sure = complete and _are_known(calls)
    return (*found, *_unneeded(allows, found, complete=complete, sure=sure))


def _seen(calls: Iterable[Shown], observed: Iterable[Called]) -> dict[str, _Seen]:
    found: dict[str, _Seen] = {}
    for call in calls:
        for action in resources_of([call]):
            found.setdefault(action, _Seen()).lines.add(call.line)
    for one in observed:
        if one.service and lookup(one.service, one.operation).free:
            continue
        own = found.setdefault(one.action, _Seen())
        own.called += 1
        own.denied += one.verdict == "denied"
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


def _unneeded(
    allows: list[Statement], found: list[Row], *, complete: bool, sure: bool
) -> tuple[Row, ...]:
    """Patterns of the policy that match no action of the table so far."""
    state: State = "not called" if complete else "unseeable"
    patterns = dict.fromkeys(
        pattern
        for one in allows
        if not one.actions.inverted
        for pattern in one.actions.values
        if (is_called(pattern) or sure)
        and not any(action_match(pattern, row.action) for row in found)
    )
    return tuple(Row(pattern, *tier_of_pattern(pattern), state) for pattern in patterns)


def is_called(pattern: str) -> bool:
    """Whether code can show a call of it: iam:PassRole is only ever checked along with others."""
    action = find(pattern)
    return action is None or not action.along
