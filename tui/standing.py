"""What a person at a line terminal can say besides a decision: another mode, grants, notes.

Each becomes a command in the loop's inbox; none of them answers the request that is open.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import get_args

from core.approval.grants import printed
from core.approval.modes import Mode, ceiling_of, promise
from core.approval.switching import given, offers, other_mode, revoked
from core.asides import NOBODY
from core.events import NoteAdded
from core.here import identity, now_ms
from core.loop import Command
from core.repair import NONE as NO_REPAIRS
from core.safe_text import safe_line
from core.session import Session

WORDS = "mode MODE [ACCOUNT] | grant [N] | grants | revoke GN | note TEXT | ask TEXT"


@dataclass(slots=True)
class Latest:
    """The session as it is now, for whoever is asked while it goes on."""

    session: Session | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """Takes the words of this module."""

    inbox: asyncio.Queue[Command]
    latest: Latest

    def said(self, word: str, rest: str) -> bool:
        """Do what a word says and tell what came of it; False when it is none of these."""
        words: dict[str, Callable[[Session, str], Command | str]] = {
            "mode": _mode,
            "grant": _grant,
            "grants": _grants,
            "revoke": lambda session, name: revoked(session, name, identity()),
            "note": _note,
            "ask": _ask,
        }
        session = self.latest.session
        if word not in words or session is None:
            return False
        answer = words[word](session, rest)
        if isinstance(answer, str):
            print(answer, flush=True)
        else:
            self.inbox.put_nowait(answer)
        return True


def _mode(session: Session, rest: str) -> Command | str:
    name, _, typed = rest.partition(" ")
    mode = next((one for one in get_args(Mode) if one == name), None)
    if mode is None:
        return f"the modes are {', '.join(get_args(Mode))}"
    answer = other_mode(session, mode, typed.strip(), identity())
    house, account = session.started.house, session.account.ceiling
    ceiling = ceiling_of(mode, house.unattended, account)
    told = f"{mode} mode {promise(mode, ceiling, house.unattended)}; the budget stays"
    return f"{answer}: {told}" if isinstance(answer, str) else answer


def _grant(session: Session, rest: str) -> Command | str:
    """Show the grants that can be given, or give the one that was named after it was shown."""
    found = offers(session, now_ms())
    if not found:
        return "nothing can be granted here: only plain reads that are asked about are"
    if not rest:
        shown = (
            f"grant {number} would give exactly this:\n{_lines(printed(one))}"
            for number, one in enumerate(found, 1)
        )
        return "\n".join(shown)
    if not rest.isdecimal() or not 0 < int(rest) <= len(found):
        return f"say grant 1 to {len(found)}, or grant to see them"
    return given(session, found[int(rest) - 1], identity(), "plain")


def _grants(session: Session, _: str) -> str:
    lines = [
        f"{safe_line(one.ended or one.over(now_ms()) or 'holds')}, used {one.used} times\n"
        f"{_lines(printed(one.grant))}"
        for one in session.grants
    ]
    return "\n".join(lines) or "no grants"


def _note(_: Session, text: str) -> Command | str:
    return NoteAdded(identity(), text) if text else "say what: note TEXT"


def _ask(session: Session, text: str) -> Command | str:
    if not text:
        return "say what: ask TEXT"
    if session.started.repairs == NO_REPAIRS:
        return f"{NOBODY}; note TEXT goes on record"
    return NoteAdded(identity(), text, question=True)


def _lines(lines: tuple[str, ...]) -> str:
    return "\n".join(f"  {safe_line(line)}" for line in lines)
