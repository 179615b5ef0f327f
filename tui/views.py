"""What the screen shows at one moment, as plain values: no widget, no terminal, no engine.

tui/viewing.py makes them from a session; widgets only give them place and colour. Every text in
here is safe to show, and no colour says what no word or sign says.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.checks.finding import Severity

State = Literal["waiting", "working", "asked", "running", "done", "gap", "stopped"]

Need = Literal[
    "needed", "missing", "excess", "unread", "denied", "surprise", "untaken", "wide", "unseeable"
]
"""What code and runs say of an action: called; called but not allowed; allowed but never called;
nothing; refused in a run; called by a run though not seen in the code; in the code and not called
by the run; allowed on more than the code names; allowed and perhaps called, by a hidden call."""

ANSWER = 0
"""Number of the answer's page; steps have pages 1, 2, 3, ..."""
NO_FINDINGS = "no findings"
SIGNS: dict[State, str] = {
    "waiting": "·",
    "working": "◌",
    "asked": "▲",
    "running": "▶",
    "done": "✓",
    "gap": "✗",
    "stopped": "■",
}


@dataclass(frozen=True, slots=True)
class Status:
    """The line that never scrolls away."""

    account: str
    region: str
    role: str
    mode: str
    cost: str
    elapsed: str
    label: str = ""
    """What the settings call the account."""
    production: bool = False


@dataclass(frozen=True, slots=True)
class Chip:
    """A page in the step strip."""

    page: int
    name: str
    title: str
    state: State
    versions: int = 0

    @property
    def sign(self) -> str:
        """The state without colour."""
        return SIGNS[self.state]


@dataclass(frozen=True, slots=True)
class Row:
    """A name and its value."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Why this step, what it is given, and what came of it."""

    title: str
    why: str
    rows: tuple[Row, ...]
    outcome: str
    """How the step stands, a sentence; empty while nothing has happened."""
    found: tuple[Row, ...]
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Remark:
    """A finding, ready to show."""

    severity: Severity
    line: int | None
    text: str
    fix: str
    rule: str


@dataclass(frozen=True, slots=True)
class Permission:
    """An action of the policy with what it reaches, and why it is there."""

    effect: str
    action: str
    tier: int | None
    """None where no tier is known: the whole policy then counts as worse."""
    resource: str
    condition: str = ""
    """What else must hold, in IAM's words; empty = nothing."""
    need: Need = "unread"
    lines: tuple[int, ...] = ()
    """Where the code calls it."""
    called: int = 0
    """By the runs that have ended; `denied` of them were refused."""
    denied: int = 0
    outside: bool = False
    """No Allow of the policy names it."""


@dataclass(frozen=True, slots=True)
class Policy:
    """The IAM policy as a table, and whole."""

    permissions: tuple[Permission, ...]
    remarks: tuple[str, ...]
    """What the table can't say."""
    document: str
    tighter: bool = False
    """Something can be taken out of it."""


@dataclass(frozen=True, slots=True)
class Code:
    """A version of a script."""

    key: str
    """Another key, another text."""
    text: str
    marks: dict[int, Severity]
    """Line, from 1, to the worst finding about it."""
    caption: str


@dataclass(frozen=True, slots=True)
class Support:
    """A claim, and where its values stand."""

    text: str
    evidence: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the session came to."""

    status: str
    cause: str
    claims: tuple[Support, ...]
    gaps: tuple[str, ...]
    steps: tuple[str, ...]
    """What was done to find out, a line for each step."""


@dataclass(frozen=True, slots=True)
class Question:
    """A request that waits: what is asked, and what a yes would bind."""

    request: str
    digest: str
    page: int
    head: str
    because: str
    second_stage: bool
    blockers: tuple[str, ...]
    account: str
    """By its alias, or by number where it has none: what is typed in the second stage."""
    folder: str = ""
    """Where the script lies that is handed over; empty = it is decided here, and run here."""
    other: str = ""
    """Somebody else than this one has to decide it; empty = anybody may."""
