"""The policy: what is wrong with it, how far it reaches, and does it fit what the code calls?

`missing` are actions that calls in the code need and no Allow names: those calls will be denied.
`excess` are patterns of an Allow that no call needs. The proposed policy names the resources that
the code's parameters tell, and `*` where they tell nothing; it is never applied by itself.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from core.checks.finding import Finding, Severity
from core.checks.subject import Subject
from core.costs import dollars, estimate
from core.iam.actions import lookup, needless
from core.iam.compare import Row, rows
from core.iam.document import Document, Statement, parse
from core.iam.globs import action_match
from core.iam.lint import limits, lint, lint_size
from core.iam.propose import Shown, propose, resources_of
from sandbox.job import AwsCall

_SOURCE = "policy"
_SHOWN = 4


@dataclass(frozen=True, slots=True)
class Comparison:
    """The policy against the calls of the code."""

    rows: tuple[Row, ...]
    missing: tuple[str, ...]
    excess: tuple[str, ...]
    proposed: dict[str, Any]


def shown(subject: Subject) -> tuple[Shown, ...]:
    """The calls of all scripts of a draft, with their parameters; its tests are given nothing."""
    return tuple(site for each in subject.permitted for site in each.extraction.sites)


def compare(subject: Subject) -> Comparison:
    """Compare a draft's policy with the calls that its code shows."""
    document, calls = parse(subject.draft.policy), shown(subject)
    found = rows(document, calls, complete=subject.complete)
    denies = [one for one in document.statements if one.effect == "Deny" and not one.problems]
    denied = [row.action for row in found if row.lines and _is_denied(denies, row.action)]
    missing = [row.action for row in found if row.state == "missing" or row.action in denied]
    excess = [row.action for row in found if row.state in ("not called", "unseeable")]
    return Comparison(found, tuple(sorted(missing)), tuple(excess), propose(resources_of(calls)))


def check(subject: Subject) -> Iterator[Finding]:
    """Check the policy by itself, then against the code."""
    document = parse(subject.draft.policy)
    for remark in lint(document, subject.ceilings):
        yield _finding(remark.rule, remark.severity, remark.message, remark.fix)
    if not document.all_problems():
        for remark in lint_size(subject.draft.policy):
            yield _finding(remark.rule, remark.severity, remark.message, remark.fix)
    if not document.problems:
        found = compare(subject)
        yield from _fit(subject, document, found)
        yield from _width(document, found)
    yield from _prices(subject)
    yield from _tests(subject)


def _fit(subject: Subject, document: Document, found: Comparison) -> Iterator[Finding]:
    by_action = {row.action: row for row in found.rows}
    if found.missing and not document.statements:
        message = f"the policy is empty, so every AWS call is denied: {', '.join(found.missing)}"
        fix = f"use this policy: {json.dumps(found.proposed)}"
        yield _finding("empty", "warning", message, fix)
    else:
        own = {call.line for call in subject.calls}
        for action in found.missing:
            lines = [line for line in by_action[action].lines if line in own]
            message = f"the code calls {action}, which the policy does not allow"
            told = _finding("missing", "warning", message, f"allow {action}")
            yield replace(told, line=lines[0], file="script") if lines else told
    for pattern in found.excess:
        if pattern.lower() in needless():
            message = f"{pattern} is allowed, and AWS asks nobody for that permission"
            yield _finding("needless", "note", message, f"remove {pattern}")
            continue
        severity: Severity = "warning" if subject.complete else "note"
        message = f"{pattern} is allowed, but nothing in the code calls it"
        yield _finding("excess", severity, message, f"remove {pattern}")


def _width(document: Document, found: Comparison) -> Iterator[Finding]:
    """Actions that are allowed everywhere and need not be."""
    for row in found.rows:
        if row.state == "too wide":
            named = ", ".join(row.resources[:_SHOWN])
            message = f"{row.action} is allowed on every resource, and the code names its own"
            yield _finding("too-wide", "warning", message, f"allow it on {named}")
    everywhere = [
        row.action
        for row in found.rows
        if row.state == "matched" and limits(row.action) and _is_everywhere(document, row.action)
    ]
    if everywhere:
        more = f" and {len(everywhere) - _SHOWN} more" if len(everywhere) > _SHOWN else ""
        message = f"could be limited to resources: {', '.join(everywhere[:_SHOWN])}{more}"
        fix = f"name them where they are known: {limits(everywhere[0])[0]}"
        yield _finding("could-limit", "note", message, fix)


def _prices(subject: Subject) -> Iterator[Finding]:
    for site in subject.scripts[0].extraction.sites:
        call = AwsCall(site.service, site.operation, "us-east-1", site.parameters)
        cost = estimate(call)
        if cost.micro_dollars:
            message = (
                f"{site.service} bills {site.operation}: about {dollars(cost.micro_dollars)} "
                f"each time ({cost.why})"
            )
            told = _finding("price", "note", message, "")
            yield replace(told, line=site.line, file="script")


def _tests(subject: Subject) -> Iterator[Finding]:
    """Find calls that only a rehearsal makes, which counts them with those of the script."""
    for script in subject.scripts:
        for call in script.extraction.calls if script.file == "tests" else ():
            action = lookup(call.service, call.operation)
            if not action.free:
                message = f"the tests call {action.name}, and a rehearsal counts it as the script's"
                told = _finding("tests-call", "warning", message, "call the script's functions")
                yield replace(told, line=call.line, file=script.file)


def _is_everywhere(document: Document, action: str) -> bool:
    return any(
        one.effect == "Allow"
        and not one.resources.inverted
        and "*" in one.resources.values
        and any(action_match(pattern, action) for pattern in one.actions.values)
        for one in document.statements
    )


def _is_denied(denies: Iterable[Statement], action: str) -> bool:
    """Whether a Deny surely is about all calls of an action."""
    return any(
        not one.condition
        and not one.resources.inverted
        and "*" in one.resources.values
        and any(action_match(pattern, action) for pattern in one.actions.values)
        is not one.actions.inverted
        for one in denies
    )


def _finding(rule: str, severity: Severity, message: str, fix: str) -> Finding:
    return Finding(_SOURCE, rule, severity, None, message, fix, file="policy")
