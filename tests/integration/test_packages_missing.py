"""Packages that can't be had are told while a person still reads the draft that needs them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.approval.approvers import Decision
from core.approval.draft import Draft
from core.aws import open_source
from core.config import load
from core.engine import Engine
from core.events import DecisionRequested, Fact, PackagesMissing, Surface
from core.here import now_ms
from core.loop import Loop
from core.planner import FilePlanner
from core.recorded_jobs import ReplayingWorkshop
from core.session import Session
from core.start import Wish, sessions_folder, start
from sandbox.replayed import Replayed
from tui.plain import fact_text

WHY = "there is no six 2.0 with this hash"
LINE = "six==2.0 --hash=sha256:" + "a" * 64
DRAFT = Draft("S1", 1, "file", "analyse", "python", b"", (LINE,), {}, None, None, {}, ())


@dataclass(frozen=True, slots=True)
class Empty(ReplayingWorkshop):
    """A machine that can't get any package."""

    async def lacking(self, requirements: Sequence[str]) -> str:
        """Return why."""
        assert list(requirements) == [LINE]
        return WHY


@dataclass(slots=True)
class Reading:
    """Somebody who reads until it is told that the packages are missing."""

    told: asyncio.Event
    surface: Surface = "plain"

    async def __call__(self, request: DecisionRequested, session: Session, _: Any) -> Decision:
        del request, session
        await self.told.wait()
        return Decision("skip")


async def worked(folder: Path) -> list[Fact]:
    """Return the record of a session in which a script is asked about that can't run."""
    loaded = load(None, {"COUNTERSIGN_DATA": str(folder)})
    source = open_source("simulated:shop-502", sessions_folder(loaded))
    facts: list[Fact] = []
    told = asyncio.Event()

    def show(_: Session, fact: Fact) -> None:
        facts.append(fact)
        if isinstance(fact.event, PackagesMissing):
            told.set()

    desk, session = await start(loaded, source, Wish("run it", "run", "guided"), show)
    try:
        made = desk.engine(FilePlanner(DRAFT, "it"), Reading(told))
        ports = replace(made._ports, workshop=Empty(Replayed({})))
        await Loop(Engine(ports, desk.log), desk.log, asyncio.Queue(), show, now_ms).work(session)
    finally:
        await desk.close()
    return facts


def test_it_is_on_record_before_the_decision(tmp_path: Path) -> None:
    """The question waits on, and whoever answers it knows."""
    facts = asyncio.run(worked(tmp_path))
    order = [fact.event.kind for fact in facts]

    (missing,) = [fact for fact in facts if isinstance(fact.event, PackagesMissing)]
    assert missing.event == PackagesMissing("S1", 1, WHY)
    assert order.index("packages.missing") < order.index("decision.made")
    assert f"S1 version 1 can't run: its packages can't be had: {WHY}" in fact_text(missing)
