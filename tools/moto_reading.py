"""What moto, which knows nothing of ours, makes of a request: the second reader of the gateway.

`read` is moto's own router and parser for a service, and so as lenient as a real server is: where
a request says two things it takes one of them without a word. `raw` is a request as it would have
gone to AWS.

moto reads no smithy RPC (CBOR), so requests of that protocol are read here with a decoder of our
own, which is written after RFC 8949 and shares nothing with botocore's.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import IntEnum
from typing import Any, NamedTuple

from botocore.compat import HTTPHeaders
from werkzeug.exceptions import HTTPException

_RPC = re.compile(r"/service/(\w+)/operation/(\w+)\Z", re.ASCII)
_INDEFINITE = 31
_BREAK = b"\xff"
_LONGER = 24
"""From here on the number is in the bytes that follow."""
_TAG_TIME = 1


class _Kind(IntEnum):
    """The major types."""

    POSITIVE, NEGATIVE, BYTES, TEXT, LIST, MAP, TAG, SIMPLE = range(8)


class Raw(NamedTuple):
    """One request on the wire."""

    method: str
    url: str
    headers: Sequence[tuple[str, str]]
    body: bytes

    def header(self, name: str) -> str:
        """Return the first header of a name, or nothing."""
        return next((text for each, text in self.headers if each.lower() == name), "")


class Reading(NamedTuple):
    """An operation and its parameters, in one spelling whoever read them: see `spelled`."""

    operation: str
    parameters: Any


class Unread(Exception):
    """The request can't be read as an operation of that service."""


def read(service: str, raw: Raw) -> Reading:
    """Return what a request says to moto's `service`; raises Unread."""
    if raw.header("smithy-protocol") == "rpc-v2-cbor":
        return _read_rpc(raw)
    from moto.core.parse import PROTOCOL_PARSERS
    from moto.core.request import determine_request_protocol
    from moto.core.routing import get_service_router
    from moto.core.utils import get_service_model

    with _unread():
        request = _request(raw)
        operation, labels = get_service_router(service).match(request)
        protocol = determine_request_protocol(get_service_model(service), request.content_type)
        parsed = PROTOCOL_PARSERS[protocol](operation).parse(
            {
                "method": request.method,
                "values": request.values,
                "headers": request.headers,
                "body": request.data,
                "url_path": request.path,
                "url_params": labels,
            }
        )
        _leave_out_of_map(operation, parsed)
        return Reading(operation.name, spelled(_of_headers(parsed)))


def _leave_out_of_map(operation: Any, parsed: dict[str, Any]) -> None:
    """Take out of a map of all other query parameters those that moto has put in, too."""
    shape = operation.input_shape
    in_query = {
        key: member
        for key, member in (shape.members if shape else {}).items()
        if member.serialization.get("location") == "querystring"
    }
    elsewhere = set(operation.http_trait.query_args)
    elsewhere |= {str(each.serialization.get("name", key)) for key, each in in_query.items()}
    for key, member in in_query.items():
        if member.type_name == "map" and isinstance(parsed.get(key), dict):
            # A list stands for a parameter that is there twice, which nothing excuses.
            parsed[key] = {
                name: value
                for name, value in parsed[key].items()
                if name not in elsewhere or isinstance(value, list)
            }


def _of_headers(parsed: dict[str, Any]) -> dict[str, Any]:
    """Undo what moto does to two things that S3 has in headers: case of names, a time as text."""
    if isinstance(parsed.get("Metadata"), dict):
        parsed["Metadata"] = {name.lower(): text for name, text in parsed["Metadata"].items()}
    if isinstance(parsed.get("Expires"), str):
        parsed["Expires"] = parsedate_to_datetime(parsed["Expires"])
    return parsed


def executed(service: str, raw: Raw) -> str:
    """Return the operation that moto would run for a request, by whatever it finds first in it.

    Raises Unread when it would run none.
    """
    from moto.core.responses import BaseResponse

    with _unread():
        response = BaseResponse(service)
        response.setup_class(_request(raw), use_raw_body=service == "s3")
        name = response._get_action()  # noqa: SLF001 - this is what is asked for
        if not name:
            raise ValueError("it names no operation")
        return str(name)


