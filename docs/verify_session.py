# ruff: noqa: INP001 (a program that stands alone, in no package)
"""Check one Countersign session file by docs/journal.md alone: no code of Countersign, Python 3.11.

Usage: python3 verify_session.py SESSION.db; exit 0 intact, 1 altered, 2 cannot tell.
"""

import hashlib
import json
import re
import sqlite3
import sys
from pathlib import Path

FORMAT = "countersign-journal/1"
SCHEMA = "9bf2682834b8bf7b829db338b00c16b318d6cf7b57f1e4d9543b0f0ca1bfb226"
REFERENCES = {"artifacts", "beside", "edited", "feedback", "inputs", "post_check", "preimage"}
REFERENCES |= {"report", "response", "result", "rollback", "screen", "script", "tests"}


def demand(holds: object, otherwise: str) -> None:
    """Raise ValueError for what can't be true of a file that nobody has changed."""
    if not holds:
        raise ValueError(otherwise)


def sha256(data: bytes) -> str:
    """Return the SHA-256 in lower-case hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def hashes(value: object) -> set[str]:
    """Return the hashes in a value, a list of values or an object of values."""
    items = [*value.values()] if isinstance(value, dict) else value
    found = items if isinstance(items, list) else [items]
    return {item for item in found if isinstance(item, str) and re.fullmatch("[0-9a-f]{64}", item)}


def check_content(database: sqlite3.Connection) -> dict[str, str]:
    """Return the table meta of what holds; raises at the first thing that is wrong."""
    if database.execute("PRAGMA application_id").fetchone() != (0x43534A31,):
        raise OSError("it is no session file")
    schema = database.execute("SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    demand(sha256("\n".join(sorted(sql for (sql,) in schema)).encode()) == SCHEMA, "the schema")
    meta = dict(database.execute("SELECT key, value FROM meta"))
    demand(meta.keys() - {"sealed"} == {"format", "session"}, "the table meta")
    head, named, erased = sha256(f"{FORMAT}\n{meta['session']}".encode()), set[str](), set[str]()
    rows = database.execute("SELECT seq, at, kind, json, prev, hash FROM event ORDER BY seq")
    for number, (seq, at, kind, text, prev, stored) in enumerate(rows, start=1):
        demand((seq, type(at), prev) == (number, int, head), f"the place of event {number}")
        head = sha256(f"{head}\n{number}\n{at}\n{kind}\n{text}".encode())
        demand(stored == head and "\n" not in kind, f"the content of event {number}")
        event = json.loads(text)
        erased |= hashes(event["payload"]) if kind == "payload.erased" else set()
        named.update(*(hashes(event.get(key)) for key in REFERENCES))
    demand(meta.get("sealed", head) == head and meta["format"] == FORMAT, "the table meta")
    for sha, size, body in database.execute("SELECT sha256, size, body FROM payload"):
        demand((sha, size) == (sha256(body), len(body)), f"the payload {sha}")
        named.discard(sha)
    demand(named <= erased, f"missing payloads: {sorted(named - erased)}")
    return meta


def verify(path: Path) -> str:
    """Return what to say; raises ValueError at the first thing that is wrong."""
    sidecar, log = path.with_name(f"{path.name}.sha256"), path.with_name(f"{path.name}-wal")
    said = sidecar.read_text()[:64] if sidecar.exists() else ""
    demand(said in ("", sha256(path.read_bytes())), f"a byte, says {sidecar.name}")
    place = path.as_uri() + ("?mode=ro" if log.exists() else "?mode=ro&immutable=1")
    meta = check_content(sqlite3.connect(place, uri=True))
    demand(not log.exists() if "sealed" in meta else not said, "the seal")
    return "intact" if "sealed" in meta and said else "cannot tell: not sealed, or without sidecar"


if __name__ == "__main__":
    try:
        answer = verify(Path(sys.argv[1]).resolve())
    except (OSError, sqlite3.Error, IndexError, AttributeError, RecursionError) as problem:
        answer = f"cannot tell: {problem}"
    except ValueError as problem:
        answer = f"altered: {problem}"
    sys.stdout.write(ascii(answer)[1:-1] + "\n")  # what a stranger wrote repaints no terminal
    sys.exit({"i": 0, "a": 1, "c": 2}[answer[0]])
