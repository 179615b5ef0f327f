"""A person at a terminal as an approver: everything is shown, and a whole word decides.

Enter, an empty line, end of input or a key typed before the request was shown decide nothing. The
terminal is read without a thread, so that leaving never waits for a line that nobody types.
"""

from __future__ import annotations

import asyncio
import os
import sys
import termios
import time
from dataclasses import dataclass, replace

from core.approval.approvers import Approver, Decision, check_confirmed
from core.approval.redeem import Payload, reread
from core.checks.permissions import tighter
from core.errors import NoApprover
from core.events import DecisionRequested, Surface
from core.safe_text import safe_line
from core.session import Session
from tui.editing import Parts, Unreadable, changed, parts_of
from tui.editor import EditorFailed, edit_files
from tui.plain import review_text
from tui.standing import WORDS as STANDING_WORDS
from tui.standing import Standing

_WORDS = "approve [COMMENT] | edit | tighten | reject REASON | skip [REASON] | stop"


def at_terminal() -> bool:
    """Tell whether a person can be asked: both ends are a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


@dataclass(frozen=True, slots=True)
class Person:
    """Asks at the terminal of this process."""

    standing: Standing
    surface: Surface = "plain"

    async def __call__(
        self, request: DecisionRequested, session: Session, payload: Payload
    ) -> Decision:
        """Ask until a decision is given; raises NoApprover at the end of input."""
        generated = session.step.draft if session.step else None
        if generated is None:
            raise NoApprover(f"{request.request} has no draft to show")
        draft = reread(generated, payload)
        text = f"{review_text(draft, session)}\n{_question(request)}"
        print(text, flush=True)
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)
        shown, editing = time.monotonic(), _Editing(parts_of(generated, payload))
        while True:
            word, _, rest = (await line("> ")).strip().partition(" ")
            if self.standing.said(word, rest.strip()):
                continue
            decision = await _decision(word, rest.strip(), request, session, editing)
            if decision:
                shown_ms = int((time.monotonic() - shown) * 1000)
                # All of it was printed; nobody can tell what of it was read.
                screen = text.encode()
                return replace(decision, shown_ms=shown_ms, screen=screen, seen=100)


@dataclass(slots=True)
class _Editing:
    """The parts of the draft that is asked about, and what was typed of them."""

    before: Parts
    typed: Parts | None = None
    """What could not be read; the next edit goes on with it."""

    async def edit(self) -> Decision | None:
        typed = self.typed or self.before
        try:
            typed = typed.edited(await edit_files(typed.files()))
            decision = changed(self.before, typed)
        except EditorFailed as error:
            print(f"nothing changed: {safe_line(str(error))}")
            return None
        except Unreadable as error:
            self.typed = typed
            print(f"not kept: {safe_line(str(error))}; edit goes on with what you typed")
            return None
        self.typed = None
        if decision is None:
            print("nothing was changed")
        return decision


async def _decision(
    word: str, rest: str, request: DecisionRequested, session: Session, editing: _Editing
) -> Decision | None:
    if word == "approve" and request.blockers:
        print(
            f"{request.blockers} blocking findings: type `override REASON` to run it all the same"
        )
    elif word == "override" and request.blockers and not rest:
        print("say why: override REASON")
    elif word == "approve" or (word == "override" and request.blockers):
        return await _approval(rest, request, session)
    elif word == "reject" and not rest:
        print("say why: reject REASON")
    elif word == "edit":
        return await editing.edit()
    elif word == "tighten":
        return _tightened(session)
    elif word in ("reject", "skip", "stop"):
        return Decision(word, comment=rest)  # type: ignore[arg-type]  # one of three
    else:
        print(f"type one of: {_WORDS}")
    return None


async def _approval(comment: str, request: DecisionRequested, session: Session) -> Decision | None:
    typed = ""
    if request.second_stage:
        typed = (await line("type the account's alias (or number) to confirm: ")).strip()
        try:
            check_confirmed(request, session, typed)
        except NoApprover:
            print("that is not this account: nothing was decided")
            return None
    over = request.blockers > 0
    return Decision("approve", comment=comment, override_blockers=over, confirmed=typed)


def _tightened(session: Session) -> Decision | None:
    policy = tighter(session.step) if session.step else None
    if policy is None:
        print("nothing can be taken out of the policy")
        return None
    return Decision("edit", policy=policy)


def _question(request: DecisionRequested) -> str:
    because = safe_line("; ".join(request.asks_because))
    return (
        f"--- {request.request}: digest {request.digest}\nasks because {because}\n"
        f"at any time: {STANDING_WORDS}\ntype one of: {_WORDS}"
    )


async def line(prompt: str) -> str:
    """Return one line of the terminal; raises NoApprover at its end."""
    print(prompt, end="", flush=True)
    loop, descriptor = asyncio.get_running_loop(), sys.stdin.fileno()
    arrived: asyncio.Future[bytes] = loop.create_future()

    def read() -> None:
        if not arrived.done():
            arrived.set_result(os.read(descriptor, 4096))

    loop.add_reader(descriptor, read)
    try:
        data = await arrived
    finally:
        loop.remove_reader(descriptor)
    if not data:
        raise NoApprover("the terminal was closed before a decision")
    return data.decode("utf-8", errors="replace")


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """Prints what nobody here could decide, so that a person elsewhere can read all of it."""

    approver: Approver

    @property
    def surface(self) -> Surface:
        """See `Approver`."""
        return self.approver.surface

    async def __call__(
        self, request: DecisionRequested, session: Session, payload: Payload
    ) -> Decision:
        """Ask the approver; raises NoApprover after the request was printed."""
        try:
            return await self.approver(request, session, payload)
        except NoApprover:
            if session.step and session.step.draft:
                draft = reread(session.step.draft, payload)
                print(f"{review_text(draft, session)}\n{_question(request)}", flush=True)
            raise
