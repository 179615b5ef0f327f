"""Whole guided sessions over the shipped world, from the question to the end of their record."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from core.approval.approvers import Decision, FromList
from core.aws import open_source
from core.config import load
from core.events import Fact
from core.here import now_ms
from core.llm.asking import Asker
from core.llm.outgoing import Outgoing
from core.llm.planner import ModelPlanner
from core.llm.scripted import Scripted
from core.loop import Loop
from core.planner import Planner, repairs_of
from core.redact import Redactor
from core.repair import Repairs
from core.session import Session
from core.start import Wish, sessions_folder, start


def by_model(answers: list[Any], repairs: Repairs) -> ModelPlanner:
    """Return a planner over prepared answers."""
    asker = Asker(Outgoing(Redactor(b"k" * 16, ()), ()), "data-1f")
    model = Scripted(answers)
    return ModelPlanner(model, model, asker, repairs=repairs)


async def worked(
    folder: Path, question: str, planner: Planner, decisions: list[Decision], *, rehearse: str
) -> list[Fact]:
    """Return the record of a session whose requests get these decisions, in order."""
    settings = folder / "config.yaml"
    settings.write_text(f"approval: {{rehearse: {rehearse}}}\n")
    loaded = load(settings, {"COUNTERSIGN_DATA": str(folder)})
    source = open_source("simulated:shop-502", sessions_folder(loaded))
    facts: list[Fact] = []

    def show(_: Session, fact: Fact) -> None:
        facts.append(fact)

    wish = Wish(question, "ask", "guided", repairs=repairs_of(planner))
    desk, session = await start(loaded, source, wish, show)
    try:
        engine = desk.engine(planner, FromList(decisions))
        await Loop(engine, desk.log, asyncio.Queue(), show, now_ms).work(session)
    finally:
        await desk.close()
    return facts


def of(facts: list[Fact], kind: type) -> list[Any]:
    """Return the events of a kind."""
    return [fact.event for fact in facts if isinstance(fact.event, kind)]
