"""Two versions of a script and their reviews: what changed, and which findings came or went.

Pure. A finding is the same when its check, rule, file and words are, on whatever line it stands.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass

from core.checks.finding import Finding, Review

_MOST_LINES = 2000


@dataclass(frozen=True, slots=True)
class Difference:
    """From an earlier version to the one that is looked at."""

    lines: tuple[str, ...]
    """Of a unified diff, without line ends; unsafe to show as they are."""
    came: tuple[Finding, ...]
    went: tuple[Finding, ...]


def difference(before: tuple[str, bytes, Review], after: tuple[str, bytes, Review]) -> Difference:
    """Compare two versions, each a name, a script and its review."""
    (old_name, old, old_review), (new_name, new, new_review) = before, after
    lines = difflib.unified_diff(_lines(old), _lines(new), old_name, new_name, lineterm="")
    return Difference(
        lines=tuple(line for line, _ in zip(lines, range(_MOST_LINES), strict=False)),
        came=_only(new_review, old_review),
        went=_only(old_review, new_review),
    )


def _lines(script: bytes) -> list[str]:
    return script.decode("utf-8", "replace").split("\n")


def _only(one: Review, other: Review) -> tuple[Finding, ...]:
    known = [_same(each) for each in other.findings]
    found = []
    for each in one.findings:
        if _same(each) in known:
            known.remove(_same(each))
        else:
            found.append(each)
    return tuple(found)


def _same(finding: Finding) -> tuple[str, str, str, str]:
    return finding.source, finding.rule, finding.file, finding.message
