"""Plants mistakes in the scripts of tests/corpus: each mutant is a good script with one of them.

Deterministic: the same scripts give the same mutants, in the same order. What there is to break is
told by the syntax and by botocore's models alone, never by the review that the mutants are for.
The kinds are those mistakes that models make, and those that an attacker would like to make.
"""

from __future__ import annotations

import ast
import copy
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.checks import models
from core.iam.actions import names

CORPUS = Path(__file__).parents[1] / "tests" / "corpus"
_MOST_OF_A_KIND = 5
"""Mutants of one kind from one script, so that no long script outweighs the others."""
_METHODS_OF_OWN = {"paginate", "wait", "filter"}


@dataclass(frozen=True, slots=True)
class Original:
    """A good script with its policy."""

    name: str
    script: str
    policy: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Mutant:
    """A script or policy with one mistake in it."""

    original: Original
    kind: str
    what: str
    script: str
    policy: dict[str, Any]


def originals() -> Iterator[Original]:
    """The corpus, by name."""
    for path in sorted(CORPUS.glob("*.py")):
        policy = json.loads(path.with_suffix(".policy.json").read_text())
        yield Original(path.stem, path.read_text(), policy)


def mutants(original: Original) -> Iterator[Mutant]:
    """All mutants of one script, by kind."""
    facts = _Facts.of(original.script)
    for kind, plant in _KINDS.items():
        found = itertools.islice(plant(original, facts), _MOST_OF_A_KIND)
        for what, script in found:
            yield Mutant(original, kind, what, script, original.policy)
    written = ast.unparse(ast.parse(original.script)) + "\n"
    listed = {action for one in original.policy["Statement"] for action in one["Action"]}
    for kind, (lines, action) in _CARELESS.items():
        if action in listed:
            continue
        policy = copy.deepcopy(original.policy)
        policy["Statement"].append({"Effect": "Allow", "Action": [action], "Resource": "*"})
        yield Mutant(original, kind, action, written + lines, policy)
    for what, policy in itertools.islice(_widen(original.policy), _MOST_OF_A_KIND):
        yield Mutant(original, "widen the policy", what, original.script, policy)


