"""Which AWS calls the code makes, read from it without running it, and what is wrong with them.

Checked against botocore's models: a service, operation, parameter, paginator, waiter or key of an
answer that does not exist is a blocker, since the script would fail there. What can't be told (a
client out of sight, a computed name) is a warning, and the list of calls is incomplete then. It is
advice either way: what may happen is decided by the policy at the gateway, never by what is found.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field

from core.checks import hiding, literals, models, paging, responses, searching, transfers
from core.checks.clients import clients_of, service_argument
from core.checks.finding import Call, Finding, Severity
from core.checks.following import Clients
from core.checks.literals import Entries
from core.checks.names import Names, collect, last_name
from core.checks.parameters import Problem, Wanted, check
from core.checks.resources import collection, members
from core.checks.values import NOT_OF_BOTO3, Value, Values, member
from core.iam.propose import Shown

_SOURCE = "aws-calls"
_NAMED: Mapping[str, tuple[str, Callable[[str], Mapping[str, str]]]] = {
    "get_paginator": ("paginator", models.paginators),
    "get_waiter": ("waiter", models.waiters),
    "generate_presigned_url": ("operation", models.methods),
}
"""What names an operation in its first argument; a link that is followed is the call."""
_NAMES_OF_NAMES = {"ClientMethod", "operation_name", "waiter_name"}
_HARMLESS = {
    "can_paginate",
    "close",
    "exceptions",
    "generate_db_auth_token",
    "generate_presigned_post",
    "meta",
    "waiter_names",
    *_NAMED,
}
"""Attributes of a client that call nothing by themselves."""
_EXTRA = {"paginate": frozenset({"PaginationConfig"}), "wait": frozenset({"WaiterConfig"})}


@dataclass(frozen=True, slots=True)
class Extraction:
    """What was found in one script."""

    calls: tuple[Call, ...] = ()
    """Sorted by line, each once."""
    findings: tuple[Finding, ...] = ()
    complete: bool = True
    """Whether nothing was noticed that could hide more calls."""
    sites: tuple[Shown, ...] = ()
    """The calls with their parameters, as far as these can be told."""
    unresolved: int = 0
    """Places where a call, or what hides one, can't be told."""


def extract(tree: ast.Module) -> Extraction:
    """Find the AWS calls of a script."""
    names = collect(tree)
    reader = _Reader(names, clients_of(names), _texts(tree), hiding.called_in(tree))
    told: list[Call | Finding] = [one for node in ast.walk(tree) for one in reader.read(node)]
    if reader.clients.exhausted:
        told.append(_doubt(None, "the script is too entangled to follow every client in it"))
    found = dict.fromkeys(told)
    findings = tuple(one for one in found if isinstance(one, Finding))
    unresolved = sum(one.rule == "cannot-tell" for one in findings)
    unordered = (one for one in found if isinstance(one, Call))
    calls = sorted(unordered, key=lambda one: (one.line, one.service, one.operation))
    return Extraction(
        calls=tuple(calls),
        findings=findings,
        complete=not unresolved,
        sites=(*reader.sites, *reader.without_site(calls)),
        unresolved=unresolved,
    )


