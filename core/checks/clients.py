"""Which expressions are AWS clients: what a script's names can hold, found without running it.

Follows an expression back through assignments, loops, containers, attributes, parameters and the
returns of the script's own functions to `boto3.client("ec2")`. Where a function is called, it is
followed with the arguments of that call; seen from inside, a parameter is whatever any call gives.

A *path* says which part of an expression is meant: in `for name, ec2 in clients.items()`, `ec2` is
the path (EACH, 1) of `clients.items()`, which is the path (ANY,) of `clients`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping

from core.checks import functions, models
from core.checks.following import At, Clients, Follower, Frame
from core.checks.functions import given
from core.checks.names import ANY, EACH, Function, Names, Scope, Source, step_of
from core.checks.passing import handed_on
from core.checks.values import (
    HELD,
    NOT_OF_BOTO3,
    NOTHING,
    SESSION_MAKER,
    UNSEEN,
    Kind,
    Path,
    Value,
    Values,
    attribute,
    called,
    walk,
)

_IMPORTS: Mapping[str, Value] = {
    "boto3": Value("module"),
    "boto3.session": Value("module"),
    "boto3.client": Value("maker", "client"),
    "boto3.resource": Value("maker", "resource"),
    "boto3.Session": SESSION_MAKER,
    "boto3.session.Session": SESSION_MAKER,
    "botocore": Value("module"),
    "botocore.session": Value("module"),
    "botocore.session.get_session": SESSION_MAKER,
    "botocore.session.Session": SESSION_MAKER,
}


def clients_of(names: Names) -> Clients:
    """What answers which expressions of a script are clients, and what comes of them."""
    return Clients(names, _FOLLOWERS)


def service_argument(call: ast.Call) -> ast.expr | None:
    """The argument that names the service when a client is made."""
    named = (one.value for one in call.keywords if one.arg == "service_name")
    return call.args[0] if call.args else next(named, None)


# ------------------------------------------------------------------ names and parameters
def _name(clients: Clients, at: At, path: Path) -> Values:
    name = at.node.id
    scope: Scope | None = at.scope
    while scope is not None:
        if name in scope.bindings:
            return _sources(clients, scope.bindings[name], at, path)
        if isinstance(scope.owner, Function):
            if name in functions.parameters(scope.owner):
                return _parameter(clients, scope.owner, name, at, path)
            if name in functions.gathered(scope.owner):
                return UNSEEN
        scope = scope.parent
    found = clients.names.everywhere.get(name)
    return _sources(clients, found, at, path) if found else UNSEEN


def _sources(clients: Clients, sources: Iterable[Source], at: At, path: Path) -> Values:
    found: set[Value] = set()
    for source in sources:
        if not _meets(source.keys, path):
            continue
        whole = (*source.path, *path[len(source.keys) :])
        if not isinstance(source.origin, str):
            scope = clients.names.scopes.get(source.origin, source.scope)
            origin = At(source.origin, scope, at.frame, at.depth + 1)
            found |= clients.follow(origin, whole)
        elif source.origin in _IMPORTS and not whole:
            found.add(_IMPORTS[source.origin])
        else:
            found |= UNSEEN
    return frozenset(found)


def _meets(keys: Path, path: Path) -> bool:
    """Whether what was put in at `keys` may lie on a path."""
    if len(path) < len(keys):
        return False
    pairs = zip(keys, path, strict=False)
    return all(key == step or not (_is_key(key) and _is_key(step)) for key, step in pairs)


def _is_key(step: object) -> bool:
    return isinstance(step, str) and step.startswith("=")


def _parameter(clients: Clients, function: Function, name: str, at: At, path: Path) -> Values:
    frame = at.frame
    if frame is not None and frame.function is function:
        return _argument(clients, frame, name, path)
    own = functions.name_of(clients.names, function)
    sites = clients.names.calls.get(own, ())
    found: Values = UNSEEN if not sites or clients.names.escapes(own) else NOTHING
    for site in sites:
        outer = At(function, site.scope, None, at.depth + 1)
        found |= _argument(clients, Frame(function, given(function, site), outer), name, path)
    return found


def _argument(clients: Clients, frame: Frame, name: str, path: Path) -> Values:
    """What one call gives a parameter."""
    found = frame.arguments.get(name)
    if found is None:
        return UNSEEN
    outer = frame.outer
    if found.default:
        outer = At(frame.function, clients.names.scopes[frame.function], None, outer.depth)
    return clients.follow(outer.to(found.node), (EACH, *path) if found.each else path)


# ------------------------------------------------------------------ attributes and items
def _attribute(clients: Clients, at: At, path: Path) -> Values:
    name = at.node.attr
    bases = clients.follow(at.to(at.node.value), ())
    ours = [base for base in bases if base.kind not in NOT_OF_BOTO3]
    if ours:
        found = frozenset(attribute(base, name) for base in ours)
        return walk(found - UNSEEN or found, path)
    kept = _sources(clients, clients.names.attributes.get(name, ()), at, path)
    # A session that came from somewhere out of sight still makes clients.
    guess = name in ("client", "create_client") and not path
    return kept or (frozenset({Value("maker", "guess")}) if guess else UNSEEN)


def _subscript(clients: Clients, at: At, path: Path) -> Values:
    base = at.to(at.node.value)
    if isinstance(at.node.slice, ast.Slice):
        return clients.follow(base, path)
    step = step_of(at.node.slice)
    if step == ANY:
        found = clients.follow(at.to(at.node.slice), ())
        texts = [value.name for value in found if value.kind == "text"]
        if texts and len(texts) == len(found):
            parts = (_part(clients, base, (f"={text}", *path)) for text in texts)
            return frozenset(value for part in parts for value in part)
    return _part(clients, base, (step, *path))


def _part(clients: Clients, base: At, path: Path) -> Values:
    """What lies at a path in something: in data of AWS, or in what the script put there."""
    values = clients.follow(base, ())
    found = walk((value for value in values if value.kind in HELD), path)
    if found and all(value.kind in HELD for value in values):
        return found
    return found | clients.follow(base, path)


def _sequence(clients: Clients, at: At, path: Path) -> Values:
    if not path:
        return frozenset({Value("literal", node=at.node)})
    step, items = path[0], at.node.elts
    if isinstance(step, int) and -len(items) <= step < len(items):
        items = [items[step]]
    return clients.follow_all((at.to(item) for item in items), path[1:])


def _dictionary(clients: Clients, at: At, path: Path) -> Values:
    if not path:
        return frozenset({Value("literal", node=at.node)})
    if path[0] == EACH:
        return clients.follow_all((at.to(key) for key in at.node.keys if key), path[1:])
    pairs = list(zip(at.node.keys, at.node.values, strict=True))
    exact = [value for key, value in pairs if key and step_of(key) == path[0] != ANY]
    if exact:
        return clients.follow_all((at.to(value) for value in exact), path[1:])
    spread = [value for key, value in pairs if key is None]
    found = clients.follow_all((at.to(value) for value in spread), path)
    rest = [value for key, value in pairs if key]
    return found or clients.follow_all((at.to(value) for value in rest), path[1:])


def _comprehension(clients: Clients, at: At, path: Path) -> Values:
    if not path:
        return frozenset({Value("literal", node=at.node)})
    return clients.follow(clients.within(at, at.node.elt), path[1:])


def _dict_comprehension(clients: Clients, at: At, path: Path) -> Values:
    if not path:
        return frozenset({Value("literal", node=at.node)})
    part = at.node.key if path[0] == EACH else at.node.value
    return clients.follow(clients.within(at, part), path[1:])


# ------------------------------------------------------------------ calls
def _call(clients: Clients, at: At, path: Path) -> Values:
    node = at.node
    inner = handed_on(node, path)
    if inner is not None:
        found = _part(clients, at.to(inner[0]), inner[1]) - UNSEEN
        if found:
            return found
    made: set[Value] = set()
    for value in clients.follow(at.to(node.func), ()):
        if value.kind == "function" and isinstance(value.node, Function):
            made |= _returned(clients, value.node, at, path)
        else:
            made |= walk(_made(clients, value, at), path)
    if made - UNSEEN:
        return frozenset(made)
    return UNSEEN if path else frozenset({Value("literal", node=node)})


def _made(clients: Clients, value: Value, at: At) -> Values:
    """What calling something of boto3 gives."""
    if value.kind == "maker":
        return _make(clients, value.name, at)
    if value.kind == "getter":
        wanted = at.node.args[0] if at.node.args else None
        found = clients.follow(at.to(wanted), ()) if wanted else NOTHING
        known = models.paginators if value.of == "paginator" else models.waiters
        kind: Kind = "paginator" if value.of == "paginator" else "waiter"
        names = {one.name for one in found if one.kind == "text"} & known(value.name).keys()
        return frozenset(Value(kind, value.name, of=known(value.name)[name]) for name in names)
    return frozenset({called(value)})


def _make(clients: Clients, what: str, at: At) -> Values:
    """What `boto3.client(...)` and its like return."""
    if what == "session":
        return frozenset({Value("session")})
    kind: Kind = "resource" if what == "resource" else "client"
    service = service_argument(at.node)
    found = clients.follow(at.to(service), ()) if service is not None else NOTHING
    texts = {value.name for value in found if value.kind == "text"}
    if not texts and what != "guess":
        texts = {""}
    return frozenset(Value(kind, text) for text in texts)


def _returned(clients: Clients, function: Function, at: At, path: Path) -> Values:
    names = clients.names
    frame = clients.frame(function, at.node, at)

    def seen(node: ast.AST) -> At:
        return At(node, names.scopes[node], frame, at.depth + 1)

    found = clients.follow_all((seen(one) for one in names.returns.get(function, ())), path)
    for one in names.yields.get(function, ()) if path else ():
        if one.value is not None:
            rest = path if isinstance(one, ast.YieldFrom) else path[1:]
            found |= clients.follow(seen(one.value), rest)
    return found


# ------------------------------------------------------------------ the rest
def _inner(clients: Clients, at: At, path: Path) -> Values:
    return clients.follow(at.to(at.node.value), path)


def _either(clients: Clients, at: At, path: Path) -> Values:
    return clients.follow_all((at.to(at.node.body), at.to(at.node.orelse)), path)


def _one_of(clients: Clients, at: At, path: Path) -> Values:
    return clients.follow_all((at.to(value) for value in at.node.values), path)


def _both(clients: Clients, at: At, path: Path) -> Values:
    """Lists that are put together; of anything else it is the expression itself."""
    if not path and not isinstance(at.node.op, ast.BitOr):
        return frozenset({Value("literal", node=at.node)})
    return clients.follow_all((at.to(at.node.left), at.to(at.node.right)), path)


def _constant(_: Clients, at: At, path: Path) -> Values:
    value = at.node.value
    if path:
        return NOTHING if value is None else UNSEEN
    return frozenset(
        {Value("text", value) if isinstance(value, str) else Value("literal", node=at.node)}
    )


def _definition(_: Clients, at: At, path: Path) -> Values:
    return UNSEEN if path else frozenset({Value("function", node=at.node)})


_FOLLOWERS: Mapping[type[ast.AST], Follower] = {
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
    ast.BinOp: _both,
    ast.NamedExpr: _inner,
    ast.Await: _inner,
    ast.Starred: _inner,
    ast.Constant: _constant,
    ast.FunctionDef: _definition,
    ast.AsyncFunctionDef: _definition,
    ast.Lambda: _definition,
}
