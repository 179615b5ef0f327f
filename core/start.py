"""Puts a session together from settings and ports: the one place where the house is wired.

Every surface (plain, JSON lines, later the screen) starts and resumes sessions through here, so
none can leave out a wall. Heavy parts (botocore, the sealed runtime, the gateway process) are made
when something is about to run, not before.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from core.approval.approvers import Approver
from core.approval.draft import Target, Terms
from core.approval.modes import ceiling_of
from core.aws import Source
from core.checks.process import ReviewProcess
from core.checks.second import SecondReader
from core.config import Settings
from core.engine import Engine, Ports
from core.errors import UsageError
from core.events import Fact, Goal, Mode, SessionResumed, SessionStarted
from core.gateway_client import GatewayProcess
from core.here import identity, now_ms
from core.installation import installation_key, redactor
from core.journal.store import Journal
from core.lasting import GrantFile
from core.log import Log
from core.packages import index_of
from core.people import NOBODY_BRINGS, Taker
from core.planner import Planner
from core.repair import NONE as NO_REPAIRS
from core.repair import Repairs
from core.session import Session, apply, begin, fold
from core.workshop import LocalWorkshop
from sandbox.environments import Environments


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants of a new session."""

    question: str
    goal: Goal
    mode: Mode
    regions: tuple[str, ...] = ()
    repairs: Repairs = NO_REPAIRS
    """Of the planner that the session is started with: `core.planner.repairs_of`."""
    attended: bool = False
    """A person can be asked where it is started."""
    confirmed: str = ""
    """What was typed as the account, to start in automated mode."""


@dataclass(frozen=True, slots=True)
class Desk:
    """A session that is open for work."""

    log: Log
    gateway: GatewayProcess
    source: Source
    settings: Settings
    workshop: LocalWorkshop
    reviewer: ReviewProcess

    def engine(self, planner: Planner, approver: Approver, taker: Taker = NOBODY_BRINGS) -> Engine:
        """Return the engine that works with `planner`, asks `approver` and hears `taker`."""
        self.reviewer.prepare()
        ports = Ports(
            planner=planner,
            review=self.reviewer.review,
            approver=approver,
            identify=self.source.identify,
            workshop=self.workshop,
            gateway=self.gateway,
            origin={**self.source.origin, "session": self.log.journal.session},
            redactor=redactor(self.settings),
            identity=identity(),
            new_access_key=new_access_key,
            remarks=self.source.remarks,
            second=self._second(),
            taker=taker,
            handed_over=self.settings.data_directory / "handed-over",
            lasting=grant_file(self.settings),
            clock=now_ms,
        )
        return Engine(ports, self.log)

    def _second(self) -> SecondReader | None:
        if self.settings.model.reviewer is None:
            return None
        from core.llm.choose import reader_of

        return reader_of(self.settings, os.environ)

    async def close(self) -> None:
        """End what was prepared, gateway and review process and writer, and close the journal.

        Each of them, whatever becomes of the others: also when this is cancelled on the way.
        """
        async with AsyncExitStack() as last_first:
            last_first.callback(self.log.journal.close)
            last_first.callback(self.log.close)
            last_first.push_async_callback(self.gateway.close)
            last_first.push_async_callback(self.workshop.close)
            last_first.callback(self.reviewer.close)


def new_access_key() -> str:
    """Return a dummy access key id for one run; it opens nothing anywhere."""
    return f"AKIACOUNTERSIGN{secrets.token_hex(4).upper()}"[:20]


def sessions_folder(settings: Settings) -> Path:
    """Return where session files lie."""
    return settings.data_directory / "sessions"


def grant_file(settings: Settings) -> GrantFile:
    """Return where grants are kept that outlive their session."""
    folder = settings.data_directory
    return GrantFile(folder / "grants.jsonl", lambda: installation_key(folder), now_ms)


