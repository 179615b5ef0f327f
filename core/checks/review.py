"""The review of a draft: every check, its findings sorted, and the facts derived from it.

It reads; it never runs anything and never changes a byte. The tier comes from the policy alone:
what the code seems to call can't lower it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from core.approval.draft import Draft
from core.checks import change, lint, policy, requirements, security, syntax
from core.checks.aws_calls import Extraction, extract
from core.checks.finding import SEVERITIES, Call, Finding, Review
from core.checks.subject import Check, Subject
from core.iam.document import parse as parse_policy
from core.iam.tiers import tier_of_policy

SCRIPT_CHECKS: tuple[Callable[[bytes], Iterable[Finding]], ...] = (lint.check, security.check)
"""Of the bytes of one script; each in a thread of its own."""
CHECKS: tuple[Check, ...] = (policy.check, requirements.check, change.check)


def review(draft: Draft, allowed: Collection[str] = ()) -> Review:
    """Review a draft whose requirements may be `allowed` packages, by normal name.

    Raises MachineUnfit when the action table or ruff is missing.
    """
    findings, own = _read(draft.script, "")
    complete = own.complete
    later_calls: tuple[Call, ...] = ()
    for name, data in (("rollback", draft.rollback), ("post-check", draft.post_check)):
        if data is not None:
            found, later = _read(data, name)
            findings += found
            later_calls += later.calls
            complete = complete and later.complete
    subject = Subject(draft, own.calls, later_calls, complete, allowed)
    findings += [one for check in CHECKS for one in check(subject)]
    compared = policy.compare(parse_policy(draft.policy), (*own.calls, *later_calls))
    return Review(
        findings=tuple(sorted(findings, key=_order)),
        calls=own.calls,
        tier=tier_of_policy(draft.policy)[0],
        missing=compared.missing,
        excess=compared.excess,
        proposed=compared.proposed,
    )


def _read(script: bytes, name: str) -> tuple[list[Finding], Extraction]:
    """Read one script; findings about another than the script itself say which, and no line."""
    parsed = syntax.parse(script)
    if parsed.tree is None:
        findings, found = list(parsed.findings), Extraction(complete=False)
    else:
        with ThreadPoolExecutor(len(SCRIPT_CHECKS)) as pool:
            pending = [pool.submit(check, script) for check in SCRIPT_CHECKS]
            found = extract(parsed.tree)
            told = [one for each in pending for one in each.result()]
        findings = [*parsed.findings, *found.findings, *told]
    if not name:
        return findings, found
    return [
        replace(one, line=None, message=f"{name}, line {one.line}: {one.message}")
        for one in findings
    ], found


def _order(finding: Finding) -> tuple[int, int, str, str, str]:
    severity = SEVERITIES.index(finding.severity)
    return severity, finding.line or 0, finding.source, finding.rule, finding.message
