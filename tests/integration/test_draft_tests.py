"""A draft's own tests: run behind the walls where it is rehearsed, and nowhere else."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.approval.approvers import Decision
from core.approval.redeem import Payload
from core.events import (
    AnswerGiven,
    DraftGenerated,
    Fact,
    PlanProposed,
    RunFinished,
    RunOutput,
    RunStarted,
)
from core.jobs import TESTED
from core.repair import Repairs
from core.session import Session
from core.workflows.planner import WorkflowPlanner, load_library
from sandbox.job import Finished, Job, JobEvent, Output, Sandbox
from tests.working import by_model, of, worked

SCRIPT = '''\
"""Double a number."""

import json
from pathlib import Path


def doubled(number: int) -> int:
    """Return twice a number."""
    return number * 2


Path("out/result.json").write_text(json.dumps({"facts": {"double": doubled(2)}}))
'''
RIGHT = '''\
"""Tests that a number is doubled."""

import json
from pathlib import Path

from script import doubled


def test_a_number_is_doubled() -> None:
    """Twice two is four."""
    assert doubled(2) == 4


def test_the_result_holds_it() -> None:
    """What the script left can be read."""
    assert json.loads(Path("out/result.json").read_text())["facts"] == {"double": 4}
'''
WRONG = RIGHT.replace("doubled(2) == 4", "doubled(2) == 5")
CODE: dict[str, Any] = {"script": SCRIPT, "allow": [], "requirements": [], "tests": RIGHT}
PLAN: dict[str, Any] = {
    "hypotheses": [],
    "step": {
        "title": "Double a number",
        "why": "somebody asked",
        "work": "analyse",
        "task": "double it",
        "parameters": [],
        "inputs": [],
    },
    "answer": None,
}
END: dict[str, Any] = {
    "hypotheses": [],
    "step": None,
    "answer": {"status": "inconclusive", "cause": "", "claims": [], "gaps": []},
}
ASKED = "who changed sg-1?"
YES = Decision("approve", confirmed="lantern-prod")


class Pointed(WorkflowPlanner):
    """Points the first step at a resource, as the step before it would."""

    async def plan(self, session: Session, payload: Payload) -> PlanProposed | AnswerGiven:
        found = await super().plan(session, payload)
        if isinstance(found, AnswerGiven):
            return found
        return replace(found, parameters={**found.parameters, "resource": "sg-1"})


def printed(facts: list[Fact], run: str, stream: str = "stdout") -> str:
    """Return what a run printed."""
    several = of(facts, RunOutput)
    return "".join(each.text for each in several if (each.run, each.stream) == (run, stream))


@pytest.mark.timeout(180)
def test_a_failing_test_goes_back_to_the_coder(home: Path) -> None:
    """The rehearsal fails as a failing script does; the next version's tests pass, then it runs."""
    planner = by_model([PLAN, {**CODE, "tests": WRONG}, CODE, END], Repairs(runs=1))
    facts = asyncio.run(worked(home, ASKED, planner, [YES] * 3, rehearse="always"))

    assert [each.version for each in of(facts, DraftGenerated)] == [1, 2]
    assert [each.purpose for each in of(facts, RunStarted)] == ["rehearse", "rehearse", "run"]
    assert [each.code for each in of(facts, RunFinished)] == [1, 0, 0]
    assert "tests: 1 of 2 passed" in printed(facts, "X1")
    assert "tests: 2 of 2 passed" in printed(facts, "X2")
    assert "tests" not in printed(facts, "X3")
    complaint = str(planner.coder.asked[2].messages)  # type: ignore[attr-defined]  # is Scripted
    assert "Its own test_a_number_is_doubled failed" in complaint
    assert "in/tests.py" in complaint
    assert "AssertionError" in complaint


def with_tests(make_job: Any, script: str, tests: str) -> Job:
    """Return the job that the rehearsal of a script with tests is."""
    both = {"script.py": script.encode(), "tests.py": tests.encode()}
    job: Job = make_job(TESTED.read_bytes())
    return replace(job, inputs=both)


def alone(engine: Sandbox, job: Job) -> tuple[int | None, str]:
    """Return the exit code of a job without AWS, and all that it printed."""

    async def ran() -> list[JobEvent]:
        async with engine.run(job, None, b"") as events:
            return [event async for event in events]

    *outputs, last = asyncio.run(ran())
    assert isinstance(last, Finished)
    printed = b"".join(each.data for each in outputs if isinstance(each, Output))
    return last.result.code, printed.decode()


NO_RESULT = "import sys\nsys.exit({})\n"


@pytest.mark.parametrize(
    ("script", "tests", "expected"),
    [
        (SCRIPT, RIGHT, (0, "tests: 2 of 2 passed")),
        (NO_RESULT.format(0), "def test_it():\n    import script\n", (0, "tests: 1 of 1 passed")),
        (NO_RESULT.format(3), RIGHT, (3, "")),
        ("def f():\n    return 1 / 0\nf()\n", RIGHT, (1, 'in/script.py", line 2, in f\n')),
        (SCRIPT, "x = 1\n", (1, "no function is called test_")),
        (SCRIPT, "x = (\n", (1, "tests can't be read")),
        (SCRIPT, "def test_it(given):\n    pass\n", (1, "test_it failed")),
        ("if __name__ == '__main__':\n    a = 1\n", "from script import a\ntest_a = lambda: a\n",
         (0, "1 of 1")),
    ],
)  # fmt: skip
def test_how_tests_follow_a_script(
    engine: Sandbox, make_job: Any, script: str, tests: str, expected: tuple[int, str]
) -> None:
    """A script that fails is not tested; one that ended well is, also where it left by itself."""
    code, said = expected
    ended, printed = alone(engine, with_tests(make_job, script, tests))
    assert ended == code, printed
    assert said in printed
    assert TESTED.name not in printed
    assert ("passed" in printed) is (code == 0 or "failed" in said)


def test_a_script_means_the_same_with_its_tests(engine: Sandbox, make_job: Any) -> None:
    """Neither way does a future import of ours reach it: its annotations are values to it."""
    script = "def f(a: int): pass\nprint(f.__annotations__)\n"
    as_python = "{'a': <class 'int'>}\n"

    assert alone(engine, make_job(script)) == (0, as_python)
    rehearsed = with_tests(make_job, script, "test_it = dict\n")
    assert alone(engine, rehearsed) == (0, f"{as_python}tests: 1 of 1 passed\n")


@pytest.mark.timeout(180)
def test_the_tests_of_a_saved_workflow_pass_where_it_is_rehearsed(home: Path) -> None:
    """CloudTrail's answers are made up there, and the script's own tests hold over them."""
    planner = Pointed(load_library(), "recent-changes")
    facts = asyncio.run(worked(home, ASKED, planner, [YES] * 2, rehearse="always"))

    (draft,) = of(facts, DraftGenerated)
    assert draft.tests is not None
    assert [each.purpose for each in of(facts, RunStarted)] == ["rehearse", "run"]
    assert [each.code for each in of(facts, RunFinished)] == [0, 0], printed(facts, "X1", "stderr")
    assert "tests: 3 of 3 passed" in printed(facts, "X1")
    assert "tests:" not in printed(facts, "X2")
