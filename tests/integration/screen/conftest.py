"""A screen to try: real loop, engine, journal and approvals; a planner and a sandbox that are ours.

`play` brings a session up on a screen without a terminal and hands over the pilot. The planner
proposes some steps and then answers, the sandbox tells what a script printed without running it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from core.answer import conclude, fill
from core.approval.approvers import Approver
from core.approval.draft import Draft
from core.approval.ledger import spend
from core.approval.redeem import Payload
from core.approval.signed import FromSigned
from core.aws import Source
from core.checks.finding import Call, Finding, Review
from core.config import load
from core.engine import Engine, Ports
from core.errors import CountersignError
from core.events import AnswerGiven, CallerIdentified, DecisionMade, Fact, Mode, PlanProposed
from core.gateway_client import GatewayProcess
from core.iam.lint import Ceilings
from core.people import NOBODY_BRINGS, Taker
from core.planner import Planner, repairs_of
from core.recorded_jobs import ReplayingWorkshop
from core.redact import Redactor
from core.session import Session, Step
from core.start import Desk, Wish, grant_file, resume, start
from sandbox.job import Finished, JobEvent, JobResult, Output, Sha, Tier
from sandbox.replayed import Replayed
from tui.app import CountersignApp
from tui.arming import ARMING_S
from tui.bridge import Bridge
from tui.look import PLAIN_LOOK, Look
from tui.screens.home import HomeScreen
from tui.screens.pages import PagesScreen
from tui.work import Front, bring_to_end

SCRIPT = b'"""Look at the alarms."""\n\nimport boto3\n\nprint(boto3.client("cloudwatch"))\n'
EDITED = SCRIPT + b"# looked at by a person\n"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": "cloudwatch:DescribeAlarms", "Resource": "*"},
    ],
}
Walk = Callable[["Player"], Awaitable[None]]

# Long enough for a loaded machine to look at the screen while a word stands there.
PagesScreen.said_s = HomeScreen.said_s = 15.0


@dataclass(frozen=True, slots=True)
class Steps:
    """A planner that takes so many steps and then answers from the cards."""

    number: int
    lines: int = 0
    """More lines of the script, to make it long."""
    last: bytes = b""
    """Its last line."""
    rollback: bytes | None = None
    tests: bytes | None = None

    async def plan(self, session: Session, payload: Payload) -> PlanProposed | AnswerGiven:
        place = len(session.steps) + 1
        if place > self.number:
            return await self.conclude(session, payload)
        return PlanProposed(f"S{place}", f"Look {place}", "to know", "collect", "", {})

    async def generate(self, session: Session, step: Step, payload: Payload) -> Draft:
        return Draft(
            step=step.plan.step,
            version=1,
            author="workflow",
            kind="collect",
            language="python",
            script=SCRIPT + b"# one line more\n" * self.lines + self.last,
            requirements=(),
            policy=POLICY,
            rollback=self.rollback,
            post_check=None,
            parameters={"place": len(session.steps)},
            inputs=(),
            tests=self.tests,
        )

    async def conclude(self, session: Session, payload: Payload) -> AnswerGiven:
        claims = [fill("{firing} alarms fire", card) for card in session.cards]
        gaps = [gap.reason for gap in session.gaps]
        return conclude("likely", "The disk is full.", claims, gaps)


@dataclass(frozen=True, slots=True)
class Reviewed:
    """A review that finds what the test wants."""

    tier: Tier = 1
    blockers: int = 0

    def __call__(self, draft: Draft, *, ceilings: Ceilings) -> Review:
        del draft, ceilings
        finding = Finding("test", "T1", "blocker", 3, "this must not run", "leave it out")
        calls = (Call("cloudwatch", "DescribeAlarms", 5),)
        return Review((finding,) * self.blockers, calls, self.tier, (), (), POLICY)


def _told() -> dict[Sha, list[JobEvent]]:
    result = json.dumps({"facts": {"firing": 2}}).encode()
    events: list[JobEvent] = [
        Output("stdout", 0, b"2 alarms fire\n", 0),
        Finished(JobResult("exited", 0, None, result, {})),
    ]
    return {Sha(hashlib.sha256(script).hexdigest()): events for script in (SCRIPT, EDITED)}


@dataclass(frozen=True, slots=True)
class Practice(Desk):
    """A desk whose sandbox runs nothing and whose review is the test's."""

    review: Reviewed = field(default_factory=Reviewed)

    def engine(self, planner: Planner, approver: Approver, taker: Taker = NOBODY_BRINGS) -> Engine:
        ports = Ports(
            planner=planner,
            review=self.review,
            approver=approver,
            identify=self.source.identify,
            workshop=ReplayingWorkshop(Replayed(_told()), aws=False),
            gateway=self.gateway,
            origin=self.source.origin,
            redactor=Redactor(key=b"k" * 32, patterns=()),
            identity="somebody",
            new_access_key=lambda: "AKIACOUNTERSIGN00000",
            taker=taker,
            handed_over=self.settings.data_directory / "handed-over",
            lasting=grant_file(self.settings),
        )
        return Engine(ports, self.log)


