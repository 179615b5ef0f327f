"""Brings a session to its end, on any surface: approvers, sealing, signals, exit codes."""

from __future__ import annotations

import asyncio
import os
from argparse import Namespace
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.approval.approvers import Approver, FromFlag, InTurn, Nobody
from core.approval.command import FromCommand
from core.approval.ledger import Ledger
from core.approval.modes import needs_confirmation
from core.approval.signed import FromSigned
from core.aws import LIVE, open_source, own_session, source_of
from core.config import Settings
from core.credentials import Order
from core.decide import Done, decide
from core.errors import NoApprover, UsageError
from core.events import Fact, Goal
from core.here import now_ms
from core.loop import Command, Loop
from core.people import NOBODY_BRINGS, Taker
from core.planner import Planner, repairs_of
from core.session import Session
from core.start import Desk, Wish, resume, sessions_folder, start
from sandbox.job import Sha
from tui.bringing import FromFiles, named_results
from tui.person import at_terminal

if TYPE_CHECKING:
    from core.llm.choose import Wanted

Show = Callable[[Session, Fact], None]
Opened = Callable[[Show], Awaitable[tuple[Desk, Session, Planner]]]
"""Starts or resumes a session; slow parts are in here and not before."""
Choose = Callable[[], Planner]
"""Returns the planner; may look into a keyring, so it is called in a thread."""

_GO_ON = "whoever may decide can go on with: countersign ask --resume {} --approve DIGEST"


@dataclass(frozen=True, slots=True)
class Front:
    """A surface as the loop sees it."""

    show: Show
    approver: Approver
    inbox: asyncio.Queue[Command]
    taker: Taker = NOBODY_BRINGS


def beginning(
    arguments: Namespace, settings: Settings, choose: Choose, question: str, goal: Goal
) -> Opened:
    """Return what starts a session. No question = the source's own; raises UsageError."""
    mode = arguments.mode or settings.mode
    unconfirmed = needs_confirmation(mode, arguments.aws) and not arguments.confirm
    if unconfirmed and not is_attended(arguments):
        raise UsageError(
            "automated mode on a live account needs the account named",
            hint="pass --confirm with its alias, or its number when it has none",
        )

    async def opened(show: Show) -> tuple[Desk, Session, Planner]:
        planner = await asyncio.to_thread(choose)
        sessions, order = sessions_folder(settings), order_of(arguments, settings)
        source = await asyncio.to_thread(open_source, arguments.aws, sessions, order)
        asked = question or source.question
        wish = Wish(
            question=asked,
            goal=goal,
            mode=mode,
            regions=tuple(arguments.region),
            repairs=repairs_of(planner),
            attended=is_attended(arguments),
            confirmed=arguments.confirm if mode == "automated" else "",
        )
        return *await start(settings, source, wish, show), planner

    return opened


def going_on(
    arguments: Namespace, settings: Settings, choose: Callable[[Path], Planner]
) -> tuple[Path, Opened]:
    """Return the file of a session and what resumes it; raises UsageError."""
    for name in ("mode", "limit", "region"):
        if getattr(arguments, name):
            raise UsageError(f"--{name}: a session goes on as it was started")
    sessions = sessions_folder(settings)
    path = own_session(arguments.resume, sessions)

    async def opened(show: Show) -> tuple[Desk, Session, Planner]:
        planner = await asyncio.to_thread(choose, path)
        order = order_of(arguments, settings)
        if arguments.aws == LIVE:
            source = await asyncio.to_thread(source_of, path, sessions, order)
            if arguments.profile is not None and source.name != LIVE:
                raise UsageError("--profile: the session was not started with --aws live")
        else:
            source = await asyncio.to_thread(open_source, arguments.aws, sessions, order)
        attended = is_attended(arguments)
        return *await resume(settings, source, path, show, attended=attended), planner

    return path, opened


def planners(settings: Settings, wanted: Wanted) -> tuple[Choose, Callable[[Path], Planner]]:
    """Return what chooses the planner of a new session, and of one that goes on."""

    def first() -> Planner:
        from core.llm.choose import choose

        return choose(settings, wanted, os.environ)

    def again(session: Path) -> Planner:
        from core.llm.choose import choose_again

        return choose_again(settings, wanted, session, os.environ)

    return first, again


def order_of(arguments: Namespace, settings: Settings) -> Order:
    """Return whose credentials are wanted, by flag or else by setting; raises UsageError."""
    if arguments.profile is not None and arguments.aws != LIVE:
        raise UsageError("--profile: only --aws live uses credentials")
    regions = tuple(arguments.region) or settings.regions
    profile = arguments.profile or settings.aws.profile or ""
    return Order(profile, settings.aws.role or "", regions)


async def bring_to_end(desk: Desk, session: Session, planner: Planner, front: Front) -> int:
    """Work on an open session until it ends, and seal it; returns the exit code.

    However it is left, everything it started is dead and the journal is closed. Raises Left,
    NoApprover, and whatever effects raise.
    """
    try:
        engine = desk.engine(planner, front.approver, front.taker)
        loop = Loop(engine, desk.log, front.inbox, front.show, now_ms)
        session = await loop.work(session)
        desk.log.journal.seal()
    except NoApprover as error:
        default = error.hint is NoApprover.hint
        hint = _GO_ON.format(session.id) if default else error.hint
        raise NoApprover(str(error), hint=hint) from error
    finally:
        await desk.close()
    move = decide(session, now_ms())
    return move.exit_code if isinstance(move, Done) else 1


def approver_of(arguments: Namespace, desk: Desk, person: Approver | None) -> Approver:
    """Return who answers requests: what the flags name, in order, else `person`, else nobody."""
    found: list[Approver] = []
    fit, use = desk.workshop.open, _ledger(arguments, desk)
    if arguments.approve:
        digests, typed = frozenset(arguments.approve), arguments.confirm
        found.append(FromFlag(digests, fit, use, typed, arguments.override_blockers))
    if arguments.decision:
        files, signers = map(Path, arguments.decision), desk.settings.approval.allowed_signers
        found.append(FromSigned(tuple(files), signers, fit, use))
    if arguments.approver:
        found.append(FromCommand.of(arguments.approver))
    if not found:
        return person or Nobody()
    return found[0] if len(found) == 1 else InTurn(tuple(found))


def taker_of(arguments: Namespace, person: Taker | None) -> Taker:
    """Return who brings results back: the files that were named, else a person, else nobody."""
    if arguments.result:
        return FromFiles(named_results(arguments.result))
    return person or NOBODY_BRINGS


def signed_of(arguments: Namespace, desk: Desk) -> Callable[[Path], Approver]:
    """Return what makes an approver of the file of a signed decision."""
    fit, use = desk.workshop.open, _ledger(arguments, desk)
    signers = desk.settings.approval.allowed_signers
    return lambda path: FromSigned((path,), signers, fit, use)


def is_attended(arguments: Namespace) -> bool:
    """Tell whether a person can be asked on this surface, and not only flags."""
    if arguments.approve or arguments.decision or arguments.approver:
        return False
    return arguments.ui == "tui" or (arguments.ui == "plain" and at_terminal())


def _ledger(arguments: Namespace, desk: Desk) -> Callable[[Sha, str], None]:
    """Return what marks a yes that was given beforehand as used."""
    return Ledger(desk.settings.data_directory / "spent", again=arguments.again)
