"""Does the script parse, in the one encoding in which it is shown?

What is wrong here is wrong for every other check too, so it can't be left out.
"""

from __future__ import annotations

import ast
import io
import tokenize
import warnings
from dataclasses import dataclass

from core.checks.finding import Finding

_SOURCE = "syntax"


@dataclass(frozen=True, slots=True)
class Parsed:
    """A script as text and tree; `tree` is None when it can't be parsed."""

    tree: ast.Module | None
    findings: tuple[Finding, ...]
    text: str | None = None
    """None when it can't be decoded."""


def parse(script: bytes) -> Parsed:
    """Parse a script and say what is wrong with it as a text."""
    refusal = _undecodable(script)
    if refusal:
        return Parsed(None, (refusal,))
    text = script.decode("utf-8").replace("\r\n", "\n")
    try:
        with warnings.catch_warnings():
            # The parser warns about invalid escapes on stderr, which belongs to the screen.
            warnings.simplefilter("ignore")
            return Parsed(ast.parse(text), (), text)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return Parsed(None, (_unparsable(error),), text)


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


def _unparsable(error: Exception) -> Finding:
    if isinstance(error, SyntaxError):
        return _blocker("invalid", error.lineno, f"not valid Python: {error.msg}", "correct it")
    message = f"can't be parsed: {str(error) or 'it is nested too deeply'}"
    return _blocker("invalid", None, message, "write it more simply")


def _blocker(rule: str, line: int | None, message: str, fix: str) -> Finding:
    return Finding(_SOURCE, rule, "blocker", line, message, fix)
