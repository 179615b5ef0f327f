"""A step as far as it has come: its drafts, and the turns of the latest one.

A turn is one request with what became of it. A draft can have several: a rehearsal, the run, and
for a change the post-check and the roll back. Each has a purpose, a digest and a decision of its
own; `due` says which comes next.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from core.approval.draft import Purpose
from core.approval.house import Rehearse
from core.events import (
    DecisionMade,
    DecisionRequested,
    DraftGenerated,
    Goal,
    PlanProposed,
    ReviewFinished,
    RunFinished,
)
from core.repair import NONE as NO_REPAIRS
from core.repair import Repairs
from core.runs import Run
from core.waiting import ResultTaken, ScriptHanded


@dataclass(frozen=True, slots=True)
class Turn:
    """One request, and what became of it."""

    request: DecisionRequested
    decision: DecisionMade | None = None
    decided_at: int = 0
    run: Run | None = None
    handed: ScriptHanded | None = None
    taken: ResultTaken | None = None

    @property
    def is_open(self) -> bool:
        """Nobody has answered it."""
        return self.decision is None and self.taken is None

    @property
    def is_over(self) -> bool:
        """It was turned down, run to an end, or a result was taken back for it."""
        if self.taken or (self.decision and self.decision.verb != "approve"):
            return True
        return self.run is not None and self.run.ended is not None

    @property
    def succeeded(self) -> bool:
        """Its script ran here, and said that all went well."""
        ended = self.run.ended if self.run else None
        return isinstance(ended, RunFinished) and (ended.outcome, ended.code) == ("exited", 0)


@dataclass(frozen=True, slots=True)
class Step:
    """The one next thing worth knowing, as far as it has come."""

    plan: PlanProposed
    drafts: tuple[DraftGenerated, ...] = ()
    review: ReviewFinished | None = None
    """Of the latest draft; likewise the turns."""
    lacking: str = ""
    """Why the packages of the latest draft can't be had, where that has shown."""
    turns: tuple[Turn, ...] = ()
    closed: bool = False
    """Evidence was added or a gap recorded."""
    refusals: int = 0
    """How many of its requests the mode has refused."""
    repaired: Repairs = NO_REPAIRS
    """How often its drafts went back, by what sent them."""
    edited_by: str = ""
    """Who wrote the latest draft, where an operator did."""

    @property
    def draft(self) -> DraftGenerated | None:
        """The latest version."""
        return self.drafts[-1] if self.drafts else None

    @property
    def turn(self) -> Turn | None:
        """The latest; the four below are of it."""
        return self.turns[-1] if self.turns else None

    @property
    def purpose(self) -> Purpose | None:
        return self.turns[-1].request.purpose if self.turns else None

    @property
    def request(self) -> DecisionRequested | None:
        return self.turns[-1].request if self.turns else None

    @property
    def decision(self) -> DecisionMade | None:
        return self.turns[-1].decision if self.turns else None

    @property
    def run(self) -> Run | None:
        return self.turns[-1].run if self.turns else None

    def turn_to(self, purpose: Purpose) -> Turn | None:
        """Return the latest turn of the latest draft with this purpose."""
        return next((one for one in reversed(self.turns) if one.request.purpose == purpose), None)

    @property
    def rehearsal_failed(self) -> bool:
        """A rehearsal of the latest draft ran, and did not go well."""
        turn = self.turn_to("rehearse")
        return turn is not None and turn.run is not None and not turn.succeeded

    def with_turn(self, **changes: Any) -> Step:
        """Return the step with its latest turn changed."""
        return replace(self, turns=(*self.turns[:-1], replace(self.turns[-1], **changes)))

    def without_turn(self) -> Step:
        """Return the step as it was before its latest request."""
        return replace(self, turns=self.turns[:-1])


def due(step: Step, rehearse: Rehearse, goal: Goal, mode: str) -> Purpose | None:
    """Return what is to be asked next about the latest draft; None = nothing more.

    Only where no turn goes on. A draft with blockers is not rehearsed, and neither is the one
    script of `countersign run`, whose digest was decided beforehand.
    """
    turn = step.turn
    if turn is None:
        wanted = rehearse == "always" or (rehearse == "change" and _changes(step))
        blocked = step.review is None or step.review.blockers > 0
        here = goal == "ask" and mode != "manual"
        return "rehearse" if wanted and here and not blocked else "run"
    if turn.request.purpose == "rehearse":
        verb = turn.decision.verb if turn.decision else ""
        return "run" if turn.run or verb == "skip" else None
    return _after_change(step, turn) if _changes(step) else None


def _after_change(step: Step, turn: Turn) -> Purpose | None:
    """Return what follows a turn of a change: its post-check, and when that fails the roll back."""
    main, check, draft = step.turn_to("run"), step.turn_to("post-check"), step.draft
    if main is None or main.run is None or draft is None or turn.request.purpose == "roll back":
        return None  # nothing was changed here, or it was taken back
    if check is None and draft.post_check is not None:
        return "post-check"
    checked = check is not None and check.run is not None
    good = check.succeeded if check and checked else main.succeeded
    return None if good or draft.rollback is None else "roll back"


def _changes(step: Step) -> bool:
    return step.draft is not None and step.draft.work == "change"
