"""Which expressions are AWS clients: what a script's names can hold, found without running it.

Follows an expression back through assignments, loops, containers, attributes, parameters and the
returns of the script's own functions to `boto3.client("ec2")`. Where a function is called, it is
followed with the arguments of that call; seen from inside, a parameter is whatever any call gives.
Each step is counted, so a script made to be followed for ever ends as "can't be told".

A *path* says which part of an expression is meant: in `for name, ec2 in clients.items()`, `ec2` is
the path (EACH, 1) of `clients.items()`, which is the path (ANY,) of `clients`.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from core.checks.names import ANY, EACH, CallSite, Function, Names, Scope, Source, Step, last_name

Kind = Literal["module", "maker", "session", "client", "resource", "meta", "text", "function"]
Path = tuple[Step, ...]

_MOST_STEPS = 50_000
_DEEPEST = 50
_LONGEST_PATH = 4
"""Clients lie in containers of containers at most; `page = page["next"]` would go on for ever."""
_COPIERS = {"sorted", "list", "tuple", "set", "reversed", "iter", "frozenset", "dict"}


@dataclass(frozen=True, slots=True)
class Value:
    """What an expression can be.

    `name` is the service of a client, resource or meta (empty: can't be told), what a maker makes
    ("client", "resource", "session", or "guess": perhaps a client), or the text itself; `node` is
    the definition of a function.
    """

    kind: Kind
    name: str = ""
    node: ast.AST | None = None


Values = frozenset[Value]
_NOTHING: Values = frozenset()
_SESSION_MAKER = Value("maker", "session")
_IMPORTS: Mapping[str, Value] = {
    "boto3": Value("module"),
    "boto3.session": Value("module"),
    "boto3.client": Value("maker", "client"),
    "boto3.resource": Value("maker", "resource"),
    "boto3.Session": _SESSION_MAKER,
    "boto3.session.Session": _SESSION_MAKER,
    "botocore": Value("module"),
    "botocore.session": Value("module"),
    "botocore.session.get_session": _SESSION_MAKER,
    "botocore.session.Session": _SESSION_MAKER,
}


@dataclass(frozen=True, eq=False, slots=True)
class _Frame:
    """A function with the arguments of one call."""

    function: ast.AST
    arguments: Mapping[str, _At]


@dataclass(frozen=True, eq=False, slots=True)
class _At:
    """A node of the tree, seen from a scope and perhaps from inside one call."""

    node: Any
    scope: Scope
    frame: _Frame | None
    depth: int

    def to(self, node: ast.AST) -> _At:
        return _At(node, self.scope, self.frame, self.depth + 1)


@dataclass(slots=True)
class Clients:
    """Answers what expressions of one script can be."""

    names: Names
    exhausted: bool = False
    """Following took too long somewhere: answers may lack something."""
    _steps: int = _MOST_STEPS
    _known: dict[ast.AST, Values] = field(default_factory=dict)
    _active: Counter[tuple[ast.AST, Path, bool]] = field(default_factory=Counter)

    def values(self, node: ast.AST) -> Values:
        """Everything that `node` can be, as far as it can be told."""
        if node not in self._known:
            self._known[node] = self.follow(_At(node, self.names.scopes[node], None, 0), ())
        return self._known[node]

    def texts(self, node: ast.AST | None) -> tuple[str, ...]:
        """The texts that `node` can be, sorted; empty when it can't be told."""
        found = self.values(node) if node is not None else _NOTHING
        return tuple(sorted(value.name for value in found if value.kind == "text"))

    def follow(self, at: _At, path: Path) -> Values:
        """What the part of `at` that `path` leads to can be."""
        self._steps -= 1
        if self._steps < 0 or at.depth > _DEEPEST:
            self.exhausted = True
            return _NOTHING
        follower = _FOLLOWERS.get(type(at.node))
        followed = (at.node, path, at.frame is None)
        # What comes round to itself adds nothing; only a call may stand inside a like call.
        around = self._active[followed] >= (1 if at.frame is None else 3)
        if follower is None or around or len(path) > _LONGEST_PATH:
            return _NOTHING
        self._active[followed] += 1
        try:
            return follower(self, at, path)
        finally:
            self._active[followed] -= 1

    def follow_all(self, places: Iterable[_At], path: Path) -> Values:
        """What any of several places can be."""
        return frozenset(value for at in places for value in self.follow(at, path))


def service_argument(call: ast.Call) -> ast.expr | None:
    """The argument that names the service when a client is made."""
    named = (one.value for one in call.keywords if one.arg == "service_name")
    return call.args[0] if call.args else next(named, None)


# ------------------------------------------------------------------ names and parameters
def _name(clients: Clients, at: _At, path: Path) -> Values:
    name = at.node.id
    scope: Scope | None = at.scope
    while scope is not None:
        if name in scope.bindings:
            return _sources(clients, scope.bindings[name], at, path)
        if isinstance(scope.owner, Function) and name in _parameters(scope.owner):
            return _parameter(clients, scope.owner, name, at, path)
        scope = scope.parent
    return _sources(clients, clients.names.everywhere.get(name, ()), at, path)


def _sources(clients: Clients, sources: Iterable[Source], at: _At, path: Path) -> Values:
    found: set[Value] = set()
    for source in sources:
        if len(path) < source.stored:
            continue
        whole = (*source.path, *path[source.stored :])
        if not isinstance(source.origin, str):
            origin = _At(source.origin, source.scope, at.frame, at.depth + 1)
            found |= clients.follow(origin, whole)
        elif source.origin in _IMPORTS and not whole:
            found.add(_IMPORTS[source.origin])
    return frozenset(found)


def _parameter(clients: Clients, function: Function, name: str, at: _At, path: Path) -> Values:
    if at.frame is not None and at.frame.function is function:
        given = at.frame.arguments.get(name)
        return clients.follow(given, path) if given else _NOTHING
    places = []
    for site in clients.names.calls.get(_called(clients.names, function), ()):
        outer = _At(function, site.scope, None, at.depth + 1)
        given = _arguments(clients.names, function, site, outer).get(name)
        places += [given] if given else []
    return clients.follow_all(places, path)


def _called(names: Names, function: Function) -> str:
    """The name under which calls of a function are found; a constructor's is its class's."""
    if isinstance(function, ast.Lambda):
        return names.lambdas.get(function, "")
    owner = names.scopes[function].owner
    if function.name == "__init__" and isinstance(owner, ast.ClassDef):
        return owner.name
    return function.name


def _arguments(names: Names, function: Function, site: CallSite, outer: _At) -> dict[str, _At]:
    """Parameter to argument of one call; what is not given has its default."""
    inner = _At(function, names.scopes[function], None, outer.depth)
    found = {name: inner.to(default) for name, default in _defaults(function)}
    parameters = _parameters(function)
    positional = parameters[1:] if parameters[:1] in (["self"], ["cls"]) else parameters
    for name, argument in zip(positional, site.arguments, strict=False):
        if isinstance(argument, ast.Starred):
            break
        found[name] = outer.to(argument)
    return found | {
        keyword.arg: outer.to(keyword.value) for keyword in site.keywords if keyword.arg
    }


def _parameters(function: Function) -> list[str]:
    arguments = function.args
    listed = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    return [argument.arg for argument in listed]


def _defaults(function: Function) -> Iterator[tuple[str, ast.expr]]:
    arguments = function.args
    positional = [*arguments.posonlyargs, *arguments.args]
    given = positional[len(positional) - len(arguments.defaults) :]
    pairs = [
        *zip(given, arguments.defaults, strict=True),
        *zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True),
    ]
    return ((argument.arg, default) for argument, default in pairs if default is not None)


