"""Which AWS calls the code makes, read from it without running it, and which of them exist.

Checked against botocore's models: a service, operation, paginator or waiter that does not exist is
a blocker, since the script would fail there. What can't be told (a client out of sight, a computed
name) is a warning: the list of calls is incomplete then. It is advice either way: what may happen
is decided by the policy at the gateway, never by what this finds.
"""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache

from core.checks import models
from core.checks.clients import Clients, Values, service_argument
from core.checks.finding import Call, Finding, Severity
from core.checks.names import Names, collect, last_name
from core.iam.actions import operations

_SOURCE = "aws-calls"
_NAMED: Mapping[str, tuple[str, Callable[[str], Mapping[str, str]]]] = {
    "get_paginator": ("paginator", models.paginators),
    "get_waiter": ("waiter", models.waiters),
}
_HARMLESS = {
    "can_paginate",
    "close",
    "exceptions",
    "generate_db_auth_token",
    "generate_presigned_post",
    "generate_presigned_url",
    "meta",
    "waiter_names",
    *_NAMED,
}
"""Attributes of a client that call nothing by themselves."""
_TRANSFERS = {
    "copy": "CopyObject",
    "download_file": "GetObject",
    "download_fileobj": "GetObject",
    "upload_file": "PutObject",
    "upload_fileobj": "PutObject",
}
"""What boto3 adds to the S3 client."""
_HIDERS = {"exec", "eval", "compile", "__import__"}


@dataclass(frozen=True, slots=True)
class Extraction:
    """What was found in one script."""

    calls: tuple[Call, ...] = ()
    """Sorted by line, each once."""
    findings: tuple[Finding, ...] = ()
    complete: bool = True
    """Whether nothing was noticed that could hide more calls."""


def extract(tree: ast.Module) -> Extraction:
    """Find the AWS calls of a script."""
    names = collect(tree)
    reader = _Reader(names, Clients(names))
    found = list(dict.fromkeys(one for node in ast.walk(tree) for one in reader.read(node)))
    if reader.clients.exhausted:
        found.append(_doubt(None, "the script is too entangled to follow every client in it"))
    calls = (one for one in found if isinstance(one, Call))
    findings = tuple(one for one in found if isinstance(one, Finding))
    return Extraction(
        calls=tuple(sorted(calls, key=lambda one: (one.line, one.service, one.operation))),
        findings=findings,
        complete=not any(one.rule in ("cannot-tell", "resource") for one in findings),
    )


@dataclass(frozen=True, slots=True)
class _Reader:
    names: Names
    clients: Clients

    def read(self, node: ast.AST) -> Iterator[Call | Finding]:
        """Calls and findings of one node, without those of the nodes inside it."""
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            yield from self._method(node)
        elif isinstance(node, ast.Call):
            name = last_name(node.func)
            built_in = isinstance(node.func, ast.Name)
            if name in _NAMED:
                yield from self._named(node, name)
            elif name == "getattr" and built_in:
                yield from self._computed(node)
            elif name == "import_module" or (name in _HIDERS and built_in):
                yield _doubt(node.lineno, f"what {name}() brings in can't be seen here")
            else:
                yield from self._making(node)
                yield from self._untraced(node)

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
        if argument is not None and not services:
            yield _doubt(node.lineno, "which service this client is for can't be told")
        if "resource" in makers:
            yield _finding(
                "resource",
                "warning",
                node.lineno,
                "which AWS calls a resource makes can't be told from the code",
                'use boto3.client("...") and its methods',
            )

    def _method(self, node: ast.Attribute) -> Iterator[Call | Finding]:
        """The call behind `client.method`, called here or handed on."""
        if node.attr in _HARMLESS:
            return
        line = node.end_lineno or node.lineno
        yield from self._operations(self.clients.values(node.value), (node.attr,), line)

    def _operations(
        self, values: Values, methods: tuple[str, ...], line: int
    ) -> Iterator[Call | Finding]:
        clients = {one.name for one in values if one.kind == "client"}
        services = sorted(clients & models.services())
        for method in methods:
            calls = [
                Call(service, operation, line)
                for service in services
                if (operation := _methods(service).get(method))
            ]
            yield from calls
            if calls or method in _HARMLESS:
                continue
            if services and "" not in clients:
                yield _no_operation(services, method, line)
            elif "" in clients:
                yield _doubt(line, f"which service {method} is called on can't be told")

    def _named(self, node: ast.Call, getter: str) -> Iterator[Call | Finding]:
        """The call behind `client.get_paginator("name")` or `get_waiter`."""
        what, known = _NAMED[getter]
        if not isinstance(node.func, ast.Attribute):
            return
        clients = {one.name for one in self.clients.values(node.func.value) if one.kind == "client"}
        services = sorted(clients & models.services())
        argument = node.args[0] if node.args else next((one.value for one in node.keywords), None)
        wanted = self.clients.texts(argument)
        if not services or not wanted:
            yield _doubt(node.lineno, f"which {what} this is can't be told")
        for name in wanted:
            calls = [
                Call(service, known(service)[name], node.lineno)
                for service in services
                if name in known(service)
            ]
            yield from calls
            if services and not calls and "" not in clients:
                near = _near(name, {one for service in services for one in known(service)})
                message = f"{_listed(services)} has no {what} {name!r}"
                yield _unknown(f"unknown-{what}", node.lineno, message, near)

    def _computed(self, node: ast.Call) -> Iterator[Call | Finding]:
        """The calls behind `getattr(client, name)`."""
        values = self.clients.values(node.args[0]) if node.args else frozenset()
        if not any(one.kind == "client" for one in values):
            return
        methods = self.clients.texts(node.args[1]) if len(node.args) > 1 else ()
        if not methods:
            yield _doubt(node.lineno, "which method is called by a computed name can't be told")
        yield from self._operations(values, methods, node.lineno)

    def _untraced(self, node: ast.Call) -> Iterator[Finding]:
        """A doubt about what looks like an AWS call on something that was not followed."""
        function = node.func
        if not isinstance(function, ast.Attribute) or function.attr in self.names.everywhere:
            return
        if function.attr in _familiar_methods() and not self.clients.values(function.value):
            line = function.end_lineno or function.lineno
            yield _doubt(line, f"which client {function.attr} is called on can't be told")


def _methods(service: str) -> Mapping[str, str]:
    return {**models.operations(service), **(_TRANSFERS if service == "s3" else {})}


@lru_cache(maxsize=1)
def _familiar_methods() -> frozenset[str]:
    """Method names that look like AWS calls even where the client is out of sight."""
    methods = (models.method_name(operation) for _, operation in operations())
    return frozenset(method for method in methods if "_" in method)


def _no_operation(services: list[str], method: str, line: int) -> Finding:
    near = _near(method, {one for service in services for one in _methods(service)})
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


def _near(name: str, known: Iterator[str] | frozenset[str] | set[str]) -> str:
    return next(iter(difflib.get_close_matches(name, sorted(known), n=1)), "")


def _listed(services: list[str]) -> str:
    return " or ".join(services)
