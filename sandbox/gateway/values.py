"""Reads single values as botocore writes them: in a form everything is text, in JSON it has a type.

A value that botocore would have written another way (`01`, `TRUE`, base64 with stray bits) is
refused, and so are NaN and the infinities: no AWS call means anything by them.
"""

from __future__ import annotations

import base64
import binascii
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sandbox.errors import Unidentified

if TYPE_CHECKING:
    from botocore.model import Shape

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,39}", re.ASCII)
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?(e[+-]?[0-9]+)?", re.ASCII)
_ISO_8601 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3}|\.\d{6})?Z", re.ASCII)

Reader = Callable[[Any, str], Any]


def read_value(value: Any, shape: Shape, path: str, readers: Mapping[str, Reader]) -> Any:
    """Return a value that is neither structure, list nor map, by one of the tables below.

    `path` is where it stands, for the reason of the refusal (Unidentified).
    """
    kind = shape.type_name
    if kind == "timestamp":
        kind = str(shape.serialization.get("timestampFormat", kind)).lower()
    if kind not in readers:
        raise Unidentified(f"{path!r} is a {kind}, which is not supported yet")
    return readers[kind](value, path)


def expect(value: Any, kind: type, path: str) -> Any:
    """Return `value` when it is exactly of `kind` (True is no int here), or raise Unidentified."""
    if type(value) is not kind:
        raise Unidentified(f"{path!r} is not a {kind.__name__}")
    return value


def read_text(value: Any, path: str) -> str:
    """Return a text that can be written as UTF-8."""
    text: str = expect(value, str, path)
    if not text.isascii() and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise Unidentified(f"{path!r} holds half a surrogate pair")
    return text


def _integer(value: Any, path: str) -> int:
    number: int = expect(value, int, path)
    return number


def read_finite(value: Any, path: str) -> int | float:
    """Return a number that is neither NaN nor infinite."""
    if type(value) is int:
        return value
    if type(value) is not float or not math.isfinite(value):
        raise Unidentified(f"{path!r} is not a finite number")
    return value


def _boolean(value: Any, path: str) -> bool:
    truth: bool = expect(value, bool, path)
    return truth


def _bytes(value: Any, path: str) -> bytes:
    text = read_text(value, path)
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Unidentified(f"{path!r} is not base64") from error
    if base64.b64encode(data).decode() != text:
        raise Unidentified(f"{path!r} is not base64 as botocore writes it")
    return data


def _iso_8601(value: Any, path: str) -> datetime:
    if not isinstance(value, str) or _ISO_8601.fullmatch(value) is None:
        raise Unidentified(f"{path!r} is not a time such as 2026-01-31T12:00:00Z")
    try:
        return datetime.fromisoformat(value)
    except ValueError as error:
        raise Unidentified(f"{path!r} is not a time: {error}") from error


def _unix_time(value: Any, path: str) -> datetime:
    seconds = read_finite(value, path)
    try:
        return _EPOCH + timedelta(seconds=seconds)
    except OverflowError as error:
        raise Unidentified(f"{path!r} is not a time between the years 1 and 9999") from error


def _written_integer(value: str, path: str) -> int:
    if _INTEGER.fullmatch(value) is None:
        raise Unidentified(f"{path!r} is not an integer")
    return int(value)


def _written_number(value: str, path: str) -> int | float:
    if _INTEGER.fullmatch(value) is not None:
        return int(value)
    if _NUMBER.fullmatch(value) is None:
        raise Unidentified(f"{path!r} is not a number")
    return read_finite(float(value), path)


def _written_boolean(value: str, path: str) -> bool:
    if value not in ("true", "false"):
        raise Unidentified(f"{path!r} is neither true nor false")
    return value == "true"


def _http_date(value: str, path: str) -> datetime:
    from email.utils import parsedate_to_datetime  # rarely needed, and takes its time

    try:
        return parsedate_to_datetime(value).astimezone(UTC)
    except (TypeError, ValueError, OverflowError) as error:
        raise Unidentified(f"{path!r} is not a time as HTTP writes it") from error


def _written_unix_time(value: str, path: str) -> datetime:
    return _unix_time(_written_number(value, path), path)


IN_JSON: Mapping[str, Reader] = {
    "string": read_text,
    "integer": _integer,
    "long": _integer,
    "float": read_finite,
    "double": read_finite,
    "boolean": _boolean,
    "blob": _bytes,
    "timestamp": _unix_time,
    "unixtimestamp": _unix_time,
    "iso8601": _iso_8601,
}
IN_FORMS: Mapping[str, Reader] = {
    "string": read_text,
    "integer": _written_integer,
    "long": _written_integer,
    "float": _written_number,
    "double": _written_number,
    "boolean": _written_boolean,
    "blob": _bytes,
    "timestamp": _iso_8601,
    "iso8601": _iso_8601,
}
IN_QUERIES: Mapping[str, Reader] = {
    **IN_FORMS,
    "rfc822": _http_date,
    "unixtimestamp": _written_unix_time,
}
"""Also of paths and of XML."""
IN_HEADERS: Mapping[str, Reader] = {**IN_QUERIES, "timestamp": _http_date}
