"""Where names come from in a script: every assignment, loop, import, call and return, by scope.

Flow is ignored: a name may be whatever is assigned to it anywhere in its scope. Attributes are
kept by their name alone, whichever object they are on (`self.ec2` is every `.ec2 = ...`), which
errs towards seeing too much. Nothing here is recursive, so no script is nested too deeply for it.
"""

from __future__ import annotations

import ast
from collections import Counter, defaultdict
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
_COMPREHENSIONS = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp
_SCOPES = Function | ast.ClassDef | _COMPREHENSIONS
_APPENDERS = {"add", "append", "appendleft", "insert"}
_JOINERS = {"extend", "update"}
_MAPPERS = {"filter", "map", "starmap"}
_SORTERS = {"groupby", "max", "min", "sort", "sorted"}


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
    keys: tuple[Step, ...] = ()
    """Where in the name the value is put: none for `name = value`, "=a" for `name["a"] = value`."""


@dataclass(frozen=True, slots=True)
class CallSite:
    """A call of something by its last name, with the arguments it gets."""

    arguments: tuple[ast.expr, ...]
    keywords: tuple[ast.keyword, ...]
    scope: Scope
    each: bool = False
    """Whether it gets the items of its arguments, one by one, as `map` hands them on."""


@dataclass(slots=True)
class Names:
    """All that is known of a script's names."""

    scopes: dict[ast.AST, Scope] = field(default_factory=dict)
    """The scope in which each node stands."""
    everywhere: dict[str, list[Source]] = field(default_factory=lambda: defaultdict(list))
    attributes: dict[str, list[Source]] = field(default_factory=lambda: defaultdict(list))
    calls: dict[str, list[CallSite]] = field(default_factory=lambda: defaultdict(list))
    returns: dict[ast.AST, list[ast.expr]] = field(default_factory=lambda: defaultdict(list))
    yields: dict[ast.AST, list[ast.Yield | ast.YieldFrom]] = field(
        default_factory=lambda: defaultdict(list)
    )
    lambdas: dict[ast.AST, str] = field(default_factory=dict)
    """The name that a lambda is given."""
    keys: set[str] = field(default_factory=set)
    """Every key that the script puts into something itself."""
    loads: Counter[str] = field(default_factory=Counter)
    """How often a name is read."""
    handled: Counter[str] = field(default_factory=Counter)
    """How often it is read to be called, with arguments that are in sight."""

    def escapes(self, function: str) -> bool:
        """Whether a function may be called with arguments that are out of sight."""
        return self.loads[function] > self.handled[function]

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
                key = step_of(target.slice)
                if isinstance(key, str):
                    self.keys.add(key.removeprefix("="))
                waiting.append((target.value, replace(source, keys=(key, *source.keys))))
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
    firsts: set[ast.AST] = set()
    while waiting:
        node, scope = waiting.pop()
        names.scopes[node] = scope
        record = _RECORDERS.get(type(node))
        if record:
            record(names, node, scope)
        inner = Scope(node, scope) if isinstance(node, _SCOPES) else scope
        for child in ast.iter_child_nodes(node):
            # What a comprehension goes over first is seen from outside of it.
            outside = child in firsts
            waiting.append((child, scope.parent or scope if outside else inner))
        if isinstance(node, _COMPREHENSIONS):
            firsts.add(node.generators[0].iter)
    for node in names.scopes:
        if isinstance(node, ast.ClassDef):
            _fields(names, node)
    return names


def _fields(names: Names, node: ast.ClassDef) -> None:
    """Give the fields of a dataclass what its constructor is called with."""
    listed = [one.target.id for one in node.body if _is_field(one)]  # type: ignore[attr-defined]
    for site in names.calls.get(node.name, ()) if listed else ():
        for name, argument in zip(listed, site.arguments, strict=False):
            names.attributes[name].append(Source(argument, site.scope))
        for keyword in site.keywords:
            if keyword.arg and keyword.arg in listed:
                names.attributes[keyword.arg].append(Source(keyword.value, site.scope))


