"""Who answers a request: the port, and the approvers that need no screen.

`Nobody` is what there is without a terminal: it refuses by raising NoApprover, so that no approver
never means yes. `FromFlag` answers exactly the requests whose digests were given beforehand.
`FromList` answers from a list, for demos and tests. People at a terminal are in tui/.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from core.approval.house import names_account
from core.approval.ledger import user_of
from core.approval.redeem import Payload
from core.errors import NoApprover
from core.events import DecisionRequested, Surface, Verb
from core.state import Session
from sandbox.job import Json, Sha


@dataclass(frozen=True, slots=True)
class Decision:
    """An approver's answer; the engine binds it to the request and signs it with who and where."""

    verb: Verb
    comment: str = ""
    script: bytes | None = None
    """With `edit`: the next version of the script."""
    policy: Json | None = None
    """With `edit`: the policy of the next version."""
    requirements: tuple[str, ...] | None = None
    """With `edit`: the locked packages of the next version."""
    parameters: Json | None = None
    """With `edit`: the parameters of the next version."""
    beside: Mapping[str, bytes] | None = None
    """With `edit`: rollback, post_check and tests of the next version, those that it changes; an
    empty one is none."""
    override_blockers: bool = False
    shown_ms: int = 0
    screen: bytes | None = None
    """What was shown; the record keeps it, and its hash in the event."""
    seen: int = 0
    """How much of it was seen, in hundredths."""
    confirmed: str = ""
    """What was typed as the account."""
    identity: str = ""
    """Who decides, where it is proved to be another than the user of this process."""
    surface: Surface | None = None
    """Where, if not where the approver that was asked says."""


class Approver(Protocol):
    """Answers requests."""

    @property
    def surface(self) -> Surface:
        """Where the answer is given."""
        ...

    async def __call__(
        self, request: DecisionRequested, session: Session, payload: Payload, /
    ) -> Decision:
        """Return the decision; raises NoApprover when nobody here can give one."""
        ...


@dataclass(frozen=True, slots=True)
class Nobody:
    """There is nobody to ask."""

    surface: Surface = "none"

    async def __call__(
        self, request: DecisionRequested, session: Session, payload: Payload
    ) -> Decision:
        del session, payload
        raise NoApprover(f"{request.request} needs a decision on digest {request.digest}")


@dataclass(frozen=True, slots=True)
class FromFlag:
    """Approvals given on the command line, each for one digest and one run."""

    digests: frozenset[str]
    fit: Callable[[], Awaitable[object]]
    """Raises MachineUnfit; asked first, so that a machine that runs nothing spends nothing."""
    spend: Callable[[Sha, str], None]
    """Marks a digest as used by one request (`ledger.user_of`); raises NoApprover for another."""
    confirmed: str = ""
    """What was typed as the account's alias."""
    override_blockers: bool = False
    surface: Surface = "flag"

    async def __call__(
        self, request: DecisionRequested, session: Session, payload: Payload
    ) -> Decision:
        del payload
        if request.digest not in self.digests:
            raise NoApprover(f"{request.request} has digest {request.digest}, which was not given")
        decision = yes(request, session, typed=self.confirmed, over=self.override_blockers)
        await self.fit()
        self.spend(request.digest, user_of(session.id, request.request))
        return decision


@dataclass(slots=True)
class FromList:
    """Answers from a list, in order; when it is used up there is nobody."""

    decisions: Sequence[Decision]
    asked: list[DecisionRequested] = field(default_factory=list)
    surface: Surface = "none"

    async def __call__(
        self, request: DecisionRequested, session: Session, payload: Payload
    ) -> Decision:
        self.asked.append(request)
        if len(self.asked) > len(self.decisions):
            return await Nobody()(request, session, payload)
        return self.decisions[len(self.asked) - 1]


@dataclass(frozen=True, slots=True)
class InTurn:
    """Asks several approvers, in order, until one of them can answer."""

    approvers: tuple[Approver, ...]
    surface: Surface = "none"

    async def __call__(
        self, request: DecisionRequested, session: Session, payload: Payload
    ) -> Decision:
        """Return the first answer; raises the last NoApprover."""
        for approver in self.approvers[:-1]:
            try:
                return await _answer(approver, request, session, payload)
            except NoApprover:
                continue
        return await _answer(self.approvers[-1], request, session, payload)


async def _answer(
    approver: Approver, request: DecisionRequested, session: Session, payload: Payload
) -> Decision:
    decision = await approver(request, session, payload)
    return replace(decision, surface=decision.surface or approver.surface)


def yes(request: DecisionRequested, session: Session, *, typed: str, over: bool) -> Decision:
    """Return the yes of somebody who is not at a screen; raises NoApprover for half a one.

    `typed` is what they typed as the account, `over` whether they override blocking findings.
    """
    if request.blockers and not over:
        raise NoApprover(
            f"{request.request} has blocking findings that the yes leaves: {request.blockers}",
            hint="mend them, or override them (--override-blockers), which is recorded",
        )
    if request.second_stage:
        check_confirmed(request, session, typed)
    return Decision(
        "approve",
        override_blockers=request.blockers > 0,
        confirmed=typed if request.second_stage else "",
    )


def check_confirmed(request: DecisionRequested, session: Session, typed: str) -> None:
    """Raise NoApprover unless `typed` names the session's account by alias or number."""
    if not names_account(typed, session.target):
        raise NoApprover(
            f"{request.request} is tier {request.tier}: the account's alias has to be typed",
            hint="pass --confirm with the account's alias, or its number when it has none",
        )