@dataclass(slots=True)
class _Reader:
    names: Names
    clients: Clients
    texts: Collection[str]
    called: Collection[ast.AST]
    sites: list[Shown] = field(default_factory=list)
    getters: set[Call] = field(default_factory=set)
    """Where a paginator or waiter is got; its parameters follow where it is used."""

    def read(self, node: ast.AST) -> Iterator[Call | Finding]:
        """Calls and findings of one node, without those of the nodes inside it."""
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield from self._method(node)
        elif isinstance(node, ast.Call):
            yield from self._call(node)
        for doubt in hiding.doubts(self.clients, self.called, _NAMED, node):
            yield _doubt(*doubt)
        for one in (*responses.absent(self.clients, node), *searching.absent(self.clients, node)):
            yield _unknown(one.rule, one.line, one.message, one.near)

    def without_site(self, calls: list[Call]) -> Iterator[Shown]:
        """The calls whose parameters are not in sight, such as a method that is handed on."""
        places = {(one.service, one.operation, one.line) for one in self.sites}
        used = {(one.service, one.operation) for one in self.sites}
        for call in calls:
            got = call in self.getters and (call.service, call.operation) in used
            if not got and (call.service, call.operation, call.line) not in places:
                yield Shown(call.service, call.operation, call.line, {})

    def _call(self, node: ast.Call) -> Iterator[Call | Finding]:
        name = last_name(node.func)
        built_in = isinstance(node.func, ast.Name)
        if name in _NAMED:
            yield from self._named(node, name)
        elif name == "getattr" and built_in:
            yield from self._computed(node)
            yield from (_doubt(*doubt) for doubt in hiding.by_name(node, _NAMED))
        elif name == "import_module" or (name in hiding.OF_CODE and built_in):
            yield _doubt(node.lineno, f"what {name}() brings in can't be seen here")
        elif name in hiding.OF_METHODS and (built_in or name != "vars"):
            yield _doubt(node.lineno, f"what {name}() calls can't be seen here")
        else:
            yield from self._making(node)
            yield from self._arguments(node)

    # -------------------------------------------------------------- clients and resources
    def _making(self, node: ast.Call) -> Iterator[Finding]:
        """Findings about a client or resource being made."""
        makers = {one.name for one in self.clients.values(node.func) if one.kind == "maker"}
        if not makers & {"client", "resource"}:
            return
        argument = service_argument(node)
        services = self.clients.texts(argument)
        for service in services:
            if service not in models.services():
                near = _near(service, models.services())
                yield _unknown(
                    "unknown-service", node.lineno, f"there is no service {service!r}", near
                )
            elif "client" not in makers and service not in models.resource_services():
                message = f"boto3 has no resource {service!r}"
                fix = f'use boto3.client("{service}")'
                yield _finding("unknown-service", "blocker", node.lineno, message, fix)
        if argument is not None and not services:
            yield _doubt(node.lineno, "which service this client is for can't be told")

    def _method(self, node: ast.Attribute) -> Iterator[Call | Finding]:
        """The call behind `client.method`, called here or handed on."""
        line = node.end_lineno or node.lineno
        values = self.clients.values(node.value)
        if node.attr not in _HARMLESS:
            yield from self._operations(values, (node.attr,), line)
        yield from self._members(values, node.attr, line)

    def _operations(
        self, values: Values, methods: tuple[str, ...], line: int
    ) -> Iterator[Call | Finding]:
        clients = {one.name for one in values if one.kind == "client"}
        services = sorted(clients & models.services())
        for method in methods:
            calls = [
                Call(service, operation, line)
                for service in services
                if (operation := models.methods(service).get(method))
            ]
            yield from calls
            if calls or method in _HARMLESS:
                continue
            if clients and method.startswith("_"):
                yield _doubt(line, f"what {method} does inside boto3 can't be seen here")
            elif services and "" not in clients:
                yield _no_operation(services, method, line)
            elif "" in clients:
                yield _doubt(line, f"which service {method} is called on can't be told")

    def _members(self, values: Values, name: str, line: int) -> Iterator[Call | Finding]:
        """The call behind an attribute of a resource or a collection."""
        owners = sorted(
            (one for one in values if one.kind in ("resource", "collection") and _is_known(one)),
            key=lambda one: (one.name, one.of),
        )
        found = [(one, told) for one in owners if (told := member(one, name))]
        for owner, told in found:
            if told.operation and not (owner.more and told.kind == "field"):
                yield Call(owner.name, told.operation, line)
        if owners and not found:
            yield self._no_member(owners[0], name, line)

    def _no_member(self, owner: Value, name: str, line: int) -> Finding:
        if name.startswith("_"):
            return _doubt(line, f"what {name} does inside boto3 can't be seen here")
        kind = owner.of.partition("/")[0]
        what, known = f"{owner.name}.{kind or 'resource'}", set(members(owner.name, kind))
        if owner.kind == "collection":
            what, known = f"a collection of {what}", set(collection(owner.name, kind))
        near = _near(name, known)
        return _unknown("unknown-attribute", line, f"{what} has no {name!r}", near)

    def _named(self, node: ast.Call, getter: str) -> Iterator[Call | Finding]:
        """The call behind `client.get_paginator("name")` or `get_waiter`."""
        what, known = _NAMED[getter]
        if not isinstance(node.func, ast.Attribute):
            return
        clients = {one.name for one in self.clients.values(node.func.value) if one.kind == "client"}
        services = sorted(clients & models.services())
        by_name = (one.value for one in node.keywords if one.arg in _NAMES_OF_NAMES)
        argument = node.args[0] if node.args else next(by_name, None)
        wanted = self.clients.texts(argument)
        if not services or not wanted:
            yield _doubt(node.lineno, f"which {what} this is can't be told")
        for name in wanted:
            calls = [
                Call(service, known(service)[name], node.lineno)
                for service in services
                if name in known(service)
            ]
            self.getters.update(calls)
            yield from calls
            if services and not calls and "" not in clients:
                near = _near(name, {one for service in services for one in known(service)})
                message = f"{_listed(services)} has no {what} {name!r}"
                yield _unknown(f"unknown-{what}", node.lineno, message, near)

    def _computed(self, node: ast.Call) -> Iterator[Call | Finding]:
        """The calls behind `getattr(client, name)`."""
        values = self.clients.values(node.args[0]) if node.args else frozenset()
        if not any(one.kind not in NOT_OF_BOTO3 for one in values):
            return
        methods = self.clients.texts(node.args[1]) if len(node.args) > 1 else ()
        if not methods:
            yield _doubt(node.lineno, "which method is called by a computed name can't be told")
        yield from self._operations(values, methods, node.lineno)

    # -------------------------------------------------------------- arguments
    def _arguments(self, node: ast.Call) -> Iterator[Finding]:
        """What is wrong with the arguments of a call of AWS."""
        values = self.clients.values(node.func)
        wanted = [one for one in map(_wanted, sorted(values, key=str)) if one]
        if not wanted:
            line = getattr(node.func, "end_lineno", None) or node.lineno
            yield from (_wrong(node, line, one) for one in transfers.problems(self.clients, node))
            return
        found = literals.arguments(self.clients, node)
        line = getattr(node.func, "end_lineno", None) or node.lineno
        for one in wanted:
            given = literals.to_json((found,)) if one.given == frozenset() else {}
            self.sites.append(Shown(one.service, one.operation, line, given))
        if node.args and not any(isinstance(one, ast.Starred) for one in node.args):
            message = f"{wanted[0].operation} takes its parameters by name only"
            yield _finding("positional", "blocker", line, message, "write Name=value")
        for problem in _shared(wanted, found, self.names.keys):
            yield _wrong(node, line, problem)
        if all(one.kind == "operation" for one in values if one.kind not in NOT_OF_BOTO3):
            yield from self._pages(wanted, found, line)

    def _pages(self, wanted: list[Wanted], found: Entries, line: int) -> Iterator[Finding]:
        for one in wanted:
            token = paging.dropped(one.service, one.operation, found, self.texts)
            if token:
                method = models.method_name(one.operation)
                message = f"only the first page of {method} is read"
                fix = f'use get_paginator("{method}"), or ask again with {token}'
                yield _finding("one-page", "warning", line, message, fix)


