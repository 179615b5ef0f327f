"""Approvals that were given by flag and are spent: one file each, which one session can make.

An approval on the command line holds for one run. Since each invocation is a session of its own,
the session can't know; this folder does, and two that race for one digest can't both win. The
session that spent one may spend it again: it asks only while no decision is on record, so its
earlier attempt came to nothing. The folder is no part of any session: losing it only means that old
flags would work again.
"""

from __future__ import annotations

from pathlib import Path

from core.errors import JournalError, NoApprover
from core.place import place
from sandbox.job import Sha


def spend(folder: Path, digest: Sha, session: str) -> None:
    """Mark `digest` as used by `session`; raises NoApprover when another one used it.

    Raises JournalError when that can't be recorded; nothing is spent then.
    """
    entry = folder / digest
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            place(entry, f"{session}\n".encode())
        except FileExistsError:
            used_by = entry.read_text(encoding="utf-8", errors="replace").strip()
            _refuse_others(digest, session, used_by)
    except OSError as error:
        raise JournalError(f"{folder}: {error.strerror}") from error


def _refuse_others(digest: Sha, session: str, used_by: str) -> None:
    if used_by != session:
        raise NoApprover(
            f"the approval of {digest} was used by session {used_by or 'unknown'}",
            hint="review it again; to run the same thing once more on purpose, pass --again",
        )
