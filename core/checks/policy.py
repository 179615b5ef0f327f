"""The policy: is it well formed, how far does it reach, and does it fit what the code calls?

`missing` are actions that calls in the code need and no Allow names: those calls will be denied.
`excess` are patterns of an Allow that no call needs. Both compare actions only; which resources a
call will name is known when it is made. The proposed policy therefore says `"Resource": "*"`, which
whoever approves may narrow.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from core.checks.finding import Call, Finding, Severity
from core.checks.subject import Subject
from core.iam.actions import NEVER, find, lookup, names, prefixes
from core.iam.document import VERSIONS, Document, Patterns, Statement, parse
from core.iam.globs import action_match
from core.iam.tiers import tier_of_pattern

_SOURCE = "policy"


@dataclass(frozen=True, slots=True)
class Comparison:
    """The policy against the calls of the code."""

    missing: tuple[str, ...]
    excess: tuple[str, ...]
    proposed: dict[str, Any]


def compare(document: Document, calls: Iterable[Call]) -> Comparison:
    """Compare a policy with the calls that the code shows."""
    needed = _needed(calls)
    allows, denies = _sound(document, "Allow"), _sound(document, "Deny")
    missing = tuple(
        action
        for action in needed
        if not any(_names(one.actions, action) for one in allows)
        or any(_names(one.actions, action) and _unconditional(one) for one in denies)
    )
    excess = dict.fromkeys(
        pattern
        for one in allows
        if not one.actions.inverted
        for pattern in one.actions.values
        if _is_called(pattern) and not any(action_match(pattern, action) for action in needed)
    )
    return Comparison(missing, tuple(excess), propose(needed))


def propose(actions: Iterable[str]) -> dict[str, Any]:
    """Return the policy that allows exactly these actions, on every resource."""
    allowed = sorted(set(actions))
    statement = {"Effect": "Allow", "Action": allowed, "Resource": "*"}
    return {"Version": VERSIONS[0], "Statement": [statement] if allowed else []}


def check(subject: Subject) -> Iterator[Finding]:
    """Check the policy by itself, then against the code."""
    document = parse(subject.draft.policy)
    for problem in document.all_problems():
        yield _finding("malformed", "blocker", problem, "correct the policy's form")
    for statement in _sound(document, "Allow"):
        yield from _inversions(statement)
        yield from _reach(statement)
    if not document.problems:
        yield from _fit(subject, document)


def _inversions(statement: Statement) -> Iterator[Finding]:
    for what, patterns in (("Action", statement.actions), ("Resource", statement.resources)):
        if patterns.inverted:
            yield _finding(
                f"not-{what.lower()}",
                "blocker",
                f"{statement.name} allows everything but what its Not{what} names",
                f"name what is needed with {what}",
            )


def _reach(statement: Statement) -> Iterator[Finding]:
    if statement.actions.inverted:
        return
    for pattern in statement.actions.values:
        tier, reason = tier_of_pattern(pattern)
        if tier == NEVER:
            fix = "remove it: nobody can approve it here"
            yield _finding("never", "blocker", f"{statement.name}: {reason}", fix)
        elif "*" in pattern or "?" in pattern:
            fix = "name the actions one by one"
            yield _finding("wildcard", "warning", f"{statement.name}: {reason}", fix)
        elif find(pattern) is None:
            fix = _suggestion(pattern)
            yield _finding("unknown-action", "warning", f"{statement.name}: {reason}", fix)


@lru_cache(maxsize=4096)
def _suggestion(pattern: str) -> str:
    written = pattern.partition(":")[0].lower()
    prefix = difflib.get_close_matches(written, sorted(prefixes()), n=1)
    near = difflib.get_close_matches(pattern, sorted(names(prefix[0])), n=1) if prefix else []
    return f"did you mean {near[0]}?" if near else "check its name"


def _fit(subject: Subject, document: Document) -> Iterator[Finding]:
    found = compare(document, (*subject.calls, *subject.later_calls))
    proposal = json.dumps(found.proposed)
    if found.missing and not document.statements:
        message = f"the policy is empty, so every AWS call is denied: {', '.join(found.missing)}"
        yield _finding("empty", "warning", message, f"use this policy: {proposal}")
    else:
        for action in found.missing:
            line = _line(subject.calls, action)
            message = f"the code calls {action}, which the policy does not allow"
            yield _finding("missing", "warning", message, f"allow {action}", line)
    for pattern in found.excess:
        severity: Severity = "warning" if subject.complete else "note"
        message = f"{pattern} is allowed, but nothing in the code calls it"
        yield _finding("excess", severity, message, f"remove {pattern}")


def _sound(document: Document, effect: str) -> list[Statement]:
    return [one for one in document.statements if one.effect == effect and not one.problems]


def _needed(calls: Iterable[Call]) -> tuple[str, ...]:
    actions = [lookup(call.service, call.operation) for call in calls]
    own = {action.name for action in actions if not action.free}
    return tuple(sorted(own.union(*(action.always() for action in actions))))


def _names(patterns: Patterns, action: str) -> bool:
    return any(action_match(one, action) for one in patterns.values) is not patterns.inverted


def _unconditional(statement: Statement) -> bool:
    everything = not statement.resources.inverted and "*" in statement.resources.values
    return everything and not statement.condition


def _is_called(pattern: str) -> bool:
    """Whether code can show a call of it: iam:PassRole, for one, is only ever checked along."""
    action = find(pattern)
    return action is None or not action.along


def _line(calls: Iterable[Call], action: str) -> int | None:
    lines = (call.line for call in calls if lookup(call.service, call.operation).name == action)
    return next(lines, None)


def _finding(
    rule: str, severity: Severity, message: str, fix: str, line: int | None = None
) -> Finding:
    return Finding(_SOURCE, rule, severity, line, message, fix)