# ------------------------------------------------------------------ attributes and items
def _attribute(clients: Clients, at: _At, path: Path) -> Values:
    name = at.node.attr
    bases = clients.follow(at.to(at.node.value), ())
    if any(base.kind not in ("text", "function") for base in bases):
        found = (_member(base, name) for base in bases)
        return frozenset(value for value in found if value and not path)
    kept = _sources(clients, clients.names.attributes.get(name, ()), at, path)
    # A session that came from somewhere out of sight still makes clients.
    guess = name in ("client", "create_client") and not path
    return kept or (frozenset({Value("maker", "guess")}) if guess else _NOTHING)


def _member(base: Value, name: str) -> Value | None:
    """What an attribute of something of boto3 is."""
    if base.kind in ("module", "session") and name in ("client", "create_client", "resource"):
        return Value("maker", name.removeprefix("create_"))
    if base.kind == "module" and name in ("Session", "get_session"):
        return _SESSION_MAKER
    if base.kind == "module" and name == "session":
        return base
    if base.kind == "resource" and name == "meta":
        return Value("meta", base.name)
    return Value("client", base.name) if base.kind == "meta" and name == "client" else None


def _subscript(clients: Clients, at: _At, path: Path) -> Values:
    return clients.follow(at.to(at.node.value), (_step(at.node.slice), *path))


def _step(key: ast.AST) -> Step:
    value = key.value if isinstance(key, ast.Constant) else None
    if isinstance(value, str):
        return f"={value}"
    return value if isinstance(value, int) else ANY


def _sequence(clients: Clients, at: _At, path: Path) -> Values:
    if not path:
        return _NOTHING
    step, items = path[0], at.node.elts
    if isinstance(step, int) and -len(items) <= step < len(items):
        items = [items[step]]
    return clients.follow_all((at.to(item) for item in items), path[1:])


