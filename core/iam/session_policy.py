"""The approved policy as AWS's own lock: the session policy of AssumeRole.

A session of the role can do what the role may and the session policy allows. AWS takes 2,048
characters of it, managed policies' ARNs included, so the approved policy is made small: names and
blanks go, equal statements become one, patterns that another one holds already are left out. None
of this allows more or less than the approved policy does, and nothing is ever widened to fit.

What can't fit and only reads falls back to AWS's ReadOnlyAccess, and says so: the gateway still
holds every call to the approved policy. What can't fit and does more is refused. AWS also packs the
policy and has a limit for that which can't be computed here; it tells when AssumeRole is called.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from core.iam.actions import DURABLE
from core.iam.document import Document, Patterns, Statement, parse
from core.iam.globs import UNKNOWN_PART, covers
from core.iam.tiers import tier_of_policy
from sandbox.job import Json

MOST_CHARACTERS: Final = 2048
_NOTHING: Final = {
    "Version": "2012-10-17",
    "Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"},
}
"""An empty session policy would be none: the role's whole rights."""


@dataclass(frozen=True, slots=True)
class SessionPolicy:
    """What goes into AssumeRole."""

    text: str
    """The parameter `Policy`, JSON in ASCII; empty when `managed` takes its place."""
    managed: tuple[str, ...] = ()
    """The parameter `PolicyArns`."""
    told: str = ""
    """The sentence to show when AWS holds the session to less than the approved policy says."""


@dataclass(frozen=True, slots=True)
class _Rule:
    """A statement without its name."""

    effect: str
    actions: Patterns
    resources: Patterns
    condition: str
    """As JSON with sorted keys, so that equal ones are equal; empty without a condition."""


def session_policy(policy: Json, partition: str = "aws") -> SessionPolicy:
    """Make the session policy of an approved policy.

    Raises ValueError, with a reason for the operator, when the policy is malformed, or is too long
    and does more than read; MachineUnfit when the action table can't be read.
    """
    document = parse(policy)
    if problem := next(iter(document.all_problems()), ""):
        raise ValueError(f"no session can be made under a malformed policy: {problem}")
    text = _minified(document, policy)
    if len(text) <= MOST_CHARACTERS:
        return SessionPolicy(text)
    tier, _ = tier_of_policy(policy)
    too_long = (
        f"the approved policy has {len(text)} characters at its shortest, and AWS takes "
        f"{MOST_CHARACTERS} for a session"
    )
    if tier >= DURABLE:
        longest = max(document.statements, key=lambda one: len(_compact(_shown(_rule(one)))))
        raise ValueError(
            f"{too_long}; it does more than read, so nothing can take its place: shorten "
            f"{longest.name}, the longest, or split the work into several sessions"
        )
    return SessionPolicy(
        text="",
        managed=(f"arn:{partition}:iam::aws:policy/ReadOnlyAccess",),
        told=f"{too_long}, so AWS itself holds this session to ReadOnlyAccess only; the gateway "
        "holds it to the approved policy",
    )


def _minified(document: Document, policy: Json) -> str:
    rules = [_rule(statement) for statement in document.statements]
    if not any(rule.effect == "Allow" for rule in rules):
        return _compact(_NOTHING)
    statements = [_shown(rule) for rule in _grouped(rules)]
    head = {"Version": policy["Version"]} if "Version" in policy else {}
    return _compact({**head, "Statement": statements if len(statements) > 1 else statements[0]})


def _rule(statement: Statement) -> _Rule:
    condition = _shortened(statement.condition)
    return _Rule(
        effect=statement.effect or "Deny",
        actions=_fewest(statement.actions, actions=True),
        resources=_fewest(statement.resources, actions=False),
        condition=json.dumps(condition, sort_keys=True) if condition else "",
    )


def _shortened(condition: Json) -> dict[str, Any]:
    """A list of one value as that value; the rest stays as it is."""
    return {
        name: {key: _alone(value) for key, value in block.items()}
        if isinstance(block, Mapping)
        else block
        for name, block in condition.items()
    }


def _alone(value: Any) -> Any:
    return value[0] if isinstance(value, list | tuple) and len(value) == 1 else value


def _grouped(rules: Iterable[_Rule]) -> list[_Rule]:
    """Join statements that differ in nothing but actions, or nothing but resources."""
    joined = list(dict.fromkeys(rules))
    size = 0
    while size != len(joined):
        size = len(joined)
        joined = _joined(joined, "actions")
        joined = _joined(joined, "resources")
    return joined


def _joined(rules: list[_Rule], part: Literal["actions", "resources"]) -> list[_Rule]:
    same: dict[tuple[object, ...], list[_Rule]] = {}
    for number, rule in enumerate(rules):
        inverted = rule.actions.inverted if part == "actions" else rule.resources.inverted
        kept = rule.resources if part == "actions" else rule.actions
        # What names exceptions stays alone: two lists of exceptions are not one longer list.
        alone = number if inverted else -1
        same.setdefault((rule.effect, rule.condition, kept, alone), []).append(rule)
    return [_union(group, part) for group in same.values()]


def _union(group: list[_Rule], part: Literal["actions", "resources"]) -> _Rule:
    first = group[0]
    if len(group) == 1:
        return first
    if part == "actions":
        actions = Patterns(tuple(one for rule in group for one in rule.actions.values))
        return replace(first, actions=_fewest(actions, actions=True))
    resources = Patterns(tuple(one for rule in group for one in rule.resources.values))
    return replace(first, resources=_fewest(resources, actions=False))


def _fewest(patterns: Patterns, *, actions: bool) -> Patterns:
    """Leave out the patterns that another one holds, the longest first."""
    spellings = {(one.lower() if actions else one): one for one in patterns.values}
    kept = sorted(spellings, key=len, reverse=True)
    for narrow in tuple(kept):
        if any(wide != narrow and _holds(wide, narrow) for wide in kept):
            kept.remove(narrow)
    return Patterns(tuple(sorted(spellings[one] for one in kept)), patterns.inverted)


def _holds(wide: str, narrow: str) -> bool:
    """Whether `wide` surely matches all that `narrow` does.

    Policy variables are never compared: only AWS knows their values. A `?` is read as a character
    that only a wildcard matches, since no pattern can name it.
    """
    return "${" not in wide + narrow and covers(wide, narrow.replace("*", UNKNOWN_PART))


def _shown(rule: _Rule) -> dict[str, Any]:
    """The statement as JSON, each list of one value as that value."""
    shown: dict[str, Any] = {"Effect": rule.effect}
    for name, patterns in (("Action", rule.actions), ("Resource", rule.resources)):
        key = f"Not{name}" if patterns.inverted else name
        shown[key] = _alone(patterns.values)
    if rule.condition:
        shown["Condition"] = json.loads(rule.condition)
    return shown


def _compact(document: object) -> str:
    return json.dumps(document, separators=(",", ":"))
