"""What `check` says: the document for machines, and the same for people.

For people the line that says most comes first, then why a session would ask, then the findings from
the worst down, the calls and the policy. All of it may come from a stranger's script: every line is
made safe.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from core.approval.draft import Draft
from core.approval.modes import TIER_NAMES, Case, rule
from core.checks.compare import Difference
from core.checks.finding import SEVERITIES, Finding, Review, Severity
from core.checks.permissions import permissions
from core.checks.summary import one_line
from core.iam.compare import Row
from core.safe_text import safe_line
from sandbox.job import Tier
from tui.permissions import row_text

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Checked:
    """A draft with its review, and what is known about its run."""

    draft: Draft
    found: Review
    digest: str | None
    """What `run` would ask for; None when there is none."""
    why_not: str
    """Why there is no digest."""
    mode: str
    ceiling: Tier
    unattended: Tier
    """The highest tier that goes by itself, by the settings."""
    regions: tuple[str, ...] | None
    """None when the target is not known."""
    difference: Difference | None = None
    """From the version that it is compared with."""
    digests: Mapping[str, str] = field(default_factory=dict)
    """By purpose: a change has a post-check and a roll back too."""


def document(checked: Checked) -> Document:
    """Return what `check --json` prints."""
    draft, found = checked.draft, checked.found
    told: Document = {
        "code_digest": draft.code_digest(),
        "draft_digest": draft.digest(),
        "digest": checked.digest,
        "digests": dict(checked.digests),
        "digest_reason": checked.why_not,
        "summary": one_line(found, checked.regions),
        **found.to_json(),
    }
    rows = permissions(draft.policy, found)
    told["policy"] = {**told["policy"], "table": [_row(row) for row in rows]}
    if checked.difference is None:
        return told
    return {**told, "diff": asdict(checked.difference)}


def _row(row: Row) -> Document:
    return {**asdict(row), "lines": list(row.lines), "resources": list(row.resources)}


def text(checked: Checked) -> str:
    """Return the same for people."""
    return "\n".join(safe_line(line) for line in _lines(checked))


def _lines(checked: Checked) -> Iterator[str]:
    found, draft = checked.found, checked.draft
    yield one_line(found, checked.regions)
    yield f"tier {found.tier}, {TIER_NAMES[found.tier]}"
    yield f"would {'; '.join(_ruled(checked))}"
    for severity in SEVERITIES:
        yield from _group(severity, [one for one in found.findings if one.severity == severity])
    yield from _calls(found)
    yield from _policy(draft, found)
    if checked.difference:
        yield from _difference(checked.difference)
    yield ""
    yield f"code_digest   {draft.code_digest()}"
    yield f"draft_digest  {draft.digest()}"
    yield f"digest        {checked.digest or 'none: ' + checked.why_not}"


def _ruled(checked: Checked) -> tuple[str, ...]:
    """Return what a session would do with it, and why."""
    found = checked.found
    case = Case(
        mode=checked.mode,
        tier=found.tier,
        ceiling=checked.ceiling,
        blockers=len(found.blockers),
        unresolved=found.unresolved,
        unattended=checked.unattended,
    )
    ruled = rule(case)
    first, *others = ruled.because
    return (f"{ruled.outcome}: {first}", *others)


def _group(severity: Severity, findings: Sequence[Finding]) -> Iterator[str]:
    if findings:
        yield ""
        yield f"{len(findings)} {severity}{'s' * (len(findings) != 1)}"
    for one in findings:
        yield from _finding(one)


def _finding(one: Finding) -> Iterator[str]:
    yield f"  {one.place + ': ' if one.place else ''}{one.message}  [{one.source} {one.rule}]"
    if one.fix:
        yield f"      -> {one.fix}"


def _calls(found: Review) -> Iterator[str]:
    yield ""
    yield "calls" if found.calls else "no calls"
    yield from (f"  line {one.line}: {one.service}.{one.operation}" for one in found.calls)


def _policy(draft: Draft, found: Review) -> Iterator[str]:
    rows = permissions(draft.policy, found)
    if rows:
        yield ""
        yield "policy and code"
        yield from (f"  {row_text(row)}" for row in rows)
    if found.missing or found.excess:
        yield f"  proposed: {json.dumps(dict(found.proposed))}"


def _difference(found: Difference) -> Iterator[str]:
    yield ""
    yield from found.lines or ("the script is the same",)
    for name, findings in (("came", found.came), ("went", found.went)):
        for one in findings:
            yield f"{name}: {one.severity}: {one.message}  [{one.source} {one.rule}]"
