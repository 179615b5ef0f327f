"""The policy of a draft as the screen shows it: what is allowed, how bad it can be, and what for.

Each action stands with its tier, the lines of the code that call it, and a mark where code and
policy differ: called but not allowed, or allowed but never called. Pure, and safe to show.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from core.checks.finding import Call
from core.events import ReviewFinished
from core.safe_text import safe_line, safe_text
from core.session import Step
from tui.views import Need, Permission, Policy

_IN_THE_TABLE: Final = frozenset(
    {"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition"}
)
_MORE = "there is more in the document than this table shows"


def policy(step: Step | None) -> Policy:
    """Return the policy of the latest draft."""
    if step is None or step.draft is None:
        return Policy((), (), "")
    document = step.draft.policy
    called = _called(step.review.calls if step.review else ())
    allowed = tuple(_permissions(document, step.review, called))
    return Policy(
        permissions=(*_missing(step.review, called), *allowed),
        remarks=() if _fits(document) else (_MORE,),
        document=safe_text(json.dumps(document, indent=2, ensure_ascii=False)),
    )


def policy_caption(found: Policy) -> str:
    """Return how many actions a policy allows, the worst tier among them, and what does not fit."""
    if not found.permissions:
        return "allows nothing" if found.document else ""
    allowed = [one for one in found.permissions if one.effect == "Allow" and one.need != "missing"]
    tiers = [one.tier for one in allowed]
    worst = "?" if None in tiers else str(max((each for each in tiers if each), default=0))
    parts = [f"{len(allowed)} allowed", f"tier {worst}"]
    counted = {
        need: sum(one.need == need for one in found.permissions) for need in ("missing", "excess")
    }
    return ", ".join([*parts, *(f"{number} {need}" for need, number in counted.items() if number)])


def policy_counter(step: Step | None) -> str:
    """Return how many actions a policy allows, and with a mark when it does not fit the code."""
    if step is None or step.draft is None:
        return ""
    found = policy(step).permissions
    fits = all(one.need in ("needed", "unread") for one in found)
    return f"{sum(one.need != 'missing' for one in found)}{'' if fits else '!'}"


# ------------------------------------------------------------------ parts
def _called(calls: Iterable[Call]) -> dict[str, tuple[int, ...]]:
    """Return each action that the code needs with the lines that need it."""
    from core.iam.actions import lookup

    found: dict[str, set[int]] = {}
    for call in calls:
        action = lookup(call.service, call.operation)
        own = () if action.free else (action.name,)
        for name in (*own, *action.always()):
            found.setdefault(name, set()).add(call.line)
    return {name: tuple(sorted(lines)) for name, lines in found.items()}


def _missing(
    review: ReviewFinished | None, called: dict[str, tuple[int, ...]]
) -> Iterator[Permission]:
    from core.iam.tiers import tier_of_pattern

    for action in review.missing if review else ():
        tier = tier_of_pattern(action)[0]
        lines = called.get(action, ())
        yield Permission("Allow", safe_line(action), tier, "", need="missing", lines=lines)


def _permissions(
    document: dict[str, Any], review: ReviewFinished | None, called: dict[str, tuple[int, ...]]
) -> Iterator[Permission]:
    for statement in _statements(document):
        effect = safe_line(str(statement.get("Effect", "?")))
        resources = ", ".join(_listed(statement.get("Resource", statement.get("NotResource"))))
        place = safe_line(f"not {resources}" if "NotResource" in statement else resources)
        condition = _condition(statement)
        for name in _listed(statement.get("Action")):
            plain = Permission(effect, safe_line(name), None, place, condition)
            yield _with_reason(plain, name, review, called) if effect == "Allow" else plain
        for name in _listed(statement.get("NotAction")):
            yield Permission(effect, safe_line(f"all but {name}"), None, place, condition)


def _with_reason(
    plain: Permission,
    name: str,
    review: ReviewFinished | None,
    called: dict[str, tuple[int, ...]],
) -> Permission:
    from core.iam.globs import action_match
    from core.iam.tiers import tier_of_pattern

    lines = sorted({n for each, at in called.items() if action_match(name, each) for n in at})
    need: Need = "needed" if lines else "unread"
    if review and name in review.excess:
        need = "excess"
    return replace(plain, tier=tier_of_pattern(name)[0], need=need, lines=tuple(lines))


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
