"""How a script calls AWS: errors, time, answers without end, and calls that one call could do.

Part of the check `quality`. Whether all pages are read is told where calls are read.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from core.checks import models
from core.checks.finding import Call, Finding
from core.checks.subject import Script

_ERRORS = frozenset(("ClientError", "BotoCoreError", "Exception", "exceptions"))
"""Names in an `except` that catch what AWS answers."""
_BATCHES: Mapping[tuple[str, str], str] = {
    ("cloudwatch", "GetMetricStatistics"): "get_metric_data",
    ("dynamodb", "GetItem"): "batch_get_item",
    ("ssm", "GetParameter"): "get_parameters",
    ("sqs", "DeleteMessage"): "delete_message_batch",
    ("sqs", "SendMessage"): "send_message_batch",
    ("s3", "DeleteObject"): "delete_objects",
    ("ecr", "DescribeImages"): "batch_get_image",
    ("codebuild", "BatchGetBuilds"): "batch_get_builds",
}
"""Calls that another one does for many things at once."""
_ENDLESS = frozenset(
    (
        *(("logs", "FilterLogEvents"), ("cloudtrail", "LookupEvents"), ("s3", "ListObjectsV2")),
        *(("s3", "ListObjectVersions"), ("dynamodb", "Scan"), ("dynamodb", "Query")),
        *(("logs", "GetLogEvents"), ("s3", "ListObjects")),
    )
)
"""Calls whose answers can be of any length."""
_BOUNDS = ("MaxItems", "islice", "break", "most_", "MOST_", "MAX_", "max_", "limit")
_LONG_SLEEP = 20
_Loop = ast.For | ast.AsyncFor | ast.While | ast.comprehension


@dataclass(frozen=True, slots=True)
class _Made:
    """A call of a client's method, where it stands."""

    call: Call
    node: ast.Call
    loops: tuple[_Loop, ...]
    """The loops around it, from outside to inside."""


def check(script: Script) -> Iterator[Finding]:
    """Yield what could be called better."""
    tree, text = script.parsed.tree, script.parsed.text or ""
    if tree is None:
        return
    calls = script.extraction.calls
    yield from _unhandled(tree, calls)
    yield from _endless(tree, calls, text)
    for made in _made(tree, calls):
        yield from _one_by_one(made)


def _unhandled(tree: ast.Module, calls: tuple[Call, ...]) -> Iterator[Finding]:
    handlers = (node.type for node in ast.walk(tree) if isinstance(node, ast.ExceptHandler))
    caught = {name for each in handlers if each is not None for name in _words(each)}
    if calls and not caught & _ERRORS:
        message = "what AWS refuses or fails at ends the script, and with it all other results"
        fix = "catch botocore.exceptions.ClientError where the rest still says something"
        yield _finding("error-handling", calls[0].line, message, fix)


def _endless(tree: ast.Module, calls: tuple[Call, ...], text: str) -> Iterator[Finding]:
    """Waits and answers that have no end."""
    for node in ast.walk(tree):
        if isinstance(node, ast.While) and _is_true(node.test) and not _leaves(node):
            message = "the loop ends only with the run"
            yield _finding("timeout", node.lineno, message, "count its rounds, and leave it")
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield from _waits(node, node.func)
    if not any(bound in text for bound in _BOUNDS):
        for call in calls:
            if (call.service, call.operation) in _ENDLESS:
                message = f"{call.operation} can answer without end"
                fix = 'give its paginator PaginationConfig={"MaxItems": ...}, and say what is left'
                yield _finding("unbounded", call.line, message, fix)


def _waits(node: ast.Call, function: ast.Attribute) -> Iterator[Finding]:
    given = {keyword.arg for keyword in node.keywords}
    if function.attr == "wait" and given and not given & {"WaiterConfig", "timeout", None}:
        message = "a waiter waits up to ten minutes unless it is told otherwise"
        fix = 'give it WaiterConfig={"Delay": ..., "MaxAttempts": ...}'
        yield _finding("timeout", node.lineno, message, fix)
    elif function.attr == "sleep" and node.args and isinstance(node.args[0], ast.Constant):
        seconds = node.args[0].value
        if isinstance(seconds, int | float) and seconds >= _LONG_SLEEP:
            message = f"it sleeps for {seconds:g} s, and a run has little more"
            yield _finding("timeout", node.lineno, message, "sleep less, and count")


def _one_by_one(made: _Made) -> Iterator[Finding]:
    """Calls in a loop that one call could do."""
    varying = {name for loop in made.loops for name in _bound(loop)}
    if not varying:
        return
    line, call = made.node.lineno, made.call
    batch = _BATCHES.get((call.service, call.operation))
    singles = [
        keyword.arg
        for keyword in made.node.keywords
        if isinstance(keyword.value, ast.List) and len(keyword.value.elts) == 1
        if _words(keyword.value) & varying
    ]
    if singles:
        message = f"{call.operation} is called once for each, and takes a list in {singles[0]}"
        yield _finding("calls-in-loop", line, message, "call it once with all of them")
    elif batch and any(_words(keyword.value) & varying for keyword in made.node.keywords):
        message = f"{call.operation} is called once for each, and {batch} does many at once"
        yield _finding("calls-in-loop", line, message, f"use {batch}")


def _made(tree: ast.Module, calls: tuple[Call, ...]) -> list[_Made]:
    methods = {(call.line, models.method_name(call.operation)): call for call in calls}
    found: list[_Made] = []
    stack: list[tuple[ast.AST, tuple[_Loop, ...]]] = [(tree, ())]
    while stack:
        node, loops = stack.pop()
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            line = node.func.end_lineno or node.lineno
            call = methods.get((line, node.func.attr))
            if call is not None:
                found.append(_Made(call, node, loops))
        inside = (*loops, *_loops(node))
        stack += [(child, inside) for child in ast.iter_child_nodes(node)]
    return sorted(found, key=lambda each: each.node.lineno)


def _loops(node: ast.AST) -> tuple[_Loop, ...]:
    if isinstance(node, ast.For | ast.AsyncFor | ast.While):
        return (node,)
    if isinstance(node, ast.ListComp | ast.SetComp | ast.GeneratorExp | ast.DictComp):
        return tuple(node.generators)
    return ()


def _bound(loop: _Loop) -> set[str]:
    return set() if isinstance(loop, ast.While) else _words(loop.target)


def _words(node: ast.AST) -> set[str]:
    """Return every name in an expression."""
    names = {each.id for each in ast.walk(node) if isinstance(each, ast.Name)}
    return names | {each.attr for each in ast.walk(node) if isinstance(each, ast.Attribute)}


def _is_true(test: ast.expr) -> bool:
    return isinstance(test, ast.Constant) and bool(test.value)


def _leaves(loop: ast.While) -> bool:
    inside = (node for each in loop.body for node in ast.walk(each))
    return any(isinstance(node, ast.Break | ast.Return | ast.Raise) for node in inside)


def _finding(rule: str, line: int, message: str, fix: str) -> Finding:
    return Finding("quality", rule, "warning", line, message, fix)
