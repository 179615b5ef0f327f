"""Whether a script is written as one would want to read it at night: warnings, never blockers.

Each is a warning of its own, but for type hints and docstrings, which are told once a script. With
more of them than the settings allow, a model's draft goes back to be written anew; everybody else
is only told. PEP 8, names and complexity are ruff's; the rest is read from the syntax.
"""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable, Iterator

from core.checks import calling, ruff
from core.checks.finding import Finding
from core.checks.standards import Standards
from core.checks.subject import Script
from core.errors import MachineUnfit

SOURCE = "quality"
_RULES = ("E4", "E7", "W", "N", "C901", "BLE", "TRY002", "SIM115", "PERF")
_NAMES = {"N": "naming", "C901": "complexity", "BLE": "error-handling", "E722": "error-handling"}
"""What ruff's rules are about, by how they begin; all others are layout or style."""
_LONG_FUNCTION = 8
_MOST_NAMES = 4
_Function = ast.FunctionDef | ast.AsyncFunctionDef


def check(script: Script, standards: Standards) -> Iterator[Finding]:
    """Yield what could be written better in a script that parses."""
    tree = script.parsed.tree
    if tree is None:
        return
    functions = [node for node in ast.walk(tree) if isinstance(node, _Function)]
    yield from _type_hints(functions)
    yield from _docstrings(tree, functions)
    yield from calling.check(script)
    yield from _of_ruff(script.data, standards.most_complexity)


def _type_hints(functions: Iterable[_Function]) -> Iterator[Finding]:
    bare = [each for each in functions if not _is_typed(each)]
    if bare:
        message = f"no type hints for {_listed(bare)}"
        yield _finding("type-hints", bare[0].lineno, message, "say what goes in and comes out")


def _is_typed(function: _Function) -> bool:
    given = function.args
    parameters = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    named = [each for each in parameters if each.arg not in ("self", "cls")]
    returns = function.returns is not None or function.name == "__init__"
    return returns and all(each.annotation is not None for each in named)


def _docstrings(tree: ast.Module, functions: Iterable[_Function]) -> Iterator[Finding]:
    if tree.body and not ast.get_docstring(tree):
        message = "the script does not say what it is for"
        yield _finding("docstring", 1, message, "begin with one sentence that does")
    silent = [
        each
        for each in functions
        if not ast.get_docstring(each)
        and (each.end_lineno or each.lineno) - each.lineno >= _LONG_FUNCTION
    ]
    if silent:
        message = f"no docstring for {_listed(silent)}"
        yield _finding("docstring", silent[0].lineno, message, "say what it returns, in a sentence")


def _listed(functions: list[_Function]) -> str:
    names = ", ".join(each.name for each in functions[:_MOST_NAMES])
    more = len(functions) - _MOST_NAMES
    return f"{names} and {more} more" if more > 0 else names


def _of_ruff(data: bytes, most_complexity: int) -> Iterator[Finding]:
    options = (f"--config=lint.mccabe.max-complexity={most_complexity}",)
    try:
        found = json.loads(ruff.check(data, ",".join(_RULES), options))
    except ValueError as error:
        raise MachineUnfit("ruff gave no report", hint="reinstall countersign") from error
    for each in found:
        code = each["code"] or ""
        about = [name for begins, name in _NAMES.items() if code.startswith(begins)]
        fix = (each["fix"] or {}).get("message") or f"ruff rule {code}"
        rule = about[0] if about else "pep8"
        yield _finding(rule, each["location"]["row"], each["message"], fix)


def _finding(rule: str, line: int, message: str, fix: str) -> Finding:
    return Finding(SOURCE, rule, "warning", line, message, fix)
