"""What one AWS call needs: its action with the ARNs that its parameters name, and what comes along.

The gateway sees one request, AWS checks several permissions for it: `iam:PassRole` for a role that
is handed to a service, `logs:Unmask` for unmasked logs, the source of a copy, tags that are given
at creation. They never appear as calls of their own, so they are derived here; otherwise a policy
without them would pass under the operator's credentials. Not derived: what a service does in its
caller's name with another service (KMS, S3); AWS checks that against the operator's own rights.

A template is `alarm:{AlarmNames}`: text behind `arn:PARTITION:PREFIX:REGION:ACCOUNT:`, unless it is
`*`, starts with "arn:" (then it is whole), or with "{" (then the parameter holds the whole ARN).
`{A|B.C=default}` takes every value of the parameter A and of C in B (in each element, where B is a
list; `@` are the keys of a map), all of which must be allowed; without any it is the default, or
unknown. `{A!reader}` has a reader of `core.iam.names` understand the value. `{?}` is always
unknown. Whatever is not understood is unknown, which only a `*` in the policy covers.
"""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

from core.iam.actions import CHANGE, Action, Asked, find, unlisted
from core.iam.globs import UNKNOWN_PART
from core.iam.names import READERS, Place
from sandbox.job import Json

__all__ = ["Need", "Place", "Spellings", "needs"]

_PLACEHOLDER = re.compile(r"\{([^}]*)\}")
_ROLE_ARN = re.compile(r"arn:[^:]*:iam::\d*:role/.+", re.ASCII)
_OWN_ARN = "arn:{{partition}}:{}:{{region}}:{{account}}:"
_MOST_RESOURCES = 1000
_PARTS_OF_AN_ARN = 6
_VERBS = {
    verb: f"dynamodb:PartiQL{verb.capitalize()}"
    for verb in ("select", "insert", "update", "delete")
}

Spellings = tuple[str, ...]
"""ARNs that mean the same resource; a policy must allow one of them and deny none."""


@dataclass(frozen=True, slots=True)
class Need:
    """An action that must be allowed on every one of its resources (never none)."""

    action: Action
    resources: tuple[Spellings, ...]


@dataclass(frozen=True, slots=True)
class _Hole:
    """One `{...}` of a template."""

    paths: tuple[tuple[str, ...], ...]
    default: str
    reader: str


@dataclass(frozen=True, slots=True)
class _Plan:
    """Templates, taken apart: what there is to fill in, and where."""

    holes: tuple[_Hole, ...]
    templates: tuple[tuple[str, tuple[tuple[int, str], ...]], ...]
    """Of each the text it begins with, then the place of a hole and the text behind it, ..."""


def needs(action: Action, parameters: Json, place: Place) -> tuple[Need, ...]:
    """Return all that a call of `action` needs, its own action first."""
    found = [_need(one, parameters, place) for one in _own(action, parameters)]
    asked = (one for one in action.also if _asks(parameters, one.parameter))
    found += [_need(_along(action, one), parameters, place) for one in asked]
    roles = sorted(set(_roles(action, parameters, place))) if action.tier >= CHANGE else []
    if roles:
        pass_role = find("iam:PassRole") or unlisted("iam:PassRole")
        found.append(Need(pass_role, tuple((role,) for role in roles)))
    return tuple(found)


def _need(action: Action, parameters: Json, place: Place) -> Need:
    """An action on its resources; what names another account is not unknown in this one."""
    found = _resources(action, parameters, place)
    guessed = any(UNKNOWN_PART in one for spellings in found for one in spellings)
    if guessed and any(_is_elsewhere(text, action, place) for text in _texts(parameters)):
        return Need(action, ((UNKNOWN_PART,),))
    return Need(action, found)


def _is_elsewhere(text: str, action: Action, place: Place) -> bool:
    """Whether a text is the ARN of something of the action's service in another account."""
    if not text.startswith("arn:"):
        return False
    parts = text.split(":", _PARTS_OF_AN_ARN - 1)
    service = action.name.partition(":")[0]
    return (
        len(parts) == _PARTS_OF_AN_ARN
        and parts[2] == service
        and parts[4] not in ("", place.account)
    )