@dataclass(slots=True)
class Player:
    """A screen with a session on it, and somebody at the keys."""

    app: CountersignApp
    bridge: Bridge
    pilot: Pilot[int]
    facts: list[Fact]
    patience_s: float = 40.0

    @property
    def decisions(self) -> list[DecisionMade]:
        """Every decision on record."""
        return [fact.event for fact in self.facts if isinstance(fact.event, DecisionMade)]

    @property
    def text(self) -> str:
        """What the screen shows, as text."""
        strips = self.app.screen._compositor.render_strips()
        return "\n".join(strip.text for strip in strips)

    async def until(self, condition: Callable[[], object], what: str) -> None:
        """Wait until something holds; fails when it does not while there is patience."""
        deadline = time.monotonic() + self.patience_s
        while not condition():
            assert time.monotonic() < deadline, f"never: {what}\n{self.text}"
            await self.pilot.pause(0.02)

    async def asked(self, request: str = "R1") -> None:
        """Wait until a request is on the screen; its keys sleep still."""
        await self.until(
            lambda: self.bridge.asked and self.bridge.asked.request == request, f"{request} asks"
        )
        await self.until(lambda: f"▲ {request}" in self.text, f"{request} is shown")

    async def asked_quietly(self) -> None:
        """Wait until a request waits, though the screen has no room to show it."""
        await self.until(lambda: self.bridge.asked, "somebody asks")
        await self.pilot.pause(0.2)

    async def armed(self, request: str = "R1") -> None:
        """Wait until the keys that decide are awake."""
        await self.asked(request)
        await self.until(lambda: "asks because" in self.text, "the keys are awake")

    async def read_all(self) -> None:
        """Have every pane on the screen once, to its end."""
        await self.armed()
        for pane in ("1", "2", "3", "4"):
            await self.press(pane)
            shown = self.app.focused
            while shown is not None and shown.scroll_offset.y < shown.max_scroll_y:
                await self.press("ctrl+d")
        await self.until(lambda: "seen 100%" in self.text, "all was on the screen")
        await self.armed()

    @contextmanager
    def asleep(self) -> Iterator[None]:
        """Have the keys that decide sleep all through the block, however slow the machine is."""
        screen = next(each for each in self.app.screen_stack if isinstance(each, PagesScreen))
        screen._arming.delay_s = 3600
        yield
        screen._arming.delay_s = ARMING_S
        screen.paint_rows()

    async def press(self, *keys: str) -> None:
        """Press keys one after the other, and let the screen take them in."""
        for key in keys:
            await self.pilot.press(key)
        await self.pilot.pause(0.06)

    async def type(self, text: str) -> None:
        """Type a text into a field."""
        await self.press(*("space" if each == " " else each for each in text))

    async def ended(self) -> None:
        """Wait until the session has come to its end."""
        session = self.bridge
        await self.until(lambda: session.session and session.session.finished, "it ends")


