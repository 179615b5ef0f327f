"""A change must bring its way back and the proof that it worked."""

from __future__ import annotations

from collections.abc import Iterator

from core.checks.finding import Finding
from core.checks.subject import Subject


def check(subject: Subject) -> Iterator[Finding]:
    """Refuse a change without rollback or post-check."""
    draft = subject.draft
    if draft.kind != "change":
        return
    if not draft.rollback:
        yield _blocker(
            "no-rollback",
            "a change needs a script that takes it back",
            "add a rollback, and try it in thought: would it run after half of the change?",
        )
    if not draft.post_check:
        yield _blocker(
            "no-post-check",
            "a change needs a script that tells whether it worked",
            "add a post-check that only reads",
        )


def _blocker(rule: str, message: str, fix: str) -> Finding:
    return Finding("change", rule, "blocker", None, message, fix)
