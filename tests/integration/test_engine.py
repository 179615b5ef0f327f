"""The engine over a sandbox that replays: what has to hold on this machine before anything runs."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from core.approval.approvers import FromList
from core.approval.draft import Draft, Target
from core.approval.grants import Grant, lasting, offer
from core.approval.redeem import Countersigned
from core.aws import SHIPPED, open_source
from core.checks.finding import Review
from core.checks.process import ReviewProcess
from core.checks.review import review
from core.checks.second import Remark
from core.checks.standards import DEFAULT
from core.codec import parse
from core.config import load
from core.engine import Engine, Ports, Workshop
from core.errors import MachineUnfit, NotCountersigned
from core.events import DecisionMade, Fact, GrantGiven, GrantRevoked, ReviewFinished, RunStarted
from core.here import now_ms
from core.iam.lint import Ceilings
from core.installation import redactor
from core.journal.store import read
from core.lasting import GrantFile
from core.llm.usage import ModelAnswered
from core.log import Log
from core.loop import Loop
from core.recorded_jobs import ReplayingWorkshop, recorded_jobs
from core.session import Session, fold
from core.start import Desk, Wish, new_access_key, sessions_folder, start
from core.workflows.planner import WorkflowPlanner, load_library
from sandbox.job import Gateway, Job, JobEvent, Sandbox, Sha, Shape
from sandbox.replayed import Replayed

OTHER_RUNTIME = Sha("0" * 64)


class Watched(Replayed):
    """A replaying sandbox that remembers what it was asked to run."""

    def __init__(self) -> None:
        with read(SHIPPED / "shop-502.db") as recording:
            facts = [Fact(e.seq, e.at, parse(e.kind, e.text)) for e in recording.entries()]
            super().__init__(recorded_jobs(facts, recording.payload))
        self.asked: list[str] = []
        self.one_byte_off = False
        """What is stored is changed by a byte as soon as something was decided."""

    @asynccontextmanager
    async def run(
        self, job: Job, gateway: Gateway | None, spec: bytes
    ) -> AsyncIterator[AsyncIterator[JobEvent]]:
        """Remember, then do as told."""
        self.asked.append(job.run)
        async with super().run(job, gateway, spec) as events:
            yield events


class OneByteOff(Log):
    """A journal whose stored bytes are others by one, once a decision is on record."""

    def __init__(self, log: Log, facts: list[Fact]) -> None:
        vars(self).update(vars(log))
        self._told = facts

    def payload(self, content: Sha) -> bytes:
        """Return what is stored, with its last byte changed after a decision."""
        body = super().payload(content)
        decided = any(isinstance(fact.event, DecisionMade) for fact in self._told)
        return body[:-1] + bytes([body[-1] ^ 1]) if decided else body


@dataclass(frozen=True, slots=True)
class OtherRuntime(ReplayingWorkshop):
    """A machine whose scripts see another runtime than the one that was approved."""

    runtime: Sha = OTHER_RUNTIME

    async def ready_for(self, ready: Countersigned) -> tuple[Sandbox, Shape]:
        """Return the shape with that runtime."""
        sandbox, shape = await ReplayingWorkshop.ready_for(self, ready)
        return sandbox, replace(shape, environment_digest=self.runtime)


@dataclass(slots=True)
class Colleague:
    """A second reader who says that nothing is wrong, and what asking cost."""

    owed: tuple[ModelAnswered, ...] = ()

    async def read(self, draft: Draft, found: Review) -> tuple[Remark, ...]:
        """Say it of each draft."""
        self.owed = (ModelAnswered("review", "colleague", 1, 1, 0, 0, 7, 1, 1, "q"),)
        return (Remark(1, f"tier 0 instead of {found.tier}"),)

    def spent(self) -> tuple[ModelAnswered, ...]:
        """Return the bill, once."""
        owed, self.owed = self.owed, ()
        return owed


@dataclass(slots=True)
class Told:
    """The review, which keeps under which ceilings it was made."""

    ceilings: list[Ceilings] = field(default_factory=list)

    def __call__(self, draft: Draft, *, ceilings: Ceilings) -> Review:
        """Review a draft."""
        self.ceilings.append(ceilings)
        return review(draft, ceilings=ceilings)


def ports(desk: Desk, workshop: Workshop) -> Ports:
    """Return what the engine talks to: everything real but the sandbox."""
    return Ports(
        planner=WorkflowPlanner(load_library()),
        review=review,
        approver=FromList([]),
        identify=desk.source.identify,
        workshop=workshop,
        gateway=desk.gateway,
        origin=desk.source.origin,
        redactor=redactor(desk.settings),
        identity="somebody",
        new_access_key=new_access_key,
    )


async def work(
    data: Path, sandbox: Watched, runtime: Sha | None, facts: list[Fact], **others: Any
) -> None:
    """Work on the shipped world where scripts see `runtime`, None for the one of the terms."""

    def show(_: Session, fact: Fact) -> None:
        facts.append(fact)

    settings = load(None, {"COUNTERSIGN_DATA": str(data)})
    source = open_source("simulated:shop-502", sessions_folder(settings))
    desk, session = await start(settings, source, Wish(source.question, "ask", "automated"), show)
    workshop = OtherRuntime(sandbox, runtime=runtime) if runtime else ReplayingWorkshop(sandbox)
    log = OneByteOff(desk.log, facts) if sandbox.one_byte_off else desk.log
    engine = Engine(replace(ports(desk, workshop), **others), log)
    try:
        await Loop(engine, desk.log, asyncio.Queue(), show, now_ms).work(session)
    finally:
        await desk.close()


def reviews(facts: list[Fact]) -> list[ReviewFinished]:
    """Return the reviews among some facts."""
    return [fact.event for fact in facts if isinstance(fact.event, ReviewFinished)]


def kinds(facts: list[Fact]) -> list[str]:
    """Return the kinds of some facts, in order."""
    return [fact.event.kind for fact in facts]


def test_another_runtime_than_the_approved_one_runs_nothing(tmp_path: Path) -> None:
    """The digest binds the runtime: on a machine that has another one, an approval is worthless."""
    sandbox, facts = Watched(), list[Fact]()

    with pytest.raises(NotCountersigned, match="the runtime on this machine"):
        asyncio.run(work(tmp_path, sandbox, OTHER_RUNTIME, facts))

    assert kinds(facts)[-1] == "decision.made"
    assert "run.started" not in kinds(facts)
    assert sandbox.asked == []


def test_one_byte_changed_after_the_decision_runs_nothing(tmp_path: Path) -> None:
    """The engine reads the script again by its hash: what is another by one byte is no approval."""
    sandbox, facts = Watched(), list[Fact]()
    sandbox.one_byte_off = True

    with pytest.raises(NotCountersigned, match="stored bytes do not match their hash"):
        asyncio.run(work(tmp_path, sandbox, None, facts))

    assert kinds(facts)[-1] == "decision.made"
    assert "run.started" not in kinds(facts)
    assert sandbox.asked == []


def test_the_approved_runtime_runs(tmp_path: Path) -> None:
    """The same session on a machine with the approved runtime comes to its end."""
    sandbox, facts = Watched(), list[Fact]()

    asyncio.run(work(tmp_path, sandbox, None, facts))

    assert kinds(facts)[-1] == "session.finished"
    assert sandbox.asked == ["X1", "X2", "X3", "X4"]


@dataclass(frozen=True, slots=True)
class RevokedElsewhere(GrantFile):
    """A file in which somebody else ends every grant as soon as a session took it in."""

    def standing(self, target: Target) -> tuple[GrantGiven, ...]:
        """Return what holds, and end it."""
        found = GrantFile.standing(self, target)
        for one in found:
            self.revoke(GrantRevoked(one.grant.grant, "grace", "revoked by grace"))
        return found


def test_a_grant_that_was_revoked_elsewhere_runs_nothing(tmp_path: Path) -> None:
    """Between a session's start and a run: its end is on record there, and it is decided anew."""
    sandbox, before, facts = Watched(), list[Fact](), list[Fact]()
    asyncio.run(work(tmp_path, sandbox, None, before))
    kept = RevokedElsewhere(tmp_path / "grants.jsonl", lambda: b"k" * 32, now_ms)
    grant = lasting_for(before)
    kept.give(GrantGiven(grant, "ada", "tui"), "earlier")

    asyncio.run(work(tmp_path, sandbox, None, facts, lasting=kept))

    end = next(fact.event for fact in facts if isinstance(fact.event, GrantRevoked))
    made = [fact.event for fact in facts if isinstance(fact.event, DecisionMade)]
    runs = [fact.event.request for fact in facts if isinstance(fact.event, RunStarted)]
    assert end == GrantRevoked(grant.grant, "", "revoked by grace")
    assert [(one.request, one.by) for one in made[:2]] == [("R1", "grant"), ("R2", "mode")]
    assert runs[0] == "R2"


