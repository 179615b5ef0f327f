"""When a draft goes back to its author, and how often: pure, and bounded by facts of the session.

A session that was started with a planner that can mend its own drafts says so in `session.started`;
with all bounds at zero (saved workflows, `countersign run`) nothing ever goes back but an edit. A
draft that was sent back gets a next version, with a review and a request of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from core.events import RunFinished, RunInterrupted
    from core.session import Step

Reason = Literal["edit", "reviews", "runs", "rejections"]


@dataclass(frozen=True, slots=True)
class Repairs:
    """How often drafts of one step go back, by what sent them: as a bound, or as a count."""

    reviews: int = 0
    """Blocking findings, or too many remarks on quality, before anybody is asked."""
    runs: int = 0
    """A run or a rehearsal that failed."""
    rejections: int = 0
    """A person's reject with a reason."""

    def after(self, reason: Reason | None) -> Repairs:
        """Return the count with one more; an edit is the operator's own and counts for nothing."""
        if reason is None or reason == "edit":
            return self
        return replace(self, **{reason: getattr(self, reason) + 1})


NONE = Repairs()
FOR_MODELS = Repairs(reviews=5, runs=2, rejections=3)
"""The bounds of a session that is planned by a model."""


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
    from core.events import RunFinished

    if not isinstance(ended, RunFinished):
        return False
    return ended.outcome in ("killed", "limit") or (ended.outcome == "exited" and bool(ended.code))
