"""Does the script read what AWS answers? Keys of answers, and of all that lies in them.

An answer holds what botocore's model of the operation says and nothing else, so a key that is not
in it is never there: `answer["Key"]` ends the script, and `answer.get("Key")` is always None.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from core.checks import models
from core.checks.following import Clients
from core.checks.values import Value, lacks

_DEEPEST = 4
"""Dictionaries that are copies of dictionaries."""


@dataclass(frozen=True, slots=True)
class Absent:
    """A key that is read and never there."""

    line: int
    message: str
    near: str
    rule: str = "unknown-key"


def absent(clients: Clients, node: ast.AST) -> Iterator[Absent]:
    """What a subscript or a call of `get` reads in vain."""
    read = _read(node)
    if read is None:
        return
    base, key, line = read
    values = clients.values(base)
    data = list(_data(clients, values))
    if data and key not in clients.names.keys and all(_lacks(clients, one, key) for one in values):
        yield told(data[0], key, line)


def _data(clients: Clients, values: Iterable[Value]) -> Iterator[Value]:
    """Data of AWS among values, or in a dictionary that begins as a copy of them."""
    for value in sorted(values, key=lambda one: (one.kind, one.name, one.of)):
        if value.kind == "data":
            yield value
        elif isinstance(value.node, ast.Dict):
            pairs = zip(value.node.keys, value.node.values, strict=True)
            spread = (clients.values(each) for key, each in pairs if key is None)
            yield from (one for found in spread for one in found if one.kind == "data")


def _read(node: ast.AST) -> tuple[ast.expr, str, int] | None:
    """The expression and the key that are read, and the line."""
    key: ast.AST | None = None
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
        base, key = node.value, node.slice
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "get"
        and node.args
    ):
        base, key = node.func.value, node.args[0]
    if isinstance(key, ast.Constant) and isinstance(key.value, str):
        return base, key.value, key.lineno
    return None


def _lacks(clients: Clients, value: Value, key: str, depth: int = 0) -> bool:
    if value.kind == "data":
        return lacks(value, f"={key}")
    node = value.node if value.kind == "literal" else None
    if isinstance(node, ast.Constant):
        return node.value is None
    if isinstance(node, ast.List | ast.Tuple):
        return not node.elts
    if depth > _DEEPEST or not isinstance(node, ast.Dict):
        return False
    return _dictionary_lacks(clients, node, key, depth + 1)


def _dictionary_lacks(clients: Clients, node: ast.Dict, key: str, depth: int) -> bool:
    for name, value in zip(node.keys, node.values, strict=True):
        if name is None:
            found = clients.values(value)
            if not found or not all(_lacks(clients, one, key, depth) for one in found):
                return False
        elif not isinstance(name, ast.Constant) or name.value == key:
            return False
    return True


def told(value: Value, key: str, line: int) -> Absent:
    """That data have nothing at a key, and what was probably meant."""
    shape = models.shape(value.name, value.of)
    if shape.get("type") == "list":
        inner = models.members(value.name, shape["member"]["shape"])
        near = f"a loop over it: each item has {key}" if key in inner else "a loop over it"
        return Absent(line, f"{value.of} of {value.name} is a list and has no key {key!r}", near)
    if shape.get("type") != "structure":
        message = f"{value.of} of {value.name} is a {shape.get('type')} and has no key {key!r}"
        return Absent(line, message, "")
    near = next(iter(difflib.get_close_matches(key, shape.get("members", {}), n=1)), "")
    where = f"{value.of} of {value.name}"
    return Absent(line, f"there is never a {key!r} in {where}", near)