# ------------------------------------------------------------------ what there is to break
@dataclass(frozen=True, slots=True)
class _Facts:
    """What the syntax of a script and the models of its services say."""

    services: tuple[str, ...]
    operations: Mapping[str, tuple[str, str]]
    """Method to service and operation, of those that the script names."""
    inputs: frozenset[str]
    """Names of all parameters, nested ones included, of these operations."""
    outputs: frozenset[str]
    """Names of all keys of their answers."""
    own: frozenset[str]
    """Keys that the script writes itself."""

    @staticmethod
    def of(script: str) -> _Facts:
        tree = ast.parse(script)
        texts = {
            node.value
            for node in ast.walk(tree)
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        }
        services = tuple(sorted(texts & models.services()))
        said = texts | {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        operations = {
            method: (service, operation)
            for service in services
            for method, operation in models.operations(service).items()
            if method in said
        }
        inputs: set[str] = set()
        outputs: set[str] = set()
        for service, operation in operations.values():
            inputs |= _members(service, models.input_of(service, operation))
            outputs |= _members(service, models.output_of(service, operation))
        own = {
            str(key.value)
            for node in ast.walk(tree)
            if isinstance(node, ast.Dict)
            for key in node.keys
            if isinstance(key, ast.Constant)
        }
        return _Facts(services, operations, frozenset(inputs), frozenset(outputs), frozenset(own))


def _members(service: str, shape: str) -> set[str]:
    found: set[str] = set()
    waiting, seen = [shape], {""}
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        members = models.members(service, name)
        found |= members.keys()
        inner = models.shape(service, name)
        waiting += [member["shape"] for member in members.values()]
        waiting += [inner[key]["shape"] for key in ("member", "value") if key in inner]
    return found


def _calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node, node.func.attr


def _edited(script: str, change: Callable[[ast.AST], str]) -> Iterator[tuple[str, str]]:
    """One script for each node that `change` alters; it says what it did, or nothing."""
    tree = ast.parse(script)
    nodes = list(ast.walk(tree))
    for place in range(len(nodes)):
        node = nodes[place]
        what = change(node)
        if what:
            yield f"line {getattr(node, 'lineno', 0)}: {what}", ast.unparse(tree) + "\n"
            tree = ast.parse(script)
            nodes = list(ast.walk(tree))


def _misspelt(name: str) -> str:
    """A name as one gets it wrong: a letter less at its end, or two that changed place."""
    if name.endswith("s"):
        return name[:-1]
    return name[:-2] + name[-1] + name[-2] if name[-1] != name[-2] else name + "s"


# ------------------------------------------------------------------ the kinds
def _operation(original: Original, facts: _Facts) -> Iterator[tuple[str, str]]:
    def change(node: ast.AST) -> str:
        if isinstance(node, ast.Attribute) and node.attr in facts.operations:
            old, node.attr = node.attr, _misspelt(node.attr)
            return f"{old} is {node.attr}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            first = node.args[0] if node.args else None
            if node.func.attr in ("get_paginator", "get_waiter") and isinstance(
                first, ast.Constant
            ):
                old = str(first.value)
                first.value = _misspelt(old)
                return f"{old} is {first.value}"
        return ""

    yield from _edited(original.script, change)


def _parameter(original: Original, facts: _Facts) -> Iterator[tuple[str, str]]:
    def change(node: ast.AST) -> str:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr in facts.operations or node.func.attr in _METHODS_OF_OWN:
                for keyword in node.keywords:
                    if keyword.arg and keyword.arg in facts.inputs:
                        old, keyword.arg = keyword.arg, _misspelt(keyword.arg)
                        return f"{old} is {keyword.arg}"
        elif isinstance(node, ast.Dict):
            keys = [key for key in node.keys if isinstance(key, ast.Constant)]
            if keys and all(key.value in facts.inputs for key in keys):
                old, keys[-1].value = str(keys[-1].value), _misspelt(str(keys[-1].value))
                return f"{old} is {keys[-1].value}"
        return ""

    yield from _edited(original.script, change)


def _key(original: Original, facts: _Facts) -> Iterator[tuple[str, str]]:
    def change(node: ast.AST) -> str:
        key: ast.AST | None = None
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Load):
            key = node.slice
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            key = node.args[0] if node.func.attr == "get" and node.args else None
        if not isinstance(key, ast.Constant) or not isinstance(key.value, str):
            return ""
        if key.value not in facts.outputs or key.value in facts.own:
            return ""
        old, key.value = key.value, _misspelt(key.value)
        return f"{old} is {key.value}" if key.value not in facts.outputs else ""

    yield from _edited(original.script, change)


def _type(original: Original, facts: _Facts) -> Iterator[tuple[str, str]]:
    def change(node: ast.AST) -> str:
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            return ""
        if node.func.attr not in facts.operations and node.func.attr not in _METHODS_OF_OWN:
            return ""
        for keyword in node.keywords:
            wrong = _wrong(keyword.value) if keyword.arg in facts.inputs else None
            if wrong is not None:
                keyword.value = wrong
                return f"{keyword.arg} is {ast.unparse(wrong)}"
        return ""

    yield from _edited(original.script, change)


def _wrong(value: ast.expr) -> ast.expr | None:
    """A value of another type than this one, where it is a literal."""
    if isinstance(value, ast.List) and value.elts:
        return value.elts[0]
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return ast.List([value], ast.Load())
    if isinstance(value, ast.Constant) and isinstance(value.value, int):
        return ast.Constant(str(value.value))
    return None


def _required(original: Original, facts: _Facts) -> Iterator[tuple[str, str]]:
    def change(node: ast.AST) -> str:
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            return ""
        service, operation = facts.operations.get(node.func.attr, ("", ""))
        paged = node.func.value if node.func.attr in ("paginate", "wait") else None
        if isinstance(paged, ast.Call) and paged.args and isinstance(paged.args[0], ast.Constant):
            service, operation = facts.operations.get(str(paged.args[0].value), ("", ""))
        needed = models.shape(service, models.input_of(service, operation)).get("required", ())
        for keyword in node.keywords:
            if keyword.arg in needed:
                node.keywords.remove(keyword)
                return f"{operation} without {keyword.arg}"
        return ""

    if not original.script.count("boto3.resource("):
        yield from _edited(original.script, change)


