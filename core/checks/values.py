"""What things of boto3 are to a script, and what comes of them: by attribute, by call, by key.

Clients, paginators and resources lead to AWS calls; calls lead to data, whose shape botocore's
models know down to the last key. `core.checks.clients` finds out which expression is which.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from core.checks import models, resources
from core.checks.names import ANY, EACH, Step
from core.checks.resources import Member

Kind = Literal[
    "module",
    "maker",
    "session",
    "client",
    "operation",
    "getter",
    "paginator",
    "paginate",
    "pages",
    "waiter",
    "wait",
    "resource",
    "resources",
    "type",
    "action",
    "batch",
    "collection",
    "narrow",
    "filter",
    "whole",
    "writer",
    "meta",
    "data",
    "text",
    "function",
    "literal",
    "other",
]
Path = tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Value:
    """What an expression can be.

    `name` is the service of anything of a service (empty: can't be told), what a maker makes
    ("client", "resource", "session", or "guess": perhaps a client), or the text itself; `node` is
    the definition of a function, or the expression itself where nothing more is known ("literal").
    """

    kind: Kind
    name: str = ""
    node: ast.AST | None = None
    of: str = ""
    """The operation, the shape of data, the type of a resource, "Type.action" of one, or what a
    collection holds and how it is listed ("Instance/DescribeInstances")."""
    more: bool = False
    """Of a resource: its data came along. Of data: items of DynamoDB are plain Python in it."""


Values = frozenset[Value]
NOTHING: Values = frozenset()
OTHER = Value("other")
UNSEEN: Values = frozenset({OTHER})
SESSION_MAKER = Value("maker", "session")
NOT_OF_BOTO3 = frozenset({"data", "text", "function", "literal", "other"})
"""The kinds that lead to no AWS call, or to one that can't be told."""
HELD = frozenset({"data", "pages", "collection", "resources"})
"""The kinds that hold something by key or by place."""
_GETTERS = {"get_paginator": "paginator", "get_waiter": "waiter"}


# ------------------------------------------------------------------ attributes
def attribute(base: Value, name: str) -> Value:
    """What an attribute of something of boto3 is."""
    reader = _ATTRIBUTES.get(base.kind)
    return reader(base, name) if reader else OTHER


def member(base: Value, name: str) -> Member | None:
    """What boto3's model says of an attribute of a resource or collection; None: not there."""
    if base.kind == "collection":
        return resources.collection(base.name, base.of.partition("/")[0]).get(name)
    return resources.members(base.name, base.of).get(name)


def _of_module(base: Value, name: str) -> Value:
    if name in ("client", "create_client", "resource"):
        return Value("maker", name.removeprefix("create_"))
    if base.kind == "module" and name in ("Session", "get_session"):
        return SESSION_MAKER
    return base if base.kind == "module" and name == "session" else OTHER


def _of_client(base: Value, name: str) -> Value:
    if name in _GETTERS:
        return Value("getter", base.name, of=_GETTERS[name])
    operation = models.operations(base.name).get(name)
    return Value("operation", base.name, of=operation) if operation else OTHER


def _of_paginator(base: Value, name: str) -> Value:
    return Value("paginate", base.name, of=base.of) if name == "paginate" else OTHER


def _of_pages(base: Value, name: str) -> Value:
    return Value("whole", base.name, of=base.of) if name == "build_full_result" else OTHER


def _of_waiter(base: Value, name: str) -> Value:
    return Value("wait", base.name, of=base.of) if name == "wait" else OTHER


def _of_meta(base: Value, name: str) -> Value:
    return Value("client", base.name) if name == "client" else OTHER


def _of_resource(base: Value, name: str) -> Value:
    found = member(base, name)
    if name == "meta":
        return Value("meta", base.name)
    if name == "batch_writer" and found:
        return Value("writer", base.name)
    if found is None or found.kind in ("plain", "waiter"):
        return OTHER
    if found.kind == "action":
        return Value("action", base.name, of=f"{base.of}.{name}")
    if found.kind == "field":
        return Value("data", base.name, of=found.shape, more=base.name == "dynamodb")
    if found.kind == "collection":
        held = f"{found.type}/{found.operation}"
        return Value("collection", base.name, of=held, more=found.loaded)
    if name[0].isupper():
        return Value("type", base.name, of=found.type)
    return Value("resources" if found.many else "resource", base.name, of=found.type)


def _of_collection(base: Value, name: str) -> Value:
    found = member(base, name)
    if found is None or name == "pages":
        return OTHER
    if found.kind == "plain":
        kind: Kind = "filter" if name == "filter" else "narrow"
        return Value(kind, base.name, of=base.of, more=base.more)
    return Value("batch", base.name, of=f"{base.of}.{name}")


_ATTRIBUTES: Mapping[str, Callable[[Value, str], Value]] = {
    "module": _of_module,
    "session": _of_module,
    "client": _of_client,
    "paginator": _of_paginator,
    "pages": _of_pages,
    "waiter": _of_waiter,
    "meta": _of_meta,
    "resource": _of_resource,
    "collection": _of_collection,
}


# ------------------------------------------------------------------ calls
def called(value: Value) -> Value:
    """What comes of calling something of boto3 that needs no look at its arguments."""
    if value.kind in ("operation", "whole"):
        shape = models.output_of(value.name, value.of)
        return Value("data", value.name, of=shape) if shape else OTHER
    if value.kind == "paginate":
        return Value("pages", value.name, of=value.of)
    if value.kind in ("narrow", "filter"):
        return Value("collection", value.name, of=value.of, more=value.more)
    if value.kind == "writer":
        return value
    if value.kind == "type":
        return Value("resource", value.name, of=value.of)
    if value.kind == "action":
        return _acted(value)
    return OTHER


def _acted(value: Value) -> Value:
    kind, _, name = value.of.rpartition(".")
    found = resources.members(value.name, kind)[name]
    if found.type:
        what: Kind = "resources" if found.many else "resource"
        return Value(what, value.name, of=found.type, more=found.loaded)
    if found.shape:
        return Value("data", value.name, of=found.shape, more=value.name == "dynamodb")
    return OTHER


# ------------------------------------------------------------------ keys and items
def walk(values: Iterable[Value], path: Path) -> Values:
    """What the part of values that a path leads to can be."""
    found = frozenset(values)
    for step in path:
        found = frozenset(one for value in found for one in _inside(value, step))
    return found


def _inside(value: Value, step: Step) -> Values:
    if value.kind == "data":
        return _inside_data(value, step)
    if step in (EACH, ANY) or isinstance(step, int):
        if value.kind == "pages":
            shape = models.output_of(value.name, value.of)
            return frozenset({Value("data", value.name, of=shape)})
        if value.kind in ("collection", "resources"):
            kind = value.of.partition("/")[0]
            return frozenset({Value("resource", value.name, of=kind, more=value.more)})
    return UNSEEN


def _inside_data(value: Value, step: Step) -> Values:
    inner = models.inner(value.name, value.of, step)
    if inner:
        plain = value.more and inner == "AttributeValue"
        return (
            UNSEEN if plain else frozenset({Value("data", value.name, of=inner, more=value.more)})
        )
    return NOTHING if lacks(value, step) else UNSEEN


def lacks(value: Value, step: Step) -> bool:
    """Whether data surely have nothing at a key: no such member, or a list where a key is asked."""
    if not (isinstance(step, str) and step.startswith("=")):
        return False
    kind = models.shape(value.name, value.of).get("type")
    if kind == "structure" and not models.shape(value.name, value.of).get("document"):
        return step[1:] not in models.members(value.name, value.of) and step != "=ResponseMetadata"
    return kind in ("list", "integer", "long", "boolean", "timestamp", "float", "double")
