"""A script must read the way it runs."""

from __future__ import annotations

import pytest

from core.checks import readability
from core.checks.finding import Finding
from core.checks.standards import Standards
from core.checks.subject import Script

HIDDEN = ("hidden-character", "blocker")
RULES: list[tuple[str, bytes, list[tuple[str, str, int | None]]]] = [
    ("nothing", b"", []),
    ("plain", b"import boto3\n\nprint(boto3)\n", []),
    ("Windows line ends", b"a = 1\r\nb = 2\r\n", []),
    ("other languages in texts", 'a = "Zürich, 東京, naïve 🙂, Москва"\n'.encode(), []),
    ("text that runs backwards", "a = 1\n# \u202e )'niam'\n".encode(), [(*HIDDEN, 2)]),
    ("an isolate", 'a = "\u2066"\n'.encode(), [(*HIDDEN, 1)]),
    ("no width", 'admin = "ro\u200bot"\n'.encode(), [(*HIDDEN, 1)]),
    ("a soft hyphen", 'a = "ro\u00adot"\n'.encode(), [(*HIDDEN, 1)]),
    ("a terminal's escape", b"# \x1b[2K harmless\n", [(*HIDDEN, 1)]),
    ("a null", b"a = '\x00'\n", [(*HIDDEN, 1)]),
    ("a line end of another kind", "a = 1  # \u2028 b = 2\n".encode(), [(*HIDDEN, 1)]),
    ("two in one line, each once", "# \u200b\u200b\u200c\n".encode(), [(*HIDDEN, 1)] * 2),
    ("a foreign name", "\u043epen = 1\n".encode(), [("foreign-name", "blocker", 1)]),
    ("a name that is normalised", "x = \uff45val\n".encode(), [("foreign-name", "blocker", 1)]),
    ("a name in a text", 'a = f"{\u043epen}"\n'.encode(), [("foreign-name", "blocker", 1)]),
    ("a key in a text", "a = f\"{b['Zürich']}\"\n".encode(), []),
    ("two names alike", b"count1 = 1\ncountl = 2\n", [("look-alike", "warning", 2)]),
    ("rn for m", b"charm = 1\ncharrn = 2\n", [("look-alike", "warning", 2)]),
    ("one name twice", b"count1 = 1\ncount1 = 2\n", []),
    ("two alphabets", 'a = "p\u0430ypal"\n'.encode(), [("mixed-letters", "warning", 1)]),
    ("a comment far right", b"a = 1" + b" " * 50 + b"# far\n", [("unformatted", "note", None)]),
    ("a long line", b'a = "' + b"x" * 100 + b'"\n', [("long-line", "warning", 1)]),
    ("as long as can be", b'a = "' + b"x" * 94 + b'"\n', []),
    ("not laid out", b"a=1\n", [("unformatted", "note", None)]),
    ("not Python", b"a = = 1\n", []),
    ("not UTF-8", b"a = '\xff'\n", []),
    (
        "code far to the right",
        b"a = 1;" + b" " * 40 + b"b = 2\n",
        [("far-right", "blocker", 1), ("unformatted", "note", None)],
    ),
]


def found(script: bytes, standards: Standards | None = None) -> list[Finding]:
    """What the check says of a script."""
    return list(readability.check(Script("script", script), standards or Standards()))


@pytest.mark.parametrize(
    ("script", "expected"), [pytest.param(*case[1:], id=case[0]) for case in RULES]
)
def test_rules(script: bytes, expected: list[tuple[str, str, int | None]]) -> None:
    """Whatever makes reading and running differ is found, on its line; ordinary text is not."""
    assert [(one.rule, one.severity, one.line) for one in found(script)] == expected


def test_the_code_point_is_named() -> None:
    """A hidden character is told by number and name, with a way to write it that can be seen."""
    first = found('a = "\u202e"\n'.encode())[0]

    assert first.message.startswith("U+202E (RIGHT-TO-LEFT OVERRIDE) ")
    assert first.fix == "remove it, or write '\\u202e' inside a text"


def test_the_width_is_that_of_the_settings() -> None:
    """Where fewer columns are in sight, shorter lines are long."""
    script = b'a = "' + b"x" * 60 + b'"\n'

    assert [one.rule for one in found(script, Standards(widest_line=60))] == ["long-line"]


def test_findings_of_a_rule_are_limited() -> None:
    """A script full of hidden characters does not flood the screen."""
    assert len(found("# \u200b\n".encode() * 1000)) == 10


def test_a_flood_of_one_rule_hides_no_other() -> None:
    """A foreign name behind many long lines is still found."""
    script = (b"# " + b"x" * 300 + b"\n") * 50 + "\u043epen = 1\n".encode()

    assert {one.rule for one in found(script)} == {"long-line", "foreign-name"}
