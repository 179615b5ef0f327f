"""A request as a document for whoever answers it elsewhere: everything that a yes would bind.

What a command is given on stdin and what stands on stdout when nobody could be asked are the same.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

from core.approval.redeem import Payload, reread, script_for
from core.events import DecisionRequested
from core.state import Session

FORM = "countersign/request/1"


def document(request: DecisionRequested, session: Session, payload: Payload) -> dict[str, Any]:
    """Return the request with its draft, review, account and terms; nothing is cut short."""
    step = session.step
    shown: dict[str, Any] = {
        "form": FORM,
        "session": session.id,
        "question": session.started.question,
        "requester": session.started.identity,
        **asdict(request),
        "target": asdict(session.target) if session.target else None,
        "limits": asdict(session.started.limits),
    }
    if step is None or step.draft is None:
        return shown
    draft = reread(step.draft, payload)
    script = script_for(draft, request.purpose) or b""
    review = step.review
    return shown | {
        "title": step.plan.title,
        "why": step.plan.why,
        "author": draft.author,
        "work": draft.kind,
        "script": _text(script),
        "rollback": None if draft.rollback is None else _text(draft.rollback),
        "post_check": None if draft.post_check is None else _text(draft.post_check),
        "tests": None if draft.tests is None else _text(draft.tests),
        "requirements": list(draft.requirements),
        "parameters": dict(draft.parameters),
        "inputs": {name: str(content) for name, content in draft.inputs},
        "policy": dict(draft.policy),
        "findings": [asdict(one) for one in review.findings] if review else [],
        "calls": [asdict(one) for one in review.calls] if review else [],
    }


def text(request: DecisionRequested, session: Session, payload: Payload) -> bytes:
    """Return the same as one line of JSON, in ASCII: no character of it can talk to a terminal."""
    return json.dumps(document(request, session, payload), sort_keys=True).encode("ascii") + b"\n"


def _text(body: bytes) -> str:
    return body.decode("utf-8", errors="replace")
