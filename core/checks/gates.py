"""The gates that whoever runs Countersign wrote into the settings.

A pattern is looked for in the text of each script, line by line; names of calls, imports and
attributes are read from its syntax; actions and resources are those that the policy allows. Names
take `*` and `?`.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

from core.checks.finding import File, Finding
from core.checks.imports import imports_of
from core.checks.standards import Gate
from core.checks.subject import Script, Subject
from core.iam.actions import names, prefixes
from core.iam.document import parse
from core.iam.globs import action_match

_SOURCE = "gates"
_MOST_OF_A_GATE = 10


def check(subject: Subject) -> Iterator[Finding]:
    """Yield what the gates of the settings are about."""
    for gate in subject.standards.gates:
        if gate.kind in ("action", "resource"):
            yield from _in_policy(gate, subject)
        else:
            for script in subject.scripts:
                for line in _lines(gate, script)[:_MOST_OF_A_GATE]:
                    yield _finding(gate, line, script.file, gate.message)


def _lines(gate: Gate, script: Script) -> list[int]:
    if gate.kind == "pattern":
        pattern, text = re.compile(gate.match), script.parsed.text or ""
        return [number for number, line in enumerate(text.split("\n"), 1) if pattern.search(line)]
    if script.parsed.tree is None:
        return []
    found = {line for name, line in _names(gate, script.parsed.tree) if _fits(name, gate.match)}
    return sorted(found)


def _names(gate: Gate, tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yield the names that a gate is about, each with its line."""
    if gate.kind == "import":
        for name, line in imports_of(tree):
            parts = name.split(".")
            yield from ((".".join(parts[:count]), line) for count in range(1, len(parts) + 1))
        return
    for node in ast.walk(tree):
        if gate.kind == "call" and isinstance(node, ast.Call):
            yield ast.unparse(node.func), node.lineno
        elif gate.kind == "attribute" and isinstance(node, ast.Attribute):
            yield node.attr, node.end_lineno or node.lineno


def _fits(name: str, match: str) -> bool:
    """Tell whether a name, or the end of it after a dot, is meant: `client` is boto3.client."""
    ends = [name, *(name[at + 1 :] for at, letter in enumerate(name) if letter == ".")]
    return any(fnmatchcase(each, match) for each in ends)


def _in_policy(gate: Gate, subject: Subject) -> Iterator[Finding]:
    for statement in parse(subject.draft.policy).statements:
        if statement.effect != "Allow":
            continue
        patterns = statement.actions if gate.kind == "action" else statement.resources
        if patterns.inverted:
            reached = [f"all but {', '.join(patterns.values)}"]
        else:
            reached = [each for each in patterns.values if _reaches(gate, each)]
        for each in reached:
            message = f"{statement.name}: {each}: {gate.message}"
            yield _finding(gate, None, "policy", message)


def _reaches(gate: Gate, allowed: str) -> bool:
    """Tell whether what is allowed could be what a gate names; either may have wildcards."""
    if gate.kind == "action":
        known = (name for prefix in prefixes() for name in names(prefix))
        return action_match(allowed, gate.match) or any(
            action_match(gate.match, each) and action_match(allowed, each)
            for each in (allowed, *known)
        )
    return fnmatchcase(allowed, gate.match) or fnmatchcase(gate.match, allowed)


def _finding(gate: Gate, line: int | None, file: File, message: str) -> Finding:
    fix = "the settings say so, under checks.gates"
    return Finding(_SOURCE, gate.name, gate.severity, line, message, fix, file)
