"""Everything that can happen in a session: one frozen type per kind (docs/events.md).

A `Fact` is an event with its place in the journal. Turning events are durable before what they
announce; bulk events (`run.output`, `aws.called`) are observations of a run that is on record.
Numbers are integers (milliseconds, bytes) but for what a script reported or a call was given.
core/codec.py turns events into JSON and back.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal, get_args

from core.approval.draft import Author, Kind, Purpose
from core.approval.grants import GrantGiven, GrantRevoked
from core.approval.house import DEFAULT, HouseRules
from core.approval.modes import Fate, Mode
from core.calls import AwsCalled, AwsIntended
from core.cards import (
    AnswerGiven,
    Claim,
    EvidenceAdded,
    GapRecorded,
    Pointer,
    Scalar,
    Status,
    Table,
)
from core.checks.finding import Call, Finding
from core.llm.usage import ModelAnswered
from core.repair import NONE as NO_REPAIRS
from core.repair import Repairs
from core.waiting import PackagesMissing, RequestExpired, ResultTaken, ScriptHanded
from sandbox.job import Language, Outcome, Sha, Tier
from sandbox.limits import Limits

__all__ = [  # what lies elsewhere and is imported from here
    "AnswerGiven",
    "Claim",
    "EvidenceAdded",
    "GapRecorded",
    "GrantGiven",
    "GrantRevoked",
    "Mode",
    "PackagesMissing",
    "Pointer",
    "RequestExpired",
    "ResultTaken",
    "Scalar",
    "ScriptHanded",
    "Status",
    "Table",
]

Goal = Literal["ask", "run"]
Verb = Literal["approve", "edit", "reject", "skip", "stop"]
Surface = Literal["tui", "plain", "json", "flag", "command", "file", "none"]


@dataclass(frozen=True, slots=True)
class SessionStarted:
    """What was asked, by whom, and every setting that decides what may happen."""

    kind: ClassVar = "session.started"
    session: str
    question: str
    goal: Goal
    mode: Mode
    source: str
    """live, simulated:SHA-of-world, or recorded:HEAD-of-session."""
    regions: tuple[str, ...]
    """Regions asked for; empty = those of the caller."""
    ceiling: Tier
    limits: Limits
    most_steps: int
    most_ms: int
    """Wall budget; waiting for a person does not count."""
    runtime: Sha
    identity: str
    """Operating-system user who started the session."""
    version: str
    repairs: Repairs = NO_REPAIRS
    """How often a draft goes back to its planner; all zero = it can't mend drafts."""
    most_cost: int = 0
    """Micro-dollars that models may cost; 0 = no limit."""
    most_aws_cost: int = 0
    """Micro-dollars that AWS calls may cost, as estimated; 0 = none that costs anything."""
    cache_ms: int = 0
    """How long an answer of AWS may be given again to the same read; 0 = never."""
    house: HouseRules = DEFAULT
    """Who may let what run, by the settings."""
    attended: bool = False
    """A person can be asked where the session was started."""


@dataclass(frozen=True, slots=True)
class CallerIdentified:
    """Who we are in AWS."""

    kind: ClassVar = "caller.identified"
    partition: str
    account: str
    alias: str
    role: str
    regions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PlanProposed:
    """The one next thing worth knowing."""

    kind: ClassVar = "plan.proposed"
    step: str
    title: str
    why: str
    work: Kind
    workflow: str
    """Name of the saved workflow; empty when there is none."""
    parameters: dict[str, Any]


@dataclass(frozen=True, slots=True)
class DraftGenerated:
    """Version n of a step's script with all that goes with it; bytes by hash."""

    kind: ClassVar = "draft.generated"
    step: str
    version: int
    author: Author
    work: Kind
    language: Language
    script: Sha
    requirements: tuple[str, ...]
    policy: dict[str, Any]
    rollback: Sha | None
    post_check: Sha | None
    parameters: dict[str, Any]
    inputs: dict[str, Sha]
    code_digest: Sha
    draft_digest: Sha
    tests: Sha | None = None


@dataclass(frozen=True, slots=True)
class ReviewFinished:
    """All findings of a draft and the facts derived from it."""

    kind: ClassVar = "review.finished"
    step: str
    version: int
    draft_digest: Sha
    tier: Tier
    findings: tuple[Finding, ...]
    calls: tuple[Call, ...]
    missing: tuple[str, ...]
    excess: tuple[str, ...]
    proposed: dict[str, Any]
    poor: bool = False
    """Whether there are more remarks on quality than the settings allow a model's draft."""
    unresolved: int = 0
    """Calls that the code makes and that could not be read from it."""

    @property
    def blockers(self) -> int:
        """How many findings keep the draft from running by itself."""
        return sum(finding.severity == "blocker" for finding in self.findings)


@dataclass(frozen=True, slots=True)
class DecisionRequested:
    """The question bound to a digest; immutable, a new draft version is a new request."""

    kind: ClassVar = "decision.requested"
    request: str
    step: str
    version: int
    purpose: Purpose
    digest: Sha
    preimage: Sha
    """Payload with the canonical preimage that `digest` is the hash of."""
    tier: Tier
    ceiling: Tier
    """The session's ceiling when the request was made, as bound by `digest`."""
    rule: Fate
    """What the mode makes of it; a later change of mode changes nothing where a person is asked."""
    asks_because: tuple[str, ...]
    second_stage: bool
    blockers: int
    expires_at: int = 0
    """From then on it decides nothing; 0 = never."""
    grant: str = ""
    """Name of the grant that answers it."""


