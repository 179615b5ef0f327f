"""What botocore knows of an operation besides its shapes: how it is paged, and waited for.

A waiter says which state a script waits for. An answer that holds that state ends the waiting.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

_NAMES = re.compile(r"[A-Za-z0-9_]+")
_TESTED = ("path", "pathAll", "pathAny")


@dataclass(frozen=True, slots=True)
class Habits:
    """Nothing, for an operation that is neither paged nor waited for."""

    takes: tuple[str, ...] = ()
    """Parameters that ask for a later page."""
    gives: frozenset[str] = frozenset()
    """Members of the answer that say where the next page begins."""
    waited_for: dict[str, list[str]] = field(default_factory=dict)
    """By the name of a member: the values that somebody may wait for."""


@lru_cache(maxsize=64)
def habits_of(service: str, operation: str) -> Habits:
    """Return what is known of an operation."""
    paged = _loaded(service, "paginators-1").get("pagination", {}).get(operation, {})
    given = [part for text in _each(paged.get("output_token")) for part in _last_names(text)]
    return Habits(
        _each(paged.get("input_token")), frozenset(given), _waited_for(service, operation)
    )


def _waited_for(service: str, operation: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    waiters = _loaded(service, "waiters-2").get("waiters", {}).values()
    for waiter in (each for each in waiters if each["operation"] == operation):
        for acceptor in waiter["acceptors"]:
            if _names_state(acceptor):
                name = _NAMES.findall(acceptor["argument"])[-1]
                found.setdefault(name, []).append(acceptor["expected"])
    return found


def _names_state(acceptor: dict[str, Any]) -> bool:
    """Tell whether a waiter is content with a state, and not with whether there are any at all."""
    tested = acceptor["state"] == "success" and acceptor["matcher"] in _TESTED
    return tested and isinstance(acceptor["expected"], str)


def _each(value: str | list[str] | None) -> tuple[str, ...]:
    return () if value is None else (value,) if isinstance(value, str) else tuple(value)


def _last_names(expression: str) -> list[str]:
    """Return the member that each alternative of a path ends in, but for those inside a list."""
    paths = (part.strip() for part in expression.split("||"))
    return [path.rpartition(".")[2] for path in paths if "[" not in path]


def _loaded(service: str, kind: str) -> dict[str, Any]:
    from botocore.exceptions import UnknownServiceError

    from sandbox.gateway.models import read_file

    try:
        loaded: dict[str, Any] = read_file(service, kind)
    except UnknownServiceError:
        return {}  # most services have no waiters
    return loaded
