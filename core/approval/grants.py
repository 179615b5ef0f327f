"""Standing approvals: typed, shown as the object they are, and never for what changes anything.

A grant names permissions, one account, a highest tier of reading, a scope (this session, or one
code by its `code_digest`), an end and a number of uses. It answers a request only where
`core.iam.covers` says that the draft's whole policy lies within it, and only where no rule refuses
or asks for a person (`core.approval.modes`). One for a code can outlive its session (`lasting`);
core/lasting.py keeps those. Its two events are part of core/events.py.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import ClassVar, Literal

from core.approval.draft import Target
from core.approval.modes import READS_ONLY
from core.canonical import digest_of
from core.iam.containment import Permission, covers, permissions_of
from sandbox.job import Json, Sha, Tier

Granted = Literal["run", "rehearse"]
OFFERED_MS = 60 * 60_000
"""How long a grant holds that is offered."""
LASTING_MS = 7 * 24 * 60 * 60_000
"""How long one holds that outlives its session."""
_NAME = 10
"""Hexadecimal digits in the name of one that outlives its session."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A standing approval, whole: what is printed is what is given."""

    grant: str
    """G1, G2, ...; a lasting one is named after its content (`lasting_name`) in every session."""
    purpose: Granted
    """`rehearse` covers rehearsals of any draft: they reach neither AWS nor inputs."""
    permissions: tuple[Permission, ...]
    source: str
    partition: str
    account: str
    role: str
    regions: tuple[str, ...]
    """The session's regions must all be among them."""
    tier: Tier
    """The highest tier of a draft that it covers."""
    code_digest: Sha | None
    """Only this code; None = whatever fits, in this session."""
    expires_at: int
    """Milliseconds since the epoch."""
    uses: int
    """How many requests it may answer; 0 = any number."""
    lasting: bool = False
    """It holds in later sessions too: only with a `code_digest`."""


@dataclass(frozen=True, slots=True)
class GrantGiven:
    """A person gave a standing approval."""

    kind: ClassVar = "grant.given"
    grant: Grant
    identity: str
    surface: Literal["tui", "plain", "json", "flag", "command", "file", "none"]
    carried: str = ""
    """The session that it was given in, where that is another one."""


@dataclass(frozen=True, slots=True)
class GrantRevoked:
    """A standing approval has ended."""

    kind: ClassVar = "grant.revoked"
    grant: str
    identity: str
    """Empty where it ended by itself."""
    reason: str


@dataclass(frozen=True, slots=True)
class Standing:
    """A grant with what became of it."""

    given: GrantGiven
    used: int = 0
    ended: str = ""
    """Why it holds no more; empty = it may still hold."""

    @property
    def grant(self) -> Grant:
        return self.given.grant

    def over(self, now: int) -> str:
        """Return why the grant has come to its end by itself, or nothing."""
        if now >= self.grant.expires_at:
            return "expired"
        if self.grant.uses and self.used >= self.grant.uses:
            return "used up"
        return ""

    def holds(self, now: int) -> bool:
        """Tell whether it may answer a request at this moment."""
        return not self.ended and not self.over(now)

    def after_use(self) -> Standing:
        """Return it with one more use."""
        return replace(self, used=self.used + 1)


def problem(grant: Grant, target: Target | None) -> str:
    """Return why such a grant can't be given in a session against `target`, or nothing."""
    if target is None:
        return "nothing can be granted before the account is known"
    if grant.tier > READS_ONLY:
        return f"no grant reaches tier {grant.tier}: only reads are granted"
    if grant.lasting and (grant.purpose != "run" or grant.code_digest is None or grant.uses):
        return "only a grant to run one code, any number of times, outlives its session"
    if (grant.source, grant.partition, grant.account, grant.role) != (
        target.source,
        target.partition,
        target.account,
        target.role,
    ):
        return "it is about another account, role or source"
    if not set(target.regions) <= set(grant.regions):
        return "it is about other regions"
    return ""


def fits(
    grant: Grant,
    target: Target | None,
    *,
    purpose: str,
    tier: Tier,
    code_digest: Sha,
    policy: Json,
) -> bool:
    """Tell whether a grant that holds covers a draft, for what it is asked for; pure."""
    if grant.purpose != purpose or problem(grant, target):
        return False
    if grant.code_digest not in (None, code_digest):
        return False
    return purpose == "rehearse" or (tier <= grant.tier and covers(grant, policy))


def offer(name: str, target: Target | None, tier: Tier, policy: Json, now: int) -> Grant | None:
    """Return the grant that allows exactly what a draft's policy does; None where there is none.

    Nothing is offered above reads, nor for a policy that permissions can't express to the letter.
    """
    if target is None or tier > READS_ONLY:
        return None
    permissions = permissions_of(policy)
    if not permissions:
        return None
    return _grant(name, "run", target, now, tier=tier, permissions=permissions)


def offer_rehearsals(name: str, target: Target | None, now: int) -> Grant | None:
    """Return the grant that lets the drafts of a session be rehearsed without asking."""
    return _grant(name, "rehearse", target, now, tier=0) if target else None


def lasting(grant: Grant, code_digest: Sha, now: int) -> Grant:
    """Return the grant that allows the same to one code only, in later sessions too."""
    wide = replace(grant, code_digest=code_digest, expires_at=now + LASTING_MS, lasting=True)
    return replace(wide, grant=lasting_name(wide))


def lasting_name(grant: Grant) -> str:
    """Return the name of a grant that outlives its session: a digest of all else that it says."""
    return f"L{digest_of({**asdict(grant), 'grant': ''})[:_NAME]}"


def printed(grant: Grant) -> tuple[str, ...]:
    """Return the object in lines, unsafe to show as they are: all of it, and nothing else."""
    what = [f"{', '.join(one.actions)} on {', '.join(one.resources)}" for one in grant.permissions]
    rehearsals = ["rehearsals of any draft: no AWS, no inputs"]
    scope = "this session" if grant.code_digest is None else f"code {grant.code_digest}"
    scope += ", in this and in later sessions" if grant.lasting else ""
    uses = "any number of times" if grant.uses == 0 else f"{grant.uses} times"
    return (
        f"{grant.grant}: {grant.purpose}, up to tier {grant.tier}",
        *(rehearsals if grant.purpose == "rehearse" else what),
        f"in account {grant.account} ({grant.partition}), regions {', '.join(grant.regions)}",
        f"as {grant.role}, against {grant.source}",
        f"for {scope}, {uses}, until {grant.expires_at} ms since the epoch",
    )


def _grant(
    name: str,
    purpose: Granted,
    target: Target,
    now: int,
    *,
    tier: Tier,
    permissions: tuple[Permission, ...] = (),
) -> Grant:
    return Grant(
        grant=name,
        purpose=purpose,
        permissions=permissions,
        source=target.source,
        partition=target.partition,
        account=target.account,
        role=target.role,
        regions=target.regions,
        tier=tier,
        code_digest=None,
        expires_at=now + OFFERED_MS,
        uses=0,
    )