def _shared(wanted: list[Wanted], found: Entries, put: Collection[str]) -> list[Problem]:
    """The problems that arguments have with every operation that a call can be.

    A helper that is called for several operations gets the arguments of all of them here.
    """
    first, *others = (
        {problem.message.replace(one.operation, ""): problem for problem in check(one, found, put)}
        for one in wanted
    )
    return [one for said, one in first.items() if all(said in other for other in others)]


def _wrong(node: ast.Call, line: int, problem: Problem) -> Finding:
    fix = f"did you mean {problem.near}?" if problem.near else "look it up in the API's page"
    place = _line_of(node, problem.message) or line
    return _finding(problem.rule, problem.severity, place, problem.message, fix)


def _wanted(value: Value) -> Wanted | None:
    """The parameters that calling something of boto3 takes; None where they are not checked."""
    if value.kind in ("operation", "paginate", "wait"):
        return Wanted(value.name, value.of, _EXTRA.get(value.kind, frozenset()))
    if value.kind == "filter":
        return Wanted(value.name, value.of.partition("/")[2], given=None)
    if value.kind in ("action", "batch"):
        kind, _, name = value.of.rpartition(".")
        owner = Value("collection" if value.kind == "batch" else "resource", value.name, of=kind)
        told = member(owner, name)
        if told is not None and models.input_of(value.name, told.operation):
            return Wanted(value.name, told.operation, given=told.given or frozenset({"-"}))
    return None


def _line_of(node: ast.Call, message: str) -> int | None:
    """The line of the argument that a message speaks of first, where it is an argument here."""
    for keyword in node.keywords:
        if keyword.arg and (f"{keyword.arg!r}" in message or message.startswith(keyword.arg)):
            return keyword.lineno
    return None


def _is_known(value: Value) -> bool:
    kind = value.of.partition("/")[0]
    return bool(value.name in models.resource_services() and members(value.name, kind))


def _texts(tree: ast.Module) -> frozenset[str]:
    constants = (node.value for node in ast.walk(tree) if isinstance(node, ast.Constant))
    return frozenset(value for value in constants if isinstance(value, str))


def _no_operation(services: list[str], method: str, line: int) -> Finding:
    near = _near(method, {one for service in services for one in models.methods(service)})
    message = f"{_listed(services)} has no operation {method!r}"
    return _unknown("unknown-operation", line, message, near)


def _unknown(rule: str, line: int, message: str, near: str) -> Finding:
    fix = f"did you mean {near}?" if near else "look it up in boto3's documentation"
    return _finding(rule, "blocker", line, message, fix)


def _doubt(line: int | None, message: str) -> Finding:
    fix = 'make the client in sight with boto3.client("...") and call its methods by name'
    return _finding("cannot-tell", "warning", line, message, fix)


def _finding(rule: str, severity: Severity, line: int | None, message: str, fix: str) -> Finding:
    return Finding(_SOURCE, rule, severity, line, message, fix)


def _near(name: str, known: frozenset[str] | set[str]) -> str:
    return next(iter(difflib.get_close_matches(name, sorted(known), n=1)), "")


def _listed(services: list[str]) -> str:
    return " or ".join(services)
