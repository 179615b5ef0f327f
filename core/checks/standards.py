"""What a review holds drafts to: the `checks` section of the settings, as the worker gets it.

Plain values: they cross into another process, and their digest is part of what a review is cached
under. `core.checks.settings` reads them from the file, strictly.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import Literal

from core.canonical import digest_of
from core.checks.finding import Severity
from sandbox.job import Sha

GateKind = Literal["pattern", "call", "import", "attribute", "action", "resource"]
NAMES = (
    "syntax",
    "readability",
    "lint",
    "security",
    "code",
    "aws-calls",
    "policy",
    "requirements",
    "change",
    "quality",
    "gates",
)
"""Of all checks; `core.checks.review.CHECKS` makes them."""
FIXED = ("syntax", "policy")
"""Those that can't be left out."""
WIDEST_LINE = 100
MOST_QUALITY = 5
MOST_COMPLEXITY = 10


@dataclass(frozen=True, slots=True)
class Gate:
    """A check that whoever runs Countersign wrote into the settings."""

    name: str
    severity: Severity
    message: str
    kind: GateKind
    """What is looked at: the script's text, the names in its code, or the policy."""
    match: str
    """A regular expression for `pattern`, a name with `*` and `?` for the others."""


@dataclass(frozen=True, slots=True)
class Standards:
    """Everything that a review depends on besides the draft."""

    allowed: tuple[str, ...] = ()
    """Normal names of the packages that scripts may use."""
    left_out: tuple[str, ...] = ()
    """Names of the checks that are not made."""
    widest_line: int = WIDEST_LINE
    """Columns that whoever approves can see without scrolling."""
    most_quality: int = MOST_QUALITY
    """Warnings about quality that a model's draft may have."""
    most_complexity: int = MOST_COMPLEXITY
    """Ways through one function."""
    severities: dict[str, Severity] = field(default_factory=dict)
    """Severity by "source/rule", where it is another than the check's own."""
    gates: tuple[Gate, ...] = ()

    def digest(self) -> Sha:
        """Return what changes when a review could come out differently."""
        return digest_of(asdict(self))


DEFAULT = Standards()
