"""Packages of a model's script: what the coder is told, and what becomes of its names."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from core.approval.draft import Draft
from core.events import PlanProposed
from core.llm.asking import Asker
from core.llm.outgoing import Outgoing
from core.llm.planner import ModelPlanner
from core.llm.scripted import Scripted
from core.packages import Packages
from core.redact import Redactor
from core.repair import FOR_MODELS
from sandbox.errors import RuntimeUnusable

HASH = " --hash=sha256:" + "a" * 64
LOCKED = ("openpyxl==3.1.5" + HASH, "et-xmlfile==2.0.0" + HASH)


async def lock(wanted: Iterable[str]) -> tuple[str, ...]:
    """Lock like an index that has openpyxl and nothing else."""
    for name in wanted:
        if name != "openpyxl":
            raise RuntimeUnusable(f"{name} was not found in the package registry")
    return tuple(sorted(LOCKED)) if tuple(wanted) else ()


def coder(*answers: Any, packages: bool = True) -> tuple[ModelPlanner, Scripted]:
    """Return a planner whose one model says `answers` in turn."""
    model = Scripted(answers)
    asker = Asker(Outgoing(Redactor(b"k" * 16, []), ()), "data-1f")
    if not packages:
        return ModelPlanner(model, model, asker), model
    return ModelPlanner(model, model, asker, Packages(("openpyxl", "pandas"), lock)), model


def code(*requirements: str) -> dict[str, Any]:
    """Return the form of a script that requires packages."""
    return {"script": "x = 1", "allow": [], "requirements": list(requirements)}


def planned(story: Any) -> Any:
    """Return a story in which a model's step is open."""
    made = story(repairs=FOR_MODELS).identified()
    made.add(PlanProposed("S1", "Write a sheet", "to read", "analyse", "", {"task": "a sheet"}))
    return made


def generate(story: Any, planner: ModelPlanner) -> Draft:
    """Return the first version of a step's draft."""
    made = planned(story)
    return asyncio.run(planner.generate(made.session, made.session.step, made.payload))


def test_names_are_locked_before_the_draft_is_on_record(story: Any) -> None:
    """What a digest speaks about are exact files, those that a package needs included."""
    draft = generate(story, coder(code("openpyxl"))[0])

    assert draft.requirements == tuple(sorted(LOCKED))


def test_no_names_no_requirements(story: Any) -> None:
    """Neither an empty list nor an answer without one asks for anything."""
    without = {key: value for key, value in code().items() if key != "requirements"}

    for said in (code(), without):
        assert generate(story, coder(said)[0]).requirements == ()


def test_the_coder_is_told_what_there_is(story: Any) -> None:
    """The list of the settings, or that there is nothing."""
    some, told = coder(code())
    generate(story, some)
    none, told_nothing = coder(code(), packages=False)
    generate(story, none)

    assert "Packages: openpyxl, pandas" in told.asked[0].texts()
    assert "Packages: none" in told_nothing.asked[0].texts()


def test_what_can_not_be_locked_is_sent_back_once(story: Any) -> None:
    """The coder learns why, and can name another package or none."""
    mended, model = coder(code("openpyxxl"), code("openpyxl"))

    assert generate(story, mended).requirements == tuple(sorted(LOCKED))
    assert "requirements: openpyxxl was not found" in model.asked[1].texts()


def test_what_still_can_not_be_locked_is_left_to_the_review(story: Any) -> None:
    """The names stay as they were said, and an unlocked name is a blocker."""
    stubborn, _ = coder(code("openpyxxl", "b"), code("openpyxxl", "b", "b"))

    assert generate(story, stubborn).requirements == ("b", "openpyxxl")


def test_without_packages_every_name_is_sent_back(story: Any) -> None:
    """A planner that was given none locks none."""
    lone, model = coder(code("openpyxl"), code(), packages=False)

    assert generate(story, lone).requirements == ()
    assert "requirements: scripts get no packages here" in model.asked[1].texts()


def test_a_repair_names_the_packages_of_before(story: Any) -> None:
    """By name and version; hashes say nothing to a model."""
    made = planned(story)
    draft = Draft("S1", 1, "model", "analyse", "python", b"x", LOCKED, {}, None, None, {}, ())
    made.drafted(draft).reviewed(blockers=1)
    mending, model = coder(code("openpyxl"))
    mended = asyncio.run(mending.repair(made.session, made.session.step, made.payload, ""))

    assert mended.requirements == tuple(sorted(LOCKED))
    assert "Its packages: openpyxl==3.1.5, et-xmlfile==2.0.0" in model.asked[0].texts()
    assert "sha256" not in model.asked[0].texts()
