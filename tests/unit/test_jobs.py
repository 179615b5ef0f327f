"""The job that a countersigned draft is: for a run, and for a rehearsal with tests."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from core.approval.house import HouseRules
from core.approval.redeem import redeem
from core.errors import WorkflowError
from core.jobs import TESTED, job_of
from core.workflows.model import MOST_BYTES, read_workflow
from sandbox.job import Job, Shape
from sandbox.limits import Limits

ALWAYS = HouseRules(rehearse="always")
TESTS = b"def test_it():\n    pass\n"


def jobs(story: Any, tests: bytes | None) -> list[Job]:
    """Return the jobs of a rehearsal and of the run behind it."""
    made = story(house=ALWAYS).identified()
    found = made.keep(b"[]")
    made.drafted(tests=tests, inputs=(("E1.json", found),)).reviewed()
    several = []
    for _ in range(2):
        request = made.requested()
        made.decided()
        ready = redeem(made.session, request.request, made.payload, {}, "AKIA")
        shape = Shape("python", Path("/runtime"), ready.terms.runtime, Limits(), aws=True)
        several.append(job_of("X1", ready, shape, made.payload))
        made.run()
    return several


def test_only_a_rehearsal_has_the_tests(story: Any) -> None:
    """It runs the one after the other, both as they are; the run has the script and its inputs."""
    rehearsed, run = jobs(story, TESTS)

    assert rehearsed.script == TESTED.read_bytes()
    assert rehearsed.inputs == {"script.py": run.script, "tests.py": TESTS}
    assert run.inputs == {"E1.json": b"[]"}


def test_a_draft_without_tests_is_rehearsed_as_it_is(story: Any) -> None:
    """Nothing of ours is put around a script that has no tests."""
    rehearsed, run = jobs(story, None)

    assert (rehearsed.script, rehearsed.inputs) == (run.script, {})


def test_a_saved_workflow_brings_its_tests(tmp_path: Path) -> None:
    """They lie beside its script, are not needed, and are no larger than it may be."""
    (tmp_path / "workflow.yaml").write_text(
        "{title: t, description: d, why: w, work: analyse, policy: {}}"
    )
    (tmp_path / "script.py").write_text("pass")
    without = read_workflow(tmp_path)
    (tmp_path / "tests.py").write_bytes(TESTS)

    assert without.tests is None
    assert read_workflow(tmp_path).tests == TESTS
    (tmp_path / "tests.py").write_bytes(b"#" * (MOST_BYTES + 1))
    with pytest.raises(WorkflowError, match=r"tests\.py: larger than"):
        read_workflow(tmp_path)
