"""The planner without a model: it follows workflows by their conditions and concludes from them."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from core.errors import WorkflowError
from core.events import AnswerGiven, GapRecorded, PlanProposed
from core.workflows.model import read_workflow
from core.workflows.planner import WorkflowPlanner, load_library

FIRST = """\
title: First look
description: Counts.
why: To know how many.
work: collect
triggers: [broken]
parameters: {question: what was asked, name: of the thing}
policy: {Version: "2012-10-17", Statement: []}
next:
  - {when: facts.name, workflow: second, why: it has a name, parameters: {name: facts.name}}
claims: ["{count} are broken", "{missing} is never said"]
conclude:
  - {when: facts.count == `0`, status: healthy, cause: nothing is broken}
  - {when: facts.count > `0`, status: confirmed, cause: "{count} are broken"}
"""
SECOND = """\
title: Second look
description: Names.
why: To know which.
work: collect
parameters: {name: of the thing}
policy: {Version: "2012-10-17", Statement: []}
"""


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """Return a folder with two workflows."""
    for name, text in (("first", FIRST), ("second", SECOND)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "workflow.yaml").write_text(text)
        (tmp_path / name / "script.py").write_text(f"print('{name}')\n")
    return tmp_path


def planned(folder: Path, story: Any) -> PlanProposed | AnswerGiven:
    """Return what the planner proposes for a story."""
    planner = WorkflowPlanner(load_library(folder))
    return asyncio.run(planner.plan(story.session, story.payload))


def after_first(story: Any, question: str = "what is broken?", **facts: Any) -> Any:
    """Return a story in which the first workflow found `facts`."""
    made = story(question=question).identified().drafted(workflow="first").reviewed()
    made.requested()
    made.decided()
    made.run(result=json.dumps({"facts": facts}).encode())
    made.evidence(**facts)
    return made


def test_a_workflow_that_was_chosen_comes_first(library: Path, story: Any) -> None:
    """Whatever the words say, it begins there; later steps follow from results as ever."""
    planner = WorkflowPlanner(load_library(library), "second")
    made = story(question="What is BROKEN?").identified()
    plan = asyncio.run(planner.plan(made.session, made.payload))

    assert isinstance(plan, PlanProposed)
    assert (plan.step, plan.workflow) == ("S1", "second")


def test_the_words_of_the_question_choose_the_first_workflow(library: Path, story: Any) -> None:
    """A trigger in the question is enough; known parameters are given, others empty."""
    plan = planned(library, story(question="What is BROKEN?").identified())

    assert isinstance(plan, PlanProposed)
    assert (plan.step, plan.workflow) == ("S1", "first")
    assert plan.parameters == {"question": "What is BROKEN?", "name": ""}


def test_a_question_that_nothing_fits_is_not_guessed_at(library: Path, story: Any) -> None:
    """Without a trigger the answer is inconclusive and says why."""
    answer = planned(library, story(question="hello?").identified())

    assert isinstance(answer, AnswerGiven)
    assert answer.status == "inconclusive"
    assert "no saved workflow fits the question" in answer.gaps


def test_a_result_chooses_the_next_workflow(library: Path, story: Any) -> None:
    """A condition over result.json leads on, with parameters taken from the result."""
    plan = planned(library, after_first(story, count=2, name="checkout"))

    assert isinstance(plan, PlanProposed)
    assert (plan.step, plan.workflow, plan.why) == ("S2", "second", "it has a name")
    assert plan.parameters == {"name": "checkout"}


def test_where_nothing_leads_on_the_conclusion_is_drawn(library: Path, story: Any) -> None:
    """The first conclusion that fits gives status and cause; claims without facts are dropped."""
    answer = planned(library, after_first(story, count=2))

    assert isinstance(answer, AnswerGiven)
    assert (answer.status, answer.cause) == ("confirmed", "2 are broken")
    assert [claim.text for claim in answer.claims] == ["2 are broken"]


def test_nothing_wrong_is_healthy(library: Path, story: Any) -> None:
    """Another result of the same workflow concludes otherwise."""
    answer = planned(library, after_first(story, count=0))

    assert isinstance(answer, AnswerGiven)
    assert answer.status == "healthy"


def test_what_could_not_be_read_is_not_called_healthy(library: Path, story: Any) -> None:
    """The same result with a gap leaves open whether anything is wrong."""
    made = after_first(story, count=0).drafted(workflow="second").reviewed()
    made.requested()
    made.decided("reject", comment="not now")
    made.add(GapRecorded("S2", "Second look: rejected"))

    answer = planned(library, made)

    assert isinstance(answer, AnswerGiven)
    assert (answer.status, answer.gaps) == ("inconclusive", ("Second look: rejected",))


def test_a_gap_keeps_a_cause_from_being_confirmed(library: Path, story: Any) -> None:
    """With something unknown the same cause is only likely, and the gap is named."""
    made = after_first(story, count=2, name="checkout").drafted(workflow="second").reviewed()
    made.requested()
    made.decided("reject", comment="not now")
    made.add(GapRecorded("S2", "Second look: rejected"))

    answer = planned(library, made)

    assert isinstance(answer, AnswerGiven)
    assert (answer.status, answer.gaps) == ("likely", ("Second look: rejected",))


def test_a_result_that_the_card_refuses_leads_nowhere(library: Path, story: Any) -> None:
    """A result.json of another form than documented chooses no workflow and no conclusion."""
    made = story(question="what is broken?").identified().drafted(workflow="first").reviewed()
    made.requested()
    made.decided()
    hostile = {"facts": {"count": 2, "name": "checkout"}, "unknown": 1}
    made.run(result=json.dumps(hostile).encode())
    made.evidence()

    answer = planned(library, made)

    assert isinstance(answer, AnswerGiven)
    assert answer.status == "inconclusive"


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("title: First look", "title: First look\ntitel: x", "titel"),
        ("work: collect", "work: destroy", "work"),
        ("facts.count == `0`", "facts.count ==", "JMESPath"),
        ("workflow: second", "workflow: third", "third"),
        ("{Version", "{{Version", "YAML"),
        ("title: First look", "title: &a [x]\ntopics: [*a, *a]", "line 2: aliases and tags"),
        ('"2012-10-17"', "2012-10-17", "in quotes"),
    ],
)
def test_a_broken_workflow_is_refused_by_place(
    library: Path, old: str, new: str, place: str
) -> None:
    """Unknown keys, bad values, conditions and names are errors that say where."""
    (library / "first" / "workflow.yaml").write_text(FIRST.replace(old, new))

    with pytest.raises(WorkflowError, match=place):
        load_library(library)


def test_a_workflow_without_its_script_is_refused(library: Path) -> None:
    """Both files have to be there."""
    (library / "first" / "script.py").unlink()

    with pytest.raises(WorkflowError, match=r"script\.py"):
        read_workflow(library / "first")


def test_the_library_that_ships_is_whole() -> None:
    """Every saved workflow reads, and some word of a question leads to it or another workflow."""
    found = load_library()

    led_to = {each.workflow for workflow in found.values() for each in workflow.document.next}
    assert [n for n, w in found.items() if not w.document.triggers and n not in led_to] == []


def test_the_requirements_of_a_workflow_are_those_of_its_draft(library: Path, story: Any) -> None:
    """Locked lines are taken as they are written, in the order of a digest."""
    lines = [f"{name}==1 --hash=sha256:{'a' * 64}" for name in ("b", "a")]
    place = library / "second" / "workflow.yaml"
    place.write_text(f"{SECOND}requirements: {json.dumps(lines)}\n")
    made = story().identified()
    made.add(PlanProposed("S1", "Second look", "to know", "collect", "second", {}))
    planner = WorkflowPlanner(load_library(library))
    draft = asyncio.run(planner.generate(made.session, made.session.step, made.payload))

    assert draft.requirements == tuple(lines[::-1])
