"""What somebody else needs to decide here: the lines that sign a decision, or what is handed over.

Pure. Nothing of it is safe to show as it is: an alias and a script are texts of strangers.
"""

from __future__ import annotations

import json
import shlex

from core.approval.live import requester
from core.approval.modes import CHANGES
from core.approval.redeem import Payload, reread
from core.approval.signed import NAMESPACE
from core.events import DecisionRequested
from core.handing import contents
from core.session import Session


def other_than(session: Session, request: DecisionRequested) -> str:
    """Return who may not decide a request, since it is a second person's; empty = anybody may."""
    step = session.step
    if step is None or request.tier < CHANGES or not session.started.house.second_person:
        return ""
    return requester(session, step)


def signing(session: Session, request: DecisionRequested) -> tuple[str, str]:
    """Return the two lines that somebody else types to say yes to exactly this request."""
    said: dict[str, str | bool] = {"digest": request.digest, "verb": "approve"}
    target = session.target
    if request.second_stage and target:
        said["confirm"] = target.alias or target.account
    if request.blockers:
        said["override_blockers"] = True
    document = shlex.quote(json.dumps(said, sort_keys=True))
    return (
        f"printf %s {document} > decision.json",
        f"ssh-keygen -Y sign -n {NAMESPACE} -f ~/.ssh/id_ed25519 decision.json",
    )


def handed_text(session: Session, request: DecisionRequested, payload: Payload) -> str:
    """Return what a person needs to run a script that is handed over, as one text."""
    step = session.step
    if step is None or step.draft is None:
        return ""
    draft = reread(step.draft, payload)
    findings = step.review.findings if step.review else ()
    files = contents(request, draft, session.target, findings, payload)
    wanted = ("INSTRUCTIONS.md", "script.py", "policy.json", "requirements.txt")
    texts = {name: files[name].decode("utf-8", errors="replace") for name in wanted}
    return "\n".join(f"===== {name}\n{text}" for name, text in texts.items() if text)
