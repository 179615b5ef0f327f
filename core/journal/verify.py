"""Whether a session file is what was written: intact, altered, or impossible to tell.

"Intact" is said of a sealed file alone, and only when its sidecar speaks of the whole file, every
link holds, every payload hashes right and none is missing. "Altered" needs a contradiction inside
what lies there. Everything else is "unknown": an unfinished session whose tail could have been cut,
a lost sidecar, a file that is no journal.

What it can't do: whoever can rewrite the file can also make a new chain and a new sidecar. Against
that helps only a copy of the sidecar, or of the head, where they can't reach it.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from core.canonical import sha256
from core.errors import JournalAltered, JournalError
from core.journal import database as sqlite
from core.journal import files
from core.journal.chain import follow, genesis
from core.journal.source import Source, companions, real
from sandbox.job import Sha

REFERENCES = frozenset(
    {
        "artifacts",
        "beside",
        "edited",
        "feedback",
        "inputs",
        "post_check",
        "preimage",
        "report",
        "response",
        "result",
        "rollback",
        "screen",
        "script",
        "tests",
    }
)
"""Keys at the top of an event whose SHA-256 (or list, or object of them) names a payload.

Deeper keys don't count: what a script or AWS calls "result" is none of the journal's business.
"""
ERASED = "payload.erased"
"""The kind of the event whose `payload` names one that was taken out on purpose."""

_SHA = re.compile(r"[0-9a-f]{64}")
_MOST_SIDECAR = 4096
_SIDECAR = re.compile(r"([0-9a-f]{64}) [ *]([^\n]+)\n")


@dataclass(frozen=True, slots=True)
class Verification:
    """What can be said of a session file."""

    verdict: Literal["intact", "altered", "unknown"]
    events: int
    """Events whose chain holds, counted from the first."""
    head: Sha | None
    """Hash of the last of them."""
    session: str | None
    sealed: bool
    """Marked as finished, and lying alone."""
    notes: tuple[str, ...]
    """The reasons, a sentence each, the weightiest first."""

    @property
    def exit_code(self) -> int:
        """Of `countersign verify`."""
        return {"intact": 0, "altered": 1, "unknown": 2}[self.verdict]


def verify(path: Path) -> Verification:
    """Examine a session file without changing it; never raises for what the file holds."""
    path = real(path)
    case = _examined(path)
    case.compare_sidecar(path)
    return case.result()


def check_inside(path: Path) -> None:
    """Check all of a file that is marked as finished, but not its sidecar.

    Raises JournalAltered when something contradicts, JournalError when it can't be told.
    """
    case = _examined(path)
    if case.contradictions:
        raise JournalAltered(f"the session file {path}: {case.contradictions[0]}")
    if case.doubts:
        raise JournalError(f"the session file {path}: {case.doubts[0]}")


def _examined(path: Path) -> _Case:
    case = _Case()
    try:
        source = Source(path)
    except JournalError as error:
        case.blame(error)
    else:
        with closing(source):
            case.examine(source)
    return case


class _Case:
    """What has been found so far."""

    def __init__(self) -> None:
        self.contradictions: list[str] = []
        self.doubts: list[str] = []
        self.remarks: list[str] = []
        self.events = 0
        self.head: Sha | None = None
        self.session: str | None = None
        self.marked = False
        self.sealed = False

    def result(self) -> Verification:
        verdict: Literal["intact", "altered", "unknown"] = "intact"
        if self.contradictions or self.doubts:
            verdict = "altered" if self.contradictions else "unknown"
        notes = (*self.contradictions, *self.doubts, *self.remarks)
        return Verification(verdict, self.events, self.head, self.session, self.sealed, notes)

    def blame(self, error: JournalError) -> None:
        """A JournalError is a contradiction only when it says that the content is wrong."""
        kind = self.contradictions if isinstance(error, JournalAltered) else self.doubts
        kind.append(str(error))

    def examine(self, source: Source) -> None:
        """Check everything inside the file, in one snapshot."""
        self.sealed = source.sealed
        try:
            with source.connect() as database:
                database.execute("BEGIN")
                self._check_inside(database)
        except JournalError as error:
            self.blame(error)
        if self.marked and not self.sealed:
            names = " and ".join(companions(source.path))
            self.contradictions.append(f"{names} beside a sealed file would be read with it")

    def compare_sidecar(self, path: Path) -> None:
        """Compare the whole file with the hash that was written when it was sealed."""
        sidecar = files.sidecar_of(path)
        if not sidecar.is_file():
            if self.marked:
                self.doubts.append(f"{sidecar.name}, the hash of the whole file, is missing")
            return
        try:
            with sidecar.open("rb") as file:
                line = _SIDECAR.fullmatch(file.read(_MOST_SIDECAR).decode("utf-8", "replace"))
            whole = files.sha256_of_file(path)
        except OSError as error:
            self.doubts.append(f"the whole file can't be compared with its hash: {error}")
            return
        if line is None:
            self.doubts.append(f"{sidecar.name} is not what sha256sum would read")
        elif line[1] != whole:
            self.contradictions.append(f"the file is not the one that {sidecar.name} speaks of")
        elif self.session is not None and not self.marked:
            self.contradictions.append(f"{sidecar.name} exists, but the session was never sealed")
        elif line[2] != path.name:
            self.remarks.append(f"{sidecar.name} knows the file as {line[2]}")

    def _check_inside(self, database: sqlite3.Connection) -> None:
        damage = database.execute("PRAGMA integrity_check(1)").fetchone()[0]
        if damage != "ok":
            self.contradictions.append(f"the database is damaged: {damage}")
        meta = sqlite.read_meta(database)
        self.session, self.marked = meta["session"], "sealed" in meta
        self.head = genesis(self.session)
        named, erased = self._check_events(database, self.session)
        self._check_payloads(database, named, erased)
        if not self.marked:
            self.doubts.append(
                f"the chain of {self.events} events holds; not sealed, so a cut tail would not show"
            )
        elif meta["sealed"] != self.head:
            self.contradictions.append("the session was sealed with another last event")

    def _check_events(
        self, database: sqlite3.Connection, session: str
    ) -> tuple[dict[str, int], set[str]]:
        """Follow the chain; returns which event names which payload first, and those erased."""
        named: dict[str, int] = {}
        erased: set[str] = set()
        try:
            for kind, text, self.head in follow(session, sqlite.all_rows(database)):
                self.events += 1
                event = _parsed(text)
                if event is None:
                    self.doubts.append(f"event {self.events} can't be read as a JSON object")
                elif kind == ERASED:
                    erased.update(_hashes_in(event.get("payload")))
                else:
                    for sha in references(event):
                        named.setdefault(sha, self.events)
        except JournalAltered as error:
            self.contradictions.append(str(error))
        return named, erased

    def _check_payloads(
        self, database: sqlite3.Connection, named: dict[str, int], erased: set[str]
    ) -> None:
        held: set[object] = set()
        for sha, size, body in database.execute("SELECT sha256, size, body FROM payload"):
            held.add(sha)
            if not isinstance(body, bytes) or size != len(body) or sha != sha256(body):
                self.contradictions.append(f"the payload {sha} is not what it was")
        for sha, seq in named.items():
            if sha in held:
                continue
            if sha in erased:
                self.remarks.append(f"the payload {sha} of event {seq} was erased on purpose")
            else:
                self.contradictions.append(f"the payload {sha} of event {seq} is missing")


def references(event: dict[str, Any]) -> Iterator[str]:
    """Yield the hashes of the payloads that a parsed event names."""
    for key in sorted(REFERENCES & event.keys()):
        yield from _hashes_in(event[key])


def _hashes_in(value: object) -> Iterator[str]:
    items: Iterable[object] = [value]
    if isinstance(value, dict):
        items = value.values()
    elif isinstance(value, list):
        items = value
    return (item for item in items if isinstance(item, str) and _SHA.fullmatch(item))


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        event = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None
