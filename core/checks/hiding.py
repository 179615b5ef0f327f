"""What may hide an AWS call from whoever reads the code: doubts, each a line and a sentence.

A method that is called like one of AWS's on something out of sight, whether it is called there or
handed on; a function that finds methods by name, handed on or under another name; a client's own
getters, handed on. It notices what is unusual, and no honest script needs it; a script that is made
to hide its calls can still do so, and meets its policy at the gateway.
"""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from functools import lru_cache

from core.checks.following import Clients
from core.checks.values import NOT_OF_BOTO3
from core.iam.actions import operations

Doubt = tuple[int, str]

OF_CODE = frozenset({"exec", "eval", "compile", "__import__"})
"""Functions of Python that bring in code."""
OF_METHODS = frozenset({"attrgetter", "methodcaller", "vars"})
"""Functions that find a method by its name."""
_BUILT_IN = frozenset({"getattr", "vars"})
"""What brings in code is a finding of `core.checks.code`, handed on or not."""
_INSIDE = frozenset({"_make_api_call", "_make_request", "__dict__"})
"""Attributes behind which there is any method."""


def called_in(tree: ast.Module) -> frozenset[ast.AST]:
    """The expressions of a script that are called where they stand."""
    return frozenset(node.func for node in ast.walk(tree) if isinstance(node, ast.Call))


def doubts(
    clients: Clients, called: Collection[ast.AST], getters: Collection[str], node: ast.AST
) -> Iterator[Doubt]:
    """Yield what one node may hide; `getters` name an operation by their first argument."""
    match node:
        case ast.ImportFrom(names=names):
            for alias in names:
                if alias.asname and alias.name in _BUILT_IN | OF_METHODS:
                    yield node.lineno, f"what {alias.asname}() calls can't be seen here"
        case ast.FunctionDef(name="__getattr__"):
            yield node.lineno, "what __getattr__ finds can't be seen here"
        case ast.Name(id=name, ctx=ast.Load()) if name in _BUILT_IN and node not in called:
            if not clients.names.lookup(name, clients.names.scopes[node]):
                yield node.lineno, f"what {name}() calls where it is handed on can't be seen here"
        case ast.Attribute(ctx=ast.Load()):
            yield from _attribute(clients, called, getters, node)
        case _:
            pass


def _attribute(
    clients: Clients, called: Collection[ast.AST], getters: Collection[str], node: ast.Attribute
) -> Iterator[Doubt]:
    name, line = node.attr, node.end_lineno or node.lineno
    handed_on = node not in called
    if handed_on and (name in getters or name in OF_METHODS or name == "getattr"):
        yield line, f"what {name}() calls where it is handed on can't be seen here"
    elif name not in clients.names.attributes and (name in _INSIDE or _is_familiar(name)):
        kinds = {one.kind for one in clients.values(node.value)}
        if kinds <= NOT_OF_BOTO3:
            yield line, f"which client {name} is called on can't be told"


def by_name(node: ast.Call, getters: Collection[str]) -> Iterator[Doubt]:
    """Yield a getter that is itself found by its name: `getattr(client, "get_paginator")`."""
    match node.args:
        case [_, ast.Constant(value=str(name)), *_] if name in getters:
            yield node.lineno, f"what {name}() calls can't be seen here"


def _is_familiar(method: str) -> bool:
    """Whether a method looks like an AWS call even where the client is out of sight."""
    return "_" in method and method.replace("_", "") in _squeezed_operations()


@lru_cache(maxsize=1)
def _squeezed_operations() -> frozenset[str]:
    """All operations in lower letters: quicker than the names of all methods."""
    return frozenset(operation.lower() for _, operation in operations())