async def fit() -> None:
    """Find nothing wrong with this machine."""


async def _play(
    walk: Walk,
    folder: Path,
    *,
    size: tuple[int, int] = (120, 40),
    mode: Mode = "guided",
    steps: int = 1,
    tier: Tier = 1,
    blockers: int = 0,
    lines: int = 0,
    last: bytes = b"",
    look: Look = PLAIN_LOOK,
    live: bool = False,
    settings: str = "",
    planner: Planner | None = None,
) -> CountersignApp:
    bridge = Bridge()
    facts: list[Fact] = []
    works = planner or Steps(steps, lines, last)
    caller = CallerIdentified(
        "aws", "123456789012", "shop", "arn:aws:iam::1:role/r", ("eu-west-1",)
    )
    source = Source("live" if live else "recorded:" + "0" * 64, {}, lambda: caller)
    path = folder / "config.yaml"
    path.write_text(settings, encoding="utf-8")
    loaded = load(path, {"COUNTERSIGN_DATA": str(folder)})

    def show(session: Session, fact: Fact) -> None:
        facts.append(fact)
        bridge.show(session, fact)

    async def work() -> int:
        wish = Wish("why?", "ask", mode, repairs=repairs_of(works))
        desk, session = await start(loaded, source, wish, show)
        bridge.opened(desk.log.payload, desk.log.journal.path)
        review = Reviewed(tier, blockers)
        practice = Practice(
            desk.log, GatewayProcess(), source, loaded, desk.workshop, desk.reviewer, review
        )
        spending = partial(spend, folder / "spent")
        signers = loaded.approval.allowed_signers
        bridge.signed = lambda path: FromSigned((path,), signers, fit, spending)
        front = Front(show, bridge.approver, bridge.inbox, bridge.taker)
        return await bring_to_end(practice, session, works, front)

    app = CountersignApp(bridge, "why?", work, look)
    async with app.run_test(size=size) as pilot:
        await walk(Player(app, bridge, pilot, facts))
    return app


@pytest.fixture
def practice(tmp_path: Path) -> Callable[..., Awaitable[int]]:
    """Return what works on a session for a bridge: real loop and journal, a sandbox of ours."""
    settings = load(None, {"COUNTERSIGN_DATA": str(tmp_path)})
    caller = CallerIdentified(
        "aws", "123456789012", "shop", "arn:aws:iam::1:role/r", ("eu-west-1",)
    )
    source = Source("recorded:" + "0" * 64, {}, lambda: caller)

    async def work(
        bridge: Bridge, question: str, session: Path | None = None, mode: Mode = "guided"
    ) -> int:
        if session is None:
            wish = Wish(question, "ask", mode)
            desk, begun = await start(settings, source, wish, bridge.show)
        else:
            desk, begun = await resume(settings, source, session, bridge.show)
        bridge.opened(desk.log.payload, desk.log.journal.path)
        review = Reviewed(1, 0)
        practice = Practice(
            desk.log, GatewayProcess(), source, settings, desk.workshop, desk.reviewer, review
        )
        front = Front(bridge.show, bridge.approver, bridge.inbox, bridge.taker)
        return await bring_to_end(practice, begun, Steps(1), front)

    return work


@pytest.fixture
def play(tmp_path: Path) -> Callable[..., CountersignApp]:
    """Return what plays a walk over a new session; keywords say what kind of session."""

    def played(walk: Walk, **kind: Any) -> CountersignApp:
        return asyncio.run(_play(walk, tmp_path, **kind))

    return played


@pytest.fixture
def careful() -> Planner:
    """Return a planner whose draft has a rollback and tests beside its script."""
    return Steps(1, rollback=b"undo()\n", tests=b"assert True\n")


@pytest.fixture
def sessions(tmp_path: Path) -> Callable[[], list[Path]]:
    """Return the session files that `play` left behind."""
    return lambda: sorted((tmp_path / "sessions").glob("*.db"))


@pytest.fixture
def broken() -> type[CountersignError]:
    """Return the base of what ends a session from within."""
    return CountersignError
