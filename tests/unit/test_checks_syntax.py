"""Reading a script: it must parse, and read the way it runs."""

from __future__ import annotations

import pytest

from core.checks.syntax import parse

HIDDEN = ("hidden-character", "blocker")
RULES: list[tuple[str, bytes, list[tuple[str, str, int | None]]]] = [
    ("nothing", b"", []),
    ("plain", b"import boto3\n\tprint\n".replace(b"\t", b""), []),
    ("Windows line ends", b"a = 1\r\nb = 2\r\n", []),
    ("other languages in texts", "a = 'Zürich, 東京, naïve 🙂'\n".encode(), []),
    ("an invalid escape", b"a = '\\d'\n", []),
    ("a coding line that says UTF-8", b"# -*- coding: utf-8 -*-\na = 1\n", []),
    ("not Python", b"a = 1\nb = = 2\n", [("invalid", "blocker", 2)]),
    ("not UTF-8", b"a = 1\nb = '\xff'\n", [("encoding", "blocker", 2)]),
    ("UTF-7", b"# coding: utf-7\na = 1\n", [("encoding", "blocker", 1)]),
    ("Latin", b"#!/x\n# vim: set fileencoding=latin-1 :\n", [("encoding", "blocker", 1)]),
    ("a coding nobody knows", b"# coding: klingon\n", [("encoding", "blocker", 1)]),
    ("a null", b"a = '\x00'\n", [(*HIDDEN, 1), ("invalid", "blocker", None)]),
    ("text that runs backwards", "a = 1\n# \u202e )'niam'\n".encode(), [(*HIDDEN, 2)]),
    ("an isolate", "a = '\u2066'\n".encode(), [(*HIDDEN, 1)]),
    ("no width", "admin = 'ro\u200bot'\n".encode(), [(*HIDDEN, 1)]),
    ("a soft hyphen", "a = 'ro\u00adot'\n".encode(), [(*HIDDEN, 1)]),
    ("a terminal's escape", b"# \x1b[2K harmless\n", [(*HIDDEN, 1)]),
    ("a line end for one and not the other", b"a = 1 # \rb = 2\n", [(*HIDDEN, 1)]),
    ("a line end of another kind", "a = 1 # \u2028 b = 2\n".encode(), [(*HIDDEN, 1)]),
    ("a form feed", b"a = 1\n\x0cb = 2\n", [(*HIDDEN, 2)]),
    ("two in one line, each once", "# \u200b\u200b\u200c\n".encode(), [(*HIDDEN, 1)] * 2),
    ("a look-alike name", "\u043epen = 1\n".encode(), [("foreign-name", "blocker", 1)]),
    ("a name that is normalised", "x = \uff45val\n".encode(), [("foreign-name", "blocker", 1)]),
    ("code far to the right", b"a = 1;" + b" " * 80 + b"b = 2\n", [("long-line", "warning", 1)]),
    ("a long line", b"a = '" + b"x" * 200 + b"'\n", [("long-line", "warning", 1)]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("script", "expected"), [pytest.param(*case[1:], id=case[0]) for case in RULES]
)
def test_rules(script: bytes, expected: list[tuple[str, str, int | None]]) -> None:
    """Whatever makes reading and running differ is found, on its line; ordinary text is not."""
    found = parse(script).findings

    assert [(one.rule, one.severity, one.line) for one in found] == expected


def test_the_code_point_is_named() -> None:
    """A hidden character is told by number and name, with a way to write it that can be seen."""
    found = parse("a = '\u202e'\n".encode()).findings[0]

    assert found.message.startswith("U+202E (RIGHT-TO-LEFT OVERRIDE) ")
    assert found.fix == "remove it, or write '\\u202e' inside a text"


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


def test_findings_of_a_rule_are_limited() -> None:
    """A script full of hidden characters does not flood the screen."""
    assert len(parse("# \u200b\n".encode() * 1000).findings) == 10


def test_a_flood_of_one_rule_hides_no_other() -> None:
    """A look-alike name behind many long lines is still found."""
    script = (b"# " + b"x" * 300 + b"\n") * 50 + "\u043epen = 1\n".encode()

    assert {one.rule for one in parse(script).findings} == {"long-line", "foreign-name"}
