"""What is known of an argument before the script runs: its value, a part of it, or only its type.

A name that can hold several things has several literals. Where nothing is known the literal is
UNKNOWN, which no check complains about.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.checks import models
from core.checks.following import Clients
from core.checks.names import CallSite, last_name
from core.checks.values import Value
from core.iam.globs import UNKNOWN_PART

_DEEPEST = 8
_LARGEST = 1000
_MOST = 16
"""Literals of one expression; more are not looked at, and the rest is unknown."""


@dataclass(frozen=True, slots=True)
class Known:
    """A value; a text may hold UNKNOWN_PART for a stretch that is not known."""

    value: Any


@dataclass(frozen=True, slots=True)
class Typed:
    """Something whose type alone is known, in the words of AWS's models; empty: not even it."""

    kind: str = ""


@dataclass(frozen=True, slots=True)
class Listing:
    """A list; each item can be several things."""

    items: tuple[Literals, ...]
    open: bool = False
    """Whether there may be more."""


@dataclass(frozen=True, slots=True)
class Entries:
    """A dictionary with texts as keys."""

    entries: Mapping[str, Literals]
    open: bool = False


Literal = Known | Typed | Listing | Entries
Literals = tuple[Literal, ...]
UNKNOWN = Typed()

_RETURNS = {
    "bool": "boolean",
    "float": "float",
    "int": "integer",
    "len": "integer",
    "list": "list",
    "set": "set",
    "sorted": "list",
    "str": "string",
    "tuple": "list",
}
"""Python's own functions, and what they return; of methods below."""
_METHODS = {
    "dumps": "string",
    "format": "string",
    "isoformat": "string",
    "join": "string",
    "lower": "string",
    "split": "list",
    "strftime": "string",
    "strip": "string",
    "upper": "string",
}
_SAME = {"long": "integer", "double": "float", "map": "structure"}


def read(clients: Clients, node: ast.AST, depth: int = 0) -> Literals:
    """What an expression can be."""
    if depth > _DEEPEST or not clients.spend():
        return (UNKNOWN,)
    known: Literals | None = clients.literals.get((node, depth))
    if known is None:
        found = _read(clients, node, depth)
        known = clients.literals[node, depth] = (UNKNOWN,) if _is_vast(found) else found
    return known


def _is_vast(literals: Literals) -> bool:
    """Whether there is more in literals than any script means to write."""
    waiting, left = list(literals), _LARGEST
    while waiting and left:
        left -= 1
        one = waiting.pop()
        if isinstance(one, Listing):
            waiting += [inner for item in one.items for inner in item]
        elif isinstance(one, Entries):
            waiting += [inner for item in one.entries.values() for inner in item]
    return bool(waiting)


def _read(clients: Clients, node: ast.AST, depth: int) -> Literals:
    gathered = clients.gathered(node) if isinstance(node, ast.Name) else None
    if gathered is not None:
        return (_passed(clients, gathered, depth + 1),)
    values = sorted(clients.values(node), key=lambda one: (one.kind, one.name, one.of))
    found = [_literal(clients, value, depth) for value in values[:_MOST]]
    if isinstance(node, ast.Name | ast.Attribute):
        found = [_filled(clients, node, one, depth) for one in found]
    return _each_once(found) if len(values) <= _MOST else (UNKNOWN,)


def arguments(clients: Clients, call: ast.Call) -> Entries:
    """The named arguments of a call, with those of a `**` dictionary that is in sight."""
    entries: dict[str, Literals] = {}
    is_open = False
    for keyword in call.keywords:
        found = read(clients, keyword.value)
        if keyword.arg:
            entries[keyword.arg] = found
            continue
        for one in found or (UNKNOWN,):
            if isinstance(one, Entries):
                for name, literals in one.entries.items():
                    entries[name] = (*entries.get(name, ()), *literals)
            is_open = is_open or not isinstance(one, Entries) or one.open
    return Entries(entries, is_open)


def to_json(literals: Literals) -> Any:
    """The one value that literals have, with UNKNOWN_PART for all that is not known."""
    if len(literals) != 1:
        return UNKNOWN_PART
    found = literals[0]
    if isinstance(found, Known):
        known = isinstance(found.value, str | int | None)
        return found.value if known else UNKNOWN_PART
    if isinstance(found, Listing):
        return [*map(to_json, found.items), *([UNKNOWN_PART] if found.open else [])]
    if isinstance(found, Entries):
        rest = {UNKNOWN_PART: UNKNOWN_PART} if found.open else {}
        return {**{name: to_json(one) for name, one in found.entries.items()}, **rest}
    return UNKNOWN_PART


def _passed(clients: Clients, sites: Iterable[CallSite], depth: int) -> Literal:
    """What a function's `**` parameter is given: by name, in any of its calls."""
    entries: dict[str, Literals] = {}
    is_open = False
    for site in sites:
        for keyword in site.keywords:
            if keyword.arg:
                found = read(clients, keyword.value, depth)
                entries[keyword.arg] = (*entries.get(keyword.arg, ()), *found)
            else:
                is_open = True
    return Entries(entries, is_open)


