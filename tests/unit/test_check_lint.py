"""What ruff and bandit add to a review."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from core.approval.draft import Draft
from core.checks import lint, security
from core.checks.review import review
from core.checks.ruff import formatted, tidied

DRAFT = Draft(
    step="S1",
    version=1,
    author="model",
    kind="analyse",
    language="python",
    script=b"",
    requirements=(),
    policy={"Version": "2012-10-17", "Statement": []},
    rollback=None,
    post_check=None,
    parameters={},
    inputs=(),
)


def rules(findings: object) -> list[tuple[str, str, int]]:
    """Return rule, severity and line of each finding."""
    return [(each.rule, each.severity, each.line) for each in findings]  # type: ignore[attr-defined]  # findings


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (b"print(undefined)\n", [("F821", "blocker", 1)]),
        (b"x = 1\nprint(undefined)  # noqa\n", [("F821", "blocker", 2)]),
        (b"def f(a=[]):\n    return a\n", [("B006", "warning", 1)]),
        (b"print('fine')\n", []),
        (b"x = (", []),
        (b"", []),
    ],
)
def test_lint_blocks_errors_and_advises_on_mistakes(
    script: bytes, expected: list[tuple[str, str, int]]
) -> None:
    """Errors block, also under `# noqa`; likely mistakes warn; style does not matter."""
    assert rules(lint.check(script)) == expected


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        (b"exec('1')  # nosec\n", [("B102", "blocker", 1)]),
        (b"import subprocess\n", [("B404", "note", 1)]),
        (b"assert True\nimport random\nrandom.random()\npassword = 'hunter22'\n", []),
        (b"x = (", [("not-checked", "warning", None)]),
        (b"", []),
    ],
)
def test_security_blocks_from_medium_on(
    script: bytes, expected: list[tuple[str, str, int]]
) -> None:
    """Medium and high block, also under `# nosec`; low is shown; what only annoys is left out."""
    assert rules(security.check(script)) == expected


def test_a_review_holds_both() -> None:
    """Findings of both stand in the review, the worst first, with their source."""
    found = review(replace(DRAFT, script=b"import subprocess\nexec(subprocess)\nprint(missing)\n"))

    assert {(each.source, each.rule) for each in found.blockers} >= {
        ("security", "B102"),
        ("lint", "F821"),
    }
    assert "B404" in [each.rule for each in found.findings if each.severity == "note"]


def test_other_scripts_of_a_draft_are_read_too() -> None:
    """A finding in a rollback says where it is."""
    found = review(replace(DRAFT, kind="change", rollback=b"print(missing)\n"))

    (undefined,) = [each for each in found.findings if each.rule == "F821"]
    assert (undefined.file, undefined.line, undefined.place) == ("rollback", 1, "rollback, line 1")


def test_a_script_that_does_not_parse_is_told_once() -> None:
    """Only the syntax check speaks about it."""
    assert [each.source for each in review(replace(DRAFT, script=b"x = (")).findings] == ["syntax"]


def test_settings_of_a_folder_have_no_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A ruff.toml where countersign was started changes nothing."""
    (tmp_path / "ruff.toml").write_text("lint.ignore = ['F821']\n")
    monkeypatch.chdir(tmp_path)

    assert rules(lint.check(b"print(undefined)\n")) == [("F821", "blocker", 1)]


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (b"import os\nimport re\nprint( re )\n", b"import re\n\nprint(re)\n"),
        (b"x = f'a'\nif x == None: pass\n", b'x = "a"\nif x == None:\n    pass\n'),
        (b"def f():\n    a = g()\n", b"def f():\n    a = g()\n"),
        (b"x = (", b"x = ("),
        (b"", b""),
    ],
)
def test_a_new_script_is_tidied(written: bytes, kept: bytes) -> None:
    """What is trivially wrong goes before anybody sees it; what could change a script stays."""
    assert tidied(written) == kept


def test_formatting_keeps_what_it_can_not_parse() -> None:
    """A script is formatted, or left as it is for the review to refuse."""
    assert (formatted(b"x=1"), formatted(b"x=("), formatted(b"")) == (b"x = 1\n", b"x=(", b"")
