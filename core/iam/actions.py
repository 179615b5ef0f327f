"""Which IAM action an AWS operation is, on which resources, and how dangerous it is.

The answers come from one generated table (`core.iam.table`), over every service that botocore
knows. It fails closed: an operation that the table does not have is a change on unknown resources,
and a table that can't be read means that nothing may run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from core.iam.table import Rating, load_table
from sandbox.job import Tier

DURABLE: Tier = 3
"""From this tier on the intent must be on disk before a call is sent; below it a call only reads,
and what it reads is no secret."""
CHANGE: Tier = 4
"""The tier of changes, and of whatever the table does not know."""
NEVER: Tier = 5
"""The tier that no approval allows."""

_MEANINGS = (
    "no AWS access",
    "a metadata read",
    "reads content, or is billed",
    "can return secrets or credentials",
    "a change",
    "puts the account itself at risk",
)
_UNLISTED = Rating("Write", CHANGE, "not in the action table, so it counts as a change", False)


@dataclass(frozen=True, slots=True)
class Asked:
    """An action that a call needs when its parameters ask for something."""

    parameter: str
    """A path of the parameters, or "path:word" for a text there with the word; "" is always."""
    action: str
    on: tuple[str, ...]
    """Templates of its resources; empty: those of the call's own action."""


@dataclass(frozen=True, slots=True)
class Action:
    """An IAM action as the table knows it, or as an operation that the table does not know."""

    name: str
    """Such as "logs:FilterLogEvents"."""
    level: str
    tier: Tier
    reason: str
    """Why it has its tier, to be read after "tier 2 (...)"."""
    listed: bool = True
    on: tuple[str, ...] = ("*",)
    """Templates of the resource ARN, see `core.iam.resources`; one of these spellings must do."""
    free: bool = False
    """AWS asks for no permission, and no policy can deny it."""
    arns: tuple[tuple[str, str], ...] = ()
    """Parameters that may hold an ARN where a template asks for a name, each with how the resource
    part of the ARN must begin; empty: with what the template has before the name."""
    along: bool = False
    """Only ever checked along with another action; no operation is called like it."""
    lower: bool = False
    """Names are the same in upper and lower case, and lower in ARNs."""
    also: tuple[Asked, ...] = ()
    """What a call can ask for that needs another action as well."""
    instead: tuple[Asked, ...] = ()
    """What a call can ask for that needs other actions in the place of this one."""
    beyond: tuple[str, ...] = ()
    """What a call can ask for that reaches resources which its parameters do not name."""
    special: str = ""
    """The function of `core.iam.resources` that finds out what a call really is."""

    def always(self) -> tuple[str, ...]:
        """Return the actions that every call needs besides, such as reading what it copies."""
        return tuple(asked.action for asked in self.also if not asked.parameter)


@lru_cache(maxsize=4096)
def lookup(service: str, operation: str) -> Action:
    """Return the action that calling `operation` of botocore's `service` needs.

    Raises MachineUnfit when the table can't be read.
    """
    table = load_table()
    row = table.row(service, operation)
    own = f"{table.prefix(service)}:{operation}"
    if row is None:
        return unlisted(own)
    name, rating = _look(row.get("action", own))
    rules = table.services[service]
    return Action(
        name=name,
        level=rating.level,
        tier=rating.tier,
        reason=meaning(rating),
        listed=rating is not _UNLISTED,
        on=tuple(row["on"]),
        free=row.get("free") is True,
        arns=tuple(rules.get("arns", {}).items()),
        along=rating.along,
        lower=rules.get("lower") is True,
        also=_asked(row.get("also", ())),
        instead=_asked(row.get("instead", ())),
        beyond=tuple(row.get("beyond", ())),
        special=row.get("special", ""),
    )


@lru_cache(maxsize=4096)
def find(name: str) -> Action | None:
    """Return what the table knows of an IAM action, in any case. Raises MachineUnfit."""
    own, rating = _look(name)
    if rating is _UNLISTED:
        return None
    reason = meaning(rating)
    return Action(own, rating.level, rating.tier, reason, on=("{?}",), along=rating.along)


def meaning(rating: Rating) -> str:
    """Return why an action has its tier."""
    return rating.why or _MEANINGS[rating.tier]


def unlisted(name: str) -> Action:
    """Return an action that the table does not know: a change, on who knows what."""
    own = _UNLISTED
    return Action(name, own.level, own.tier, own.why, listed=False, on=("{?}",))


def rated(prefix: str) -> Iterator[tuple[str, Rating]]:
    """All actions of an IAM prefix, each with its rating. Raises MachineUnfit."""
    for name, rating in _in_any_case(prefix.lower()).values():
        yield f"{prefix.lower()}:{name}", rating


def names(prefix: str | None = None) -> Iterator[str]:
    """All IAM actions that the table knows, or those of one prefix. Raises MachineUnfit."""
    actions = load_table().actions
    for one in actions if prefix is None else [prefix.lower()]:
        yield from (name for name, _ in rated(one))


def prefixes() -> Iterable[str]:
    """All IAM prefixes that the table knows, in lower case. Raises MachineUnfit."""
    return load_table().actions.keys()


@lru_cache(maxsize=1)
def needless() -> frozenset[str]:
    """Actions that AWS asks no permission for, in lower case. Raises MachineUnfit."""
    table = load_table()
    return frozenset(
        f"{table.prefix(service)}:{operation}".lower()
        for service, rules in table.services.items()
        for row in rules["rows"]
        if row.get("free") is True
        for operation in row["operations"].split(" ")
    )


def operations() -> Iterator[tuple[str, str]]:
    """All operations that the table knows, by botocore's names. Raises MachineUnfit."""
    for service, rules in load_table().services.items():
        for row in rules["rows"]:
            yield from ((service, operation) for operation in row["operations"].split(" "))


def _look(name: str) -> tuple[str, Rating]:
    """An action as AWS writes it, with its rating."""
    prefix, _, action = name.partition(":")
    known = _in_any_case(prefix.lower()).get(action.lower())
    if known is None:
        return name, _UNLISTED
    return f"{prefix.lower()}:{known[0]}", known[1]


@lru_cache(maxsize=64)
def _in_any_case(prefix: str) -> Mapping[str, tuple[str, Rating]]:
    rated = load_table().rated(prefix)
    return {name.lower(): (name, rating) for name, rating in rated.items()}


def _asked(rows: Iterable[Any]) -> tuple[Asked, ...]:
    return tuple(Asked(parameter, action, tuple(on)) for parameter, action, on in rows)
