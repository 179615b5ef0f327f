"""The hash chain of a session file: how one event's hash is made from the one before.

What is hashed is what is stored, never a rendering of it, so that checking needs no knowledge of
events. Trade-off: a chain alone proves nothing against somebody who can rewrite the whole file. It
makes accidents and clumsy edits show, and gives one hash, the head, that is worth keeping
elsewhere. The formula and a worked example are in docs/journal.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from core.canonical import sha256
from core.errors import JournalAltered
from sandbox.job import Sha

FORMAT = "countersign-journal/1"

MOMENTS = range(253_402_300_800_000)
"""Milliseconds since the epoch that have a date: up to the end of the year 9999."""

Row = tuple[object, object, object, object, object, object]
"""A row of the table `event` as it came from the file: seq, at, kind, json, prev, hash."""


def genesis(session: str) -> Sha:
    """Return what the first event of `session` is linked to; a file can't pose as another's."""
    return sha256(f"{FORMAT}\n{session}".encode())


def link(prev: Sha, seq: int, at: int, kind: str, text: str) -> Sha:
    """Return the hash of event `seq`; raises ValueError for what can't be read in one way.

    Five parts with a line feed between them; only the last may hold one itself. `at` is in
    milliseconds since the epoch, UTC.
    """
    if "\n" in kind:
        raise ValueError(f"the kind {kind!r} holds a line feed")
    if at not in MOMENTS:
        raise ValueError(f"{at} milliseconds after 1970 have no date")
    return sha256(f"{prev}\n{seq}\n{at}\n{kind}\n{text}".encode())


def follow(session: str, rows: Iterable[Row]) -> Iterator[tuple[str, str, Sha]]:
    """Yield (kind, JSON, hash) of each row; raises JournalAltered where the chain breaks."""
    head = genesis(session)
    for expected, (seq, at, kind, text, prev, stored) in enumerate(rows, start=1):
        if seq != expected:
            raise JournalAltered(f"event {expected} is missing")
        if not (isinstance(at, int) and isinstance(kind, str) and isinstance(text, str)):
            raise JournalAltered(f"event {expected} holds values of another type")
        if prev != head:
            raise JournalAltered(f"event {expected} is not linked to the one before it")
        try:
            head = link(head, expected, at, kind, text)
        except ValueError as error:
            raise JournalAltered(f"event {expected} can't be hashed: {error}") from error
        if stored != head:
            raise JournalAltered(f"event {expected} is not what its hash was made from")
        yield kind, text, head
