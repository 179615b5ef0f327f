"""Conditions of a statement: does it hold, does it not, or can nobody tell here?

The third answer is what makes a local judgement safe: an Allow needs a certain yes, a Deny is kept
off only by a certain no. "Can't tell" is the answer for a key whose value is `UNKNOWN`, for an
operator this module does not know, for a value of the wrong type, for a policy variable without a
known value, for several values under a key without `ForAllValues` or `ForAnyValue`, and for empty
texts under one of these two, which AWS may take for no value at all.

Known operators: String..., Numeric..., Date..., Bool, BinaryEquals, IpAddress, Arn..., Null, each
with `IfExists` where AWS has it. A key that is not in the context, or is None there, is absent in
AWS's sense; so is one whose values are an empty list.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import operator
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from enum import Enum
from typing import Any, Final

from core.iam.globs import SIGNS, UNKNOWN_PART, literal, plain_match, touches
from core.iam.variables import expand


class _Unknown(Enum):
    UNKNOWN = "unknown"


UNKNOWN: Final = _Unknown.UNKNOWN
"""A condition value that exists in AWS and can't be known here."""
OTHER_KEYS: Final = "*"
"""Pass `{OTHER_KEYS: UNKNOWN}` in a context to say that every key it does not name is unknown."""

_Answer = bool | None
_Compare = Callable[[str, str], _Answer]
"""Takes the policy's value, its variables put in, and the request's; raises _Incomparable."""

_NUMBER = re.compile(r"[+-]?\d{1,40}(\.\d{1,40})?", re.ASCII)
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:\d\d))?", re.ASCII)
_LENGTHS_OF_DATES = (4, 6, 8)
"""Digits of 2026, 202611 and 20261121, which could be meant as dates and not as seconds."""
_ARN_PARTS = 6
_MANY = (list, tuple, set, frozenset)


class _Incomparable(ValueError):
    """A value that the operator can't read."""


@dataclass(frozen=True, slots=True)
class _Operator:
    compare: _Compare
    negated: bool = False
    variables: bool = False
    """Whether AWS puts in policy variables for it."""


def lowered(context: Mapping[str, Any]) -> dict[str, Any]:
    """Return `context` by keys in lower case, as `holds` takes it; what clashes becomes unknown."""
    known = {key.lower(): value for key, value in context.items()}
    if len(known) < len(context):
        spellings = Counter(key.lower() for key in context)
        known |= {key: UNKNOWN for key, number in spellings.items() if number > 1}
    return known


def holds(
    condition: Mapping[str, Any], context: Mapping[str, Any], *, variables: bool = True
) -> tuple[_Answer, str]:
    """Whether every part of `condition` holds (None: nobody can tell), and the part that decided.

    A certain no outweighs what can't be told. `context` maps condition keys, `lowered`, to a text,
    a number, a boolean, a list of them, or UNKNOWN. Without `variables` a `${...}` is plain text.
    """
    doubt = ""
    for name, block in condition.items():
        if not isinstance(block, Mapping) or not block:
            doubt = doubt or name
            continue
        for key, wanted in block.items():
            answer = _part_holds(name, key, _texts(wanted), context, variables=variables)
            if answer is False:
                return False, f"{name} {key}"
            if answer is None:
                doubt = doubt or f"{name} {key}"
    return (None, doubt) if doubt else (True, "")


def _part_holds(
    name: str,
    key: str,
    wanted: tuple[str, ...] | None,
    context: Mapping[str, Any],
    *,
    variables: bool,
) -> _Answer:
    actual = context.get(key.lower(), context.get(OTHER_KEYS))
    if not wanted or actual is UNKNOWN:
        return None
    absent = actual is None or (isinstance(actual, _MANY) and not actual)
    if name == "Null":
        return _null_holds(wanted, actual, absent=absent)
    scope, _, rest = name.rpartition(":")
    base = rest.removesuffix("IfExists")
    found = _OPERATORS.get(base)
    if found is None or scope not in ("", "ForAllValues", "ForAnyValue"):
        return None
    if absent:
        if base != rest or scope == "ForAllValues":
            return True
        return found.negated and not scope
    values = _texts(actual)
    if values is None or ("" in values if scope else len(values) != 1):
        return None
    if variables and found.variables:
        wanted = tuple(expand(text, context) for text in wanted)
    try:
        each = [_matches(found, wanted, value) for value in values]
    except _Incomparable:
        return None
    return _all(each) if scope == "ForAllValues" else _any(each)


def _matches(found: _Operator, wanted: tuple[str, ...], value: str) -> _Answer:
    """Whether one value is one of the `wanted`, or none of them under a negated operator."""
    # All are compared: a value that can't be read must never hide behind one that matches.
    answer = _any([found.compare(text, value) for text in wanted])
    return answer if answer is None else answer is not found.negated


def _any(answers: list[_Answer]) -> _Answer:
    return True if True in answers else None if None in answers else False


def _all(answers: list[_Answer]) -> _Answer:
    return False if False in answers else None if None in answers else True


def _null_holds(wanted: tuple[str, ...], actual: Any, *, absent: bool) -> _Answer:
    if len(wanted) != 1 or wanted[0].lower() not in ("true", "false") or actual == "":
        return None
    return absent is (wanted[0].lower() == "true")


