"""The job that a countersigned draft is: for a run, and for a rehearsal with tests."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from core.approval import shown
from core.approval.house import HouseRules
from core.approval.redeem import redeem, reread
from core.checks.finding import Finding
from core.draft_files import DraftFiles, read_draft
from core.errors import WorkflowError
from core.handing import contents
from core.jobs import TESTED, job_of
from core.workflows.model import MOST_BYTES, read_workflow
from sandbox.job import Job, Shape
from sandbox.limits import Limits
from tui.diffing import difference
from tui.viewing import findings

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


def test_whoever_decides_elsewhere_gets_the_tests(story: Any) -> None:
    """They stand in the document for a command, and lie in the folder of manual mode."""
    made = story().identified().drafted(tests=TESTS).reviewed()
    request, step = made.requested(), made.session.step
    files = contents(request, reread(step.draft, made.payload), None, (), made.payload)

    assert shown.document(request, made.session, made.payload)["tests"] == TESTS.decode()
    assert files["tests.py"] == TESTS


def test_the_screen_tells_tests_apart(story: Any) -> None:
    """What differs in them has its heading, and a finding in them says where it is."""
    made = story().identified().drafted().reviewed()
    step = made.session.step
    kept = replace(step.draft, version=2, tests=made.keep(TESTS))
    heads = [row.text for row in difference(step.draft, kept, made.payload).rows if row.old is None]
    one = Finding("code", "process", "blocker", 2, "no", "", "tests")
    (told,) = findings(replace(step, review=replace(step.review, findings=(one,))))

    assert "Tests: +2 -0" in heads
    assert (told.line, told.text) == (None, "tests, line 2: no")


def test_tests_come_from_a_file(tmp_path: Path) -> None:
    """A script that is named on the command line can have tests, which are another code."""
    for name in ("script.py", "tests.py"):
        (tmp_path / name).write_bytes(TESTS)
    plain = DraftFiles(tmp_path / "script.py")
    draft = read_draft(replace(plain, tests=tmp_path / "tests.py"))

    assert draft.tests == TESTS
    assert draft.code_digest() != read_draft(plain).code_digest()
