"""Does a policy allow an action on a resource? Pure, and in doubt the answer is no.

An explicit Deny wins. An Allow counts only when its action, its resource (unknown parts included)
and its condition match for certain; a Deny bites unless one of them surely does not match. A
statement with a problem never allows, and where it denies, or may deny, it denies everything.
This says what the one policy allows, not what AWS will: other policies there may still deny.

A denial without a Deny is explained by the Allow that came nearest: one whose condition fails
before one of another resource, and that before one that only names the same service.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from core.iam.conditions import holds, lowered
from core.iam.document import Document, Near, Patterns, Statement, parse
from core.iam.globs import UNKNOWN_PART, action_match, covers, plain_match, touches
from core.iam.variables import expand
from sandbox.job import Json

_LONGEST_ARN = 2048
_PARTS_OF_AN_ARN = ("form", "partition", "service", "region", "account", "resource")
_MOST_NAMED = 3
_ACTIONS_KEPT = 4096
"""Of a document; a script decides which ones are asked about."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """The answer; `explicit` says that a statement decided it, not the lack of one."""

    allowed: bool
    reason: str
    """One sentence that names the statement that decided, or came nearest."""
    explicit: bool = False


def evaluate(policy: Json, action: str, resource: str, context: Mapping[str, Any]) -> Ruling:
    """Rule on `action` (such as "logs:GetLogEvents") on `resource` (an ARN, or "*").

    `policy` is the parsed document. `context` maps condition keys to values; a key that is not in
    it is absent in AWS's sense, and one that can't be known here must be passed as UNKNOWN.
    """
    return decide(parse(policy), action, (resource,), lowered(context))


def decide(
    document: Document, action: str, spellings: Sequence[str], known: Mapping[str, Any]
) -> Ruling:
    """Rule as `evaluate` does, on a parsed document and a context that is `lowered`.

    `spellings` are ARNs of the same resource, at least one: a Deny of any of them wins, then an
    Allow of any. A denial without a Deny is told of the first.
    """
    if document.problems:
        return Ruling(allowed=False, reason=f"the policy is malformed: {document.problems[0]}")
    near = _near(document, action)
    proper = [one for one in spellings if len(one) <= _LONGEST_ARN]
    for resource in proper:
        for statement in near.denials:
            if reason := _denies(statement, action, resource, known):
                return Ruling(allowed=False, reason=reason, explicit=True)
    for resource in proper:
        for statement in near.allows:
            if _allows(statement, resource, known):
                reason = f"{statement.name} allows {action} on {_shown(resource)}"
                return Ruling(allowed=True, reason=reason, explicit=True)
    return Ruling(allowed=False, reason=_lacks(document, action, spellings[0], known))


def _near(document: Document, action: str) -> Near:
    """The statements that are about an action, kept for its next call: nothing else decides that.

    A statement that denies, or may deny, and can't be understood is about every action.
    """
    found = document.near.get(action)
    if found is None:
        about = [
            one
            for one in document.statements
            if _on_action(one.actions, action) or (one.problems and one.effect != "Allow")
        ]
        found = Near(
            allows=tuple(one for one in about if one.effect == "Allow"),
            denials=tuple(one for one in about if one.effect != "Allow"),
        )
        if len(document.near) < _ACTIONS_KEPT:
            document.near[action] = found
    return found


def _allows(statement: Statement, resource: str, known: Mapping[str, Any]) -> bool:
    """Whether an Allow that is about an action surely allows it on a resource."""
    if statement.problems or not _covered(statement, resource, known):
        return False
    condition = statement.condition
    return not condition or holds(condition, known, variables=statement.variables)[0] is True


def _lacks(document: Document, action: str, resource: str, known: Mapping[str, Any]) -> str:
    """Why nothing allows an action on a resource, told of the Allow that came nearest."""
    if len(resource) > _LONGEST_ARN:
        return f"{_shown(resource[:60])}... is longer than any ARN"
    near = _near(document, action).allows
    if not near:
        return _no_action(document, action)
    covering = (one for one in near if not one.problems and _covered(one, resource, known))
    nearest = next(covering, near[0])
    return f"{nearest.name} allows {action}, but {_missing(nearest, resource, known)}"


def _denies(statement: Statement, action: str, resource: str, context: Mapping[str, Any]) -> str:
    """Why a statement about an action, no Allow, denies it; nothing where it surely does not."""
    if statement.problems:
        return f"{statement.name} can't be understood, so it denies everything"
    patterns = _expanded(statement, context)
    if statement.resources.inverted:
        bites = not any(covers(pattern, resource) for pattern in patterns)
    else:
        bites = any(touches(pattern, resource) for pattern in patterns)
    if not bites:
        return ""
    answer, part = holds(statement.condition, context, variables=statement.variables)
    if answer is False:
        return ""
    doubt = f" (whether {part} holds can't be told here)" if answer is None else ""
    return f"{statement.name} denies {action} on {_shown(resource)}{doubt}"


def _covered(statement: Statement, resource: str, context: Mapping[str, Any]) -> bool:
    """Whether an Allow is about a resource, whatever its unknown parts are."""
    patterns = _expanded(statement, context)
    if statement.resources.inverted:
        return not any(touches(pattern, resource) for pattern in patterns)
    for pattern in patterns:  # noqa: SIM110 - this is asked for every call, and any() takes twice as long
        if covers(pattern, resource):
            return True
    return False


def _missing(statement: Statement, resource: str, context: Mapping[str, Any]) -> str:
    """What keeps an Allow, whose action matches, from allowing, to be read after "but"."""
    if statement.problems:
        return f"it is malformed: {statement.problems[0]}"
    if not _covered(statement, resource, context):
        return f"not on {_shown(resource)}{_difference(statement, resource)}"
    answer, part = holds(statement.condition, context, variables=statement.variables)
    if answer is None:
        return f"whether its condition {part} holds can't be told here"
    return f"its condition {part} does not hold"


def _no_action(document: Document, action: str) -> str:
    """The reason when no Allow names the action, with one that names others of its service."""
    service = action.partition(":")[0].lower()
    for statement in document.statements:
        if statement.effect == "Allow" and not (statement.problems or statement.actions.inverted):
            same = [
                one for one in statement.actions.values if one.lower().startswith(f"{service}:")
            ]
            if same:
                named = " and ".join(same) if len(same) <= _MOST_NAMED else f"{len(same)} others"
                return (
                    f"no statement allows {action}; of {service}, {statement.name} allows {named}"
                )
    return f"no statement allows {action}"


def _difference(statement: Statement, resource: str) -> str:
    """Which part of the nearest ARN in the statement is another, as the end of a sentence."""
    if statement.resources.inverted:
        return ": its NotResource keeps that out"
    if resource == "*":
        return ': it names resources, and this call needs Resource "*"'
    found = (_same_parts(pattern, resource) for pattern in statement.resources.values)
    depth, part, pattern = max(found, key=lambda one: one[0])
    if depth in (0, len(_PARTS_OF_AN_ARN)):
        return f": the nearest that it names is {pattern}"
    return f": the {_PARTS_OF_AN_ARN[depth]} it names is {part}"


def _same_parts(pattern: str, resource: str) -> tuple[int, str, str]:
    """How many parts of two ARNs match from the left, and the first part that does not."""
    last = len(_PARTS_OF_AN_ARN) - 1
    parts = pattern.split(":", last)
    for depth, (part, actual) in enumerate(zip(parts, resource.split(":", last), strict=False)):
        if not plain_match(part, actual):
            return depth, part, pattern
    return len(_PARTS_OF_AN_ARN), "", pattern


def _expanded(statement: Statement, context: Mapping[str, Any]) -> tuple[str, ...]:
    """The patterns of resources, with the values of policy variables in them."""
    if not statement.variables:
        return statement.resources.values
    return tuple(expand(pattern, context) for pattern in statement.resources.values)


def _on_action(patterns: Patterns, action: str) -> bool:
    return _names(patterns.values, action) is not patterns.inverted


@lru_cache(maxsize=4096)
def _names(patterns: tuple[str, ...], action: str) -> bool:
    return any(action_match(pattern, action) for pattern in patterns)


def _shown(resource: str) -> str:
    return resource.replace(UNKNOWN_PART, "*")
