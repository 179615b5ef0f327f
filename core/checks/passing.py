"""What Python's own functions and containers hand on: `sorted(x)` is x, `d.get("a")` is d's "a"."""

from __future__ import annotations

import ast

from core.checks.names import ANY, EACH, last_name, step_of
from core.checks.values import Path

_COPIERS = {"sorted", "list", "tuple", "set", "reversed", "iter", "frozenset", "dict"}
_PICKERS = {"max", "min", "next"}


def handed_on(node: ast.Call, path: Path) -> tuple[ast.expr, Path] | None:
    """The expression whose part a call gives back, and the path in it; None: no such call."""
    return _passed_on(node, path) or _container_path(node, path)


def _passed_on(node: ast.Call, path: Path) -> tuple[ast.expr, Path] | None:
    """The argument that a function of Python gives back, or a part of it, and the path in it."""
    name, arguments = last_name(node.func), node.args
    if name == "getattr" and len(arguments) > 1 and isinstance(arguments[1], ast.Constant):
        member = ast.Attribute(arguments[0], str(arguments[1].value))
        return None if path else (member, ())
    if name in ("map", "filter") and len(arguments) > 1:
        return (arguments[1], path) if name == "filter" else None
    if not arguments:
        return None
    if name == "partial" or (path and (name == "islice" or _copies(node))):
        return arguments[0], path
    if name in _PICKERS and _is_built_in(node) and len(arguments) <= 2:  # noqa: PLR2004 - a default
        return arguments[0], (EACH, *path)
    if path[:1] and path[0] in (EACH, ANY):
        return _each_of(name, arguments, path)
    return None


def _each_of(name: str, arguments: list[ast.expr], path: Path) -> tuple[ast.expr, Path] | None:
    """The same for what goes over items of its arguments."""
    if name == "enumerate" and path[1:2] == (1,):
        return arguments[0], (EACH, *path[2:])
    if name == "zip" and len(path) > 1 and isinstance(path[1], int) and path[1] < len(arguments):
        return arguments[path[1]], (EACH, *path[2:])
    if name == "from_iterable":
        return arguments[0], (EACH, *path)
    return (arguments[0], path) if name == "chain" else None


def _copies(node: ast.Call) -> bool:
    return _is_built_in(node) and last_name(node.func) in _COPIERS


def _is_built_in(node: ast.Call) -> bool:
    return isinstance(node.func, ast.Name)


def _container_path(node: ast.Call, path: Path) -> tuple[ast.expr, Path] | None:
    """The container whose method is called and the path in it; None: no such method."""
    if not isinstance(node.func, ast.Attribute):
        return None
    container, method = node.func.value, node.func.attr
    if method in ("get", "pop", "setdefault") and node.args:
        return container, (step_of(node.args[0]), *path)
    if method in ("copy", "popleft") and not node.args:
        return container, path if method == "copy" else (ANY, *path)
    if not path or path[0] not in (EACH, ANY):
        return None
    if method == "values":
        return container, (ANY, *path[1:])
    if method == "keys":
        return container, path
    if method == "items" and len(path) > 1:
        return container, (EACH if path[1] == 0 else ANY, *path[2:])
    return None
