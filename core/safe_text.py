"""Text from elsewhere made safe to show: what can't be seen, or moves what is, becomes visible.

Scripts, AWS answers, log lines and models can hold escape sequences that repaint a terminal, marks
that turn reading order around, and characters that show nothing at all. Whoever approves a script
must see every character of it, so each of these becomes a picture (␛) or its number (<U+202E>).

Trade-offs: emoji that are joined from parts and rare new characters show as numbers. Letters that
merely look alike, and spaces of another width, stay as they are; a text that already holds
"<U+202E>" can't be told from one that was made safe.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

MOST_OF_A_LINE = 500
"""Characters that `safe_line` keeps unless it is told otherwise."""

_SUSPECT = re.compile(r"[^\x20-\x7e]")
_HIDDEN_CATEGORIES = frozenset({"Cc", "Cf", "Cn", "Co", "Cs", "Zl", "Zp"})
_HIDDEN_LETTERS = (
    (0x034F, 0x034F),  # combining grapheme joiner
    (0x115F, 0x1160),  # Hangul fillers
    (0x17B4, 0x17B5),  # Khmer vowels that are never drawn
    (0x180B, 0x180F),  # Mongolian variation selectors
    (0x3164, 0x3164),  # Hangul filler
    (0xFE00, 0xFE0F),  # variation selectors
    (0xFFA0, 0xFFA0),  # Hangul filler of half width
    (0xE0100, 0xE01EF),  # variation selectors, in which whole texts can be hidden
)
"""What Unicode calls ignorable although its category says letter or mark."""


def safe_text(text: str, *, newlines: bool = True) -> str:
    """Return `text` with everything invisible made visible.

    Line feeds and tabs stay when `newlines`; nothing else that is left is a control character, and
    the result can be encoded. Applying it again changes nothing.
    """
    return _SUSPECT.sub(lambda found: _shown(found[0], newlines), text)


def safe_line(text: str, most: int = MOST_OF_A_LINE) -> str:
    """Return `text` as one line of at most `most` characters, with an ellipsis where it is cut."""
    line = safe_text(text[: most + 1], newlines=False)
    return line if len(line) <= most else f"{line[: most - 1]}…"


@lru_cache(maxsize=4096)
def _shown(character: str, newlines: bool) -> str:
    code = ord(character)
    if newlines and character in "\n\t":
        return character
    if code < 0x20:  # noqa: PLR2004 (the end of C0, whose pictures lie side by side)
        return chr(0x2400 + code)
    if character == "\x7f":
        return "␡"
    hidden = unicodedata.category(character) in _HIDDEN_CATEGORIES
    if hidden or any(first <= code <= last for first, last in _HIDDEN_LETTERS):
        return f"<U+{code:04X}>"
    return character
