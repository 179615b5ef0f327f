"""A policy document as statements, with everything that is wrong in them.

Parsing never raises and never guesses: what AWS would refuse to store is a problem of its
statement (or of the whole document), and whoever evaluates decides what a problem means. Only
identity policies are meant, so `Principal` is a problem. The empty document, with or without
`Version`, is the empty policy: it allows nothing and nothing is wrong with it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from core.canonical import canonical
from core.errors import NotCanonical
from core.iam.globs import SIGNS

VERSIONS = ("2012-10-17", "2008-10-17")
MOST_STATEMENTS = 200
MOST_BYTES = 64 * 1024
"""Of canonical JSON. AWS stores far less in one policy, and nobody can read more before a yes."""
_DOCUMENT_KEYS = {"Version", "Id", "Statement"}
_STATEMENT_KEYS = {
    "Sid",
    "Effect",
    "Action",
    "NotAction",
    "Resource",
    "NotResource",
    "Condition",
}
_ACTION = re.compile(r"[A-Za-z0-9_*?-]+:[A-Za-z0-9_*?-]+")
"""A service prefix, one colon and a name; only ASCII, so that ignoring case is safe."""
_ARN_SEGMENTS = 6
_LEAST_SEGMENTS = 3
"""Of an ARN that is cut short: AWS wants to know at least the service."""


@dataclass(frozen=True, slots=True)
class Patterns:
    """The patterns of Action or Resource; `inverted` says that it was NotAction or NotResource."""

    values: tuple[str, ...] = ()
    inverted: bool = False


@dataclass(frozen=True, slots=True)
class Statement:
    """One statement; the other fields mean nothing where `problems` is not empty."""

    name: str
    """How messages call it: `statement 2 ("ReadLogs")`."""
    effect: Literal["Allow", "Deny"] | None
    """None when it can't be told."""
    actions: Patterns
    resources: Patterns
    condition: Mapping[str, Any]
    problems: tuple[str, ...] = ()
    variables: bool = True
    """Whether policy variables may be in it; in the old version `${...}` is plain text."""


@dataclass(frozen=True, slots=True)
class Near:
    """The statements that are about one action."""

    allows: tuple[Statement, ...]
    denials: tuple[Statement, ...]
    """All that are no Allow: what can't be told may be a Deny."""


@dataclass(frozen=True, slots=True)
class Document:
    """A parsed policy; `problems` are of the document itself, not of its statements."""

    statements: tuple[Statement, ...] = ()
    problems: tuple[str, ...] = ()
    near: dict[str, Near] = field(default_factory=dict, compare=False, repr=False)
    """What `evaluate` has found out: which statements are about an action, by its name."""

    def all_problems(self) -> tuple[str, ...]:
        """Every problem, each a sentence that names its statement."""
        inner = (f"{one.name}: {problem}" for one in self.statements for problem in one.problems)
        return (*self.problems, *inner)


def parse(policy: object) -> Document:
    """Parse a policy document that came out of JSON."""
    if not isinstance(policy, Mapping):
        return Document(problems=("the policy is not a JSON object",))
    problems = [
        f"{key!r:.80} does not belong into a policy" for key in policy if key not in _DOCUMENT_KEYS
    ]
    if policy.get("Version", VERSIONS[0]) not in VERSIONS:
        problems.append(f"Version must be {VERSIONS[0]!r}")
    found = policy.get("Statement", [])
    if isinstance(found, Mapping):
        found = [found]
    if not isinstance(found, list | tuple):
        return Document(problems=(*problems, "Statement must be a list of objects"))
    if len(found) > MOST_STATEMENTS:
        return Document(
            problems=(f"the policy has {len(found)} statements, more than {MOST_STATEMENTS}",)
        )
    if _size(policy) > MOST_BYTES:
        return Document(problems=(f"the policy is larger than {MOST_BYTES // 1024} KiB",))
    # AWS takes a document without a version for one of the old version.
    variables = policy.get("Version") == VERSIONS[0]
    statements = tuple(
        _statement(number, item, variables=variables) for number, item in enumerate(found, 1)
    )
    return Document(statements, tuple(problems))


def _size(policy: Mapping[Any, Any]) -> int:
    """Return bytes of canonical JSON; 0 where there is none, and so no digest to approve."""
    try:
        return len(canonical(policy))
    except NotCanonical:
        return 0


def _statement(number: int, item: object, *, variables: bool) -> Statement:
    name = f"statement {number}"
    if not isinstance(item, Mapping):
        problem = ("it is not a JSON object",)
        return Statement(name, None, Patterns(), Patterns(), {}, problem)
    sid, condition = item.get("Sid"), item.get("Condition", {})
    resources = _padded(_patterns(item, "Resource"))
    if isinstance(sid, str) and sid.isascii() and sid.isalnum():
        name = f'{name} ("{sid}")'
    return Statement(
        name=name,
        effect=item["Effect"] if item.get("Effect") in ("Allow", "Deny") else None,
        actions=_patterns(item, "Action"),
        resources=resources,
        condition=condition if isinstance(condition, Mapping) else {},
        problems=tuple(_problems(item)),
        variables=variables and (bool(condition) or any("${" in one for one in resources.values)),
    )


def _problems(item: Mapping[Any, Any]) -> Iterator[str]:
    for key in item:
        if key not in _STATEMENT_KEYS:
            yield f"{key!r:.80} does not belong into a statement"
    if item.get("Effect") not in ("Allow", "Deny"):
        yield "Effect must be 'Allow' or 'Deny'"
    if not isinstance(item.get("Sid", ""), str):
        yield "Sid must be a text"
    if not isinstance(item.get("Condition", {}), Mapping):
        yield "Condition must be an object"
    for key in ("Action", "Resource"):
        yield from _pattern_problems(item, key)


def _pattern_problems(item: Mapping[Any, Any], key: str) -> Iterator[str]:
    present = [name for name in (key, f"Not{key}") if name in item]
    if len(present) != 1:
        yield f"it needs exactly one of {key} and Not{key}"
        return
    values = _values(item[present[0]])
    well_formed = _is_action if key == "Action" else _is_resource
    if not values:
        yield f"{present[0]} must be a text or a list of texts, and not empty"
    for value in values:
        if not (isinstance(value, str) and well_formed(value)):
            yield f"{value!r:.80} is not {'an action' if key == 'Action' else 'an ARN or *'}"


def _patterns(item: Mapping[Any, Any], key: str) -> Patterns:
    inverted = key not in item
    values = _values(item.get(f"Not{key}" if inverted else key))
    return Patterns(tuple(value for value in values if isinstance(value, str)), inverted)


def _values(value: object) -> tuple[object, ...]:
    if isinstance(value, list | tuple):
        return tuple(value)
    return () if value is None else (value,)


def _padded(patterns: Patterns) -> Patterns:
    """Give every ARN its six segments: AWS adds `*` for what is missing at the end."""
    return Patterns(tuple(_whole(value) for value in patterns.values), patterns.inverted)


def _whole(pattern: str) -> str:
    missing = _ARN_SEGMENTS - len(pattern.split(":"))
    return pattern if pattern == "*" else pattern + ":*" * missing


def _is_action(pattern: str) -> bool:
    return pattern == "*" or _ACTION.fullmatch(pattern) is not None


def _is_resource(pattern: str) -> bool:
    enough = len(pattern.split(":")) >= _LEAST_SEGMENTS or pattern.endswith("*")
    return pattern == "*" or (pattern.startswith("arn:") and enough and SIGNS.isdisjoint(pattern))
