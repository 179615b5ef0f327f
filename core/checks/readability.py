"""Does the script read the way it runs?

The person who approves reads the script on a screen; the interpreter reads its bytes. What makes
the two differ and is never needed is a blocker: characters that reorder or hide text, a line that
ends for one and not for the other, a name with foreign letters, code pushed out of sight. In a text
such characters can be written as escapes. What only makes reading hard is a warning.
"""

from __future__ import annotations

import io
import itertools
import re
import tokenize
import unicodedata
from collections.abc import Iterator
from contextlib import suppress

from core.checks import ruff
from core.checks.finding import Finding, Severity
from core.checks.standards import Standards
from core.checks.subject import Script

_SOURCE = "readability"
_HIDDEN = {"Cc", "Cf", "Zl", "Zp", "Cs"}
"""Unicode's control, format, line and paragraph separator, and surrogate categories."""
_PLAIN = {"\n", "\t"}
_GAP = re.compile(r"\S[ \t]{40,}(?=[^\s#])")
"""White space that pushes code, but no comment, to the right."""
_MOST_OF_A_RULE = 10
_WORD = re.compile(r"[^\W\d_]{2,}")
_BRACES = re.compile(r"\{([^{}]*)\}")
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_WORD_OF_CODE = re.compile(r"[^\W\d]\w*")
_CONFUSED = str.maketrans({"0": "o", "O": "o", "1": "l", "I": "l"})


def check(script: Script, standards: Standards) -> Iterator[Finding]:
    """Yield whatever deceives or tires a reader; also of a script that can't be parsed."""
    text = script.parsed.text
    if text is None:
        return
    for found in (
        _hidden(text),
        _pushed_away(text),
        _names(text),
        _long_lines(text, standards.widest_line),
        _mixed_words(text),
    ):
        yield from itertools.islice(found, _MOST_OF_A_RULE)
    if script.parsed.tree is not None:
        yield from _unformatted(script.data, standards.widest_line)


def _lines(text: str) -> Iterator[tuple[int, str]]:
    return enumerate(text.split("\n"), 1)


def _hidden(text: str) -> Iterator[Finding]:
    """Characters that a reader does not see, or sees elsewhere than they are."""
    for number, line in _lines(text):
        for character in dict.fromkeys(line):
            if unicodedata.category(character) in _HIDDEN and character not in _PLAIN:
                name = unicodedata.name(character, "control character")
                yield _finding(
                    "hidden-character",
                    "blocker",
                    number,
                    f"U+{ord(character):04X} ({name}) can make the line read unlike it runs",
                    f"remove it, or write {character!a} inside a text",
                )


def _pushed_away(text: str) -> Iterator[Finding]:
    for number, line in _lines(text):
        gap = _GAP.search(line)
        if gap:
            message = f"white space hides what stands from column {gap.end() + 1} on"
            yield _finding("far-right", "blocker", number, message, "put it on a line of its own")


def _long_lines(text: str, widest: int) -> Iterator[Finding]:
    for number, line in _lines(text):
        if len(line) > widest:
            message = f"the line reaches to column {len(line)}; up to {widest} are in sight"
            yield _finding("long-line", "warning", number, message, "break the line")


def _names(text: str) -> Iterator[Finding]:
    """Names with foreign letters, and names that look like one that stands above them."""
    seen: dict[str, str] = {}
    for name, number in _identifiers(text):
        if not name.isascii():
            message = f"the name {name!a} has letters that can look like others"
            yield _finding("foreign-name", "blocker", number, message, "use the letters a to z")
            continue
        first = seen.setdefault(_skeleton(name), name)
        if name != first and name not in seen:
            seen[name] = name
            message = f"the name {name} looks like {first}"
            yield _finding("look-alike", "warning", number, message, "name one of them otherwise")


def _identifiers(text: str) -> Iterator[tuple[str, int]]:
    """Yield each name with its line, as far as the script can be cut into tokens."""
    with suppress(tokenize.TokenError, SyntaxError):
        for token in tokenize.generate_tokens(io.StringIO(text).readline):
            if token.type == tokenize.NAME:
                yield token.string, token.start[0]
            elif token.type == tokenize.STRING and not token.string.isascii():
                yield from ((name, token.start[0]) for name in _interpolated(token.string))


def _interpolated(literal: str) -> Iterator[str]:
    """Yield the foreign names between the braces of an f-string, which is one token up to 3.11."""
    if "f" in literal.partition(literal[-1])[0].lower():
        for inside in _BRACES.findall(literal):
            words = _WORD_OF_CODE.findall(_QUOTED.sub("", inside))
            yield from (word for word in words if not word.isascii())


def _skeleton(name: str) -> str:
    """Return the same text for names that a reader could take for one another."""
    return "?" + name.translate(_CONFUSED).replace("rn", "m").replace("vv", "w")


def _mixed_words(text: str) -> Iterator[Finding]:
    """Words of texts and comments that are spelled with letters of two alphabets."""
    if text.isascii():
        return
    named = {word for name, _ in _identifiers(text) for word in _WORD.findall(name)}
    for number, line in _lines(text):
        for word in _WORD.findall(line):
            if word.isascii() or word in named:
                continue
            scripts = {unicodedata.name(each, "?").partition(" ")[0] for each in word}
            if "LATIN" in scripts and scripts & {"CYRILLIC", "GREEK", "ARMENIAN", "CHEROKEE"}:
                message = f"the word {word!a} mixes letters that look alike"
                fix = "write it in one alphabet"
                yield _finding("mixed-letters", "warning", number, message, fix)


def _unformatted(data: bytes, width: int) -> Iterator[Finding]:
    if ruff.formatted(data, width) not in (data, data.replace(b"\r\n", b"\n")):
        message = "the script is not laid out as scripts here are"
        yield _finding("unformatted", "note", None, message, f"ruff format --line-length {width}")


def _finding(rule: str, severity: Severity, line: int | None, message: str, fix: str) -> Finding:
    return Finding(_SOURCE, rule, severity, line, message, fix)
