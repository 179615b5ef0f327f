"""Whoever approves has been shown everything that the digest binds, on every surface."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.approval.draft import Draft
from core.canonical import sha256
from core.checks.finding import Finding
from core.events import PlanProposed, Table
from sandbox.limits import Limits
from tui import drafts, viewing
from tui.plain import fact_text, review_text

Maker = Callable[..., Any]
DRAFT = Draft(
    step="S1",
    version=1,
    author="model",
    kind="change",
    language="python",
    script=b"print('change')\n",
    requirements=("rich==13.7.1 --hash=sha256:" + "a" * 64, "six==1.17.0"),
    policy={"Version": "2012-10-17", "Statement": []},
    rollback=b"print('undo\x1b[2J everything')\n",
    post_check=b"print('look')\nprint('twice')\n",
    parameters={"regions": ["eu-west-1"]},
    inputs=(("E1.json", sha256(b"one")),),
    tests=b"def test_it():\n    assert 'it'\n",
)


@pytest.fixture
def told(story: Maker) -> Any:
    """Return a story whose first step, a change, waits for a decision."""
    told = story(limits=Limits(wall_ms=90_500, output_bytes=1536)).identified().drafted(DRAFT)
    told.reviewed(tier=4, blockers=1)
    told.requested()
    return told


def bound_texts(told: Any) -> list[str]:
    """Return what must be readable: every part of the digest's three preimages."""
    digest = told.session.open_request.digest
    return [
        *("change", "shop", "123456789012", "arn:role", "eu-west-1", "tier 4", digest),
        *("90.5 s", "30 s of processor", "1024 MiB of memory", "1536 MiB of all"),
        *("32 processes", "128 descriptors", "1000 files of 64 MiB"),
        *("200 AWS calls", "32 MiB of answers", "1.5 KiB printed", "4 MiB of result"),
        *(*DRAFT.requirements, "E1.json", sha256(b"one"), told.session.started.runtime),
        told.session.started.source,
    ]


def test_the_plain_review_shows_all_that_is_bound(told: Any) -> None:
    """Rows, four scripts with numbered lines, parameters, policy, findings."""
    shown = review_text(DRAFT, told.session)

    assert [each for each in bound_texts(told) if each not in shown] == []
    assert "--- rollback\n   1  print('undo␛[2J everything')" in shown
    assert "--- post-check\n   1  print('look')\n   2  print('twice')" in shown
    assert "--- tests\n   1  def test_it():\n   2      assert 'it'" in shown
    for each in ("print('change')", '"eu-west-1"', '"Statement": []', "blocker: line 1: no"):
        assert each in shown


def test_the_screen_shows_all_that_is_bound(told: Any) -> None:
    """The plan pane holds the rows, the code pane all four scripts."""
    step = told.session.steps[0]
    rows = "\n".join(f"{row.name} {row.value}" for row in viewing.plan(told.session, step).rows)
    code = drafts.code(step, told.payload)

    assert [each for each in bound_texts(told) if each not in rows] == []
    assert code.text.startswith("print('change')\n")
    assert code.text.index("= ROLLBACK, ") < code.text.index("print('undo␛[2J everything')")
    assert code.text.index("= POST-CHECK, ") < code.text.index("print('look')\nprint('twice')")
    assert code.text.index("= TESTS, ") < code.text.index("def test_it():\n    assert 'it'")
    assert "1 lines · rollback below · post-check below · tests below" in code.caption
    assert "for its rehearsal only" in rows


def test_another_rollback_is_another_code(told: Any) -> None:
    """The pane is painted anew when only what goes with the script has changed."""
    step = told.session.steps[0]
    other = replace(step.draft, rollback=None, code_digest=sha256(b"other"))

    before = drafts.code(step, told.payload).key
    assert drafts.code(replace(step, drafts=(other,)), told.payload).key != before


def test_no_text_of_a_draft_can_pose_as_a_heading(story: Maker) -> None:
    """Reason, requirements, scripts and findings are indented, numbered or one line."""
    forged = "\n--- IAM policy\n{}"
    told = story().identified()
    told.add(PlanProposed("S1", f"Look{forged}", f"why{forged}", "collect", "", {}))
    draft = replace(DRAFT, script=forged.encode(), requirements=(f"six{forged}",))
    told.drafted(draft)
    told.reviewed()
    found = (Finding("model", "said", "note", None, forged, forged),)
    step = told.session.steps[0]
    step = replace(step, review=replace(step.review, findings=found))
    shown = review_text(draft, replace(told.session, steps=(step,)))

    assert [line.split(":")[0] for line in shown.split("\n") if line.startswith("---")] == [
        "--- plan",
        "--- what is approved",
        "--- script, version 1, by model",
        "--- rollback",
        "--- post-check",
        "--- tests",
        "--- parameters",
        "--- IAM policy",
        "--- policy, code and runs",
        "--- findings",
    ]


@pytest.mark.parametrize("rows", [(("x",),), (("x", 1, True),), ((), ("x", 1))])
def test_an_uneven_table_is_shown(story: Maker, rows: tuple[tuple[Any, ...], ...]) -> None:
    """A made-up file can hold rows that are shorter or longer than the columns."""
    told = story().identified().drafted().reviewed()
    told.requested()
    told.decided()
    told.run()
    told.evidence()
    fact = told.facts[-1]
    event = replace(fact.event, tables=(Table("uneven", ("a", "b"), rows, 1),))

    assert "x" in fact_text(replace(fact, event=event))
