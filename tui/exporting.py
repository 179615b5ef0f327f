"""Writes a session's answer into the folder that countersign was started in."""

from __future__ import annotations

import re
from pathlib import Path

from core.export import as_json, as_markdown
from core.place import place
from core.session import Session

FORMS = {"markdown": (".md", as_markdown), "json": (".json", as_json)}
_NOT_IN_A_NAME = re.compile(r"[^0-9A-Za-z-]")
"""A record from elsewhere says itself what its session is called: its words lead nowhere."""
_MOST_OF_A_NAME = 64


def export(session: Session, form: str, folder: Path) -> str:
    """Write an answer, and return in a sentence where it is or why it is nowhere.

    The file is readable by its owner only. One of that name that is there already stays.
    """
    suffix, made = FORMS[form]
    name = _NOT_IN_A_NAME.sub("_", session.id[:_MOST_OF_A_NAME])
    path = folder / f"countersign-{name}{suffix}"
    try:
        place(path, made(session).encode())
    except FileExistsError:
        return f"{path.name} is there already"
    except OSError as error:
        return f"{path.name} can't be written: {error.strerror}"
    return f"wrote {path.name}"