@dataclass(frozen=True, slots=True)
class DecisionMade:
    """The one answer to a request."""

    kind: ClassVar = "decision.made"
    request: str
    digest: Sha
    verb: Verb
    by: Literal["human", "grant", "mode"]
    identity: str
    surface: Surface
    comment: str = ""
    edited: Sha | None = None
    """With `edit`: payload with the script of the next version."""
    override_blockers: bool = False
    shown_ms: int = 0
    screen: Sha | None = None
    """Hash of what was shown."""
    seen: int = 0
    """How much of it was seen, in hundredths."""
    confirmed: str = ""
    """What was typed as the account."""
    grant: str = ""
    policy: dict[str, Any] | None = None
    requirements: tuple[str, ...] | None = None
    parameters: dict[str, Any] | None = None
    beside: dict[str, Sha] | None = None
    """With `edit`: what the next version has of these, the locked packages and, by name, the
    payloads of rollback, post_check and tests; what is not changed is not there."""

    @property
    def decider(self) -> str:
        """Who or what decided, in words."""
        return {"mode": "the mode", "grant": f"grant {self.grant}"}.get(self.by, self.identity)


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A run is about to begin; on record before the first process is made."""

    kind: ClassVar = "run.started"
    run: str
    request: str
    purpose: Purpose
    digest: Sha
    engine: str
    degraded: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunOutput:
    """A stretch of what the script printed, redacted. Bulk."""

    kind: ClassVar = "run.output"
    run: str
    stream: Literal["stdout", "stderr"]
    offset: int
    text: str
    """Empty where the stream has a gap; it is told again as the gap grows."""
    dropped: int
    """Bytes missing before `text`."""


@dataclass(frozen=True, slots=True)
class RunFinished:
    """The run's whole process tree is dead."""

    kind: ClassVar = "run.finished"
    run: str
    outcome: Outcome
    code: int | None
    limit: str | None
    result: Sha | None
    artifacts: dict[str, Sha]
    """By a relative path that a script chose: for showing, never for writing to."""
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RunInterrupted:
    """A run without a known end: its outcome is unknown and it is never repeated by itself."""

    kind: ClassVar = "run.interrupted"
    run: str
    reason: str


@dataclass(frozen=True, slots=True)
class LimitReached:
    """A budget of the session is used up; what there is becomes the answer."""

    kind: ClassVar = "limit.reached"
    limit: str
    detail: str


@dataclass(frozen=True, slots=True)
class StopRequested:
    """A person wants the session to end with what there is."""

    kind: ClassVar = "stop.requested"
    identity: str


@dataclass(frozen=True, slots=True)
class NoteAdded:
    """A remark of a person."""

    kind: ClassVar = "note.added"
    identity: str
    text: str
    question: bool = False
    """A planner that can answer is to do so, beside the work."""


@dataclass(frozen=True, slots=True)
class NoteAnswered:
    """What the planner said to a question of a person; it changes nothing."""

    kind: ClassVar = "note.answered"
    note: int
    """Number of the event that asked."""
    text: str
    """Empty when there is no answer."""
    problem: str = ""
    """Why there is none."""


@dataclass(frozen=True, slots=True)
class ModeChanged:
    """Another mode from here on; what the old one would have answered is asked anew."""

    kind: ClassVar = "mode.changed"
    identity: str
    """Empty where a rule of the session did it."""
    mode: Mode
    ceiling: Tier
    confirmed: str = ""
    """What was typed as the account."""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class SessionResumed:
    """Somebody went on with a session that had not ended."""

    kind: ClassVar = "session.resumed"
    identity: str
    version: str
    attended: bool = False


@dataclass(frozen=True, slots=True)
class SessionFinished:
    """The end; nothing follows."""

    kind: ClassVar = "session.finished"
    exit_code: int
    reason: str


Event = (
    SessionStarted
    | CallerIdentified
    | ModelAnswered
    | PlanProposed
    | DraftGenerated
    | ReviewFinished
    | PackagesMissing
    | DecisionRequested
    | DecisionMade
    | RequestExpired
    | ScriptHanded
    | ResultTaken
    | RunStarted
    | RunOutput
    | AwsIntended
    | AwsCalled
    | RunFinished
    | RunInterrupted
    | EvidenceAdded
    | GapRecorded
    | AnswerGiven
    | LimitReached
    | StopRequested
    | NoteAdded
    | NoteAnswered
    | ModeChanged
    | GrantGiven
    | GrantRevoked
    | SessionResumed
    | SessionFinished
)

KINDS: dict[str, type[Event]] = {each.kind: each for each in get_args(Event)}
BULK = frozenset({RunOutput.kind, AwsCalled.kind})


@dataclass(frozen=True, slots=True)
class Fact:
    """An event with its place in the journal."""

    seq: int
    at: int
    """Milliseconds since the epoch, UTC."""
    event: Event