def _texts(value: Any) -> Iterator[str]:
    """Every text in parameters, the keys of maps too."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, str):
            yield one
        elif isinstance(one, Mapping):
            waiting += one.keys()
            waiting += one.values()
        elif isinstance(one, list | tuple):
            waiting += one


def _own(action: Action, parameters: Json) -> list[Action]:
    """What the call itself is; several things, where it asks for several at once."""
    if action.special == "partiql":
        return _partiql(action, parameters)
    asked = [one for one in action.instead if _asks(parameters, one.parameter)]
    return [_along(action, one) for one in asked] or [action]


def _along(action: Action, asked: Asked) -> Action:
    """The action that is asked for, on the resources of `action` unless it has its own."""
    return _with(asked.action, asked.on or action.on, action)


@lru_cache(maxsize=1024)
def _with(name: str, on: tuple[str, ...], action: Action) -> Action:
    known = find(name) or unlisted(name)
    arns, lower = action.arns, action.lower
    return replace(known, on=on, arns=arns, lower=lower, beyond=action.beyond)


def _partiql(action: Action, parameters: Json) -> list[Action]:
    """What statements of PartiQL do, by their first word; by another word, it can't be told."""
    paths = (("Statement",), ("Statements", "Statement"), ("TransactStatements", "Statement"))
    words = [_first_word(one) for path in paths for one in _at(parameters, path)]
    if not words or not set(words) <= set(_VERBS):
        return [action]
    return [_with(_VERBS[word], ("{?}",), action) for word in dict.fromkeys(words)]


def _first_word(statement: Any) -> str:
    found = re.match(r"\s*([A-Za-z]+)\s", statement, re.ASCII) if type(statement) is str else None
    return found[1].lower() if found else ""


def _resources(action: Action, parameters: Json, place: Place) -> tuple[Spellings, ...]:
    plan = _plan(action.on, action.name.partition(":")[0], place)
    if not plan.holes:
        return (tuple(text for text, _ in plan.templates),)
    values = [_values(hole, parameters) for hole in plan.holes]
    if any(_asks(parameters, asked) for asked in action.beyond):
        values = [(("", UNKNOWN_PART),)] * len(values)
    if math.prod(map(len, values)) > _MOST_RESOURCES:
        return ((UNKNOWN_PART,),)
    return tuple(
        tuple(_fill(plan, at, chosen, action, place) for at in range(len(plan.templates)))
        for chosen in itertools.product(*values)
    )


@lru_cache(maxsize=2048)
def _plan(templates: tuple[str, ...], prefix: str, place: Place) -> _Plan:
    """Take templates apart, with what is known of the place in them."""
    holes: dict[_Hole, int] = {}
    parts = []
    for template in templates:
        whole = template == "*" or template.startswith(("arn:", "{"))
        text = template if whole else f"{_OWN_ARN.format(prefix)}{template}"
        for name in ("partition", "region", "account"):
            # A region is what the script says; a brace in it must not become a hole.
            known = getattr(place, name).replace("{", UNKNOWN_PART)
            text = text.replace(f"{{{name}}}", known)
        first, *rest = _PLACEHOLDER.split(text)
        pairs = zip(rest[::2], rest[1::2], strict=True)
        filled = tuple(
            (holes.setdefault(_hole(name, place), len(holes)), after) for name, after in pairs
        )
        parts.append((first, filled))
    return _Plan(tuple(holes), tuple(parts))


def _hole(text: str, place: Place) -> _Hole:
    rest, _, reader = text.partition("!")
    names, equals, default = rest.partition("=")
    default = (place.account if default == "account" else default) if equals else UNKNOWN_PART
    return _Hole(tuple(tuple(name.split(".")) for name in names.split("|")), default, reader)


