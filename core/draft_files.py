"""A draft from files that an operator names: the script, and what goes with it.

Each file is read once; what is reviewed, digested and run are these bytes. Every mistake is a
UsageError that names the file.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.approval.draft import Draft, Kind
from core.errors import UsageError
from core.packages import Lock
from core.place import place
from sandbox.errors import SandboxError

MOST_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class DraftFiles:
    """Where the parts of a draft lie."""

    script: Path
    policy: Path | None = None
    """None = the empty policy, which allows nothing."""
    requirements: Path | None = None
    parameters: Path | None = None
    rollback: Path | None = None
    post_check: Path | None = None
    tests: Path | None = None
    kind: Kind = "collect"


def read_draft(files: DraftFiles) -> Draft:
    """Return version 1 of the draft that `files` make; raises UsageError, NotCanonical."""
    draft = Draft(
        step="S1",
        version=1,
        author="file",
        kind=files.kind,
        language="python",
        script=_bytes(files.script),
        requirements=() if files.requirements is None else entries(_text(files.requirements)),
        policy=_object(files.policy),
        rollback=None if files.rollback is None else _bytes(files.rollback),
        post_check=None if files.post_check is None else _bytes(files.post_check),
        parameters=_object(files.parameters),
        inputs=(),
        tests=None if files.tests is None else _bytes(files.tests),
    )
    draft.digest()
    return draft


async def lock_requirements(path: Path, lock: Lock) -> None:
    """Write the locked lines of what a file names into that file; raises UsageError.

    Lines that were locked keep their versions.
    """
    wanted = [line.partition(" --hash=")[0] for line in entries(_text(path))]
    try:
        locked = await lock(wanted)
        place(path, "".join(f"{line}\n" for line in locked).encode(), over=True)
    except SandboxError as error:
        raise UsageError(f"{path}: {error}", hint=error.hint) from error
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            body = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: {error.strerror}") from error
    if len(body) > MOST_BYTES:
        raise UsageError(f"{path}: larger than {MOST_BYTES} bytes")
    return body


def _text(path: Path) -> str:
    try:
        return _bytes(path).decode("utf-8")
    except UnicodeDecodeError as error:
        raise UsageError(f"{path}: not UTF-8 at byte {error.start}") from error


def _object(path: Path | None) -> Mapping[str, Any]:
    if path is None:
        return {}
    try:
        document = json.loads(_text(path), object_pairs_hook=without_duplicates)
    except json.JSONDecodeError as error:
        raise UsageError(f"{path}: line {error.lineno}: {error.msg}") from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: {error}") from error
    if not isinstance(document, dict):
        raise UsageError(f"{path}: expected a JSON object")
    return document


def without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON; raises ValueError where a key is given twice."""
    document = dict(pairs)
    if len(document) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the key {twice!r} is given twice")
    return document


def entries(text: str) -> tuple[str, ...]:
    """Return one entry per requirement: continued lines joined, comments left out."""
    return tuple(sorted(entry for _, entry in numbered(text)))


def numbered(text: str) -> Iterator[tuple[int, str]]:
    """Yield each requirement with the number of its first line."""
    parts: list[str] = []
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        parts.append(line.removesuffix("\\"))
        if line.endswith("\\") and number < len(lines):
            continue
        entry = " ".join(" ".join(parts).partition(" #")[0].split())
        if entry and entry[0] != "#":
            yield number - len(parts) + 1, entry
        parts = []
