"""JMESPath over answers: `pages.search("...")` and `jmespath.search("...", answer)`.

The expression is parsed by botocore's own jmespath and followed through the shape of the data: a
field that no answer has gives None, or nothing, and never an error, so it is told here. What comes
of functions is not followed, and what is not known is never told.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.checks.following import Clients
from core.checks.names import ANY, EACH
from core.checks.responses import Absent, told
from core.checks.values import UNSEEN, Value, Values, lacks, walk

_KEEPING = frozenset({"sort_by", "sort", "reverse"})
"""Functions whose result has the form of their first argument."""
_BY = frozenset({"sort_by", "min_by", "max_by"})
_PAIR = 2

Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class _Listed:
    """A list that the expression itself made."""

    each: _Form


_Form = Values | _Listed


def absent(clients: Clients, node: ast.AST) -> Iterator[Absent]:
    """What a JMESPath expression reads in vain, and expressions that are none."""
    found = _searched(clients, node)
    if found is None:
        return
    expression, data = found
    if not data or any(one.kind != "data" for one in data):
        return
    for text in clients.texts(expression):
        line = expression.lineno
        parsed = _parsed(text)
        if parsed is None:
            message = f"{text!r:.80} is no JMESPath expression"
            yield Absent(line, message, "", "bad-search")
            continue
        reader = _Reader()
        reader.form(parsed, data)
        for value, key in dict.fromkeys(reader.missing):
            yield told(value, key, line)


def _searched(clients: Clients, node: ast.AST) -> tuple[ast.expr, Values] | None:
    """The expression that a call searches by, and what it searches."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
        return None
    if node.func.attr != "search":
        return None
    owner = node.func.value
    if isinstance(owner, ast.Name) and owner.id == "jmespath":
        return (node.args[0], clients.values(node.args[1])) if len(node.args) >= _PAIR else None
    values = clients.values(owner)
    if not values or any(one.kind != "pages" for one in values):
        return None
    return node.args[0], walk(values, (EACH,))


def _parsed(text: str) -> Node | None:
    import jmespath
    from jmespath.exceptions import JMESPathError

    try:
        parsed: Node = jmespath.compile(text).parsed
    except (JMESPathError, RecursionError):
        return None
    return parsed


@dataclass(slots=True)
class _Reader:
    """Follows an expression; notes which fields are never there."""

    missing: list[tuple[Value, str]] = field(default_factory=list)

    def form(self, node: Node, at: _Form) -> _Form:
        """The form of what a part of an expression gives."""
        kind, children = node["type"], node.get("children", ())
        if kind == "field":
            return self._field(node["value"], at)
        if kind in ("subexpression", "index_expression", "pipe"):
            for child in children:
                at = self.form(child, at)
            return at
        if kind in ("projection", "value_projection", "filter_projection"):
            return self._projection(kind, children, at)
        if kind == "flatten":
            return _flat(self.form(children[0], at))
        if kind == "index":
            return _item(at)
        if kind in ("current", "identity", "slice"):
            return at
        if kind == "function_expression":
            return self._function(node["value"], children, at)
        for child in children:
            self.form(child, at)
        return UNSEEN

    def _field(self, name: str, at: _Form) -> _Form:
        if isinstance(at, _Listed):
            return UNSEEN
        key = f"={name}"
        known = [one for one in at if one.kind == "data"]
        if known and len(known) == len(at) and all(lacks(one, key) for one in known):
            self.missing.append((min(known, key=lambda one: (one.name, one.of)), name))
            return UNSEEN
        return walk(at, (key,)) or UNSEEN

    def _projection(self, kind: str, children: Any, at: _Form) -> _Form:
        left = self.form(children[0], at)
        inner = _item(left, ANY if kind == "value_projection" else EACH)
        for condition in children[_PAIR:]:
            self.form(condition, inner)
        return _Listed(self.form(children[1], inner))

    def _function(self, name: str, children: Any, at: _Form) -> _Form:
        if not children:
            return UNSEEN
        first = self.form(children[0], at) if children[0]["type"] != "expref" else UNSEEN
        for child in children[1:]:
            if child["type"] != "expref":
                self.form(child, at)
            elif name in _BY:
                self.form(child["children"][0], _item(first))
        return first if name in _KEEPING else UNSEEN


def _item(at: _Form, step: str = EACH) -> _Form:
    if isinstance(at, _Listed):
        return at.each
    return walk(at, (step,)) or UNSEEN


def _flat(at: _Form) -> _Form:
    """A list whose items that are lists were put together; other items stay."""
    each = _item(at)
    if isinstance(each, _Listed):
        return each
    inner = _item(each)
    return _Listed(each if inner == UNSEEN else inner)
