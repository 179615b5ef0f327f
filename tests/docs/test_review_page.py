"""docs/review.md against the code: every check and every kind of gate has a row."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from core.checks.finding import SEVERITIES, Call, Finding, Review
from core.checks.review import CHECKS
from core.checks.settings import KINDS
from core.checks.standards import FIXED, NAMES
from core.checks.summary import WORDS, one_line
from core.config import load
from core.iam.compare import State

EXAMPLE = one_line(
    Review(
        findings=(Finding("lint", "B006", "warning", 1, "", ""),),
        calls=(Call("ec2", "A", 1), Call("ec2", "B", 2), Call("logs", "C", 3)),
        tier=1,
        missing=(),
        excess=(),
        proposed={},
    ),
    ("eu-west-1",),
)
PAGE = (Path(__file__).parents[2] / "docs" / "review.md").read_text(encoding="utf-8")


def rows(heading: str) -> dict[str, str]:
    """Return the table below a heading: first column to second."""
    section = PAGE.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    return dict(re.findall(r"^\| `([a-z-]+)` \| (.+) \|$", section, re.MULTILINE))


def test_every_check_has_a_row() -> None:
    """The table, the names that settings know and the checks that are made are the same."""
    assert list(rows("Checks")) == list(NAMES)
    assert sorted(NAMES) == sorted(check.name for check in CHECKS)


def test_what_cannot_be_left_out_says_so() -> None:
    """Exactly the rows of those checks say it."""
    told = [name for name, text in rows("Checks").items() if "Can't be left out" in text]

    assert told == list(FIXED)


def test_the_words_of_the_line_are_those_of_the_code() -> None:
    """The page names each word that the line can begin with, and its example is one."""
    section = PAGE.partition("## One line\n")[2].partition("\n## ")[0]

    assert re.findall(r"`([A-Z -]+)`", section) == list(dict.fromkeys(WORDS.values()))
    assert EXAMPLE in section


def test_every_kind_of_gate_has_a_row() -> None:
    """The table has the keys that a gate may have."""
    assert list(rows("Gates of your own")) == list(KINDS.values())


def test_the_example_is_accepted(tmp_path: Path) -> None:
    """The gates on the page are gates that the settings take."""
    file = tmp_path / "config.yaml"
    file.write_text(PAGE.partition("```yaml\n")[2].partition("```")[0], encoding="utf-8")

    assert [gate.kind for gate in load(file, {}).standards().gates] == ["pattern", "call"]


RULE = re.compile(r'"([a-z]+(?:-[a-z]+)*)",\s+"(?:blocker|warning|note)"')
CORE = Path(__file__).parents[2] / "core"


@pytest.mark.parametrize(
    "file", ["checks/aws_calls.py", "checks/parameters.py", "checks/policy.py", "iam/lint.py"]
)
def test_every_rule_of_calls_and_policy_has_a_row(file: str) -> None:
    """The rules that the code gives, where it also says how severe they are, are on the page."""
    found = RULE.findall((CORE / file).read_text(encoding="utf-8"))
    made = set(found) - set(SEVERITIES)

    assert made
    assert made <= set(rows("Calls and policy in detail"))


def test_every_state_of_the_table_has_a_row() -> None:
    """The page explains each of the states in which an action can be, and no other."""
    section = PAGE.partition("## Proposed, static, observed\n")[2].partition("\n## ")[0]

    assert set(re.findall(r"^\| `([a-z ]+)` \|", section, re.MULTILINE)) == set(get_args(State))
