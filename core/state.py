"""Everything known of an investigation, as one value: what the fold of its events makes.

It answers what follows from it (which step is open, what an approval would bind, what the rules
look at) and changes nothing; core/session.py folds events into it.
"""

from __future__ import annotations

from dataclasses import dataclass

from core.approval.draft import Purpose, Target, Terms
from core.approval.grants import Standing, fits
from core.approval.house import AccountRules, names_account
from core.approval.modes import READS_ONLY, Case, Mode, ceiling_for, needs_confirmation
from core.cards import AnswerGiven, EvidenceAdded, GapRecorded
from core.errors import IllegalEvent
from core.events import (
    DecisionRequested,
    LimitReached,
    NoteAdded,
    NoteAnswered,
    SessionFinished,
    SessionStarted,
)
from core.runs import Run
from core.step import Step, due
from sandbox.job import Tier


@dataclass(frozen=True, slots=True)
class Session:
    """Everything known of an investigation."""

    started: SessionStarted
    started_at: int
    mode: Mode
    ceiling: Tier
    seq: int
    last_at: int
    waited_ms: int = 0
    """Time in which a person was asked or nobody worked; not counted against the budget."""
    requested_at: int = 0
    target: Target | None = None
    steps: tuple[Step, ...] = ()
    cards: tuple[EvidenceAdded, ...] = ()
    gaps: tuple[GapRecorded, ...] = ()
    notes: tuple[NoteAdded, ...] = ()
    answered: tuple[NoteAnswered, ...] = ()
    """What was said to those that asked."""
    grants: tuple[Standing, ...] = ()
    """All that were given, ended ones too."""
    confirmed: str = ""
    """What was typed as the account when the mode was entered."""
    attended: bool = False
    """A person can be asked here."""
    requests: int = 0
    runs: int = 0
    model_cost: int = 0
    """Micro-dollars, as far as prices are known."""
    unpriced: int = 0
    """Answers of models whose price is not known."""
    aws_cost: int = 0
    """Micro-dollars that AWS calls are estimated to have cost."""
    refused: bool = False
    """The mode refused a change, or twice in one step: the session ends."""
    answer: AnswerGiven | None = None
    limit: LimitReached | None = None
    stopping: bool = False
    finished: SessionFinished | None = None

    @property
    def id(self) -> str:
        return self.started.session

    @property
    def step(self) -> Step | None:
        """The step that is being worked on; None between steps."""
        return self.steps[-1] if self.steps and not self.steps[-1].closed else None

    @property
    def open_run(self) -> Run | None:
        """The run that has begun and not ended."""
        step = self.step
        return step.run if step and step.run and step.run.ended is None else None

    @property
    def open_request(self) -> DecisionRequested | None:
        """The request that waits for its decision, or for what a person brings back."""
        step = self.step
        return step.request if step and step.turn and step.turn.is_open else None

    @property
    def comments(self) -> tuple[str, ...]:
        """What people said with a yes: the step's name and the words, for whoever plans."""
        given = [(step.plan.step, turn.decision) for step in self.steps for turn in step.turns]
        return tuple(
            f"{name}: {one.comment}"
            for name, one in given
            if one and one.by == "human" and one.verb == "approve" and one.comment
        )

    @property
    def next_grant(self) -> str:
        """The name of the next grant that ends with this session."""
        return f"G{sum(not one.grant.lasting for one in self.grants) + 1}"

    @property
    def account(self) -> AccountRules:
        """What the settings say about the account that we are in."""
        return self.started.house.of(self.target)

    def why_not(self, mode: Mode, confirmed: str) -> str:
        """Return why this session may not be in `mode`, a sentence, or nothing.

        `confirmed` is what was typed as the account.
        """
        if mode not in self.account.modes:
            return f"{mode} mode is not allowed in this account by the settings"
        if needs_confirmation(mode, self.started.source):
            if not confirmed:
                return f"{mode} mode needs the account's alias (or number) typed"
            if not names_account(confirmed, self.target):
                return f"{confirmed!r} is not this account, so {mode} mode is not entered"
        return ""

    def terms(self, ceiling: Tier, purpose: Purpose = "run") -> Terms:
        """What an approval binds besides the draft; raises IllegalEvent when we are nobody yet."""
        if self.target is None:
            raise IllegalEvent("no draft can be approved before the caller is identified")
        return Terms(purpose, self.target, self.started.limits, ceiling, self.started.runtime)

    def due(self, step: Step) -> Purpose | None:
        """Return what is to be asked next about the latest draft of `step`."""
        return due(step, self.started.house.rehearse, self.started.goal, self.mode)

    def case(self, step: Step, purpose: Purpose, grant: str = "") -> Case:
        """Return what the rules look at; raises IllegalEvent before the review."""
        review, ceiling, house = step.review, self.ceiling, self.started.house
        if review is None:
            raise IllegalEvent("no draft can be decided before its review")
        tier = review.tier
        if purpose == "rehearse":
            tier = 0  # the gateway answers it from shapes: nothing leaves this machine
        if purpose == "post-check":
            tier, ceiling = min(tier, READS_ONLY), ceiling_for(purpose, ceiling)
        return Case(
            mode=self.mode,
            tier=tier,
            ceiling=ceiling,
            purpose=purpose,
            blockers=review.blockers,
            unresolved=review.unresolved,
            unattended=house.unattended,
            rehearsal_failed=purpose == "run" and step.rehearsal_failed,
            grant=grant,
        )

    def granting(self, step: Step, purpose: Purpose, now: int) -> str:
        """Return the name of the first grant that covers the latest draft now, or nothing."""
        standing = (one for one in self.grants if one.holds(now))
        covering = (one.grant.grant for one in standing if self.fits(one, step, purpose))
        return next(covering, "")

    def fits(self, standing: Standing, step: Step, purpose: Purpose) -> bool:
        """Tell whether a grant, if it holds, covers the latest draft of `step`."""
        draft = step.draft
        if draft is None or step.review is None:
            return False
        return fits(
            standing.grant,
            self.target,
            purpose=purpose,
            tier=self.case(step, purpose).tier,
            code_digest=draft.code_digest,
            policy=draft.policy,
        )