def _each_once(found: Iterable[Literal]) -> Literals:
    kept: list[Literal] = []
    for one in found:
        if one not in kept:  # what holds dictionaries can't be hashed
            kept.append(one)
    return tuple(kept)


def _literal(clients: Clients, value: Value, depth: int) -> Literal:
    if value.kind == "text":
        return Known(value.name)
    if value.kind == "data":
        kind = str(models.shape(value.name, value.of).get("type", ""))
        return UNKNOWN if value.more else Typed(_SAME.get(kind, kind))
    if value.kind == "literal" and value.node is not None:
        reader = _READERS.get(type(value.node))
        return reader(clients, value.node, depth + 1) if reader else UNKNOWN
    return UNKNOWN


def _filled(clients: Clients, node: ast.AST, literal: Literal, depth: int) -> Literal:
    """A list or dictionary with what the script puts into it later."""
    put = clients.put(node) if isinstance(literal, Listing | Entries) else []
    for source in put:
        whole = isinstance(source.origin, ast.AST) and not source.path and len(source.keys) == 1
        inner = read(clients, source.origin, depth + 1) if whole else (UNKNOWN,)  # type: ignore[arg-type]
        key = source.keys[0]
        if isinstance(literal, Listing):
            literal = Listing((*literal.items, inner), open=True)
        elif isinstance(literal, Entries) and isinstance(key, str) and key.startswith("="):
            name = key[1:]
            found = {**literal.entries, name: (*literal.entries.get(name, ()), *inner)}
            literal = Entries(found, literal.open)
        elif isinstance(literal, Entries):
            literal = Entries(literal.entries, open=True)
    return literal


# ------------------------------------------------------------------ expressions
def _constant(_: Clients, node: Any, depth: int) -> Literal:
    del depth
    return Known(node.value)


def _list(clients: Clients, node: Any, depth: int) -> Literal:
    items = [one for one in node.elts if not isinstance(one, ast.Starred)]
    found = tuple(read(clients, one, depth) for one in items)
    return Listing(found, open=len(items) < len(node.elts))


def _list_of_each(clients: Clients, node: Any, depth: int) -> Literal:
    return Listing((read(clients, node.elt, depth),), open=True)


def _dictionary(clients: Clients, node: Any, depth: int) -> Literal:
    entries: dict[str, Literals] = {}
    is_open = False
    for key, value in zip(node.keys, node.values, strict=True):
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            entries[key.value] = read(clients, value, depth)
            continue
        spread = read(clients, value, depth) if key is None else (UNKNOWN,)
        for one in spread or (UNKNOWN,):
            if isinstance(one, Entries):
                entries.update(one.entries)
            is_open = is_open or not isinstance(one, Entries) or one.open
    return Entries(entries, is_open)


def _text(clients: Clients, node: Any, depth: int) -> Literal:
    parts = []
    for part in node.values:
        if isinstance(part, ast.Constant):
            parts.append(str(part.value))
            continue
        found = read(clients, part.value, depth)
        text = to_json(found)
        plain = part.format_spec is None and isinstance(text, str)
        parts.append(text if plain else UNKNOWN_PART)
    return Known("".join(parts))


def _call(clients: Clients, node: Any, depth: int) -> Literal:
    name = last_name(node.func)
    if isinstance(node.func, ast.Attribute):
        return Typed(_METHODS.get(name, ""))
    if name == "dict" and not node.args:
        return arguments(clients, node) if depth < _DEEPEST else Entries({}, open=True)
    return Typed(_RETURNS.get(name, ""))


def _operation(clients: Clients, node: Any, depth: int) -> Literal:
    """A text that is put together; numbers are not computed."""
    left = read(clients, node.left, depth)
    texts = isinstance(node.op, ast.Add | ast.Mod) and left
    known = texts and all(
        (isinstance(one, Known) and isinstance(one.value, str)) or one == Typed("string")
        for one in left
    )
    return Typed("string") if known else UNKNOWN


def _unary(clients: Clients, node: Any, depth: int) -> Literal:
    if isinstance(node.op, ast.Not):
        return Typed("boolean")
    found = read(clients, node.operand, depth)
    known = len(found) == 1 and isinstance(found[0], Known) and isinstance(node.op, ast.USub)
    return Known(-found[0].value) if known and type(found[0].value) in (int, float) else UNKNOWN  # type: ignore[union-attr]


def _typed(kind: str) -> Callable[[Clients, Any, int], Literal]:
    return lambda _clients, _node, _depth: Typed(kind)


_READERS: Mapping[type[ast.AST], Callable[[Clients, Any, int], Literal]] = {
    ast.Constant: _constant,
    ast.List: _list,
    ast.Tuple: _list,
    ast.ListComp: _list_of_each,
    ast.Dict: _dictionary,
    ast.DictComp: lambda _clients, _node, _depth: Entries({}, open=True),
    ast.Set: _typed("set"),
    ast.SetComp: _typed("set"),
    ast.GeneratorExp: _typed("generator"),
    ast.JoinedStr: _text,
    ast.Compare: _typed("boolean"),
    ast.Call: _call,
    ast.BinOp: _operation,
    ast.UnaryOp: _unary,
}
