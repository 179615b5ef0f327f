"""Recovers the parameters of a call from the fields of its body, by the operation's input shape.

Three wire forms are read: the form of the query protocol, ec2's variant of it, and JSON. A member
that the shape does not know is Unidentified, with its path.

What a form can't say is lost here as it is lost on the wire: empty structures, empty maps and, for
ec2, empty lists. Whether values are *valid* (required members, lengths) is not judged here; the
rebuilding client does that.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox.errors import Unidentified
from sandbox.gateway.values import IN_FORMS, IN_JSON, expect, read_finite, read_text, read_value

if TYPE_CHECKING:
    from botocore.model import Shape

_MOST_DOCUMENT_DEPTH = 16
_MOST_PARTS = 64

Tree = dict[str, Any]
"""Fields of a form by the parts of their dotted names: each value is a text or another tree."""


# ------------------------------------------------------------------ forms
def from_form(fields: Mapping[str, str], shape: Shape | None, *, ec2: bool) -> dict[str, Any]:
    """Return the parameters that the fields of a form say (without Action and Version)."""
    tree: Tree = {}
    for name, text in fields.items():
        _plant(tree, name, text)
    if shape is None:
        return _nothing(tree)
    return _Form(ec2=ec2).structure(tree, shape, "")


def _plant(tree: Tree, name: str, text: str) -> None:
    *parents, last = name.split(".", _MOST_PARTS)
    if "." in last:
        raise Unidentified(f"the name of a field has more than {_MOST_PARTS} parts")
    for part in parents:
        below = tree.setdefault(part, {})
        if not isinstance(below, dict):
            raise Unidentified(f"{name!r} goes below a field that has a value of its own")
        tree = below
    if last in tree:
        raise Unidentified(f"{name!r} is a value and has fields below it")
    tree[last] = text


class _Form:
    """Reads a tree of form fields by shape."""

    def __init__(self, *, ec2: bool) -> None:
        self._ec2 = ec2

    def structure(self, node: Any, shape: Shape, path: str) -> dict[str, Any]:
        known = {self._name(key, member): (key, member) for key, member in shape.members.items()}
        found = {}
        for name, below in _tree(node, path).items():
            key, member = _known(known, name, path)
            found[key] = self._value(below, member, _join(path, name))
        return found

    def _name(self, key: str, member: Shape) -> str:
        if self._ec2:
            return _ec2_name(key, member)
        if member.type_name == "list" and member.serialization.get("flattened"):
            # The elements of a flattened list are named by the member, not by the list.
            return _name(_name(key, member), member.member)
        return _name(key, member)

    def _value(self, node: Any, shape: Shape, path: str) -> Any:
        if shape.type_name == "structure":
            return self.structure(node, shape, path)
        if shape.type_name == "list":
            return self._list(node, shape, path)
        if shape.type_name == "map":
            return self._map(node, shape, path)
        if not isinstance(node, str):
            raise Unidentified(f"{path!r} has fields below it, and is a {shape.type_name}")
        return read_value(node, shape, path, IN_FORMS)

    def _list(self, node: Any, shape: Shape, path: str) -> list[Any]:
        if node == "" and not self._ec2:
            return []
        if not self._ec2 and not shape.serialization.get("flattened"):
            node, path = _only(node, _name("member", shape.member), path)
        return [
            self._value(below, shape.member, f"{path}.{index}")
            for index, below in enumerate(_numbered(node, path), 1)
        ]

    def _map(self, node: Any, shape: Shape, path: str) -> dict[str, Any]:
        if not shape.serialization.get("flattened"):
            node, path = _only(node, "entry", path)
        names = _name("key", shape.key), _name("value", shape.value)
        found: dict[str, Any] = {}
        for index, entry in enumerate(_numbered(node, path), 1):
            where = f"{path}.{index}"
            if set(_tree(entry, where)) != set(names):
                raise Unidentified(f"{where!r} is not one {names[0]} and one {names[1]}")
            key = self._value(entry[names[0]], shape.key, _join(where, names[0]))
            if key in found:
                raise Unidentified(f"{path!r} names {key!r} more than once")
            found[key] = self._value(entry[names[1]], shape.value, _join(where, names[1]))
        return found


def _tree(node: Any, path: str) -> Tree:
    if not isinstance(node, dict):
        raise Unidentified(f"{path!r} has a value, where only fields below it can have one")
    return node


def _only(node: Any, name: str, path: str) -> tuple[Any, str]:
    if set(_tree(node, path)) != {name}:
        raise Unidentified(f"{path!r} has fields below it other than {name!r}")
    return node[name], _join(path, name)


def _numbered(node: Any, path: str) -> list[Any]:
    """Return the branches 1, 2, 3, ... of a node, which must be all there is."""
    tree = _tree(node, path)
    indices = [str(number) for number in range(1, len(tree) + 1)]
    if set(tree) != set(indices):
        raise Unidentified(f"{path!r} is not numbered 1, 2, 3, ... without gaps")
    return [tree[index] for index in indices]


# ------------------------------------------------------------------ JSON
def from_json(document: Mapping[str, Any], shape: Shape | None) -> dict[str, Any]:
    """Return the parameters that a JSON body says."""
    if shape is None:
        return _nothing(document)
    return _json_structure(document, shape, "")


def _json_structure(value: Any, shape: Shape, path: str) -> dict[str, Any]:
    known = {_name(key, member): (key, member) for key, member in shape.members.items()}
    found = {}
    for name, below in expect(value, dict, path).items():
        key, member = _known(known, name, path)
        found[key] = json_value(below, member, _join(path, name))
    return found


def json_value(value: Any, shape: Shape, path: str) -> Any:
    """Return the parameter that a value of a JSON body says; `path` is where it stands."""
    if getattr(shape, "is_document_type", False):
        return _document(value, path, _MOST_DOCUMENT_DEPTH)
    if shape.type_name == "structure":
        return _json_structure(value, shape, path)
    if shape.type_name == "list":
        return [
            json_value(below, shape.member, f"{path}.{index}")
            for index, below in enumerate(expect(value, list, path), 1)
        ]
    if shape.type_name == "map":
        return {
            read_text(key, path): json_value(below, shape.value, _join(path, key))
            for key, below in expect(value, dict, path).items()
        }
    return read_value(value, shape, path, IN_JSON)


def _document(value: Any, path: str, depth: int) -> Any:
    """Return a value that has no shape, once it is known that it can be written again."""
    if depth == 0:
        raise Unidentified(f"{path!r} is nested too deep")
    if isinstance(value, dict):
        return {
            read_text(key, path): _document(below, _join(path, key), depth - 1)
            for key, below in value.items()
        }
    if isinstance(value, list):
        return [_document(below, path, depth - 1) for below in value]
    if isinstance(value, str):
        return read_text(value, path)
    return read_finite(value, path) if isinstance(value, float) else value


# ------------------------------------------------------------------ names
def _name(key: str, shape: Shape) -> str:
    return str(shape.serialization.get("name", key))


def _ec2_name(key: str, shape: Shape) -> str:
    if "queryName" in shape.serialization:
        return str(shape.serialization["queryName"])
    name = str(shape.serialization.get("name", ""))
    return name[0].upper() + name[1:] if name else key


def _known(known: Mapping[str, tuple[str, Shape]], name: str, path: str) -> tuple[str, Shape]:
    if name not in known:
        raise Unidentified(f"unknown parameter {_join(path, name)!r}")
    return known[name]


def _nothing(fields: Mapping[str, Any]) -> dict[str, Any]:
    if fields:
        raise Unidentified(f"the operation takes no parameters, and got {next(iter(fields))!r}")
    return {}


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name