def lasting_for(facts: list[Fact]) -> Grant:
    """Return the grant for the first code of a session, in later sessions too."""
    session = fold(facts)
    draft, step = session.steps[0].draft, session.steps[0]
    assert draft is not None
    assert step.review is not None
    exact = offer("G1", session.target, step.review.tier, draft.policy, now_ms())
    assert exact is not None
    return lasting(exact, draft.code_digest, now_ms())


def test_a_second_reader_adds_a_note_and_its_bill(tmp_path: Path) -> None:
    """What it cost is on record before the review, whose tier and other findings are the same."""
    facts, plain = list[Fact](), list[Fact]()
    asyncio.run(work(tmp_path / "a", Watched(), None, facts, second=Colleague()))
    asyncio.run(work(tmp_path / "b", Watched(), None, plain))

    at = kinds(facts).index("review.finished")
    assert kinds(facts)[at - 1] == "model.answered"
    pairs = list(zip(reviews(facts), reviews(plain), strict=True))
    assert len(pairs) == 4
    for noted, alone in pairs:
        assert [one.source for one in noted.findings[len(alone.findings) :]] == ["reviewer"]
        assert replace(noted, findings=noted.findings[: len(alone.findings)]) == alone


def test_a_review_knows_the_ceilings_of_the_session(tmp_path: Path) -> None:
    """What the gateway would refuse in this mode and account is told before anybody is asked."""
    told = Told()
    asyncio.run(work(tmp_path, Watched(), None, [], review=told))

    assert told.ceilings == [Ceilings(2, 4)] * 4


