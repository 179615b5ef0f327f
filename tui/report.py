"""What `verify`, `sessions` and `doctor` say: documents for machines, and their texts."""

from __future__ import annotations

import asyncio
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.codec import parse
from core.config import Settings
from core.errors import CountersignError, JournalError
from core.events import SessionFinished, SessionStarted
from core.journal.store import Entry, read
from core.journal.verify import Verification
from core.safe_text import safe_line, safe_text
from sandbox.errors import SandboxError
from tui.plain import timestamp

Document = dict[str, Any]


def verification_document(path: Path, found: Verification) -> Document:
    """Return what `verify --json` prints of one file."""
    return {
        "file": str(path),
        "verdict": found.verdict,
        "session": found.session,
        "events": found.events,
        "head": found.head,
        "sealed": found.sealed,
        "notes": list(found.notes),
    }


def verification_text(document: Document) -> str:
    """Return the same for people, one line."""
    notes = "; ".join(document["notes"])
    told = f"{document['events']} events{'; ' if notes else ''}{notes}"
    return safe_line(f"{document['verdict']}: {document['file']}: {told}")


def session_rows(folder: Path) -> list[Document]:
    """Return what `sessions --json` prints, a document for each file, oldest first."""
    return [_row(path) for path in sorted(folder.glob("*.db"))]


def session_text(row: Document) -> str:
    """Return a session in one line."""
    if row["problem"]:
        return safe_line(f"{row['session']}  unreadable: {row['problem']}")
    state = row["state"] if row["exit_code"] is None else f"finished {row['exit_code']}"
    return safe_line(f"{row['session']}  {state:<12}  {row['mode']:<9}  {row['question']}")


def machine(settings: Settings) -> Document:
    """Return what `doctor --json` prints: the engine that is chosen and why, or what to type."""
    from sandbox.engines.choose import MUST_FAIL, explain, pick, try_each
    from sandbox.runtime import build_runtime

    document: Document = {
        "python": platform.python_version(),
        "kernel": platform.release(),
        "data_directory": str(settings.data_directory),
        "engine": None,
        "degraded": [],
        "tried": [],
        "attempts": list(MUST_FAIL),
        "problem": "",
        "hint": "",
        "facts": list(explain()),
    }
    try:
        tried = asyncio.run(try_each(build_runtime(settings.data_directory / "runtimes")))
        document["tried"] = [
            {"engine": each.engine.engine, "troubles": list(each.troubles)} for each in tried
        ]
        sandbox = pick(tried)
    except SandboxError as error:
        return document | {"problem": str(error), "hint": error.hint}
    return document | {"engine": sandbox.engine, "degraded": list(sandbox.degraded)}


def machine_text(document: Document) -> str:
    """Return the same for people."""
    rows = [
        ("python", document["python"]),
        ("kernel", document["kernel"]),
        ("data directory", document["data_directory"]),
    ]
    if document["engine"]:
        rows.append(("sandbox", f"{document['engine']}: the first whose walls held"))
        rows += [("", f"lacking: {each}") for each in document["degraded"]]
    else:
        why = "no walls held" if document["tried"] else document["problem"]
        rows.append(("sandbox", f"none, so nothing can run here: {why}"))
    for each in document["tried"]:
        rows += [("tried", f"{each['engine']}: {what}") for what in each["troubles"] or ["held"]]
    if document["engine"]:
        rows.append(("refused inside", ", ".join(document["attempts"])))
    lines = [f"{name:<16}{text}" for name, text in rows]
    hint = ["", document["hint"]] if document["hint"] else []
    return safe_text("\n".join([*lines, *hint, "", *document["facts"]]))


def _row(path: Path) -> Document:
    row: Document = {
        "session": path.stem,
        "file": str(path),
        "state": "open",
        "exit_code": None,
        "mode": "",
        "question": "",
        "started_at": None,
        "events": 0,
        "sealed": False,
        "problem": "",
    }
    try:
        with read(path) as journal:
            ends = list(_ends(journal.entries()))
            row |= {"events": journal.length, "sealed": journal.sealed}
        return row | _told(ends)
    except (JournalError, CountersignError) as error:
        return row | {"state": "unreadable", "problem": str(error)}


def _ends(entries: Iterator[Entry]) -> Iterator[Entry]:
    """Yield the first and the last entry."""
    first = last = next(entries, None)
    for entry in entries:
        last = entry
    yield from (entry for entry in (first, last) if entry)


def _told(ends: list[Entry]) -> Document:
    told: Document = {}
    for entry in ends:
        event = parse(entry.kind, entry.text)
        if isinstance(event, SessionStarted):
            told |= {"mode": event.mode, "question": event.question}
            told["started_at"] = timestamp(entry.at)
        if isinstance(event, SessionFinished):
            told |= {"state": "finished", "exit_code": event.exit_code}
    return told
