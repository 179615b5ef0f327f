"""When a draft goes back to its author: pure, and bounded by facts of the session.

A draft that was sent back gets a next version, with a review and a request of its own.
"""

from __future__ import annotations

from core.events import RunFinished, RunInterrupted
from core.repair import Reason, Repairs
from core.step import Step


def sent_back(step: Step, bounds: Repairs) -> Reason | None:
    """Return what sends the latest draft of a step back, or None when it stands as it is.

    What an operator wrote is never rewritten for its findings or its failed run.
    """
    draft, decision, done = step.draft, step.decision, step.repaired
    if draft is None:
        return None
    if decision and decision.verb == "edit":
        return "edit"
    if decision and decision.verb == "reject":
        answers = decision.by == "human" and decision.comment
        return "rejections" if answers and done.rejections < bounds.rejections else None
    if draft.author != "model":
        return None
    if step.review and (step.review.blockers or step.review.poor) and step.request is None:
        return "reviews" if done.reviews < bounds.reviews else None
    if step.purpose != "rehearse" and draft.work == "change":
        return None  # what it changed is looked at, and taken back, before anybody writes more
    if step.run and failed(step.run.ended) and done.runs < bounds.runs:
        return "runs"
    return None


def failed(ended: RunFinished | RunInterrupted | None) -> bool:
    """Tell whether the script itself failed: a lost sandbox or an unknown end is not its doing."""
    if not isinstance(ended, RunFinished):
        return False
    return ended.outcome in ("killed", "limit") or (ended.outcome == "exited" and bool(ended.code))
