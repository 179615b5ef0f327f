"""Where facts are shown: plain text or one JSON object a line, on stdout."""

from __future__ import annotations

import json
from collections.abc import Callable

from core.codec import write
from core.events import Fact
from core.journal.verify import Verification
from core.safe_text import safe_line
from core.session import Session
from tui.permissions import after_run
from tui.plain import fact_text, timestamp


def showing(ui: str) -> Callable[[Session, Fact], None]:
    """Return the function that shows a fact in `ui`, "plain" or "json"."""
    return _json if ui == "json" else _plain


def json_line(fact: Fact) -> str:
    """Return a fact as one JSON object: seq, at (ISO 8601), kind, and the event's fields.

    The fields come as the journal stores them, so that a replay prints the same line.
    """
    document = {"seq": fact.seq, "at": timestamp(fact.at), "kind": fact.event.kind}
    return json.dumps(document | json.loads(write(fact.event)))


def replay_banner(found: Verification) -> str:
    """Return the line above a replay that nobody can take for something live."""
    told = "; ".join([f"verification: {found.verdict}", *found.notes])
    return f"=== REPLAY, read-only; {safe_line(told)} ==="


def _plain(session: Session, fact: Fact) -> None:
    if text := fact_text(fact):
        print(text, flush=True)
    for line in after_run(fact.event, session.step):
        print(f"          {safe_line(line)}", flush=True)


def _json(session: Session, fact: Fact) -> None:
    del session
    print(json_line(fact), flush=True)
