"""Works on the world that ships, and kills itself when event number N is durable.

Writes a byte when it is about to start its session, and one whenever an event is durable.

usage: crash_child.py DATA-DIRECTORY N replayed|real
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys

from core.approval.approvers import FromList
from core.aws import SHIPPED, open_source
from core.codec import parse
from core.config import load
from core.engine import Engine, Ports
from core.events import Fact
from core.here import now_ms
from core.installation import redactor
from core.journal.store import read
from core.loop import Loop
from core.recorded_jobs import ReplayingWorkshop, recorded_jobs
from core.session import Session
from core.start import Desk, Wish, new_access_key, start
from core.workflows.planner import WorkflowPlanner, load_library
from sandbox.replayed import Replayed

WORLD = "shop-502"


def replayed_engine(desk: Desk) -> Engine:
    """Return an engine that runs nothing: it replays the jobs of the shipped session."""
    with read(SHIPPED / f"{WORLD}.db") as recording:
        facts = [Fact(e.seq, e.at, parse(e.kind, e.text)) for e in recording.entries()]
        sandbox = Replayed(recorded_jobs(facts, recording.payload))

    from core.checks.review import review

    ports = Ports(
        planner=WorkflowPlanner(load_library()),
        review=review,
        approver=FromList([]),
        identify=desk.source.identify,
        workshop=ReplayingWorkshop(sandbox),
        gateway=desk.gateway,
        origin=desk.source.origin,
        redactor=redactor(desk.settings),
        identity="somebody",
        new_access_key=new_access_key,
    )
    return Engine(ports, desk.log)


async def work(number: int, kind: str) -> None:
    """Work until event `number` is durable, then die without a word."""

    def show(_: Session, fact: Fact) -> None:
        os.write(1, b".")
        if fact.seq == number:
            os.kill(os.getpid(), signal.SIGKILL)

    settings = load(None, os.environ)
    source = open_source(f"simulated:{WORLD}", settings.data_directory)
    os.write(1, b".")
    desk, session = await start(settings, source, Wish(source.question, "ask", "automated"), show)
    if kind == "real":
        engine = desk.engine(WorkflowPlanner(load_library()), FromList([]))
    else:
        engine = replayed_engine(desk)
    await Loop(engine, desk.log, asyncio.Queue(), show, now_ms).work(session)
    desk.log.journal.seal()
    await desk.close()


if __name__ == "__main__":
    os.environ["COUNTERSIGN_DATA"] = sys.argv[1]
    asyncio.run(work(int(sys.argv[2]), sys.argv[3]))
