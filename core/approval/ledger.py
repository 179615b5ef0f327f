"""Approvals that were given by flag and are spent: one file each, which one request can make.

An approval on the command line holds for one run. Since each invocation is a session of its own,
the session can't know; this folder does, and two that race for one digest can't both win. The
request that spent one may spend it again: it is asked only while no decision is on record, so the
earlier attempt came to nothing. A later request of the same session may not: a planner that
proposes the same draft once more has nobody's yes. The folder is no part of any session: losing it
only means that old flags would work again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from core.errors import JournalError, NoApprover
from core.place import place
from sandbox.job import Sha


def spend(folder: Path, digest: Sha, user: str, *, again: bool = False) -> None:
    """Mark `digest` as used by `user`; raises NoApprover when another one used it.

    A user is a session and its request (`user_of`). `again` takes the digest over from whoever used
    it. Raises JournalError when that can't be recorded; nothing is spent then.
    """
    entry = folder / digest
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            place(entry, f"{user}\n".encode(), over=again)
        except FileExistsError:
            used_by = entry.read_text(encoding="utf-8", errors="replace").strip()
            _refuse_others(digest, user, used_by)
    except OSError as error:
        raise JournalError(f"{folder}: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class Ledger:
    """The folder as the approvers of one invocation use it."""

    folder: Path
    again: bool = False
    """Whether a digest that was used before may be used by one request more."""
    _renewed: set[Sha] = field(default_factory=set)

    def __call__(self, digest: Sha, user: str) -> None:
        """Mark `digest` as used by `user`; raises NoApprover, JournalError."""
        spend(self.folder, digest, user, again=self.again and digest not in self._renewed)
        self._renewed.add(digest)


def user_of(session: str, request: str) -> str:
    """Return who uses an approval: one request of one session."""
    return f"{session} {request}"


def _refuse_others(digest: Sha, user: str, used_by: str) -> None:
    if used_by != user:
        raise NoApprover(
            f"the approval of {digest} was used by session {used_by or 'unknown'}",
            hint="review it again; to run the same thing once more on purpose, pass --again",
        )
