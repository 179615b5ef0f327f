"""A text in the operator's own editor: a private file, and back as bytes."""

from __future__ import annotations

import asyncio
import os
import shlex
import tempfile
from pathlib import Path


class EditorFailed(Exception):
    """The editor could not be started, or said that it failed; nothing was changed."""


async def edit(script: bytes, name_of_file: str = "script.py") -> bytes | None:
    """Open `script` in $VISUAL or $EDITOR; returns the new bytes, None when nothing was changed.

    The terminal must be the editor's while this waits. Raises EditorFailed.
    """
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    name = Path(editor.split()[0]).name if editor.split() else editor  # fits a narrow screen
    with tempfile.TemporaryDirectory(prefix="countersign-") as folder:
        path = Path(folder) / name_of_file
        path.write_bytes(script)
        try:
            process = await asyncio.create_subprocess_exec(*shlex.split(editor), str(path))
            code = await process.wait()
            edited = path.read_bytes()
        except (OSError, ValueError) as error:
            raise EditorFailed(f"{name}: {error}") from error
    if code:
        raise EditorFailed(f"{name} ended with code {code}")
    return None if edited == script else edited