def _request(raw: Raw) -> Any:
    from moto.core.request import Request

    headers = HTTPHeaders()
    for name, text in raw.headers:
        headers.add_header(name, text)
    return Request.from_primitives(raw.method, raw.url, headers, raw.body)


@contextmanager
def _unread() -> Iterator[None]:
    """Raise Unread for all that moto raises when it can't read a request."""
    from moto.core.parse import RequestParserError

    try:
        yield
    except (
        *(AttributeError, HTTPException, IndexError, KeyError, NotImplementedError, OSError),
        *(EOFError, OverflowError, RequestParserError, RuntimeError, struct.error),
        *(TypeError, ValueError),
    ) as error:
        raise Unread(f"{type(error).__name__}: {error}") from error


def spelled(value: Any) -> Any:
    """Return parameters in the one spelling in which two readings are compared.

    What a wire format can't say is left out (nothing, and what holds nothing), times are
    microseconds, texts are bytes, and numbers are compared as numbers.
    """
    if isinstance(value, dict):
        inside = {str(key): spelled(item) for key, item in value.items()}
        return {key: item for key, item in inside.items() if item not in (None, {}, [], [{}])}
    if isinstance(value, list | tuple):
        return [spelled(item) for item in value]
    if isinstance(value, datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=UTC)
        return "time", round(moment.timestamp() * 1_000_000)
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, bool | bytes) or value is None:
        return value
    return float(value)


# ------------------------------------------------------------------ smithy RPC
def _read_rpc(raw: Raw) -> Reading:
    match = _RPC.search(raw.url)
    if match is None:
        raise Unread("the path names no operation")
    if not raw.body:
        return Reading(match[2], {})
    with _unread():
        document, rest = _item(raw.body)
    if rest or not isinstance(document, dict):
        raise Unread("the body is not one map")
    return Reading(match[2], spelled(document))


def _item(data: bytes) -> tuple[Any, bytes]:
    """Return the first item of CBOR and what follows it."""
    kind, short, rest = data[0] >> 5, data[0] & 31, data[1:]
    if kind == _Kind.SIMPLE:
        return _simple(short, rest)
    if short == _INDEFINITE:
        return _indefinite(kind, rest)
    number, rest = _number(short, rest)
    if kind in (_Kind.LIST, _Kind.MAP):
        items = []
        for _ in range(number * (2 if kind == _Kind.MAP else 1)):
            item, rest = _item(rest)
            items.append(item)
        return (items if kind == _Kind.LIST else _pairs(items)), rest
    if kind in (_Kind.BYTES, _Kind.TEXT):
        if len(rest) < number:
            raise ValueError("broken off")
        text, rest = rest[:number], rest[number:]
        return (text if kind == _Kind.BYTES else text.decode("utf-8")), rest
    if kind == _Kind.TAG:
        value, rest = _item(rest)
        return (datetime.fromtimestamp(value, UTC) if number == _TAG_TIME else value), rest
    return (number if kind == _Kind.POSITIVE else -1 - number), rest


def _indefinite(kind: int, rest: bytes) -> tuple[Any, bytes]:
    items = []
    while not rest.startswith(_BREAK):
        item, rest = _item(rest)
        items.append(item)
    if kind == _Kind.BYTES:
        return b"".join(items), rest[1:]
    if kind == _Kind.TEXT:
        return "".join(items), rest[1:]
    return (items if kind == _Kind.LIST else _pairs(items)), rest[1:]


def _pairs(items: list[Any]) -> dict[Any, Any]:
    return dict(zip(items[::2], items[1::2], strict=True))


def _number(short: int, rest: bytes) -> tuple[int, bytes]:
    if short < _LONGER:
        return short, rest
    size = 1 << (short - _LONGER)
    return int.from_bytes(rest[:size], "big"), rest[size:]


def _simple(short: int, rest: bytes) -> tuple[Any, bytes]:
    if short in (20, 21, 22, 23):
        return {20: False, 21: True}.get(short), rest
    form, size = {25: (">e", 2), 26: (">f", 4), 27: (">d", 8)}[short]
    return struct.unpack(form, rest[:size])[0], rest[size:]
