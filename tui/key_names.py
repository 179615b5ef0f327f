"""The names of keys: as people write them, and as Textual does."""

from __future__ import annotations

import string
import unicodedata

_NAMES_OF_SIGNS = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}
"""Where Textual names a key otherwise than Unicode names its sign."""


def _key_of(sign: str) -> str:
    name = unicodedata.name(sign).lower().replace("-", "_").replace(" ", "_")
    return _NAMES_OF_SIGNS.get(name, name)


_SIGNS = {_key_of(sign): sign for sign in string.punctuation}
_KEYS = {sign: key for key, sign in _SIGNS.items()}


def spelled(key: str) -> str:
    """Return how people read a key: the sign itself, or its name."""
    return _SIGNS.get(key, key)


def key_named(text: str) -> str:
    """Return Textual's name of a key that people wrote."""
    return _KEYS.get(text, text)
