"""Reading a script: it must parse, in the one encoding in which it is shown."""

from __future__ import annotations

import pytest

from core.checks.syntax import parse

RULES: list[tuple[str, bytes, list[tuple[str, str, int | None]]]] = [
    ("nothing", b"", []),
    ("plain", b"import boto3\nprint\n", []),
    ("Windows line ends", b"a = 1\r\nb = 2\r\n", []),
    ("other languages in texts", "a = 'Zürich, 東京, naïve 🙂'\n".encode(), []),
    ("an invalid escape", b"a = '\\d'\n", []),
    ("a coding line that says UTF-8", b"# -*- coding: utf-8 -*-\na = 1\n", []),
    ("not Python", b"a = 1\nb = = 2\n", [("invalid", "blocker", 2)]),
    ("a null", b"a = '\x00'\n", [("invalid", "blocker", None)]),
    ("not UTF-8", b"a = 1\nb = '\xff'\n", [("encoding", "blocker", 2)]),
    ("UTF-7", b"# coding: utf-7\na = 1\n", [("encoding", "blocker", 1)]),
    ("Latin", b"#!/x\n# vim: set fileencoding=latin-1 :\n", [("encoding", "blocker", 1)]),
    ("a coding nobody knows", b"# coding: klingon\n", [("encoding", "blocker", 1)]),
]


@pytest.mark.parametrize(
    ("script", "expected"), [pytest.param(*case[1:], id=case[0]) for case in RULES]
)
def test_rules(script: bytes, expected: list[tuple[str, str, int | None]]) -> None:
    """What would not run as it is shown, or not at all, is found; ordinary text is not."""
    found = parse(script).findings

    assert [(one.rule, one.severity, one.line) for one in found] == expected


@pytest.mark.parametrize("script", [b"a = 1\n", "# \u200b\n".encode()])
def test_a_script_that_parses_has_a_tree(script: bytes) -> None:
    """Other checks can read a script, blocked or not, as soon as it parses."""
    assert parse(script).tree is not None


@pytest.mark.parametrize("script", [b"a = (", b"# coding: latin-1\n", b"(" * 5000])
def test_a_script_that_does_not_parse_has_no_tree(script: bytes) -> None:
    """A script that can't be parsed, or would run as other than it is shown, is not read on."""
    parsed = parse(script)

    assert parsed.tree is None
    assert parsed.findings[-1].severity == "blocker"