def _dictionary(clients: Clients, at: _At, path: Path) -> Values:
    if not path:
        return _NOTHING
    if path[0] == EACH:
        return clients.follow_all((at.to(key) for key in at.node.keys if key), path[1:])
    pairs = list(zip(at.node.keys, at.node.values, strict=True))
    exact = [value for key, value in pairs if key and _step(key) == path[0] != ANY]
    values = exact or [value for _, value in pairs]
    return clients.follow_all((at.to(value) for value in values), path[1:])


def _comprehension(clients: Clients, at: _At, path: Path) -> Values:
    return clients.follow(at.to(at.node.elt), path[1:]) if path else _NOTHING


def _dict_comprehension(clients: Clients, at: _At, path: Path) -> Values:
    if not path:
        return _NOTHING
    part = at.node.key if path[0] == EACH else at.node.value
    return clients.follow(at.to(part), path[1:])


# ------------------------------------------------------------------ calls
def _call(clients: Clients, at: _At, path: Path) -> Values:
    node = at.node
    name = last_name(node.func)
    copies = name in _COPIERS and isinstance(node.func, ast.Name)
    if node.args and (copies or name == "partial"):
        return clients.follow(at.to(node.args[0]), path)
    inner = _container_path(name, node.args, path) if isinstance(node.func, ast.Attribute) else None
    if inner is not None:
        found = clients.follow(at.to(node.func.value), inner)
        if found:
            return found
    made: set[Value] = set()
    for value in clients.follow(at.to(node.func), ()):
        if value.kind == "maker" and not path:
            made |= _make(clients, value.name, at)
        elif value.kind == "function" and isinstance(value.node, Function):
            made |= _returned(clients, value.node, at, path)
    return frozenset(made)


def _container_path(method: str, arguments: list[ast.expr], path: Path) -> Path | None:
    """Where the path leads in the container whose method is called; None: no such method."""
    if method in ("get", "pop", "setdefault") and arguments:
        return (_step(arguments[0]), *path)
    if not path or path[0] == ANY:
        return None
    if method == "values":
        return (ANY, *path[1:])
    if method == "keys":
        return path
    if method == "items" and len(path) > 1:
        return (EACH if path[1] == 0 else ANY, *path[2:])
    return None


def _make(clients: Clients, what: str, at: _At) -> Values:
    """What `boto3.client(...)` and its like return."""
    if what == "session":
        return frozenset({Value("session")})
    kind: Kind = "resource" if what == "resource" else "client"
    service = service_argument(at.node)
    found = clients.follow(at.to(service), ()) if service is not None else _NOTHING
    texts = {value.name for value in found if value.kind == "text"}
    if not texts and what != "guess":
        texts = {""}
    return frozenset(Value(kind, text) for text in texts)


def _returned(clients: Clients, function: Function, at: _At, path: Path) -> Values:
    names = clients.names
    site = CallSite(tuple(at.node.args), tuple(at.node.keywords), at.scope)
    frame = _Frame(function, _arguments(names, function, site, at))
    places = (
        _At(one, names.scopes[one], frame, at.depth + 1) for one in names.returns.get(function, ())
    )
    return clients.follow_all(places, path)


# ------------------------------------------------------------------ the rest
def _inner(clients: Clients, at: _At, path: Path) -> Values:
    return clients.follow(at.to(at.node.value), path)


def _either(clients: Clients, at: _At, path: Path) -> Values:
    return clients.follow_all((at.to(at.node.body), at.to(at.node.orelse)), path)


def _one_of(clients: Clients, at: _At, path: Path) -> Values:
    return clients.follow_all((at.to(value) for value in at.node.values), path)


def _constant(_: Clients, at: _At, path: Path) -> Values:
    value = at.node.value
    return frozenset({Value("text", value)}) if isinstance(value, str) and not path else _NOTHING


def _definition(_: Clients, at: _At, path: Path) -> Values:
    return _NOTHING if path else frozenset({Value("function", node=at.node)})


_FOLLOWERS: Mapping[type[ast.AST], Callable[[Clients, _At, Path], Values]] = {
    ast.Name: _name,
    ast.Attribute: _attribute,
    ast.Subscript: _subscript,
    ast.Call: _call,
    ast.List: _sequence,
    ast.Tuple: _sequence,
    ast.Set: _sequence,
    ast.Dict: _dictionary,
    ast.ListComp: _comprehension,
    ast.SetComp: _comprehension,
    ast.GeneratorExp: _comprehension,
    ast.DictComp: _dict_comprehension,
    ast.IfExp: _either,
    ast.BoolOp: _one_of,
    ast.NamedExpr: _inner,
    ast.Await: _inner,
    ast.Starred: _inner,
    ast.Constant: _constant,
    ast.FunctionDef: _definition,
    ast.AsyncFunctionDef: _definition,
    ast.Lambda: _definition,
}
