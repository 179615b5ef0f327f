"""What the review says: findings, the calls it saw in the code, and the two together.

A blocker stops a draft from running by itself in any mode; a warning is for whoever approves; a
note is context.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal, Protocol

from sandbox.job import Json, Tier

Severity = Literal["blocker", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = ("blocker", "warning", "note")
"""From the worst down."""
File = Literal["script", "rollback", "post-check", "tests", "policy", "requirements"]
"""The parts of a draft that a finding can be about."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark of one check."""

    source: str
    """Name of the check."""
    rule: str
    severity: Severity
    line: int | None
    """In `file`, from 1; None where the remark is about no line of it."""
    message: str
    fix: str
    """What to do about it; may be empty for a note."""
    file: File = "script"

    @property
    def place(self) -> str:
        """Where it is, in words; empty where that is said by the source, or is the whole script."""
        line = "" if self.line is None else f"line {self.line}"
        named = "" if self.file in ("script", self.source) else self.file
        return ", ".join(each for each in (named, line) if each)


@dataclass(frozen=True, slots=True)
class Call:
    """An AWS call as the code shows it; it may never be made, or be made a thousand times."""

    service: str
    """botocore client name."""
    operation: str
    line: int


class Reviewed(Protocol):
    """What a review found, from wherever it is known: `Review`, `events.ReviewFinished`."""

    @property
    def tier(self) -> Tier: ...
    @property
    def findings(self) -> tuple[Finding, ...]: ...
    @property
    def calls(self) -> tuple[Call, ...]: ...
    @property
    def missing(self) -> tuple[str, ...]: ...
    @property
    def excess(self) -> tuple[str, ...]: ...
    @property
    def proposed(self) -> Json: ...
    @property
    def unresolved(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Review:
    """All findings of a draft and the facts derived from it."""

    findings: tuple[Finding, ...]
    calls: tuple[Call, ...]
    tier: Tier
    missing: tuple[str, ...]
    """IAM actions that the calls need and the policy does not allow."""
    excess: tuple[str, ...]
    """Action patterns that the policy allows and no call needs."""
    proposed: Json
    """The policy that allows what the calls need, and nothing else."""
    poor: bool = False
    """Whether there are more remarks on quality than the settings allow a model's draft."""
    unresolved: int = 0
    """Places in the code where a call, or what hides one, can't be told."""

    @property
    def blockers(self) -> tuple[Finding, ...]:
        """The findings that keep the draft from running by itself."""
        return tuple(one for one in self.findings if one.severity == "blocker")

    def to_json(self) -> dict[str, Any]:
        """The review as part of what `countersign check --json` prints."""
        return {
            "tier": self.tier,
            "poor": self.poor,
            "unresolved": self.unresolved,
            "findings": [asdict(one) for one in self.findings],
            "calls": [asdict(one) for one in self.calls],
            "policy": {
                "missing": list(self.missing),
                "excess": list(self.excess),
                "proposed": self.proposed,
            },
        }
