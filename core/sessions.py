"""What there is to say of a session file in one line, without reading all of it.

A session with a million events is told from its first and its last few, so that a list of many
opens at once. Nothing is checked here: whether a file is what was written is told by
`core.journal.verify`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Literal

from core.codec import parse
from core.errors import CountersignError
from core.events import (
    AnswerGiven,
    CallerIdentified,
    DecisionMade,
    DecisionRequested,
    Event,
    ResultTaken,
    SessionFinished,
    SessionStarted,
)
from core.journal.store import Entry, read

State = Literal["open", "waiting", "answered", "failed", "unreadable"]

_HEAD = 8
"""Events from the start that are looked at: who asked what, and where."""
_TAIL = 60
"""Events from the end that are looked at: how it stands."""
_TOLD = frozenset(
    each.kind
    for each in (
        SessionStarted,
        CallerIdentified,
        DecisionRequested,
        DecisionMade,
        ResultTaken,
        AnswerGiven,
        SessionFinished,
    )
)


@dataclass(frozen=True, slots=True)
class Overview:
    """A session as a list shows it."""

    session: str
    path: Path
    state: State = "open"
    """waiting: broke off at a request that a person is to decide; failed: ended otherwise than
    with exit code 0."""
    question: str = ""
    mode: str = ""
    source: str = ""
    account: str = ""
    identity: str = ""
    started_at: int = 0
    last_at: int = 0
    events: int = 0
    exit_code: int | None = None
    reason: str = ""
    status: str = ""
    """Of the answer, where there is one."""
    cause: str = ""
    sealed: bool = False
    problem: str = ""
    """Why it can't be read."""


def overviews(folder: Path) -> Iterator[Overview]:
    """Yield the sessions of a folder, newest first."""
    for path in sorted(folder.glob("*.db"), reverse=True):
        yield overview(path)


def overview(path: Path) -> Overview:
    """Return what a session file tells of itself; never raises for what is in it."""
    told = Overview(path.stem, path)
    try:
        with read(path) as journal:
            entries = list(islice(journal.entries(), _HEAD))
            after = max(journal.length - _TAIL, entries[-1].seq if entries else 0)
            entries += journal.entries(after)
            told = replace(told, events=journal.length, sealed=journal.sealed)
        return _told(told, entries)
    except CountersignError as error:
        return replace(told, state="unreadable", problem=str(error))


def _told(told: Overview, entries: Iterable[Entry]) -> Overview:
    for entry in entries:
        told = replace(told, last_at=entry.at)
        if entry.kind in _TOLD:
            told = _after(told, entry.at, parse(entry.kind, entry.text))
    return told


def _after(told: Overview, at: int, event: Event) -> Overview:
    """Return an overview after one more event."""
    match event:
        case SessionStarted():
            return replace(
                told,
                question=event.question,
                mode=event.mode,
                source=event.source,
                identity=event.identity,
                started_at=at,
            )
        case CallerIdentified():
            return replace(told, account=f"{event.alias} {event.account}".strip())
        case DecisionRequested(rule="ask" | "hand over"):
            return replace(told, state="waiting")
        case DecisionMade() | ResultTaken():
            return replace(told, state="open")
        case AnswerGiven():
            return replace(told, status=event.status, cause=event.cause)
        case SessionFinished():
            state: State = "failed" if event.exit_code else "answered"
            return replace(told, state=state, exit_code=event.exit_code, reason=event.reason)
    return told
