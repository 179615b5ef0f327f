"""Opens a session on the surface that was asked for, and says how a signal leaves it in lines."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Callable
from itertools import count
from pathlib import Path

from core.config import Settings
from core.errors import Left
from core.events import Fact, Goal
from core.loop import Command, Quit
from core.planner import Planner
from core.session import Session
from tui.bringing import PersonBrings
from tui.person import Elsewhere, Person, at_terminal
from tui.standing import Latest, Standing
from tui.surfaces import showing
from tui.work import Choose, Front, Opened, approver_of, beginning, bring_to_end, going_on, taker_of

_INTERRUPTED = 130


def begin(
    arguments: Namespace, settings: Settings, choose: Choose, question: str, goal: Goal
) -> int:
    """Start a session and work on it; returns the exit code. No question = the source's own."""
    opened = beginning(arguments, settings, choose, question, goal)
    return _on_surface(arguments, opened, question or arguments.aws)


def go_on(arguments: Namespace, settings: Settings, choose: Callable[[Path], Planner]) -> int:
    """Resume a session and work on it; returns the exit code."""
    path, opened = going_on(arguments, settings, choose)
    return _on_surface(arguments, opened, path.stem)


def _on_surface(arguments: Namespace, opened: Opened, title: str) -> int:
    if arguments.ui == "tui":
        from tui.live import on_screen  # Textual waits until it is wanted

        return on_screen(arguments, lambda: opened, title)
    return asyncio.run(_in_lines(arguments, opened))


async def _in_lines(arguments: Namespace, opened: Opened) -> int:
    inbox: asyncio.Queue[Command] = asyncio.Queue()
    latest, shown = Latest(), showing(arguments.ui)

    def show(session: Session, fact: Fact) -> None:
        latest.session = session
        shown(session, fact)

    desk, session, planner = await opened(show)
    leave = _leaving(inbox, asyncio.current_task())
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, leave)
    standing = Standing(inbox, latest) if at_terminal() and arguments.ui == "plain" else None
    brings = PersonBrings(standing) if standing else None
    approver = approver_of(arguments, desk, Person(standing) if standing else None)
    if standing is None and arguments.ui == "plain":
        approver = Elsewhere(approver)
    front = Front(show, approver, inbox, taker_of(arguments, brings))
    try:
        return await bring_to_end(desk, session, planner, front)
    except (Left, asyncio.CancelledError) as error:
        sys.stderr.write(f"countersign: left; session {session.id} stays open\n")
        if isinstance(error, Left):
            return error.exit_code
        raise KeyboardInterrupt from error


def _leaving(
    inbox: asyncio.Queue[Command], working: asyncio.Task[int] | None
) -> Callable[[], None]:
    """Return what each signal calls.

    The first leaves in order. The second breaks off what is worked on, which still waits until what
    runs is dead and on record. The third ends this process at once: a launcher and the gateway end
    themselves when our end of their sockets is gone, and resuming records the run as interrupted.
    """
    signals = count(1)

    def leave() -> None:
        match next(signals):
            case 1:
                inbox.put_nowait(Quit())
            case 2 if working:
                working.cancel()
            case _:
                os._exit(_INTERRUPTED)

    return leave
