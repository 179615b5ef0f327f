"""Where effects start: `perform(move, session)` turns one move into events.

Leaving the block of `perform`, however it is left, means that all it started is dead. Each effect
yields its intent first and goes on only when the loop asks for more, which it does after the intent
is durable. `Sandbox.run` is called here and nowhere else, and only with what `redeem` returned.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from core.approval.approvers import Approver
from core.approval.draft import Draft
from core.approval.grants import Grant
from core.approval.redeem import Countersigned, redeem, reread
from core.checks.finding import Review as Reviewed
from core.checks.second import SecondReader, with_notes
from core.decide import (
    Ask,
    Consult,
    Distil,
    Execute,
    HandOver,
    Identify,
    Move,
    Record,
    Review,
)
from core.errors import (
    CountersignError,
    IllegalEvent,
    ModelBroken,
    ModelError,
    ModelRefused,
    NotCountersigned,
)
from core.events import (
    CallerIdentified,
    DraftGenerated,
    Event,
    GapRecorded,
    GrantGiven,
    GrantRevoked,
    ReviewFinished,
    RunFinished,
    RunInterrupted,
    RunStarted,
)
from core.evidence import MOST_TEXT, by_hand, distil
from core.iam.lint import Ceilings
from core.jobs import job_of
from core.lasting import NOTHING_LASTS, Lasting
from core.log import Log
from core.observing import Observer, Redact
from core.people import NOBODY_BRINGS, People, Taker
from core.planner import Mending, Planner, adopt
from core.session import Session, Step, target_of
from sandbox.environments import environment_digest
from sandbox.errors import SandboxError
from sandbox.job import (
    Gateway,
    Json,
    Sandbox,
    Shape,
)
from sandbox.limits import Limits


class Reviewer(Protocol):
    """Makes the review of a draft: pure and slow."""

    def __call__(self, draft: Draft, *, ceilings: Ceilings) -> Reviewed:
        """Return it; called in a thread, raises MachineUnfit."""
        ...


class ReadyGateway(Gateway, Protocol):
    """A gateway that can be got ready."""

    def prepare(self) -> None:
        """Get ready in the background for a run: a hint, never an error."""
        ...


class Workshop(Protocol):
    """Where scripts run: a sandbox, and the runtime that they see there."""

    def prepare(self, draft: Draft, limits: Limits, services: Sequence[str]) -> None:
        """Get ready in the background for a run of this draft: a hint, never an error.

        `services` are the botocore clients that its code seems to use.
        """
        ...

    async def lacking(self, requirements: Sequence[str]) -> str:
        """Return why these packages can't be had; empty where they can, or may not be fetched."""
        ...

    async def ready_for(self, ready: Countersigned) -> tuple[Sandbox, Shape]:
        """Return where a script is to run that may; raises MachineUnfit."""
        ...


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything outside that the engine talks to."""

    planner: Planner
    review: Reviewer
    approver: Approver
    identify: Callable[[], CallerIdentified]
    """Raises IdentityUnknown; called in a thread."""
    workshop: Workshop
    gateway: ReadyGateway
    origin: Mapping[str, str]
    redactor: Redact
    identity: str
    """Operating-system user at this end."""
    new_access_key: Callable[[], str]
    remarks: Callable[[Json], Sequence[str]] = lambda _: ()
    """What to show of how the source takes a policy, before it runs under it."""
    second: SecondReader | None = None
    """Adds notes to a review; None where nobody is to read a draft a second time."""
    taker: Taker = NOBODY_BRINGS
    handed_over: Path = Path("handed-over")
    """Folder below which manual mode hands scripts over."""
    lasting: Lasting = NOTHING_LASTS
    """Grants that outlive their session."""
    clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000
    """Milliseconds since the epoch."""


class Engine:
    """Performs moves against the ports; keeps no state of its own."""

    def __init__(self, ports: Ports, log: Log) -> None:
        self._ports = ports
        self._log = log
        self._people = People(
            approver=ports.approver,
            taker=ports.taker,
            identity=ports.identity,
            folder=ports.handed_over,
            redactor=ports.redactor,
            clock=ports.clock,
        )

    async def lacking(self, requirements: Sequence[str]) -> str:
        """See `Workshop.lacking`."""
        return await self._ports.workshop.lacking(requirements)

    @property
    def planner(self) -> Planner:
        """Whoever says what to find out next."""
        return self._ports.planner

    @asynccontextmanager
    async def perform(self, move: Move, session: Session) -> AsyncIterator[AsyncIterator[Event]]:
        """Yield the events of `move`; leaving the block ends whatever still goes on."""
        async with aclosing(self._effect(move, session)) as events:
            yield events

    async def _effect(self, move: Move, session: Session) -> AsyncGenerator[Event, None]:
        match move:
            case Execute():
                several = self._execute(move, session)
            case Consult():
                several = self._consult(move, session)
            case Review():
                several = self._review(session)
            case Identify():
                several = self._identify(session)
            case HandOver():
                several = self._people.hand_over(move.request, session, self._log)
            case _:
                yield await self._single(move, session)
                return
        async with aclosing(several) as events:
            async for event in events:
                yield event

    async def _single(self, move: Move, session: Session) -> Event:
        match move:
            case Record(event, keep):
                if keep is not None:
                    await self._log.keep(keep)
                return event
            case Ask():
                return await self._people.decide(move.request, session, self._log)
            case Distil():
                return self._distil(session)
            case _:
                raise IllegalEvent(f"{type(move).__name__} is not one event")

    async def _identify(self, session: Session) -> AsyncGenerator[Event, None]:
        """Say who we are, and which grants of earlier sessions hold here."""
        caller = await asyncio.to_thread(self._ports.identify)
        caller = replace(caller, regions=session.started.regions or caller.regions)
        yield caller
        target = target_of(session.started, caller)
        for given in await asyncio.to_thread(self._ports.lasting.standing, target):
            yield given

    async def kept(self, session: Session, event: Event) -> Event | None:
        """Keep a person's grant for later sessions, or its end; returns what follows from it.

        Called when it is on record in the session. A grant that can't be kept ends; an end that
        can't be kept raises JournalError, since others would go on by that grant.
        """
        lasting = self._ports.lasting
        if isinstance(event, GrantGiven) and event.grant.lasting and not event.carried:
            try:
                await asyncio.to_thread(lasting.give, event, session.id)
            except CountersignError as error:
                return GrantRevoked(event.grant.grant, "", f"it can't be kept: {error}")
        if isinstance(event, GrantRevoked) and event.identity and _lasts(session, event.grant):
            await asyncio.to_thread(lasting.revoke, event)
        return None

    async def _why_not_granted(self, move: Execute, session: Session) -> GrantRevoked | None:
        """Return the end of the grant that a run rests on, where it ended outside the session."""
        request = _open(session).request
        name = request.grant if request and request.request == move.request else ""
        if (grant := _lasts(session, name)) is None:
            return None
        why = await asyncio.to_thread(self._ports.lasting.why_not, grant)
        return GrantRevoked(name, "", why) if why else None

    async def _consult(self, move: Consult, session: Session) -> AsyncGenerator[Event, None]:
        """What models cost is on record before what they said, and also when they fail."""
        planner = self._ports.planner
        said: Event | ModelError
        try:
            said = await self._advice(move, session)
        except (ModelBroken, ModelRefused) as error:
            # Without a plan nothing can go on; without a draft the next step can.
            gap = GapRecorded(move.step, f"no usable draft: {error}")
            said = error if move.role == "plan" else gap
        except ModelError as error:
            said = error
        for answered in planner.spent() if isinstance(planner, Mending) else ():
            yield answered
        if isinstance(said, ModelError):
            raise said
        yield said

    async def _advice(self, move: Consult, session: Session) -> Event:
        planner, payload = self._ports.planner, self._log.payload
        if move.role == "plan":
            return await planner.plan(session, payload)
        if move.role == "conclude":
            return await planner.conclude(session, payload)
        return await self._draft(move, session)

    async def _draft(self, move: Consult, session: Session) -> DraftGenerated:
        step, planner = _open(session), self._ports.planner
        if move.role == "generate":
            draft = await planner.generate(session, step, self._log.payload)
        elif move.role == "repair":
            if not isinstance(planner, Mending):
                raise IllegalEvent("the session was started with a planner that mends its drafts")
            complaint = self._log.complaint(step.run.started.run, MOST_TEXT) if step.run else ""
            draft = await planner.repair(session, step, self._log.payload, complaint)
        else:
            draft = adopt(step, self._log.payload)
        for body in (draft.script, draft.rollback, draft.post_check, draft.tests):
            if body is not None:
                await self._log.keep(body)
        return describe(draft)

    async def _review(self, session: Session) -> AsyncGenerator[Event, None]:
        generated = _open(session).draft
        if generated is None:
            raise IllegalEvent("there is no draft to review")
        draft = reread(generated, self._log.payload)
        ceilings = Ceilings(session.ceiling, session.account.ceiling)
        found = await asyncio.to_thread(self._ports.review, draft, ceilings=ceilings)
        services = tuple(dict.fromkeys(call.service for call in found.calls))
        self._ports.workshop.prepare(draft, session.started.limits, services)
        if draft.kind != "analyse":
            self._ports.gateway.prepare()
        second = self._ports.second
        goes_back = draft.author == "model" and (found.blockers or found.poor)
        if second and not goes_back:
            found = with_notes(found, await second.read(draft, found), draft)
            for answered in second.spent():
                yield answered
        yield ReviewFinished(
            step=generated.step,
            version=generated.version,
            draft_digest=generated.draft_digest,
            tier=found.tier,
            findings=found.findings,
            calls=found.calls,
            missing=found.missing,
            excess=found.excess,
            proposed=dict(found.proposed),
            poor=found.poor,
            unresolved=found.unresolved,
        )

    async def _execute(self, move: Execute, session: Session) -> AsyncGenerator[Event, None]:
        ports, run = self._ports, f"X{session.runs + 1}"
        if over := await self._why_not_granted(move, session):
            yield over
            return
        access_key = ports.new_access_key()
        ready = redeem(session, move.request, self._log.payload, ports.origin, access_key)
        sandbox, shape = await ports.workshop.ready_for(ready)
        approved = environment_digest(ready.terms.runtime, ready.draft.requirements)
        if shape.environment_digest != approved:
            raise NotCountersigned("the runtime on this machine is not the one that was approved")
        degraded = (*sandbox.degraded, *ports.remarks(ready.draft.policy))
        yield RunStarted(
            run, ready.request, ready.terms.purpose, ready.digest, sandbox.engine, degraded
        )
        job = job_of(run, ready, shape, self._log.payload)
        gateway = ports.gateway if shape.aws else None
        observe = Observer(ports.redactor, self._log).observe
        try:
            async with (
                sandbox.run(job, gateway, ready.spec) as happening,
                aclosing(observe(run, happening)) as events,
            ):
                async for event in events:
                    yield event
        except SandboxError as error:
            yield RunInterrupted(run, str(error))

    def _distil(self, session: Session) -> Event:
        step = _open(session)
        main = step.turn_to("run")
        if main and main.taken:
            return by_hand(session, step, main.taken, self._log.payload)
        if main is None or main.run is None or not isinstance(main.run.ended, RunFinished):
            raise IllegalEvent("there is no finished run to distil")
        ended = main.run.ended
        result = self._log.payload(ended.result) if ended.result else None
        printed = self._log.printed(ended.run, MOST_TEXT)
        complaint = "" if main.succeeded else self._log.complaint(ended.run, MOST_TEXT)
        return distil(session, step, ended, result, printed=printed, complaint=complaint)


def describe(draft: Draft) -> DraftGenerated:
    """Return the event that puts a draft on record; its bytes are payloads by hash."""
    code = draft.code_preimage()
    return DraftGenerated(
        step=draft.step,
        version=draft.version,
        author=draft.author,
        work=draft.kind,
        language=draft.language,
        script=code["script"],
        requirements=draft.requirements,
        policy=dict(draft.policy),
        rollback=code["rollback"],
        post_check=code["post_check"],
        parameters=dict(draft.parameters),
        inputs=dict(draft.inputs),
        code_digest=draft.code_digest(),
        draft_digest=draft.digest(),
        tests=code.get("tests"),
    )


def _lasts(session: Session, name: str) -> Grant | None:
    """Return a grant of the session, where it is one that outlives it."""
    named = (one.grant for one in session.grants if one.grant.grant == name)
    return next((grant for grant in named if grant.lasting), None)


def _open(session: Session) -> Step:
    if session.step is None:
        raise IllegalEvent("no step is open")
    return session.step
