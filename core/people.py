"""What people are asked: a decision on a request, or the result of a script that was handed over.

Waiting ends with an answer or with the request's time, whichever comes first; a request whose time
is over decides nothing, so what is said too late is not taken for an answer.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from core.approval.approvers import Approver, Decision
from core.approval.live import why_not_decided
from core.approval.redeem import reread
from core.canonical import sha256
from core.deciding import expired
from core.errors import IllegalEvent, NoApprover
from core.events import (
    DecisionMade,
    DecisionRequested,
    Event,
    RequestExpired,
    ResultTaken,
    ScriptHanded,
    Surface,
)
from core.handing import Brought, contents, lay_out
from core.log import Log
from core.observing import Redact
from core.session import Session
from core.step import Step
from sandbox.job import Sha

Answer = TypeVar("Answer")


class Taker(Protocol):
    """Takes back what a person found with a script that was handed over."""

    @property
    def surface(self) -> Surface:
        """Where it is brought."""
        ...

    async def __call__(
        self, request: DecisionRequested, session: Session, folder: Path, /
    ) -> Brought | Decision:
        """Return it, or the decision to turn the request down; raises NoApprover: nobody here."""
        ...


@dataclass(frozen=True, slots=True)
class NobodyBrings:
    """There is nobody to bring anything back."""

    surface: Surface = "none"

    async def __call__(
        self, request: DecisionRequested, session: Session, folder: Path
    ) -> Brought | Decision:
        del session
        raise NoApprover(
            f"{request.request} was handed over in {folder}",
            hint="bring back what it found: countersign ask --resume SESSION "
            f"--result {request.digest}=FILE",
        )


NOBODY_BRINGS = NobodyBrings()


@dataclass(frozen=True, slots=True)
class People:
    """Whoever answers, and how long a request stands."""

    approver: Approver
    taker: Taker
    identity: str
    """Operating-system user at this end."""
    folder: Path
    """Below it scripts are handed over."""
    redactor: Redact
    clock: Callable[[], int]

    async def decide(self, request: DecisionRequested, session: Session, log: Log) -> Event:
        """Return the decision on a request, or its end; raises NoApprover."""
        asking = self.approver(request, session, log.payload)
        decision = await self._in_time(request, asking)
        if decision is None:
            return RequestExpired(request.request)
        return await self._made(request, session, decision, self.approver.surface, log)

    async def hand_over(
        self, request: DecisionRequested, session: Session, log: Log
    ) -> AsyncGenerator[Event, None]:
        """Yield where the script lies, then what was brought back, or another answer."""
        step = _open(session)
        generated, handed = step.draft, step.turn.handed if step.turn else None
        if generated is None:
            raise IllegalEvent("there is no draft to hand over")
        draft, review = reread(generated, log.payload), step.review
        findings = review.findings if review else ()
        files = contents(request, draft, session.target, findings, log.payload)
        folder = self.folder / session.id / request.request
        if handed is None:
            hashes = {name: sha256(body) for name, body in files.items()}
            yield ScriptHanded(request.request, str(folder), hashes)
        await asyncio.to_thread(lay_out, folder, files)
        brought = await self._in_time(request, self.taker(request, session, folder))
        if brought is None:
            yield RequestExpired(request.request)
        elif isinstance(brought, Decision):
            yield await self._made(request, session, brought, self.taker.surface, log)
        else:
            yield await self._taken(request, brought, log)

    async def _in_time(
        self, request: DecisionRequested, asking: Awaitable[Answer]
    ) -> Answer | None:
        """Return the answer, or None when the request's time was over before it came."""
        waiting = asyncio.ensure_future(asking)
        try:
            while not waiting.done() and not expired(request, self.clock()):
                left = request.expires_at - self.clock() if request.expires_at else None
                await asyncio.wait([waiting], timeout=None if left is None else max(left, 1) / 1000)
            # What came in time is an answer, also where it is looked at a moment later.
            return waiting.result() if waiting.done() else None
        finally:
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)

    async def _made(
        self,
        request: DecisionRequested,
        session: Session,
        decision: Decision,
        surface: Surface,
        log: Log,
    ) -> DecisionMade:
        edited = None if decision.script is None else await log.keep(decision.script)
        beside = None
        if decision.beside is not None:
            beside = {name: await log.keep(body) for name, body in decision.beside.items()}
        made = DecisionMade(
            request=request.request,
            digest=request.digest,
            verb=decision.verb,
            by="human",
            identity=decision.identity or self.identity,
            surface=decision.surface or surface,
            comment=decision.comment,
            edited=edited,
            override_blockers=decision.override_blockers,
            shown_ms=decision.shown_ms,
            screen=await self._kept(decision.screen, log),
            seen=decision.seen,
            confirmed=decision.confirmed,
            policy=None if decision.policy is None else dict(decision.policy),
            requirements=decision.requirements,
            parameters=None if decision.parameters is None else dict(decision.parameters),
            beside=beside,
        )
        if why := why_not_decided(session, _open(session), request, made):
            raise NoApprover(f"{request.request} {why}")
        return made

    async def _taken(self, request: DecisionRequested, brought: Brought, log: Log) -> ResultTaken:
        return ResultTaken(
            request=request.request,
            digest=request.digest,
            identity=self.identity,
            surface=self.taker.surface,
            result=await self._kept(brought.result, log),
            text=await self._kept(brought.text, log),
        )

    async def _kept(self, body: bytes | None, log: Log) -> Sha | None:
        if body is None:
            return None
        return await log.keep(await asyncio.to_thread(self.redactor.redact_bytes, body))


def _open(session: Session) -> Step:
    if session.step is None:
        raise IllegalEvent("no step is open")
    return session.step