def workshop(settings: Settings) -> LocalWorkshop:
    """Return where scripts run on this machine."""
    runtimes = settings.data_directory / "runtimes"
    environments = Environments(runtimes, index_of(settings))
    return LocalWorkshop(runtimes, environments, settings.requirements.allowed)


def preview(settings: Settings, source: Source, mode: Mode, regions: tuple[str, ...]) -> Terms:
    """Return the terms that a new session would bind; raises IdentityUnknown."""
    from sandbox.runtime import runtime_digest

    caller = source.identify()
    target = Target(
        source=source.name,
        partition=caller.partition,
        account=caller.account,
        role=caller.role,
        regions=tuple(dict.fromkeys(regions or settings.regions or caller.regions)),
        alias=caller.alias,
    )
    house = settings.house()
    ceiling = ceiling_of(mode, house.unattended, house.of(target).ceiling)
    return Terms("run", target, settings.limits(), ceiling, runtime_digest())


async def start(
    settings: Settings, source: Source, wish: Wish, show: Callable[[Session, Fact], None]
) -> tuple[Desk, Session]:
    """Make a new session with its journal; raises JournalError, MachineUnfit."""
    installation_key(settings.data_directory)  # without it nothing could be recorded
    started = _started(settings, source, wish)
    journal = Journal.create(sessions_folder(settings) / f"{started.session}.db", started.session)
    log = Log(journal, now_ms)
    fact = await log.append(started)
    session = begin(fact)
    show(session, fact)
    return _desk(log, source, settings), session


async def resume(
    settings: Settings,
    source: Source,
    path: Path,
    show: Callable[[Session, Fact], None],
    *,
    attended: bool = False,
) -> tuple[Desk, Session]:
    """Go on with a session that has not ended; raises UsageError, JournalError, IllegalEvent.

    `attended` says that a person can be asked where it goes on.
    """
    installation_key(settings.data_directory)
    log = Log(Journal.open(path), now_ms)
    session = fold(log.facts())
    if source.name != session.started.source:
        raise UsageError("the session was started against another source")
    drafted = any(step.drafts for step in session.steps)
    if session.started.goal == "run" and not drafted and session.finished is None:
        raise UsageError(
            "it broke off before its script was on record", hint="start it anew: countersign run"
        )
    if session.finished is None:
        fact = await log.append(SessionResumed(identity(), version("countersign"), attended))
        session = apply(session, fact)
        show(session, fact)
    return _desk(log, source, settings), session


def new_name(now: datetime) -> str:
    """Return a session's name: names sort as the sessions began, to the millisecond."""
    milliseconds = now.microsecond // 1000
    return f"{now:%Y%m%dT%H%M%S}-{milliseconds:03x}{secrets.token_hex(2)}"


def _desk(log: Log, source: Source, settings: Settings) -> Desk:
    reviewer = ReviewProcess(settings.standards())
    return Desk(log, _gateway(source), source, settings, workshop(settings), reviewer)


def _gateway(source: Source) -> GatewayProcess:
    return GatewayProcess(environment=source.environment)


def _started(settings: Settings, source: Source, wish: Wish) -> SessionStarted:
    from sandbox.runtime import runtime_digest

    return SessionStarted(
        session=new_name(datetime.now(UTC)),
        question=wish.question,
        goal=wish.goal,
        mode=wish.mode,
        source=source.name,
        regions=tuple(dict.fromkeys(wish.regions or settings.regions)),
        ceiling=ceiling_of(wish.mode, settings.ceiling),
        limits=settings.limits(),
        most_steps=settings.budget.steps,
        most_ms=settings.budget.minutes * 60_000,
        runtime=runtime_digest(),
        identity=identity(),
        version=version("countersign"),
        repairs=wish.repairs,
        most_cost=settings.budget.cents * 10_000,
        most_aws_cost=settings.budget.aws_cents * 10_000,
        cache_ms=settings.aws.cache_seconds * 1000,
        house=replace(settings.house(), confirmed=wish.confirmed),
        attended=wish.attended,
    )
