"""Starts the screen, on a session that goes on or on a recorded one, and says how it ended."""

from __future__ import annotations

import asyncio
import gc
import os
import sys
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import Left, UsageError
from core.events import Fact
from core.log import Log
from core.safe_text import safe_line
from core.session import Session
from tui.app import CountersignApp
from tui.bridge import Bridge
from tui.early import early_look
from tui.effective import Effective, flags_of
from tui.look import Look, look_of
from tui.playback import Playback
from tui.seats import Seat

if TYPE_CHECKING:
    from tui.work import Opened

Opening = Callable[[], "Opened"]
"""Returns what starts or resumes a session; loads what is needed for that, so it is slow."""


def on_screen(arguments: Namespace, opening: Opening, title: str) -> int:
    """Work on a session at the screen; returns its exit code, raises what ended it."""
    check_terminal()
    seat = seat_of(arguments, opening, title)
    look = early_look(_effective(arguments)) or look_for(arguments)
    app = CountersignApp(seat.scene, title, seat.work, look)
    try:
        return app.show()
    except Left as error:
        return error.exit_code
    finally:
        if seat.scene.session:
            sys.stderr.write(farewell(seat.scene.session))


def seat_of(arguments: Namespace, opening: Opening, title: str) -> Seat:
    """Return a seat at which a session is opened and worked on, once its work is started.

    What opens it is loaded beside the screen, and not before there is something to see.
    """
    bridge = Bridge()

    async def work() -> int:
        opened = await asyncio.to_thread(opening)
        from tui.work import Front, approver_of, bring_to_end, signed_of, taker_of

        gc.freeze()  # as in CountersignApp.show: what was loaded meanwhile stays, too
        desk, session, planner = await opened(bridge.show)
        bridge.opened(desk.log.payload, desk.log.journal.path)
        if session.seq > 1:
            bridge.recall(await asyncio.to_thread(_earlier, desk.log, session))
        approver = approver_of(arguments, desk, bridge.approver)
        bridge.signed = signed_of(arguments, desk)
        taker = taker_of(arguments, bridge.taker)
        front = Front(bridge.show, approver, bridge.inbox, taker)
        return await bring_to_end(desk, session, planner, front)

    return Seat(bridge, title, work)


def _earlier(log: Log, session: Session) -> list[Fact]:
    """Return what was on record before a session was resumed; that it was, has been shown."""
    facts = [fact for fact in log.facts() if fact.seq <= session.seq]
    return facts if session.finished else facts[:-1]


def replay_on_screen(arguments: Namespace, path: Path) -> int:
    """Show a recorded session; returns 0, raises JournalError."""
    check_terminal()
    with Playback(path) as playback:
        CountersignApp(playback, path.stem, look=look_for(arguments)).show()
    return 0


def look_for(arguments: Namespace) -> Look:
    """Return theme and keys as the settings have them; raises ConfigError."""
    from core.config import load

    effective = _effective(arguments)
    return look_of(load(effective.named, os.environ), effective)


def _effective(arguments: Namespace) -> Effective:
    named = Path(arguments.config) if arguments.config else None
    return Effective(named, os.environ, flags_of(vars(arguments)))


def check_terminal() -> None:
    """Raise UsageError unless this is a terminal."""
    if not all(map(os.isatty, (0, 1, 2))):
        raise UsageError("--ui tui needs a terminal", hint="pass --ui plain, or --ui json")


def farewell(session: Session) -> str:
    """Return what stays on the terminal when the screen is gone."""
    if session.finished is None:
        return f"countersign: left; session {safe_line(session.id)} stays open\n"
    cause = session.answer.cause if session.answer else ""
    told = f" ({session.answer.status}): {cause}" if session.answer and cause else ""
    return (
        f"countersign: {safe_line(session.finished.reason + told)}\n"
        f"hint: read it again with: countersign replay {safe_line(session.id)}\n"
    )
