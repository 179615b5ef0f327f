"""Recovers parameters from an XML body by shape; how it is written is proved by `restate`."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import Element, ParseError, XMLParser

from sandbox.errors import Unidentified
from sandbox.gateway.bodies import MOST_VALUES
from sandbox.gateway.values import IN_QUERIES, read_value

_MOST_DEPTH = 64


def from_xml(body: bytes, shape: Any) -> Any:
    """Return what a body says; `shape` is a structure. Raises Unidentified."""
    if b"<!" in body or b"<?" in body:
        raise Unidentified("the XML has declarations, and botocore writes none")
    if body.count(b"<") > MOST_VALUES:
        raise Unidentified(f"the XML holds more than {MOST_VALUES} values")
    parser = XMLParser()  # noqa: S314 - without declarations there are no entities to expand
    try:
        parser.feed(body)
        root = parser.close()
    except ParseError as error:
        raise Unidentified(f"the XML can't be read: {error}") from error
    return _structure(root, shape, "", _MOST_DEPTH)


def _value(node: Element, shape: Any, path: str, depth: int) -> Any:
    if depth == 0:
        raise Unidentified(f"{path!r} is nested too deep")
    if shape.type_name == "structure":
        return _structure(node, shape, path, depth)
    if shape.type_name == "list":
        return [_value(item, shape.member, path, depth - 1) for item in node]
    if shape.type_name == "map":
        return dict(_entry(entry, shape, path, depth) for entry in node)
    return read_value(node.text or "", shape, path, IN_QUERIES)


def _structure(node: Element, shape: Any, path: str, depth: int) -> dict[str, Any]:
    known, attributes = {}, {}
    for key, member in shape.members.items():
        name = str(member.serialization.get("name", key))
        if member.serialization.get("xmlAttribute"):
            attributes[name.rpartition(":")[2]] = key
        else:
            known[name] = key, member
    found: dict[str, Any] = {}
    for name, text in node.attrib.items():
        if _local(name) in attributes:
            found[attributes[_local(name)]] = text
    for child in node:
        if _local(child.tag) not in known:
            raise Unidentified(f"unknown parameter {_join(path, _local(child.tag))!r}")
        key, member = known[_local(child.tag)]
        where = _join(path, key)
        if not member.serialization.get("flattened"):
            found[key] = _value(child, member, where, depth - 1)
        elif member.type_name == "list":
            found.setdefault(key, []).append(_value(child, member.member, where, depth - 1))
        else:
            found.setdefault(key, {}).update([_entry(child, member, where, depth)])
    return found


def _entry(node: Element, shape: Any, path: str, depth: int) -> tuple[Any, Any]:
    if len(node) != len(("key", "value")):
        raise Unidentified(f"{path!r} is not one key and one value")
    key, value = node
    return _value(key, shape.key, path, depth - 1), _value(value, shape.value, path, depth - 1)


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
