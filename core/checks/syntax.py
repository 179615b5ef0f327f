"""Does the script parse, and does it read the way it runs?

The person who approves reads the script on a screen; the interpreter reads its bytes. Whatever
makes the two differ is a blocker: another encoding, characters that reorder or hide text, a line
that ends for one and not for the other, a name that only looks like another. Such characters are
never needed: in a text they can be written as escapes.
"""

from __future__ import annotations

import ast
import io
import itertools
import re
import tokenize
import unicodedata
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

from core.checks.finding import Finding

_SOURCE = "syntax"
_HIDDEN = {"Cc", "Cf", "Zl", "Zp", "Cs"}
"""Unicode's control, format, line and paragraph separator, and surrogate categories."""
_PLAIN = {"\n", "\t"}
_GAP = re.compile(r"\S[ \t]{60,}\S")
_LONGEST_LINE = 200
_MOST_OF_A_RULE = 10


@dataclass(frozen=True, slots=True)
class Parsed:
    """A script as text and tree; `tree` is None when it can't be parsed."""

    tree: ast.Module | None
    findings: tuple[Finding, ...]


def parse(script: bytes) -> Parsed:
    """Parse a script and say what is wrong with it as a text."""
    refusal = _undecodable(script)
    if refusal:
        return Parsed(None, (refusal,))
    source = script.decode("utf-8").replace("\r\n", "\n")
    findings = [*_first(_hidden(source)), *_first(_wide_lines(source))]
    try:
        with warnings.catch_warnings():
            # The parser warns about invalid escapes on stderr, which belongs to the screen.
            warnings.simplefilter("ignore")
            tree = ast.parse(source)
            findings += _first(_foreign_names(source))
    except (SyntaxError, ValueError, RecursionError, MemoryError, tokenize.TokenError) as error:
        return Parsed(None, (*findings, _unparsable(error)))
    return Parsed(tree, tuple(findings))


def _first(findings: Iterator[Finding]) -> list[Finding]:
    return list(itertools.islice(findings, _MOST_OF_A_RULE))


def _undecodable(script: bytes) -> Finding | None:
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(script).readline)
    except SyntaxError as error:
        return _blocker("encoding", 1, f"the script is not UTF-8: {error}", "save it as UTF-8")
    if encoding not in ("utf-8", "utf-8-sig"):
        message = f"the script says that it is {encoding}, so it would not run as it is shown"
        return _blocker("encoding", 1, message, "remove the coding line and save it as UTF-8")
    try:
        script.decode("utf-8")
    except UnicodeDecodeError as error:
        line = script.count(b"\n", 0, error.start) + 1
        message = f"byte {script[error.start]:#04x} is not UTF-8"
        return _blocker("encoding", line, message, "save the script as UTF-8")
    return None


def _hidden(source: str) -> Iterator[Finding]:
    """Characters that a reader does not see, or sees elsewhere than they are."""
    for number, line in enumerate(source.split("\n"), 1):
        for character in dict.fromkeys(line):
            if unicodedata.category(character) in _HIDDEN and character not in _PLAIN:
                name = unicodedata.name(character, "control character")
                yield _blocker(
                    "hidden-character",
                    number,
                    f"U+{ord(character):04X} ({name}) can make the line read unlike it runs",
                    f"remove it, or write {character!a} inside a text",
                )


def _wide_lines(source: str) -> Iterator[Finding]:
    for number, line in enumerate(source.split("\n"), 1):
        if len(line) > _LONGEST_LINE or _GAP.search(line):
            message = f"the line reaches to column {len(line)}, where a reader may not look"
            yield Finding(_SOURCE, "long-line", "warning", number, message, "break the line")


def _foreign_names(source: str) -> Iterator[Finding]:
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.NAME and not token.string.isascii():
            message = f"the name {token.string!a} has letters that can look like others"
            yield _blocker("foreign-name", token.start[0], message, "use the letters a to z")


def _unparsable(error: Exception) -> Finding:
    if isinstance(error, SyntaxError):
        return _blocker("invalid", error.lineno, f"not valid Python: {error.msg}", "correct it")
    message = f"can't be parsed: {str(error) or 'it is nested too deeply'}"
    return _blocker("invalid", None, message, "write it more simply")


def _blocker(rule: str, line: int | None, message: str, fix: str) -> Finding:
    return Finding(_SOURCE, rule, "blocker", line, message, fix)
