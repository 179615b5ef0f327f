"""Requirements: locked to hashes, and of the packages that the settings allow.

Every line counts, also one that another package brought along: what is on the list can be read
there, and nothing else comes in behind it. Packages of the sealed runtime are no requirements:
scripts have them in the runtime's version. Blockers all; a person may override what is not on the
list, never what is not locked, since nothing can be fetched for that.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.checks.finding import Finding
from core.checks.subject import Subject
from sandbox.packages import is_locked, name_of
from sandbox.runtime import PACKAGES


def check(subject: Subject) -> Iterator[Finding]:
    """Refuse lines that are not locked, not allowed, or of the runtime's own packages."""
    for line in subject.draft.requirements:
        if not is_locked(line):
            yield _blocker(
                "unlocked",
                f"{line!a} is not locked: it could be another package tomorrow",
                "write name==version --hash=sha256:...; check --lock does",
            )
        elif (name := name_of(line)) in PACKAGES:
            yield _blocker(
                "in-runtime",
                f"{name} is part of the sealed runtime",
                "leave it out: scripts have the runtime's version",
            )
        elif name not in subject.standards.allowed:
            yield _blocker(
                "not-allowed",
                f"{name} is not among the packages that scripts may use",
                "do without it; a person can add it to requirements.allowed in the settings",
            )


def _blocker(rule: str, message: str, fix: str) -> Finding:
    return Finding("requirements", rule, "blocker", None, message, fix, "requirements")
