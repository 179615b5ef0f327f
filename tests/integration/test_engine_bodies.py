"""What a run leaves behind is redacted beside the loop, and stored whatever it holds."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest

from core.approval.approvers import FromList
from core.aws import SHIPPED, open_source
from core.calls import AwsCalled
from core.checks.review import review
from core.codec import parse
from core.config import load
from core.engine import Engine, Ports
from core.events import Fact, RunFinished
from core.here import now_ms
from core.journal.store import read
from core.loop import Loop
from core.recorded_jobs import ReplayingWorkshop, recorded_jobs
from core.session import Session
from core.start import Wish, new_access_key, sessions_folder, start
from core.workflows.planner import WorkflowPlanner, load_library
from sandbox.job import Sha
from sandbox.replayed import Replayed

NOT_UTF8 = "\x1b]0;x\x07\ud800"


@dataclass
class Slow:
    """A redactor that takes one word out, and does not go on before the loop has turned."""

    loop: asyncio.AbstractEventLoop
    bodies: int = 0
    stuck: list[bytes] = field(default_factory=list)

    def redact(self, text: str) -> str:
        return text.replace("secret", "[redacted]")

    def redact_json(self, value: Any) -> Any:
        return value

    def learn(self, values: Iterable[str]) -> None:
        """Know nothing more."""

    def redact_bytes(self, data: bytes) -> bytes:
        turned = threading.Event()
        self.loop.call_soon_threadsafe(turned.set)
        self.bodies += 1
        if not turned.wait(5):
            self.stuck.append(data)
        return data


def hostile(fact: Fact) -> Fact:
    """Give recorded calls headers, and recorded runs files, that can't be kept as they are."""
    if isinstance(fact.event, RunFinished):
        files = {"tables/secret.csv": fact.event.result or Sha("")}
        return replace(fact, event=replace(fact.event, artifacts=files))
    if not isinstance(fact.event, AwsCalled):
        return fact
    event = replace(fact.event, request_id=NOT_UTF8, headers={"x": NOT_UTF8, NOT_UTF8: "y"})
    return replace(fact, event=event)


async def walk(data: Path) -> tuple[list[Fact], Slow]:
    """Work on the shipped question over the shipped runs; return all facts and the redactor."""
    told: list[Fact] = []
    redactor = Slow(asyncio.get_running_loop())
    with read(SHIPPED / "shop-502.db") as recording:
        facts = [hostile(Fact(e.seq, e.at, parse(e.kind, e.text))) for e in recording.entries()]
        sandbox = Replayed(recorded_jobs(facts, recording.payload))

    def show(_: Session, fact: Fact) -> None:
        told.append(fact)

    settings = load(None, {"COUNTERSIGN_DATA": str(data)})
    source = open_source("simulated:shop-502", sessions_folder(settings))
    wish = Wish(source.question, "ask", "automated")
    desk, session = await start(settings, source, wish, show)
    ports = Ports(
        planner=WorkflowPlanner(load_library()),
        review=review,
        approver=FromList([]),
        identify=source.identify,
        workshop=ReplayingWorkshop(sandbox),
        gateway=desk.gateway,
        origin=source.origin,
        redactor=redactor,
        identity="somebody",
        new_access_key=new_access_key,
    )
    try:
        await Loop(Engine(ports, desk.log), desk.log, asyncio.Queue(), show, now_ms).work(session)
    finally:
        await desk.close()
    return told, redactor


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Fact], Slow]:
    """Return what one walk told."""
    return asyncio.run(walk(tmp_path_factory.mktemp("bodies")))


def test_bodies_are_redacted_while_the_loop_goes_on(walked: tuple[list[Fact], Slow]) -> None:
    """However long looking for secrets takes, the loop turns, so that signals are heard."""
    _, redactor = walked

    assert redactor.bodies > 1
    assert redactor.stuck == []


def test_headers_that_are_not_utf8_do_not_break_a_run(walked: tuple[list[Fact], Slow]) -> None:
    """Half a surrogate pair is stored as "?", and the session comes to its end."""
    facts, _ = walked

    calls = [fact.event for fact in facts if isinstance(fact.event, AwsCalled)]
    shown = NOT_UTF8.replace("\ud800", "?")
    assert {call.request_id for call in calls} == {shown}
    assert [call.headers for call in calls] == [{"x": shown, shown: "y"}] * len(calls)
    assert facts[-1].event.kind == "session.finished"


def test_names_of_files_are_redacted(walked: tuple[list[Fact], Slow]) -> None:
    """What a script calls its files is kept like what it prints: without what is secret."""
    facts, _ = walked

    ended = [fact.event for fact in facts if isinstance(fact.event, RunFinished)]
    assert {name for event in ended for name in event.artifacts} == {"tables/[redacted].csv"}
