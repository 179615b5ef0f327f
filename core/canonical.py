"""Canonical JSON and SHA-256: the one way in which values become bytes that are hashed.

UTF-8, keys sorted by code point, no white space, integers only. Trade-off: numbers with a fraction
are refused rather than rounded, since two programs that print 0.1 differently would disagree about
a digest. The rules and ten vectors are in docs/digest.md.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

from core.errors import NotCanonical
from sandbox.job import Sha

_MOST_DEPTH = 64
_LARGEST = 2**53 - 1


def canonical(value: Any) -> bytes:
    """Return the canonical JSON of `value`; raises NotCanonical where it has none."""
    _check(value, 0)
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    try:
        return text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise NotCanonical("a text holds half a surrogate pair") from error


def sha256(data: bytes) -> Sha:
    """Return the SHA-256 of `data` in lower-case hexadecimal."""
    return Sha(hashlib.sha256(data).hexdigest())


def digest_of(value: Any) -> Sha:
    """Return the SHA-256 of the canonical JSON of `value`."""
    return sha256(canonical(value))


def _check(value: Any, depth: int) -> None:
    if depth > _MOST_DEPTH:
        raise NotCanonical(f"nested deeper than {_MOST_DEPTH} levels")
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, str):
                raise NotCanonical(f"the key {key!r} is not a text")
            _check(item, depth + 1)
    elif isinstance(value, list | tuple):
        for item in value:
            _check(item, depth + 1)
    elif isinstance(value, int):
        if abs(value) > _LARGEST:
            raise NotCanonical(f"the integer {value} does not fit in 53 bits")
    elif not (value is None or isinstance(value, str)):
        raise NotCanonical(f"a {type(value).__name__} has no canonical JSON: {value!r}")
