"""A change must bring its way back and the proof that it worked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from core.approval.modes import READS_ONLY
from core.checks.finding import Finding
from core.checks.subject import Subject
from core.iam.actions import lookup


def check(subject: Subject) -> Iterator[Finding]:
    """Refuse a change without rollback or post-check, or with a post-check that changes more."""
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
    yield from _changes(subject)


def _changes(subject: Subject) -> Iterator[Finding]:
    """What the gateway refuses to a post-check, whatever the policy allows."""
    for script in subject.scripts:
        for call in script.extraction.calls if script.file == "post-check" else ():
            action = lookup(call.service, call.operation)
            if action.tier > READS_ONLY:
                message = f"the post-check calls {action.name}, and a post-check only reads"
                fix = "look at what the change did by reading it"
                told = _blocker("post-check-changes", message, fix)
                yield replace(told, line=call.line, file="post-check")


def _blocker(rule: str, message: str, fix: str) -> Finding:
    return Finding("change", rule, "blocker", None, message, fix)