def test_without_a_review_nothing_is_asked_and_nothing_runs(tmp_path: Path) -> None:
    """A review process that is lost ends the session with the draft on record, and no request."""
    sandbox, facts = Watched(), list[Fact]()
    lost = ReviewProcess(DEFAULT, (sys.executable, "-I", "-c", "raise SystemExit('lost')"))

    with pytest.raises(MachineUnfit, match="the review process died twice: lost; lost"):
        asyncio.run(work(tmp_path, sandbox, None, facts, review=lost.review))
    lost.close()

    assert kinds(facts)[-1] == "draft.generated"
    assert sandbox.asked == []


# ------------------------------------------------------------------ the key of this installation
@pytest.mark.parametrize("torn", [b"", b"x" * 31])
def test_a_torn_key_is_told_before_anything_is_on_record(tmp_path: Path, torn: bytes) -> None:
    """No session begins over half a key; the hint says what to do, and that helps."""
    key, facts = tmp_path / "redaction.key", list[Fact]()
    key.write_bytes(torn)

    with pytest.raises(MachineUnfit) as refused:
        asyncio.run(work(tmp_path, Watched(), None, facts))

    assert refused.value.hint.startswith("remove it")
    assert (facts, {file.name for file in tmp_path.iterdir()}) == ([], {key.name})
    key.unlink()
    asyncio.run(work(tmp_path, Watched(), None, facts))
    assert (kinds(facts)[-1], len(key.read_bytes())) == ("session.finished", 32)
    assert key.stat().st_mode & 0o777 == 0o600


def test_all_who_race_for_the_key_have_the_same(tmp_path: Path) -> None:
    """Many first starts at once: one key, whole, and no leftovers."""
    settings = load(None, {"COUNTERSIGN_DATA": str(tmp_path / "data")})
    secret = '{"password": "a secret that is tagged"}'

    with ThreadPoolExecutor(8) as pool:
        tags = set(pool.map(lambda _: redactor(settings).redact(secret), range(32)))

    assert len(tags) == 1
    assert [file.name for file in (tmp_path / "data").iterdir()] == ["redaction.key"]
