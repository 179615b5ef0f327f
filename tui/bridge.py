"""Between the screen and the engine: the one module of the screen that knows there is an engine.

The loop works in the screen's own asyncio loop. What it says arrives here and is kept as a scene;
what a person decides goes through one future, which is bound to one digest. Nothing that the
screen does can answer a request that it does not name, or one that was answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from core.approval.approvers import Approver, Decision, check_confirmed
from core.approval.grants import Grant
from core.approval.modes import Mode
from core.approval.redeem import Payload
from core.approval.switching import given, other_mode, revoked
from core.errors import CountersignError, JournalError, NoApprover
from core.events import (
    DecisionRequested,
    DraftGenerated,
    Fact,
    NoteAdded,
    StopRequested,
)
from core.handing import Brought
from core.here import identity, now_ms
from core.journal.store import read
from core.loop import Command, Quit
from core.session import Session
from sandbox.job import Sha
from tui.moments import Moment, moment
from tui.others import handed_text, other_than
from tui.pending import Pending
from tui.running import Runs
from tui.scene import MOST_LINES, Lines, Versions

COALESCED_S: Final = 0.05
"""What happens within this time is painted once."""


@dataclass(frozen=True, slots=True)
class Yes:
    """What goes with a yes."""

    typed: str = ""
    """As the account, where the request has a second stage."""
    comment: str = ""
    """Where blockers are overridden, why."""
    shown_ms: int = 0
    seen: int = 0
    """How much of it was on the screen, in hundredths."""
    screen: bytes | None = None
    """What was on the screen."""


class Bridge:
    """A session that goes on, as a scene."""

    replay = False
    place = ""

    def __init__(self, clock: Callable[[], int] = now_ms) -> None:
        """Take the clock of the session: milliseconds since the epoch."""
        self.session: Session | None = None
        self.lines = Lines()
        self.moments: tuple[Moment, ...] = ()
        self.runs = Runs()
        self.versions = Versions()
        self.inbox: asyncio.Queue[Command] = asyncio.Queue()
        self.approver = Pending[Payload, Decision](self.change)
        self.taker = Pending[Path, Brought | Decision](self.change)
        self.signed: Callable[[Path], Approver] | None = None
        """Makes what reads a decision that was signed elsewhere, from its file."""
        self.on_change: Callable[[], object] | None = None
        """Called soon after something changed, in the asyncio loop."""
        self.on_notice: Callable[[], None] | None = None
        """Likewise, for whoever looks at all sessions and not at this one."""
        self._clock = clock
        self._payload: Payload | None = None
        self._path: Path | None = None
        self._scripts: dict[Sha, bytes] = {}
        self._told = False

    @property
    def asked(self) -> DecisionRequested | None:
        """The request that waits for this screen: to be decided, or for what was found by hand."""
        return self.approver.asked or self.taker.asked

    @property
    def asked_at(self) -> float:
        """When it arrived, by the monotonic clock."""
        return self.approver.asked_at if self.approver.asked else self.taker.asked_at

    def now(self) -> int:
        return self._clock()

    def script(self, content: Sha) -> bytes:
        return self._scripts.get(content, b"")

    def show(self, session: Session, fact: Fact) -> None:
        """Take in a fact that is durable now."""
        self.session = session
        self.lines.add(fact)
        self.runs.add(fact)
        if told := moment(fact):
            self.moments = (*self.moments, told)
        self.versions.add(fact.event)
        if isinstance(fact.event, DraftGenerated):
            self._keep(fact.event)
        self.change()

    def opened(self, payload: Payload, path: Path | None = None) -> None:
        """Take the way to stored bytes, as soon as a session is open, and where its file lies."""
        self._payload, self._path = payload, path
        for step in self.session.steps if self.session else ():
            for draft in step.drafts:
                self._keep(draft)

    def body(self, content: Sha) -> bytes:
        """Return what is stored under a hash, also once the session is sealed; JournalError."""
        if self._path is None:
            raise JournalError("the session is not open yet")
        with read(self._path) as journal:
            return journal.payload(content)

    def recall(self, facts: Iterable[Fact]) -> None:
        """Take in what was on record before this screen saw the session."""
        told = list(facts)
        earlier = [moment(fact) for fact in told]
        self.moments = (*(each for each in earlier if each), *self.moments)
        self.lines = self.lines.after_those(told[-MOST_LINES:])
        self.runs = Runs()
        for fact in told:
            self.runs.add(fact)
            self.versions.add(fact.event)
        self.change()

    def decide(self, digest: str, decision: Decision) -> bool:
        """Answer the request with this digest, but for a yes; False when it waits no more."""
        if decision.verb == "approve":
            return False
        return self.approver.answer(digest, decision) or self.taker.answer(digest, decision)

    def bring(self, digest: str, brought: Brought) -> str:
        """Bring back what was found by hand; returns why not, a sentence, or nothing."""
        return "" if self.taker.answer(digest, brought) else "this request waits no more"

    def handed(self) -> str:
        """Return all that is handed over now as one text; empty when nothing is."""
        session, asked = self.session, self.taker.asked
        if session is None or asked is None or self._payload is None:
            return ""
        return handed_text(session, asked, self._payload)

    async def take_signed(self, digest: str, path: Path) -> str:
        """Answer by a decision that was signed elsewhere; returns why not, or nothing."""
        asked, session = self.approver.asked, self.session
        if asked is None or session is None or asked.digest != digest:
            return "this request waits no more"
        if self.signed is None or self._payload is None:
            return "no signed decision can be read here"
        try:
            decision = await self.signed(path)(asked, session, self._payload)
        except CountersignError as error:
            return f"{error}; {error.hint}"
        if decision.verb == "approve" and other_than(session, asked) == decision.identity:
            return f"somebody else than {decision.identity} has to decide it"
        signed = replace(decision, surface="file")
        return "" if self.approver.answer(digest, signed) else "this request was answered"

    def approve(self, digest: str, yes: Yes) -> str:
        """Say yes to the request with this digest; returns why not, a sentence, or nothing."""
        asked, session = self.asked, self.session
        if asked is None or session is None or asked.digest != digest:
            return "this request waits no more"
        if asked.blockers and not yes.comment:
            return "blocking findings are overridden with a reason only"
        if asked.second_stage:
            try:
                check_confirmed(asked, session, yes.typed)
            except NoApprover:
                return "that is not this account"
        if identity() == other_than(session, asked):
            return f"somebody else than {identity()} has to decide it: see o"
        decision = Decision(
            "approve",
            yes.comment,
            override_blockers=asked.blockers > 0,
            shown_ms=yes.shown_ms,
            screen=yes.screen,
            seen=yes.seen,
            confirmed=yes.typed if asked.second_stage else "",
        )
        return "" if self.approver.answer(digest, decision) else "this request was answered"

    def change_mode(self, mode: Mode, typed: str) -> str:
        """Go on in another mode; returns why not, a sentence, or nothing.

        `typed` is what was typed as the account, where the mode needs it.
        """
        return self._command(lambda one: other_mode(one, mode, typed, identity()))

    def grant(self, grant: Grant) -> str:
        """Give a grant that was offered; returns why not, a sentence, or nothing."""
        return self._command(lambda one: given(one, grant, identity(), "tui"))

    def note(self, text: str) -> None:
        """Put a remark on record; it decides nothing."""
        self.inbox.put_nowait(NoteAdded(identity(), text))

    def ask(self, text: str) -> None:
        """Have the planner asked something; it decides nothing."""
        self.inbox.put_nowait(NoteAdded(identity(), text, question=True))

    def revoke(self, name: str) -> str:
        """End a grant; returns why not, a sentence, or nothing."""
        return self._command(lambda one: revoked(one, name, identity()))

    def _command(self, made: Callable[[Session], Command | str]) -> str:
        if self.session is None or self.session.finished:
            return "no session goes on"
        command = made(self.session)
        if isinstance(command, str):
            return command
        self.inbox.put_nowait(command)
        return ""

    def stop(self) -> None:
        """End what runs and conclude; as a decision where one is asked for."""
        if self.asked is None or not self.decide(self.asked.digest, Decision("stop")):
            self.inbox.put_nowait(StopRequested(identity()))

    def leave(self) -> None:
        """Leave in order: what runs is ended, the session stays open."""
        self.inbox.put_nowait(Quit())

    def change(self) -> None:
        """Have the screen painted again, soon and once."""
        if not self._told:
            self._told = True
            asyncio.get_running_loop().call_later(COALESCED_S, self._tell)

    def _keep(self, draft: DraftGenerated) -> None:
        """Read scripts while the journal is open: they stay readable when the session ends."""
        for content in (draft.script, draft.rollback, draft.post_check, draft.tests):
            if self._payload and content is not None:
                self._scripts[content] = self._payload(content)

    def _tell(self) -> None:
        self._told = False
        for told in (self.on_change, self.on_notice):
            if told:
                told()