def _texts(value: Any) -> tuple[str, ...] | None:
    """The values as texts; None where one is of no type that JSON policies hold."""
    items = value if isinstance(value, _MANY) else (value,)
    texts = []
    for item in items:
        if isinstance(item, bool):
            texts.append("true" if item else "false")
        elif isinstance(item, int | float | str) and SIGNS.isdisjoint(str(item)):
            texts.append(str(item))
        else:
            return None
    return tuple(texts)


# ------------------------------------------------------------------ comparisons
def _numeric(test: Callable[[Any, Any], Any]) -> _Compare:
    return lambda wanted, actual: bool(test(_number(actual), _number(wanted)))


def _date(test: Callable[[Any, Any], Any]) -> _Compare:
    return lambda wanted, actual: bool(test(_moment(actual), _moment(wanted)))


def _number(text: str) -> Decimal:
    if not _NUMBER.fullmatch(text):
        raise _Incomparable(text)
    return Decimal(text)


def _moment(text: str) -> datetime:
    """Seconds since 1970, or a date as W3C writes them: with a zone, if it has a time."""
    try:
        if _NUMBER.fullmatch(text) and len(text) not in _LENGTHS_OF_DATES:
            return datetime.fromtimestamp(float(text), UTC)
        moment = datetime.fromisoformat(text if _MOMENT.fullmatch(text) else "")
    except (ValueError, OverflowError, OSError) as error:
        raise _Incomparable(text) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _truth(wanted: str, actual: str) -> bool:
    known = ("true", "false")
    if wanted.lower() not in known or actual.lower() not in known:
        raise _Incomparable(wanted)
    return wanted.lower() == actual.lower()


def _binary(wanted: str, actual: str) -> bool:
    try:
        return base64.b64decode(wanted, validate=True) == base64.b64decode(actual, validate=True)
    except (binascii.Error, ValueError) as error:
        raise _Incomparable(wanted) from error


def _address(wanted: str, actual: str) -> bool:
    if "/" in wanted and not wanted.rpartition("/")[2].isdecimal():
        raise _Incomparable(wanted)
    try:
        return ipaddress.ip_address(actual) in ipaddress.ip_network(wanted, strict=False)
    except ValueError as error:
        raise _Incomparable(wanted) from error


def _arn(wanted: str, actual: str) -> _Answer:
    """Each of the six parts is matched by itself; ArnEquals and ArnLike are the same."""
    patterns, parts = wanted.split(":", _ARN_PARTS - 1), actual.split(":", _ARN_PARTS - 1)
    if UNKNOWN_PART in wanted:
        return _like(wanted, actual)
    if len(patterns) != _ARN_PARTS or len(parts) != _ARN_PARTS:
        raise _Incomparable(wanted)
    return all(plain_match(pattern, part) for pattern, part in zip(patterns, parts, strict=True))


def _like(wanted: str, actual: str) -> _Answer:
    if UNKNOWN_PART in wanted:
        return None if touches(wanted, actual) else False
    return plain_match(wanted, actual)


def _same(wanted: str, actual: str) -> _Answer:
    return _like(literal(wanted), actual)


def _same_but_case(wanted: str, actual: str) -> _Answer:
    letters = "".join(one for one in wanted + actual if one not in SIGNS)
    if not letters.isascii() and wanted != actual:
        raise _Incomparable(wanted)
    return _same(wanted.lower(), actual.lower())


def _text(compare: _Compare, *, negated: bool = False) -> _Operator:
    return _Operator(compare, negated, variables=True)


_OPERATORS: Final[Mapping[str, _Operator]] = {
    "StringEquals": _text(_same),
    "StringNotEquals": _text(_same, negated=True),
    "StringEqualsIgnoreCase": _text(_same_but_case),
    "StringNotEqualsIgnoreCase": _text(_same_but_case, negated=True),
    "StringLike": _text(_like),
    "StringNotLike": _text(_like, negated=True),
    "NumericEquals": _Operator(_numeric(operator.eq)),
    "NumericNotEquals": _Operator(_numeric(operator.eq), negated=True),
    "NumericLessThan": _Operator(_numeric(operator.lt)),
    "NumericLessThanEquals": _Operator(_numeric(operator.le)),
    "NumericGreaterThan": _Operator(_numeric(operator.gt)),
    "NumericGreaterThanEquals": _Operator(_numeric(operator.ge)),
    "DateEquals": _Operator(_date(operator.eq)),
    "DateNotEquals": _Operator(_date(operator.eq), negated=True),
    "DateLessThan": _Operator(_date(operator.lt)),
    "DateLessThanEquals": _Operator(_date(operator.le)),
    "DateGreaterThan": _Operator(_date(operator.gt)),
    "DateGreaterThanEquals": _Operator(_date(operator.ge)),
    "Bool": _Operator(_truth),
    "BinaryEquals": _Operator(_binary),
    "IpAddress": _Operator(_address),
    "NotIpAddress": _Operator(_address, negated=True),
    "ArnEquals": _text(_arn),
    "ArnLike": _text(_arn),
    "ArnNotEquals": _text(_arn, negated=True),
    "ArnNotLike": _text(_arn, negated=True),
}
