"""How often a draft may go back to its author, by what sends it: bounds and counts.

A session that was started with a planner that can mend its own drafts says so in `session.started`;
with all bounds at zero (saved workflows, `countersign run`) nothing ever goes back but an edit.
`core.sent_back` decides when one does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

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
