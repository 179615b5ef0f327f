"""A second reader of a draft: somebody who adds notes, and can do nothing else.

What the review found stays as it is: tier, findings, permissions. Notes come after it, as notes,
whatever they say of themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Protocol

from core.approval.draft import Draft
from core.checks.finding import Finding, Review
from core.llm.usage import ModelAnswered

SOURCE = "reviewer"
MOST_NOTES = 5
_MOST_WORDS = 400


@dataclass(frozen=True, slots=True)
class Remark:
    """What a second reader has to say about a line, or about all of it."""

    line: int | None
    text: str


class SecondReader(Protocol):
    """Reads a draft after its review."""

    async def read(self, draft: Draft, found: Review) -> tuple[Remark, ...]:
        """Return remarks; one of them says so when there could be none. Never raises."""
        ...

    def spent(self) -> tuple[ModelAnswered, ...]:
        """Return what was asked of models since the last call."""
        ...


def with_notes(found: Review, remarks: Iterable[Remark], draft: Draft) -> Review:
    """Return the review with a note for each remark, up to a few, behind all that it found."""
    lines = draft.script.count(b"\n") + 1
    notes = tuple(_note(each, lines) for each in list(remarks)[:MOST_NOTES])
    return replace(found, findings=(*found.findings, *notes))


def _note(remark: Remark, lines: int) -> Finding:
    known = remark.line is not None and 1 <= remark.line <= lines
    text = " ".join(remark.text.split())[:_MOST_WORDS]
    return Finding(SOURCE, "note", "note", remark.line if known else None, text, "")
