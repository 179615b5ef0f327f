"""The review of a draft: every check, its findings sorted, and the facts derived from it.

It reads; it never runs anything and never changes a byte. The checks are independent of each other
and made at once. The tier comes from the policy alone: what the code seems to call can't lower it.
What is left out or rated otherwise by the settings is said, so that nobody mistakes a check
that was not made for one that found nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial

from core.approval.draft import Draft
from core.checks import (
    change,
    code,
    gates,
    lint,
    policy,
    quality,
    readability,
    requirements,
    ruff,
    security,
)
from core.checks.finding import SEVERITIES, Finding, Review
from core.checks.standards import DEFAULT, Standards
from core.checks.subject import Check, Subject, each_script, subject_of
from core.iam.lint import NO_CEILINGS, Ceilings
from core.iam.tiers import tier_of_policy

CHECKS: tuple[Check, ...] = (
    # Those that wait for a process of their own come first.
    Check("lint", each_script(lambda script, _: lint.check(script.data))),
    Check("quality", each_script(quality.check)),
    Check("readability", each_script(readability.check, parsed_only=False)),
    Check("security", each_script(lambda script, _: security.check(script.data))),
    Check("syntax", each_script(lambda script, _: script.parsed.findings, parsed_only=False)),
    Check("code", each_script(lambda script, _: code.check(script))),
    Check("aws-calls", each_script(lambda script, _: script.extraction.findings)),
    Check("policy", policy.check),
    Check("requirements", requirements.check),
    Check("change", change.check),
    Check("gates", gates.check),
)

PAGING = ("aws-calls", "one-page")
"""Check and rule of a list that is not read to its end, which is a matter of quality."""


def review(
    draft: Draft, standards: Standards = DEFAULT, *, ceilings: Ceilings = NO_CEILINGS
) -> Review:
    """Review a draft; raises MachineUnfit when the action table or ruff is missing."""
    subject = subject_of(draft, standards, ceilings)
    ruff.find()  # before there are threads that could ask for it at once
    wanted = [check for check in CHECKS if check.name not in standards.left_out]
    with ThreadPoolExecutor(len(CHECKS)) as pool:
        several = list(pool.map(partial(_made, subject), wanted))
    found = [*_left_out(standards), *(one for each in several for one in each)]
    rated = [_rated(one, standards) for one in found]
    compared = policy.compare(subject)
    return Review(
        findings=tuple(sorted(rated, key=_order)),
        calls=subject.calls,
        tier=tier_of_policy(draft.policy)[0],
        missing=compared.missing,
        excess=compared.excess,
        proposed=compared.proposed,
        poor=_is_poor(rated, standards),
        unresolved=subject.unresolved,
    )


def _made(subject: Subject, check: Check) -> list[Finding]:
    """Make one check; one that is lost in a script is a blocker, never a check without findings."""
    try:
        return list(check.find(subject))
    except RecursionError:
        message = f"the check {check.name} was lost in it: it is nested too deeply"
        return [Finding(check.name, "lost", "blocker", None, message, "write it more simply")]


def _left_out(standards: Standards) -> Iterator[Finding]:
    for name in standards.left_out:
        message = f"the check {name} was not made: the settings leave it out"
        yield Finding(
            "review", "left-out", "note", None, message, "checks.left_out in the settings"
        )


def _rated(finding: Finding, standards: Standards) -> Finding:
    severity = standards.severities.get(f"{finding.source}/{finding.rule}", finding.severity)
    return finding if severity == finding.severity else replace(finding, severity=severity)


def _is_poor(found: list[Finding], standards: Standards) -> bool:
    remarks = (
        one.severity == "warning"
        and (one.source == quality.SOURCE or (one.source, one.rule) == PAGING)
        for one in found
    )
    return sum(remarks) > standards.most_quality


def _order(finding: Finding) -> tuple[int, str, int, str, str, str]:
    severity = SEVERITIES.index(finding.severity)
    other = "" if finding.file == "script" else finding.file
    return severity, other, finding.line or 0, finding.source, finding.rule, finding.message
