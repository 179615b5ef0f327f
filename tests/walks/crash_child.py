"""Works on the world that ships, and kills itself when event number N is durable.

Works once to its end, which leaves everything imported, and says so; then it becomes a child for
each order: a process of its own, which writes a byte when it is about to start its session, and one
whenever an event is durable.

usage: crash_child.py DESCRIPTOR DATA-DIRECTORY
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from socket import recv_fds, socket
from typing import Any

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


def become(orders: socket) -> dict[str, Any] | None:
    """Return the order in the child that it is for; None when there are no more."""
    while True:
        order, descriptors, _, _ = recv_fds(orders, 1 << 16, 1)
        if not order:
            return None
        child = os.fork()
        if not child:
            os.setsid()
            os.dup2(descriptors[0], 1)
            os.close(descriptors[0])
            orders.close()
            return dict(json.loads(order))
        os.close(descriptors[0])
        if orders.recv(1) != b"w":  # not to be waited for, or nobody is left who could
            os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        orders.send(str(os.waitstatus_to_exitcode(status)).encode())


def main(orders: socket, data: str) -> None:
    """Work once as if nothing were wrong, then as ordered."""
    os.environ["COUNTERSIGN_DATA"] = data
    asyncio.run(work(0, "replayed"))
    orders.send(b"ready")
    if order := become(orders):
        os.environ.clear()
        os.environ.update(order["environment"])
        asyncio.run(work(order["number"], order["kind"]))


if __name__ == "__main__":
    main(socket(fileno=int(sys.argv[1])), sys.argv[2])
