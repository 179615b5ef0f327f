"""Texts in the operator's own editor: private files, and back as bytes."""

from __future__ import annotations

import asyncio
import os
import shlex
import tempfile
from collections.abc import Mapping
from pathlib import Path


class EditorFailed(Exception):
    """The editor could not be started, or said that it failed; nothing was changed."""


async def edit(text: bytes, name: str) -> bytes | None:
    """Open a text in $VISUAL or $EDITOR; returns the new bytes, None when nothing was changed.

    The terminal must be the editor's while this waits. Raises EditorFailed.
    """
    edited = (await edit_files({name: text}))[name]
    return None if edited == text else edited


async def edit_files(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """Open some files in one editor, in this order; returns what they hold then.

    The terminal must be the editor's while this waits. Raises EditorFailed.
    """
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or "vi"
    name = Path(editor.split()[0]).name if editor.split() else editor  # fits a narrow screen
    with tempfile.TemporaryDirectory(prefix="countersign-") as folder:
        paths = [Path(folder) / each for each in files]
        for path, body in zip(paths, files.values(), strict=True):
            path.write_bytes(body)
        try:
            process = await asyncio.create_subprocess_exec(*shlex.split(editor), *map(str, paths))
            code = await process.wait()
            edited = {path.name: path.read_bytes() for path in paths}
        except (OSError, ValueError) as error:
            raise EditorFailed(f"{name}: {error}") from error
    if code:
        raise EditorFailed(f"{name} ended with code {code}")
    return edited
