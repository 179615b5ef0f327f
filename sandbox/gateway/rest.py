"""Recovers the parameters of a REST request from where they are: path, query, headers and body.

Readers here need not be strict about how a thing is written, only about what it is: what they find
is written again by `restate` and compared byte for byte.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from sandbox.errors import Unidentified
from sandbox.gateway.bodies import read_any_json, read_json
from sandbox.gateway.parameters import from_json, json_value
from sandbox.gateway.routes import Route
from sandbox.gateway.values import IN_HEADERS, IN_QUERIES, Reader, read_value
from sandbox.gateway.xml import from_xml

if TYPE_CHECKING:
    from botocore.model import OperationModel, Shape

_IN_A_LIST = re.compile(r'"((?:[^"\\]|\\.)*)"|([^,"]*)')


@dataclass(frozen=True, slots=True)
class RestRequest:
    """A request of a REST service, taken apart."""

    method: str
    path: str
    """As written; of S3 with the bucket in front, wherever it stood."""
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    """Names in lower case."""
    body: bytes


def from_rest(
    request: RestRequest, route: Route, labels: Sequence[str], operation: OperationModel
) -> dict[str, Any]:
    """Return what a request says, if it is `operation`; raises Unidentified."""
    shape = operation.input_shape
    if shape is None:
        return {}
    in_path = {
        name.rstrip("+"): unquote(text, errors="strict")
        for name, text in zip(route.labels, labels, strict=True)
    }
    query = _Query(request.query, route)
    found: dict[str, Any] = {}
    for key, member in shape.members.items():
        name = str(member.serialization.get("name", key))
        location = member.serialization.get("location")
        if location == "uri" and name in in_path:
            found[key] = _text(in_path[name], member, key)
        elif location == "querystring":
            query.take(found, key, name, member)
        elif location == "header" and name.lower() in request.headers:
            found[key] = _header(request.headers[name.lower()], member, key)
        elif location == "headers":
            found |= _prefixed(request.headers, key, name)
    query.take_rest(found)
    return found | _from_body(request, operation, shape)


class _Query:
    """The query parameters that are still to be read."""

    def __init__(self, pairs: Sequence[tuple[str, str]], route: Route) -> None:
        self._pairs = [pair for pair in pairs if pair not in route.literals]
        self._literal = {name for name, _ in route.literals}
        self._map: tuple[str, Shape] | None = None

    def take(self, found: dict[str, Any], key: str, name: str, member: Shape) -> None:
        if member.type_name == "map":
            self._map = key, member
            return
        texts = [text for each, text in self._pairs if each == name]
        self._pairs = [pair for pair in self._pairs if pair[0] != name]
        if member.type_name == "list" and texts:
            found[key] = [_text(text, member.member, key) for text in texts]
        elif texts:
            found[key] = _text(texts[0], member, key)

    def take_rest(self, found: dict[str, Any]) -> None:
        if not self._pairs:
            return
        if self._map is None:
            raise Unidentified(f"unknown query parameter {self._pairs[0][0]!r}")
        key, member = self._map
        for name, _ in self._pairs:
            if name in self._literal:
                raise Unidentified(f"the query parameter {name!r} is there more than once")
        if member.value.type_name == "list":
            found[key] = {}
            for name, text in self._pairs:
                found[key].setdefault(name, []).append(_text(text, member.value.member, name))
        else:
            found[key] = {name: _text(text, member.value, name) for name, text in self._pairs}


def _from_body(request: RestRequest, operation: OperationModel, shape: Shape) -> dict[str, Any]:
    payload = shape.serialization.get("payload")
    is_xml = operation.service_model.resolved_protocol == "rest-xml"
    if payload is None:
        inside = _BodyShape(
            {
                key: member
                for key, member in shape.members.items()
                if "location" not in member.serialization
            },
            shape.serialization,
        )
        if not request.body or not inside.members:
            return {}
        if is_xml:
            return _structure(from_xml(request.body, inside))
        return from_json(read_json(request.body), inside)
    member = shape.members[payload]
    if member.type_name == "blob":
        return {payload: request.body} if request.body else {}
    if member.type_name == "string":
        return {payload: request.body.decode("utf-8")} if request.body else {}
    if not request.body:
        return {}
    if is_xml:
        return {payload: from_xml(request.body, member)}
    return {payload: json_value(read_any_json(request.body), member, payload)}


@dataclass(frozen=True, slots=True)
class _BodyShape:
    """The part of an input shape that is in the body."""

    members: Mapping[str, Shape]
    serialization: Mapping[str, Any]
    type_name: str = "structure"


def _structure(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Unidentified("the body is not a structure")
    return value


# ------------------------------------------------------------------ single values
def _header(value: str, shape: Shape, key: str) -> Any:
    if shape.serialization.get("jsonvalue"):
        return json.loads(base64.b64decode(value))
    if shape.type_name == "list":
        kind = shape.member.type_name
        if kind == "timestamp":
            raise Unidentified(f"{key!r} is a list of times in a header, which is not supported")
        return [_text(text, shape.member, key) for text in _split(value)]
    return _text(value, shape, key, IN_HEADERS)


def _split(value: str) -> list[str]:
    found, position = [], 0
    while position <= len(value):
        match = _IN_A_LIST.match(value, position)
        if match is None:
            raise Unidentified("a list in a header can't be read")
        quoted, plain = match.groups()
        found.append(plain if quoted is None else quoted.replace('\\"', '"'))
        position = match.end() + 1
    return found


def _prefixed(headers: Mapping[str, str], key: str, prefix: str) -> dict[str, Any]:
    found = {
        name[len(prefix) :]: text
        for name, text in headers.items()
        if name.startswith(prefix.lower())
    }
    return {key: found} if found else {}


def _text(value: str, shape: Shape, key: str, readers: Mapping[str, Reader] | None = None) -> Any:
    return read_value(value, shape, key, IN_QUERIES if readers is None else readers)
