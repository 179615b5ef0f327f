"""What `countersign grants` says: the grants that outlive their session, and the end of one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from core.approval.grants import GrantRevoked, Standing
from core.errors import UsageError
from core.here import identity
from core.lasting import GrantFile
from core.safe_text import safe_line
from tui.consent import grant_lines

Row = dict[str, Any]


def rows(kept: Iterable[Standing], now: int) -> list[Row]:
    """Return what `grants --json` prints, a document for each, oldest first."""
    return [
        {
            **asdict(one.grant),
            "identity": one.given.identity,
            "session": one.given.carried,
            "holds": one.holds(now),
            "ended": one.ended or one.over(now),
            "lines": list(grant_lines(one.grant)),
        }
        for one in kept
    ]


def text(row: Row) -> str:
    """Return a grant for people: how it stands, then the object, all of it."""
    state = "holds" if row["holds"] else f"ended: {row['ended']}"
    head = f"{row['grant']} {state}; given by {row['identity']} in session {row['session']}"
    return "\n".join([safe_line(head), *(f"  {line}" for line in row["lines"])])


def revoke(kept: GrantFile, name: str) -> None:
    """End a grant in every session; raises UsageError, JournalError."""
    if not any(one.grant.grant == name and not one.ended for one in kept.listed()):
        raise UsageError(f"no grant {name} holds", hint="see `countersign grants`")
    who = identity()
    kept.revoke(GrantRevoked(name, who, f"revoked by {who}"))
