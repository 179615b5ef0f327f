"""What a session has found: evidence cards, gaps and the answer; a part of core/events.py.

A card is small enough to read and says how much of everything it shows; a claim names the card that
its value stands on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from sandbox.job import Sha

Status = Literal["confirmed", "likely", "inconclusive", "healthy"]
Scalar = str | int | float | bool | None


@dataclass(frozen=True, slots=True)
class Table:
    """The head of a table that a script reported."""

    name: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Scalar, ...], ...]
    total_rows: int


@dataclass(frozen=True, slots=True)
class EvidenceAdded:
    """A card: what a run found, small enough to read, with a pointer to all of it."""

    kind: ClassVar = "evidence.added"
    card: str
    step: str
    run: str
    """Empty where a person ran it."""
    title: str
    facts: dict[str, Scalar]
    tables: tuple[Table, ...]
    coverage: tuple[str, ...]
    warnings: tuple[str, ...]
    errors: tuple[str, ...]
    text: str
    """Head of what the script printed."""
    result: Sha | None
    by_hand: bool = False
    """A person ran the script and brought the result; the code did not see it happen."""
    after: tuple[str, ...] = ()
    """What came of the post-check and the roll back of a change, a sentence each."""


@dataclass(frozen=True, slots=True)
class GapRecorded:
    """Something that stays unknown, and why."""

    kind: ClassVar = "gap.recorded"
    step: str
    reason: str


@dataclass(frozen=True, slots=True)
class Pointer:
    """Where a claim's value stands: a JSON pointer into a card."""

    card: str
    pointer: str
    value: Scalar


@dataclass(frozen=True, slots=True)
class Claim:
    """One sentence, and the evidence it rests on; code has compared the values."""

    text: str
    evidence: tuple[Pointer, ...]


@dataclass(frozen=True, slots=True)
class AnswerGiven:
    """What the session came to."""

    kind: ClassVar = "answer.given"
    status: Status
    cause: str
    claims: tuple[Claim, ...]
    gaps: tuple[str, ...]