def _is_field(statement: ast.stmt) -> bool:
    return isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)


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


def _yield(names: Names, node: Any, scope: Scope) -> None:
    if node.value is not None:
        names.yields[scope.owner].append(node)


def _read(names: Names, node: Any, scope: Scope) -> None:  # noqa: ARG001 - one signature for all
    if isinstance(node.ctx, ast.Load):
        names.loads[last_name(node)] += 1


def _call(names: Names, node: Any, scope: Scope) -> None:
    callee = last_name(node.func)
    names.handled[callee] += 1
    arguments, keywords = tuple(node.args), tuple(node.keywords)
    if callee in ("submit", "to_thread") and arguments:
        callee, arguments = last_name(arguments[0]), arguments[1:]
        names.handled[callee] += 1
    if callee:
        names.calls[callee].append(CallSite(arguments, keywords, scope))
    _hand_on(names, node, scope)
    if isinstance(node.func, ast.Attribute):
        _put(names, node, scope)


def _hand_on(names: Names, node: ast.Call, scope: Scope) -> None:
    """A function that is called with the items of something: by `map`, or as the key of a sort."""
    callee, arguments = last_name(node.func), node.args
    function: ast.expr | None = None
    if callee in _MAPPERS and len(arguments) > 1:
        function, arguments = arguments[0], arguments[1:]
    elif callee in _SORTERS:
        function = next((one.value for one in node.keywords if one.arg == "key"), None)
        if callee == "sort" and isinstance(node.func, ast.Attribute):
            arguments = [node.func.value]
    if function is None:
        return
    name = last_name(function)
    if isinstance(function, ast.Lambda):
        name = names.lambdas.setdefault(function, f"lambda {id(function)}")
    names.handled[name] += 1
    names.calls[name].append(CallSite(tuple(arguments), (), scope, each=True))


def _put(names: Names, node: Any, scope: Scope) -> None:
    """What a method of a list or dictionary puts into it."""
    callee, arguments = node.func.attr, node.args
    if callee in _APPENDERS and arguments:
        names.bind(node.func.value, Source(arguments[-1], scope, keys=(ANY,)))
    elif callee == "setdefault" and len(arguments) > 1:
        target = ast.Subscript(node.func.value, arguments[0])
        names.bind(target, Source(arguments[1], scope))
    elif callee in _JOINERS:
        for argument in arguments:
            names.bind(node.func.value, Source(argument, scope))
        for keyword in node.keywords:
            if keyword.arg:
                target = ast.Subscript(node.func.value, ast.Constant(keyword.arg))
                names.bind(target, Source(keyword.value, scope))


def step_of(key: ast.AST) -> Step:
    """The step that a subscript takes."""
    value = key.value if isinstance(key, ast.Constant) else None
    if isinstance(value, str):
        return f"={value}"
    return value if isinstance(value, int) else ANY


def last_name(node: ast.AST) -> str:
    """The name, or the last part of a dotted one; empty for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


_RECORDERS: Mapping[type[ast.AST], Callable[[Names, Any, Scope], None]] = {
    ast.Assign: _assign,
    ast.AnnAssign: _assign,
    ast.NamedExpr: _assign,
    ast.AugAssign: _assign,
    ast.For: _loop,
    ast.AsyncFor: _loop,
    ast.comprehension: _loop,
    ast.withitem: _with,
    ast.FunctionDef: _define,
    ast.AsyncFunctionDef: _define,
    ast.ClassDef: _define,
    ast.Lambda: _lambda,
    ast.Return: _return,
    ast.Yield: _yield,
    ast.YieldFrom: _yield,
    ast.Name: _read,
    ast.Attribute: _read,
    ast.Import: _import,
    ast.ImportFrom: _import_from,
    ast.Call: _call,
}
