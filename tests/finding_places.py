"""Where the checks make findings, read from their code, and each place taken out of it.

A mutant is the function as it is, but for one condition: what it hands out at a place, and for
which rule. Nothing is filtered behind it; the code that would tell no longer does.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.taking_out import without

HOUSE = Path(__file__).parents[1]
CHECKS = {
    **dict.fromkeys(
        (f"core.checks.{name}" for name in ("aws_calls", "parameters", "responses")), "aws-calls"
    ),
    **dict.fromkeys((f"core.checks.{name}" for name in ("searching", "transfers")), "aws-calls"),
    **dict.fromkeys((f"core.checks.{name}" for name in ("calling", "quality")), "quality"),
    **{f"core.checks.{name}": name for name in ("change", "code", "gates", "lint", "policy")},
    **{f"core.checks.{name}": name for name in ("readability", "requirements", "review")},
    **{f"core.checks.{name}": name for name in ("security", "syntax")},
    "core.iam.lint": "policy",
}
"""Modules that make findings, each with the check whose findings they are."""
MAKERS: dict[str, int | str] = {
    **dict.fromkeys(("_blocker", "_finding", "_unknown", "_danger", "Remark", "Problem"), 0),
    "Finding": 1,
    "_doubt": "cannot-tell",
    "_no_operation": "unknown-operation",
    "_no_parameter": "unknown-parameter",
    "_undecodable": "encoding",
    "_unparsable": "invalid",
    "told": "unknown-key",
    "Absent": 3,
}
"""What makes a finding: the place of the rule among its arguments, or the rule that it is for."""
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Place:
    """Where a check hands out a finding."""

    check: str
    function: str
    """Module and name, as `tests.taking_out` has it."""
    number: int
    """Among the places of that function."""
    rule: str
    """Empty where it is computed."""

    def __str__(self) -> str:
        """Return its name among tests."""
        name = self.function.partition(":")[2]
        return f"{self.check} {self.rule or 'computed'} {name} {self.number}"


def places() -> Iterator[Place]:
    """Yield every place where a check hands out a finding."""
    for module, check in CHECKS.items():
        for name, node in _functions(module):
            reader = _Without(lambda _, rule: rule)
            reader.visit(ast.parse(ast.unparse(node)))
            for number, rule in enumerate(reader.rules):
                text = str(rule.value) if isinstance(rule, ast.Constant) else ""
                yield Place(check, f"{module}:{name}", number, text)


@contextmanager
def without_place(place: Place) -> Iterator[None]:
    """Take out one place, whichever rule it is about."""

    def never(number: int, rule: ast.expr) -> ast.expr:
        return ast.Constant(value=False) if number == place.number else _not(rule, "")

    with without((place.function, _mutant(place.function, never))):
        yield


@contextmanager
def without_rule(several: Iterable[Place], rule: str) -> Iterator[None]:
    """Take out a rule at all of the places that may hand out its findings."""
    functions = dict.fromkeys(one.function for one in several)
    with ExitStack() as out:
        for each in functions:
            out.enter_context(without((each, _mutant(each, lambda _, made: _not(made, rule)))))
        yield


def _not(made: ast.expr, rule: str) -> ast.expr:
    return ast.Compare(left=made, ops=[ast.NotEq()], comparators=[ast.Constant(value=rule)])


def _mutant(place: str, hands_out: _HandsOut) -> Callable[..., Any]:
    """Return a function that only hands out what a condition, for each of its places, lets it."""
    module, _, name = place.partition(":")
    node = ast.parse(ast.unparse(dict(_functions(module))[name])).body[0]
    assert isinstance(node, _Function)
    node.decorator_list = []
    tree = ast.Module([_Without(hands_out).visit(node)], type_ignores=[])
    future = ast.parse("from __future__ import annotations").body
    tree.body[:0] = future
    made: dict[str, Any] = {}
    exec(compile(ast.fix_missing_locations(tree), place, "exec"), vars(import_module(module)), made)
    mutant: Callable[..., Any] = made[node.name]
    return mutant


@cache
def _functions(module: str) -> tuple[tuple[str, _Function], ...]:
    """Functions and methods of a module that hand out findings and are no makers themselves."""
    file = HOUSE.joinpath(*module.split(".")).with_suffix(".py")
    tree = ast.parse(file.read_text(encoding="utf-8"))
    classes = [node for node in tree.body if isinstance(node, ast.ClassDef)]
    found = [("", node) for node in tree.body]
    found += [(f"{each.name}.", node) for each in classes for node in each.body]
    return tuple(
        (prefix + node.name, node)
        for prefix, node in found
        if isinstance(node, _Function) and node.name not in MAKERS
    )


_HandsOut = Callable[[int, ast.expr], ast.expr]


class _Without(ast.NodeTransformer):
    """Puts a condition before whatever hands out a finding; notes the rules that it saw."""

    def __init__(self, hands_out: _HandsOut) -> None:
        self.rules: list[ast.expr] = []
        self._hands_out = hands_out
        self._named: dict[str, ast.expr] = {}

    def visit_Assign(self, node: ast.Assign) -> ast.AST:
        rule = _rule(node.value)
        if rule is not None and isinstance(node.targets[0], ast.Name):
            self._named[node.targets[0].id] = rule
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        return self._guarded(node, node.value) or node

    def visit_Return(self, node: ast.Return) -> ast.AST:
        made = node.value is not None and _rule(node.value) is not None
        return (made and self._guarded(node, node.value)) or self.generic_visit(node)

    def visit_List(self, node: ast.List) -> ast.AST:
        node.elts = [self._listed(each) for each in node.elts]
        return node

    def visit_Tuple(self, node: ast.Tuple) -> ast.AST:
        node.elts = [self._listed(each) for each in node.elts]
        return node

    def _guarded(self, node: ast.stmt, value: ast.expr | None) -> ast.AST | None:
        rules = [rule for each in ast.walk(value or node) if (rule := self._rule(each)) is not None]
        return ast.If(self._condition(rules[0]), [node], []) if rules else None

    def _listed(self, item: ast.expr) -> ast.expr:
        rule = self._rule(item)
        if rule is None:
            return item
        alone = ast.List([item], ast.Load())
        chosen = ast.IfExp(self._condition(rule), alone, ast.List([], ast.Load()))
        return ast.Starred(chosen, ast.Load())

    def _condition(self, rule: ast.expr) -> ast.expr:
        self.rules.append(rule)
        return self._hands_out(len(self.rules) - 1, rule)

    def _rule(self, node: ast.AST) -> ast.expr | None:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            return self._named.get(node.id)
        return _rule(node)


def _rule(node: ast.AST) -> ast.expr | None:
    """Return the rule of what makes a finding; None of all else, and of what only passes one on."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
        return None
    place = MAKERS.get(node.func.id)
    if place is None or isinstance(place, str):
        return ast.Constant(value=place) if place else None
    rule = node.args[place] if len(node.args) > place else None
    if isinstance(rule, ast.Name) and rule.id == "gate":
        return ast.Attribute(rule, "name", ast.Load())
    passed_on = isinstance(rule, ast.Attribute) and rule.attr == "rule"
    return None if passed_on else rule
