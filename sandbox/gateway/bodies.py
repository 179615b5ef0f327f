"""Reads a body into fields, or refuses it: the first half of recovering parameters.

Strict, since whatever a lenient reader would skip could be what another reader acts on: a name that
is there twice, bytes after the end, a form that is not byte for byte what botocore would write for
the same fields. Measured over all of botocore's operations, no genuine request is refused for it.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import Any
from urllib.parse import parse_qsl, urlencode

from sandbox.errors import Unidentified

FORM = "application/x-www-form-urlencoded; charset=utf-8"
"""Content type of the query and ec2 protocols."""

_MOST_FIELDS = 4096
MOST_VALUES = 250_000
"""In one body: each takes a hundred times the bytes in memory that it has on the wire."""
_TEXT = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*(?:"|\Z)', re.DOTALL)


def read_form(body: bytes) -> dict[str, str]:
    """Return the fields of a form body; raises Unidentified unless each is there exactly once."""
    try:
        text = body.decode("ascii")
    except ValueError as error:
        raise Unidentified(f"the form can't be read: {error}") from error
    pairs = read_pairs(text, strict_parsing=True, errors="strict")
    if urlencode(pairs) != text:
        raise Unidentified("the form is not written the way botocore writes forms")
    return _once("the form", pairs)


def read_pairs(text: str, **how: Any) -> list[tuple[str, str]]:
    """Return the fields of a form or a query string; raises Unidentified."""
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS, **how)
    except ValueError as error:
        raise Unidentified(f"the form can't be read: {error}") from error


def read_json(body: bytes) -> dict[str, Any]:
    """Return the object that a JSON body is; raises Unidentified for anything else."""
    _check_values(body)
    try:
        document = json.loads(
            body.decode("utf-8"), object_pairs_hook=_object, parse_constant=_no_constant
        )
    except RecursionError as error:
        raise Unidentified("the JSON is nested too deep") from error
    except ValueError as error:
        raise Unidentified(f"the JSON can't be read: {error}") from error
    if not isinstance(document, dict):
        raise Unidentified("the JSON is not an object")
    return document


def _check_values(body: bytes) -> None:
    if _values(body) > MOST_VALUES and _values(_TEXT.sub(b"", body)) > MOST_VALUES:
        raise Unidentified(f"the JSON holds more than {MOST_VALUES} values")


def _values(body: bytes) -> int:
    return sum(map(body.count, (b",", b"[", b"{")))


def same_json(body: bytes, other: bytes) -> bool:
    """Tell whether two bodies are the same JSON, written in two ways (spaces, escapes, order)."""
    try:
        return bool(read_any_json(body) == read_any_json(other))
    except Unidentified:
        return False


def read_any_json(body: bytes) -> Any:
    """Return what a JSON body is, an object or not; raises Unidentified when it can't be read."""
    # Duplicate names, at whatever depth, are found by the reader of objects.
    document = read_json(b'{"": ' + body + b"}")
    if len(document) != 1:
        raise Unidentified("the JSON goes on after its end")
    return document[""]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return _once("an object of the JSON", pairs)


def _once(where: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise Unidentified(f"{where} names {twice!r} more than once")
    return members


def _no_constant(name: str) -> Any:
    raise Unidentified(f"the JSON holds {name}, which is no JSON")
