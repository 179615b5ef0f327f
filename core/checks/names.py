"""Where names come from in a script: every assignment, loop, import, call and return, by scope.

Flow is ignored: a name may be whatever is assigned to it anywhere in its scope. Attributes are
kept by their name alone, whichever object they are on (`self.ec2` is every `.ec2 = ...`), which
errs towards seeing too much. Nothing here is recursive, so no script is nested too deeply for it.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

EACH: Final = "each"
"""Step: any item of what is iterated over."""
ANY: Final = "any"
"""Step: any value in a mapping or sequence."""
Step = str | int
"""EACH, ANY, a position, or "=key"."""
Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_APPENDERS = {"add", "append", "insert", "setdefault"}


@dataclass(eq=False, slots=True)
class Scope:
    """A module, class or function with the names that are bound in it."""

    owner: ast.AST
    parent: Scope | None
    bindings: dict[str, list[Source]] = field(default_factory=lambda: defaultdict(list))


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from: a path into an expression, or the dotted name of an import."""

    origin: ast.AST | str
    scope: Scope
    path: tuple[Step, ...] = ()
    stored: int = 0
    """How deep the value is put into the name: 0 for `name = value`, 1 for `name[key] = value`."""


@dataclass(frozen=True, slots=True)
class CallSite:
    """A call of something by its last name, with the arguments it gets."""

    arguments: tuple[ast.expr, ...]
    keywords: tuple[ast.keyword, ...]
    scope: Scope


@dataclass(slots=True)
class Names:
    """All that is known of a script's names."""

    scopes: dict[ast.AST, Scope] = field(default_factory=dict)
    """The scope in which each node stands."""
    everywhere: dict[str, list[Source]] = field(default_factory=lambda: defaultdict(list))
    attributes: dict[str, list[Source]] = field(default_factory=lambda: defaultdict(list))
    calls: dict[str, list[CallSite]] = field(default_factory=lambda: defaultdict(list))
    returns: dict[ast.AST, list[ast.expr]] = field(default_factory=lambda: defaultdict(list))
    lambdas: dict[ast.AST, str] = field(default_factory=dict)
    """The name that a lambda is given."""

    def lookup(self, name: str, scope: Scope | None) -> list[Source]:
        """Where `name` comes from, seen from `scope`; from anywhere if it is bound in no scope."""
        while scope is not None:
            if name in scope.bindings:
                return scope.bindings[name]
            scope = scope.parent
        return self.everywhere.get(name, [])

    def bind(self, target: ast.AST, source: Source) -> None:
        """Record an assignment to a name, an attribute, an item, or several of them."""
        waiting = [(target, source)]
        while waiting:
            target, source = waiting.pop()
            if isinstance(target, ast.Name):
                self._bind_name(target.id, source)
            elif isinstance(target, ast.Attribute):
                self.attributes[target.attr].append(source)
            elif isinstance(target, ast.Subscript):
                waiting.append((target.value, replace(source, stored=source.stored + 1)))
            elif isinstance(target, ast.Tuple | ast.List):
                waiting += [
                    (item, replace(source, path=(*source.path, at)))
                    for at, item in enumerate(target.elts)
                ]

    def _bind_name(self, name: str, source: Source) -> None:
        source.scope.bindings[name].append(source)
        self.everywhere[name].append(source)
        if isinstance(source.scope.owner, ast.ClassDef):
            self.attributes[name].append(source)


def collect(tree: ast.Module) -> Names:
    """Read all names of a script."""
    names = Names()
    waiting: list[tuple[ast.AST, Scope]] = [(tree, Scope(tree, None))]
    while waiting:
        node, scope = waiting.pop()
        names.scopes[node] = scope
        record = _RECORDERS.get(type(node))
        if record:
            record(names, node, scope)
        inner = Scope(node, scope) if isinstance(node, Function | ast.ClassDef) else scope
        waiting += [(child, inner) for child in ast.iter_child_nodes(node)]
    return names


def _assign(names: Names, node: Any, scope: Scope) -> None:
    for target in getattr(node, "targets", None) or [node.target]:
        if isinstance(node.value, ast.Lambda):
            names.lambdas[node.value] = last_name(target)
        if node.value is not None:
            names.bind(target, Source(node.value, scope))


def _loop(names: Names, node: Any, scope: Scope) -> None:
    names.bind(node.target, Source(node.iter, scope, (EACH,)))


def _with(names: Names, node: Any, scope: Scope) -> None:
    if node.optional_vars is not None:
        names.bind(node.optional_vars, Source(node.context_expr, scope))


def _define(names: Names, node: Any, scope: Scope) -> None:
    names.bind(ast.Name(node.name), Source(node, scope))


def _lambda(names: Names, node: Any, scope: Scope) -> None:  # noqa: ARG001 - one signature for all
    names.returns[node].append(node.body)


def _return(names: Names, node: Any, scope: Scope) -> None:
    if node.value is not None:
        names.returns[scope.owner].append(node.value)


def _import(names: Names, node: Any, scope: Scope) -> None:
    for alias in node.names:
        whole = alias.name if alias.asname else alias.name.partition(".")[0]
        names.bind(ast.Name(alias.asname or whole), Source(whole, scope))


def _import_from(names: Names, node: Any, scope: Scope) -> None:
    for alias in node.names:
        origin = Source(f"{node.module}.{alias.name}", scope)
        names.bind(ast.Name(alias.asname or alias.name), origin)


def _call(names: Names, node: Any, scope: Scope) -> None:
    callee = last_name(node.func)
    arguments, keywords = tuple(node.args), tuple(node.keywords)
    if callee == "submit" and arguments:
        callee, arguments = last_name(arguments[0]), arguments[1:]
    if callee:
        names.calls[callee].append(CallSite(arguments, keywords, scope))
    if callee in _APPENDERS and isinstance(node.func, ast.Attribute) and arguments:
        names.bind(node.func.value, Source(arguments[-1], scope, stored=1))


def last_name(node: ast.AST) -> str:
    """The name, or the last part of a dotted one; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


_RECORDERS: Mapping[type[ast.AST], Callable[[Names, Any, Scope], None]] = {
    ast.Assign: _assign,
    ast.AnnAssign: _assign,
    ast.NamedExpr: _assign,
    ast.For: _loop,
    ast.AsyncFor: _loop,
    ast.comprehension: _loop,
    ast.withitem: _with,
    ast.FunctionDef: _define,
    ast.AsyncFunctionDef: _define,
    ast.ClassDef: _define,
    ast.Lambda: _lambda,
    ast.Return: _return,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.Call: _call,
}
