"""The policy of a draft as the screen shows it: what is allowed, how bad it can be, and what for.

Each action stands with its tier, the lines of the code that call it, how often runs called it, and
a mark where policy, code and runs differ (`core.checks.permissions`). Pure, and safe to show.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final

from core.checks.permissions import permissions_of, tighter
from core.events import DraftGenerated, ReviewFinished
from core.iam.compare import Row, State
from core.runs import Run
from core.safe_text import safe_line, safe_text
from core.session import Step
from tui.views import Need, Permission, Policy

_IN_THE_TABLE: Final = frozenset(
    {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)
_NEEDS: Final[Mapping[State, Need]] = {
    "matched": "needed",
    "not called": "excess",
    "not taken": "untaken",
    "missing": "missing",
    "denied": "denied",
    "surprise": "surprise",
    "too wide": "wide",
    "unseeable": "unseeable",
}
_WORST: Final[tuple[Need, ...]] = (
    *("missing", "denied", "surprise", "wide", "needed", "untaken", "excess", "unseeable"),
)
"""Of several actions that a pattern reaches, the first says what the pattern is for."""
_MISFITS: Final[tuple[Need, ...]] = ("missing", "denied", "surprise", "excess")
_MORE = "there is more in the document than this table shows"


def policy(step: Step | None) -> Policy:
    """Return the policy of the latest draft, against its code and what its runs called."""
    if step is None or step.draft is None:
        return Policy((), (), "")
    ended = (turn.run for turn in step.turns if turn.run and turn.run.ended)
    return _policy(_Seen(step.draft, step.review, tuple(ended), step))


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """A step, for as long as nothing that its policy's table is made of has become another."""

    draft: DraftGenerated
    review: ReviewFinished | None
    ended: tuple[Run, ...]
    step: Step

    def __hash__(self) -> int:
        return hash((id(self.draft), id(self.review), *map(id, self.ended)))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, _Seen)
            and self.draft is other.draft
            and self.review is other.review
            and len(self.ended) == len(other.ended)
            and all(one is same for one, same in zip(self.ended, other.ended, strict=True))
        )


@lru_cache(maxsize=4)
def _policy(seen: _Seen) -> Policy:
    """Return the table: it is painted far more often than it changes."""
    step, document = seen.step, seen.draft.policy
    rows = permissions_of(step)
    allowed = tuple(_permissions(document, rows))
    return Policy(
        permissions=(*_outside(rows, allowed), *allowed),
        remarks=() if _fits(document) else (_MORE,),
        document=safe_text(json.dumps(document, indent=2, ensure_ascii=False)),
        tighter=tighter(step) is not None,
    )


def policy_caption(found: Policy) -> str:
    """Return how many actions a policy allows, the worst tier among them, and what does not fit."""
    if not found.permissions:
        return "allows nothing" if found.document else ""
    allowed = [one for one in found.permissions if one.effect == "Allow" and not one.outside]
    tiers = [one.tier for one in allowed]
    worst = "?" if None in tiers else str(max((each for each in tiers if each), default=0))
    parts = [f"{len(allowed)} allowed", f"tier {worst}"]
    counted = {need: sum(one.need == need for one in found.permissions) for need in _MISFITS}
    parts += [f"{number} {need}" for need, number in counted.items() if number]
    return ", ".join([*parts, *(["can be tighter"] if found.tighter else [])])


def policy_counter(step: Step | None) -> str:
    """Return how many actions a policy allows, and with a mark when it does not fit the code."""
    if step is None or step.draft is None:
        return ""
    found = policy(step).permissions
    fits = not any(one.need in _MISFITS for one in found)
    return f"{sum(not one.outside for one in found)}{'' if fits else '!'}"


# ------------------------------------------------------------------ parts
def _outside(rows: Iterable[Row], allowed: Iterable[Permission]) -> Iterator[Permission]:
    """Yield what the code or a run calls and no Allow names."""
    from core.iam.globs import action_match

    named = [one.action for one in allowed if one.effect == "Allow"]
    for row in rows:
        if row.state in ("missing", "denied") and not (
            row.state == "denied" and any(action_match(each, row.action) for each in named)
        ):
            plain = Permission("Allow", safe_line(row.action), row.tier, "", outside=True)
            yield _with_reason(plain, [row])


def _permissions(document: dict[str, Any], rows: Sequence[Row]) -> Iterator[Permission]:
    for statement in _statements(document):
        effect = safe_line(str(statement.get("Effect", "?")))
        resources = ", ".join(_listed(statement.get("Resource", statement.get("NotResource"))))
        place = safe_line(f"not {resources}" if "NotResource" in statement else resources)
        condition = _condition(statement)
        for name in _listed(statement.get("Action")):
            plain = Permission(effect, safe_line(name), None, place, condition)
            yield _of_pattern(plain, name, rows) if effect == "Allow" else plain
        for name in _listed(statement.get("NotAction")):
            yield Permission(effect, safe_line(f"all but {name}"), None, place, condition)


def _of_pattern(plain: Permission, name: str, rows: Iterable[Row]) -> Permission:
    from core.iam.globs import action_match
    from core.iam.tiers import tier_of_pattern

    reached = [row for row in rows if row.action == name or action_match(name, row.action)]
    return _with_reason(replace(plain, tier=tier_of_pattern(name)[0]), reached)


def _with_reason(plain: Permission, rows: Sequence[Row]) -> Permission:
    """Return a permission with what is odd about it, the worst of all that it reaches."""
    needs = [_NEEDS[row.state] for row in rows]
    return replace(
        plain,
        need=min(needs, key=_WORST.index, default="unread"),
        lines=tuple(sorted({line for row in rows for line in row.lines})),
        called=sum(row.called for row in rows),
        denied=sum(row.denied for row in rows),
    )


def _statements(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    statements = document.get("Statement", [])
    for statement in statements if isinstance(statements, list) else [statements]:
        if isinstance(statement, dict):
            yield statement


def _fits(document: dict[str, Any]) -> bool:
    """Tell whether the table shows everything that the document says."""
    statements = document.get("Statement", [])
    listed = statements if isinstance(statements, list) else [statements]
    return set(document) <= {"Version", "Id", "Statement"} and all(
        isinstance(each, dict) and set(each) <= _IN_THE_TABLE for each in listed
    )


def _condition(statement: dict[str, Any]) -> str:
    found = statement.get("Condition")
    if not found:
        return ""
    if not isinstance(found, dict):
        return safe_line(str(found))
    return safe_line("; ".join(_compared(found)))


def _compared(condition: dict[str, Any]) -> Iterator[str]:
    for operator, keys in condition.items():
        for key, value in keys.items() if isinstance(keys, dict) else [("", keys)]:
            yield f"{operator} {key} {', '.join(_listed(value))}".replace("  ", " ")


def _listed(value: object) -> list[str]:
    if value is None:
        return []
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]