def _values(hole: _Hole, parameters: Json) -> tuple[tuple[str, str], ...]:
    """The values of a hole, each with the parameter that it came from."""
    found = [
        (path[0], value if isinstance(value, str) and value else UNKNOWN_PART)
        for path in hole.paths
        if path[0] in parameters
        for value in _at(parameters, path)
    ]
    # Where parameters are hidden in the code, the one that is not seen may be given all the same.
    absent = UNKNOWN_PART if UNKNOWN_PART in parameters else hole.default
    return tuple(dict.fromkeys(found)) or (("", absent),)


def _at(value: Any, path: tuple[str, ...]) -> Iterator[Any]:
    """What stands at a path: every element of every list on it, nothing where it is absent."""
    each = value if isinstance(value, list | tuple) else (value,)
    if not path:
        yield from each
        return
    step, rest = path[0], path[1:]
    for one in each:
        if not isinstance(one, Mapping):
            yield None
        elif step == "@":
            yield from (found for name in one for found in _at(name, rest))
        elif step in one:
            yield from _at(one[step], rest)


def _asks(parameters: Json, asked: str) -> bool:
    """Whether a call asks for "path", or for "path:word" with the word in a text; "" is always."""
    if not asked:
        return True
    path, word = _asked_path(asked)
    if path[0] not in parameters:
        return False
    for value in _at(parameters, path):
        if value is None or value is False:
            continue
        if not (word and isinstance(value, str)) or word in value.lower():
            return True
    return False


@lru_cache(maxsize=1024)
def _asked_path(asked: str) -> tuple[tuple[str, ...], str]:
    path, _, word = asked.partition(":")
    return tuple(path.split(".")), word


def _fill(
    plan: _Plan, at: int, chosen: Sequence[tuple[str, str]], action: Action, place: Place
) -> str:
    """Put the values in, from left to right, so that each one sees the ARN that precedes it."""
    text, rest = plan.templates[at]
    for hole, after in rest:
        given, value = chosen[hole]
        if given:
            is_arn = value.startswith("arn:")
            value = _value(plan.holes[hole], (given, value), text, action, place)
            if is_arn and value == UNKNOWN_PART:  # of another account, region or type
                return UNKNOWN_PART
        text += value + after
    return text


def _value(hole: _Hole, found: tuple[str, str], before: str, action: Action, place: Place) -> str:
    """A value as it stands in the ARN: understood, cut out of the ARN that it is, or unknown."""
    given, value = found
    is_arn = value.startswith("arn:")
    kind = dict(action.arns).get(given) if is_arn else None
    if kind is not None:
        start = f"{':'.join(before.split(':')[:5])}:{kind}" if kind else before
        value = value.removeprefix(start) if value.startswith(start) else UNKNOWN_PART
    elif hole.reader:
        value = READERS[hole.reader](value, place) if value != UNKNOWN_PART else value
    elif is_arn or not before:
        value = UNKNOWN_PART
    return value.lower() if action.lower else value


def _roles(action: Action, parameters: Json, place: Place) -> Iterator[str]:
    """ARNs of the roles that parameters hand over; of named ones the path is not known."""
    unknown = f"arn:{place.partition}:iam::{place.account}:role/{UNKNOWN_PART}"
    # What IAM itself is told of a role by its name is a change of the role, and hands it to nobody.
    named = not action.name.startswith("iam:")
    waiting: list[tuple[str, Any]] = [("", parameters)]
    while waiting:
        key, value = waiting.pop()
        if key == "IamInstanceProfile":
            yield unknown
        elif isinstance(value, Mapping):
            waiting += [(str(name), inner) for name, inner in value.items()]
        elif isinstance(value, list | tuple):
            waiting += [(key, inner) for inner in value]
        elif isinstance(value, str) and _ROLE_ARN.fullmatch(value):
            yield value
        elif isinstance(value, str) and value and named and _means_a_role(key.lower()):
            yield unknown


def _means_a_role(key: str) -> bool:
    return "role" in key or "instanceprofile" in key
