"""Do the arguments of a call fit the operation? Names, required ones, types and enum values.

Follows botocore's own validator, which refuses a call before it is sent; enum values are judged by
AWS, which may know newer ones, so another one is a warning. Of what can be several things, only
what is wrong in every case is told.
"""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from core.checks import models
from core.checks.finding import Severity
from core.checks.literals import Entries, Known, Listing, Literal, Literals, Typed
from core.iam.globs import UNKNOWN_PART

_TAKES: Mapping[str, frozenset[str]] = {
    "string": frozenset({"string"}),
    "list": frozenset({"list"}),
    "structure": frozenset({"structure"}),
    "map": frozenset({"structure"}),
    "integer": frozenset({"integer", "boolean"}),
    "long": frozenset({"integer", "boolean"}),
    "boolean": frozenset({"boolean"}),
    "float": frozenset({"float", "integer", "boolean"}),
    "double": frozenset({"float", "integer", "boolean"}),
    "blob": frozenset({"string", "blob"}),
    "timestamp": frozenset({"string", "integer", "float", "timestamp"}),
}
"""Types of AWS's models, and which of Python's botocore takes for them."""
_OF_PYTHON = {
    str: "string",
    bool: "boolean",
    int: "integer",
    float: "float",
    bytes: "blob",
    type(None): "None",
}
_SHOWN = {"structure": "dictionary", "map": "dictionary", "blob": "bytes"}
_MORE: Mapping[tuple[str, str], frozenset[str]] = {
    ("rds", "CopyDBSnapshot"): frozenset({"SourceRegion"}),
    ("rds", "CopyDBClusterSnapshot"): frozenset({"SourceRegion"}),
    ("rds", "CreateDBCluster"): frozenset({"SourceRegion"}),
    ("rds", "CreateDBInstanceReadReplica"): frozenset({"SourceRegion"}),
}
"""Parameters that botocore adds by hand."""
_ANYTHING = {("s3", "CopySource"), ("dynamodb", "AttributeValue")}
"""Shapes of which botocore or boto3 take more than the model says."""
_OF_A_SOURCE = ("Bucket", "Key", "VersionId")
_FILLED = {("glacier", "accountId")}
"""Required parameters that botocore fills in itself."""


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with an argument."""

    rule: str
    severity: Severity
    message: str
    near: str = ""
    """The name or value that was probably meant."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """The parameters that a call takes."""

    service: str
    operation: str
    extra: frozenset[str] = frozenset()
    """Parameters beside those of the operation, such as PaginationConfig."""
    given: frozenset[str] | None = frozenset()
    """Parameters that are filled in without being passed; None: all of them."""


def check(wanted: Wanted, found: Entries, put: Collection[str]) -> Iterator[Problem]:
    """Compare the arguments of a call with what the operation takes.

    `put` are the keys that the script puts into dictionaries somewhere: they may be missing here.
    """
    shape = models.input_of(wanted.service, wanted.operation)
    extra = wanted.extra | _MORE.get((wanted.service, wanted.operation), frozenset())
    own = {name: one for name, one in found.entries.items() if name not in extra}
    given = Entries(own, found.open or wanted.given is None)
    filled = (wanted.given or frozenset()) | set(put)
    yield from _members(wanted, models.shape(wanted.service, shape), given, filled, "")


def nearest(name: str, known: Collection[str]) -> str:
    """Return the known name that was probably meant; empty when there is none."""
    return next(iter(difflib.get_close_matches(name, sorted(known), n=1)), "")


def _members(
    wanted: Wanted, shape: models.Shape, found: Entries, put: Collection[str], at: str
) -> Iterator[Problem]:
    members = shape.get("members", {})
    where = f"{at} of {wanted.operation}" if at else wanted.operation
    for name, literals in found.entries.items():
        if name not in members:
            near = next(iter(difflib.get_close_matches(name, members, n=1)), "")
            message = f"{where} has no parameter {name!r}"
            yield Problem("unknown-parameter", "blocker", message, near)
            continue
        inner = f"{at}.{name}" if at else name
        yield from _judge(wanted, members[name], literals, put, inner)
    for name in shape.get("required", ()):
        filled = members[name].get("idempotencyToken") or (wanted.service, name) in _FILLED
        if not (name in found.entries or name in put or found.open or filled):
            message = f"{where} needs the parameter {name!r}"
            yield Problem("missing-parameter", "blocker", message, name)


def _judge(
    wanted: Wanted, member: Mapping[str, object], literals: Literals, put: Collection[str], at: str
) -> list[Problem]:
    """What is wrong with all that an argument can be; nothing, where any of it is right."""
    real = [one for one in literals if one != Known(None)] or literals
    each = [list(_problems(wanted, member, one, put, at)) for one in real]
    return each[0] if each and all(each) else []


def _problems(
    wanted: Wanted, member: Mapping[str, object], found: Literal, put: Collection[str], at: str
) -> Iterator[Problem]:
    name = str(member["shape"])
    shape = models.shape(wanted.service, name)
    kind = _kind(found)
    free = member.get("jsonvalue") or shape.get("jsonvalue") or shape.get("document")
    if not kind or free or (wanted.service, name) in _ANYTHING:
        if name == "CopySource" and isinstance(found, Entries):
            yield from _copy_source(wanted, found, at)
        return
    if kind not in _TAKES.get(shape["type"], {kind}):
        meant = _SHOWN.get(shape["type"], str(shape["type"]))
        got = _SHOWN.get(kind, kind)
        message = f"{at} of {wanted.operation} is {_a(meant)}, and gets {_a(got)}"
        yield Problem("wrong-type", "blocker", message, _a(meant))
    else:
        yield from _inner(wanted, shape, found, put, at)


def _inner(
    wanted: Wanted, shape: models.Shape, found: Literal, put: Collection[str], at: str
) -> Iterator[Problem]:
    """The problems of a value of the right type, and of what lies in it."""
    if isinstance(found, Known):
        yield from _value(wanted, shape, found.value, at)
    elif isinstance(found, Listing) and "member" in shape:
        if not found.open:
            yield from _size(wanted, shape, len(found.items), at, " long")
        for item in found.items:
            yield from _judge(wanted, shape["member"], item, put, f"{at}[]")
    elif isinstance(found, Entries) and shape["type"] == "structure":
        yield from _members(wanted, shape, found, put, at)
    elif isinstance(found, Entries) and "value" in shape:
        for key, item in found.entries.items():
            yield from _judge(wanted, shape["value"], item, put, f"{at}.{key}")


def _a(kind: str) -> str:
    return kind if kind == "None" else f"an {kind}" if kind[0] in "aeiou" else f"a {kind}"


def _copy_source(wanted: Wanted, found: Entries, at: str) -> Iterator[Problem]:
    """boto3 takes a dictionary where the model says text."""
    for name in found.entries:
        if name not in _OF_A_SOURCE:
            near = next(iter(difflib.get_close_matches(name, _OF_A_SOURCE, n=1)), "")
            message = f"{at} of {wanted.operation} has no parameter {name!r}"
            yield Problem("unknown-parameter", "blocker", message, near)


def _value(wanted: Wanted, shape: models.Shape, value: object, at: str) -> Iterator[Problem]:
    values = shape.get("enum")
    if values and isinstance(value, str) and UNKNOWN_PART not in value and value not in values:
        exact = {one.lower(): one for one in values}
        close = difflib.get_close_matches(value.lower(), exact, n=1)
        near = exact[close[0]] if close else ""
        message = f"{at} of {wanted.operation} is not known to take {value!r:.60}"
        yield Problem("unknown-value", "warning", message, near)
    if type(value) is int:
        yield from _size(wanted, shape, value, at, "")
    elif isinstance(value, str) and UNKNOWN_PART not in value:
        yield from _size(wanted, shape, len(value), at, " long")


def _size(wanted: Wanted, shape: models.Shape, size: int, at: str, how: str) -> Iterator[Problem]:
    least = shape.get("min")
    if least is not None and size < least:
        message = f"{at} of {wanted.operation} is at least {least}{how}, not {size}"
        yield Problem("wrong-value", "blocker", message, f"{least} or more")


def _kind(found: Literal) -> str:
    if isinstance(found, Known):
        return _OF_PYTHON.get(type(found.value), "")
    if isinstance(found, Typed):
        return found.kind
    return "list" if isinstance(found, Listing) else "structure"
