"""Many secrets looked for in a text at once.

A few are looked for one by one, which is what Python does fastest; from `FEW` on the text is walked
once and each place compared by its first characters, so the time no longer grows with their number.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from threading import Lock

FEW = 500
MOST_LEARNED = 50_000
"""Spellings that are remembered of what was learned; the oldest go first."""

_HEAD = 6
"""Characters; no secret is shorter."""


@dataclass(frozen=True, slots=True)
class _Index:
    labels: Mapping[str, str]
    """Secret, as it may be spelt, to what it is."""
    heads: Mapping[str, Collection[int]]
    """Its first characters to the lengths of those that begin so; empty when there are few."""


class KnownSecrets:
    """Secrets by value; threads may share it."""

    def __init__(self, given: Iterable[tuple[str, str]]) -> None:
        """`given` are (secret, what it is) and are never forgotten; none is empty."""
        self._lock = Lock()
        self._given = dict(given)
        self._learned: dict[str, str] = {}
        self._index = _index_of(self._given)

    def learn(self, secrets: Iterable[tuple[str, str]]) -> None:
        """Look for these too from now on."""
        with self._lock:
            before = len(self._learned)
            for secret, what in secrets:
                if secret not in self._given:
                    self._learned.setdefault(secret, what)
            if len(self._learned) == before:
                return
            while len(self._learned) > MOST_LEARNED:
                del self._learned[next(iter(self._learned))]
            # Readers keep the index that they began with: it is replaced, never changed.
            self._index = _index_of({**self._learned, **self._given})

    def spans(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield where a secret stands in `text`, in any order: start, end, what it is."""
        index = self._index
        return _walked(index, text) if index.heads else _one_by_one(index, text)


def _index_of(labels: Mapping[str, str]) -> _Index:
    heads: dict[str, set[int]] = {}
    if len(labels) > FEW:
        for secret in labels:
            heads.setdefault(secret[:_HEAD], set()).add(len(secret))
    return _Index(labels, heads)


def _one_by_one(index: _Index, text: str) -> Iterator[tuple[int, int, str]]:
    for secret, what in index.labels.items():
        start = text.find(secret)
        while start >= 0:
            yield start, start + len(secret), what
            start = text.find(secret, start + 1)


def _walked(index: _Index, text: str) -> Iterator[tuple[int, int, str]]:
    heads = index.heads
    for start in range(len(text) - _HEAD + 1):
        for length in heads.get(text[start : start + _HEAD], ()):
            what = index.labels.get(text[start : start + length])
            if what is not None and start + length <= len(text):
                yield start, start + length, what
