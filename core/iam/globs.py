"""Matching IAM's `*` and `?` against actions and resources, exactly and in linear space.

A resource is a text in which `UNKNOWN_PART` stands for a stretch that nobody knows before the call
(an absent parameter, the UUID inside an Auto Scaling ARN). Two questions can be asked of a pattern:

- `covers`: does it match *every* text that the resource could turn out to be? What an Allow needs.
- `touches`: could it match *any* of them? What makes a Deny bite.

AWS matches wildcards inside a colon segment and lets only a `*` that ends a segment run on over
colons. `covers` follows that to the letter, `touches` lets every wildcard run: both err towards
denying. Regular expressions are not used: a pattern is written by a stranger, and backtracking
would let it stall the gateway. All positions of a pattern that a text can have led to are followed
at once instead, as the bits of one number.

Patterns come with their policy variables expanded (`core.iam.variables`): in them the three signs
below may stand, which no policy and no request may bring along.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

UNKNOWN_PART: Final = "\uffff"
"""Stands for a stretch that is not known, of a resource or a pattern; never in a real name."""
LITERAL_STAR: Final = "\ufdd0"
"""Stands for a `*` in a pattern that means itself."""
LITERAL_QUESTION: Final = "\ufdd1"
"""Stands for a `?` in a pattern that means itself."""
SIGNS: Final = frozenset((UNKNOWN_PART, LITERAL_STAR, LITERAL_QUESTION))

_WILD = frozenset("*?")
_MEANING = {LITERAL_STAR: "*", LITERAL_QUESTION: "?"}


@lru_cache(maxsize=1024)
def covers(pattern: str, resource: str) -> bool:
    """Whether an ARN pattern surely matches `resource`, whatever its unknown parts are."""
    if UNKNOWN_PART in pattern:
        return False
    return pattern == "*" or _match(_compiled(pattern, by_segment=True), resource)


def touches(pattern: str, resource: str) -> bool:
    """Whether an ARN pattern may match `resource`, for some value of its unknown parts."""
    glob = _compiled(pattern.replace(UNKNOWN_PART, "*"), by_segment=False)
    if UNKNOWN_PART not in resource:
        return _match(glob, resource)
    first, *others = resource.split(UNKNOWN_PART)
    bits = _read(glob, glob.first, first)
    for known in others:
        # An unknown stretch can lead from the earliest position to itself and all behind it.
        bits = _read(glob, glob.every & -(bits & -bits), known)
    return bool(bits & glob.last)


def plain_match(pattern: str, text: str) -> bool:
    """Whether a pattern without segments (StringLike, an action) matches the known `text`."""
    return _match(_compiled(pattern, by_segment=False), text)


def action_match(pattern: str, action: str) -> bool:
    """Whether an action pattern matches `action`; upper and lower case are the same."""
    return plain_match(pattern.lower(), action.lower())


def literal(text: str) -> str:
    """Return the pattern that matches `text` and nothing else."""
    return text.replace("*", LITERAL_STAR).replace("?", LITERAL_QUESTION)


@dataclass(frozen=True, slots=True)
class _Glob:
    """A pattern, ready to be followed; bit n is the position before its symbol number n."""

    head: str
    """The characters before the first wildcard."""
    rest: str
    """The pattern from the first wildcard on."""
    stars: int
    """The positions at a star: they are kept by whatever it takes, ..."""
    kept: Mapping[str, int]
    """... but for these characters, which only some of them take."""
    ones: int
    """The positions at a `?`: they are left by whatever it takes, ..."""
    left: Mapping[str, int]
    """... but these characters have positions of their own."""
    first: int
    last: int
    every: int


@lru_cache(maxsize=1024)
def _compiled(pattern: str, *, by_segment: bool) -> _Glob:
    while "**" in pattern:
        pattern = pattern.replace("**", "*")
    size = len(pattern)
    start = next((at for at, symbol in enumerate(pattern) if symbol in _WILD), size)
    stars = ones = running = 0
    exact: dict[str, int] = {}
    for at, symbol in enumerate(pattern):
        if symbol == "*":
            stars |= 1 << at
            ends = at + 1 == size or pattern[at + 1] == ":"
            running |= 1 << at if ends or not by_segment else 0
        elif symbol == "?":
            ones |= 1 << at
        else:
            symbol = _MEANING.get(symbol, symbol)  # noqa: PLW2901 - the sign's meaning, from here
            exact[symbol] = exact.get(symbol, 0) | 1 << at
    left = {symbol: bits | ones for symbol, bits in exact.items()}
    if by_segment:
        left[":"] = exact.get(":", 0)
    return _Glob(
        head="".join(_MEANING.get(symbol, symbol) for symbol in pattern[:start]),
        rest=pattern[start:],
        stars=stars,
        kept={":": running, UNKNOWN_PART: running},
        ones=ones,
        left={**left, UNKNOWN_PART: 0},
        first=_past_stars(1, stars),
        last=1 << size,
        every=(2 << size) - 1,
    )


def _match(glob: _Glob, text: str) -> bool:
    if not text.startswith(glob.head):
        return False
    size = len(glob.head)
    if len(glob.rest) <= 1 and glob.rest != "?":
        return bool(glob.rest) or len(text) == size
    return bool(_read(glob, _past_stars(1 << size, glob.stars), text[size:]) & glob.last)


def _read(glob: _Glob, bits: int, text: str) -> int:
    """Return the positions that `text` leads to from those in `bits`."""
    stars, kept, ones, left = glob.stars, glob.kept, glob.ones, glob.left
    for character in text:
        moved = (bits & left.get(character, ones)) << 1
        bits = (bits & kept.get(character, stars)) | moved
        bits |= (bits & stars) << 1
        if not bits:
            return 0
    return bits


def _past_stars(bits: int, stars: int) -> int:
    """Add the positions behind the stars, which may match nothing at all."""
    return bits | (bits & stars) << 1