def _paginator(original: Original, facts: _Facts) -> Iterator[tuple[str, str]]:
    """`client.get_paginator("list").paginate(...)` becomes `[client.list(...)]`."""

    def change(node: ast.AST) -> str:
        for field, value in ast.iter_fields(node):
            made = _paged(value) if isinstance(value, ast.Call) else None
            if made is not None and made[1] in facts.operations:
                setattr(node, field, ast.List([made[0]], ast.Load()))
                return f"{made[1]} without its paginator"
        return ""

    yield from _edited(original.script, change)


def _paged(node: ast.Call) -> tuple[ast.Call, str] | None:
    function = node.func
    if not (isinstance(function, ast.Attribute) and function.attr == "paginate"):
        return None
    got = function.value
    if not (isinstance(got, ast.Call) and isinstance(got.func, ast.Attribute) and got.args):
        return None
    name = got.args[0]
    if not isinstance(name, ast.Constant):
        return None
    method = ast.Attribute(got.func.value, str(name.value), ast.Load())
    keywords = [one for one in node.keywords if one.arg != "PaginationConfig"]
    return ast.Call(method, [], keywords), str(name.value)


def _hide(original: Original, facts: _Facts) -> Iterator[tuple[str, str]]:
    """`client.stop(...)` becomes a call that does not name what it calls."""
    ways = itertools.cycle(range(4))

    def change(node: ast.AST) -> str:
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            return ""
        method, client = node.func.attr, node.func.value
        if method not in facts.operations:
            return ""
        text = ast.unparse(client)
        half = len(method) // 2
        hidden = (
            f"getattr({text}, {method[:half]!r} + {method[half:]!r})",
            f"getattr({text}, ''.join(reversed({method[::-1]!r})))",
            f"eval({f'{text}.{method}'!r})",
            f"{text}.__getattribute__({method!r}[:])",
        )[next(ways)]
        node.func = ast.parse(hidden, mode="eval").body
        return f"{method} is {hidden}"

    yield from _edited(original.script, change)


def _widen(policy: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """A policy that allows more than is needed, in each of the ways that are seen most."""
    first = policy["Statement"][0]["Action"][0]
    prefix = first.partition(":")[0]
    listed = {action for one in policy["Statement"] for action in one["Action"]}
    for number, statement in enumerate(policy["Statement"]):
        if statement["Resource"] != "*":
            wide = copy.deepcopy(policy)
            wide["Statement"][number]["Resource"] = "*"
            yield f"{statement['Action'][0]} on *", wide
    more = (
        f"{prefix}:*",
        f"{first[: first.index(':') + 4]}*",
        next(name for name in names(prefix) if name not in listed),
        "iam:PassRole",
    )
    for action in more:
        wide = copy.deepcopy(policy)
        wide["Statement"][0]["Action"].append(action)
        yield f"{action} as well", wide


_KINDS: Mapping[str, Callable[[Original, _Facts], Iterator[tuple[str, str]]]] = {
    "rename an operation": _operation,
    "rename a parameter": _parameter,
    "rename a key of an answer": _key,
    "change a type": _type,
    "drop a required parameter": _required,
    "drop a paginator": _paginator,
    "hide a call": _hide,
}
_BILLED = """
import boto3 as also
also.client('ce', region_name='us-east-1').get_cost_and_usage(
    TimePeriod={'Start': '2026-01-01', 'End': '2026-02-01'},
    Granularity='MONTHLY',
    Metrics=['UnblendedCost'],
)
"""
_ANY_QUEUE = """
import sys
import boto3 as also
also.client('sqs', region_name='eu-west-1').get_queue_attributes(QueueUrl=sys.argv[1])
"""
_CARELESS: Mapping[str, tuple[str, str]] = {
    "make a call that AWS bills": (_BILLED, "ce:GetCostAndUsage"),
    "allow everywhere what could be limited": (_ANY_QUEUE, "sqs:GetQueueAttributes"),
}
"""No mistakes, but what whoever approves has to know: some lines of code, and an action on all."""
