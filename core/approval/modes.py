"""Who decides: the table of modes and tiers, and the rules around it, as pure functions.

The rules stand in one order: deny, then ask, then allow; the first that answers wins, and its words
are what a request says under "asks because". A blocker never runs by itself in any mode, tier 5
never runs at all, and what no rule foresees is refused (docs/approval.md).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal, get_args

from core.approval.draft import Purpose
from sandbox.job import Tier

Mode = Literal["guided", "hybrid", "automated", "manual"]
Fate = Literal["ask", "run", "refuse", "hand over"]

HUMAN_CEILING: Tier = 4
"""The highest tier that a person can approve."""
UNATTENDED_CEILING: Tier = 2
"""The highest tier that ever runs without a person, whatever the settings say."""
READS_ONLY: Tier = 2
"""The highest tier that a post-check can reach: it looks, and it changes nothing."""
SECOND_STAGE_FROM: Tier = 3
"""From this tier on a person also types the account's alias."""
CHANGES: Tier = 4
"""A refused request of this tier ends an automated session."""
NEVER: Tier = 5
TIER_NAMES = {
    0: "analysis without network",
    1: "metadata reads",
    2: "content or billed reads",
    3: "secret-bearing or side-effecting reads",
    4: "changes",
    5: "actions that are never run",
}
TABLE: Final[Mapping[str, tuple[Fate, ...]]] = {
    "guided": ("ask", "ask", "ask", "ask", "ask", "refuse"),
    "hybrid": ("run", "run", "ask", "ask", "ask", "refuse"),
    "automated": ("run", "run", "run", "refuse", "refuse", "refuse"),
    "manual": ("hand over", "hand over", "hand over", "hand over", "hand over", "refuse"),
}
"""What each mode does with tiers 0 to 5, where no rule says otherwise."""


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of a request, and why."""

    outcome: Fate
    because: tuple[str, ...]
    second_stage: bool = False
    """The person must also type the account's alias."""


@dataclass(frozen=True, slots=True)
class Case:
    """Everything that the rules look at."""

    mode: str
    tier: Tier
    ceiling: Tier
    """Of the session, as the digest binds it."""
    purpose: Purpose = "run"
    blockers: int = 0
    unresolved: int = 0
    """Calls that the code makes and that nobody could read from it."""
    unattended: Tier = UNATTENDED_CEILING
    """The highest tier that goes by itself, by the settings."""
    rehearsal_failed: bool = False
    grant: str = ""
    """Name of a standing grant that covers all that the policy allows."""

    @property
    def what(self) -> str:
        """The tier in words, with the purpose where it is another than to run."""
        tier = f"tier {self.tier}, {TIER_NAMES[self.tier]}"
        return tier if self.purpose == "run" else f"{self.purpose}: {tier}"


Check = Callable[[Case], Rule | None]


def most(mode: str) -> Tier:
    """Return the highest ceiling that a session in `mode` can have, whatever the settings say."""
    known = mode in TABLE and mode != "automated"
    return HUMAN_CEILING if known else UNATTENDED_CEILING


def ceiling_of(mode: str, unattended: Tier, account: Tier = HUMAN_CEILING) -> Tier:
    """Return the highest tier that a session in `mode` may reach; goes into the digest.

    `unattended` is the setting `ceiling`, `account` the ceiling that the settings give the account.
    """
    return min(most(mode), account, unattended if mode == "automated" else HUMAN_CEILING)


def ceiling_for(purpose: Purpose, ceiling: Tier) -> Tier:
    """Return the ceiling of a run for `purpose` in a session that has `ceiling`."""
    return min(ceiling, READS_ONLY) if purpose == "post-check" else ceiling


def needs_confirmation(mode: str, source: str) -> bool:
    """Tell whether entering `mode` needs the account typed: only a live account can be hurt."""
    return mode == "automated" and source == "live"


def promise(mode: str, ceiling: Tier, unattended: Tier) -> str:
    """Return what `mode` means at this ceiling, a sentence to show to whoever enters it."""
    highest = min(ceiling, unattended)
    by_itself = [tier for tier, outcome in enumerate(TABLE[mode]) if outcome == "run"]
    runs = [tier for tier in by_itself if tier <= highest]
    alone = f"runs tier {_span(runs)} by itself" if runs else "runs nothing by itself"
    if mode == "automated":
        return f"{alone}, refuses the rest and records it as a gap"
    if mode == "manual":
        return "runs nothing: hands scripts and policies over, and takes results back"
    return f"{alone}, asks up to tier {ceiling}, refuses what is above"


def rule(case: Case, rules: Mapping[str, Check] | None = None) -> Rule:
    """Return what becomes of a request; `rules` are other ones than RULES, for testing them."""
    for check in (RULES if rules is None else rules).values():
        if found := check(case):
            return found
    return Rule("refuse", (f"{case.what}: no rule for {case.mode} mode",))


# ------------------------------------------------------------------ deny
def _never(case: Case) -> Rule | None:
    refused = case.tier >= NEVER
    return Rule("refuse", (f"{case.what}: nobody can approve that here",)) if refused else None


def _above_the_ceiling(case: Case) -> Rule | None:
    ceiling = min(case.ceiling, most(case.mode))
    if case.tier <= ceiling:
        return None
    return Rule("refuse", (f"{case.what}: above this session's ceiling, tier {ceiling}",))


def _unknown_mode(case: Case) -> Rule | None:
    return None if case.mode in TABLE else Rule("refuse", (f"no rule for mode {case.mode}",))


def _blocked_unattended(case: Case) -> Rule | None:
    if case.mode != "automated" or not case.blockers:
        return None
    return Rule("refuse", (f"{case.blockers} blocking findings; automated mode overrides none",))


def _unresolved_unattended(case: Case) -> Rule | None:
    if case.mode != "automated" or not case.unresolved:
        return None
    told = f"{case.unresolved} AWS calls that can't be read from the code"
    return Rule("refuse", (f"{told}; automated mode runs no such script",))


def _rehearsed_badly_unattended(case: Case) -> Rule | None:
    if case.mode != "automated" or not case.rehearsal_failed:
        return None
    return Rule("refuse", ("its rehearsal failed; automated mode goes no further",))


def _rolled_back_unattended(case: Case) -> Rule | None:
    if case.mode != "automated" or case.purpose != "roll back":
        return None
    return Rule("refuse", ("a roll back is decided by a person",))


# ------------------------------------------------------------------ ask, or hand over
def _by_hand(case: Case) -> Rule | None:
    if case.mode != "manual":
        return None
    because = ["manual mode hands every script over", case.what]
    if case.blockers:
        because.append(f"blocking findings: {case.blockers}")
    return Rule("hand over", tuple(because))


def _blocked(case: Case) -> Rule | None:
    if not case.blockers:
        return None
    because = f"blocking findings to override: {case.blockers}"
    return Rule("ask", (*_mode_says(case), because), second_stage=True)


def _two_stages(case: Case) -> Rule | None:
    if case.tier < SECOND_STAGE_FROM:
        return None
    return Rule("ask", _mode_says(case), second_stage=True)


def _rehearsed_badly(case: Case) -> Rule | None:
    if not case.rehearsal_failed:
        return None
    return Rule("ask", (*_mode_says(case), "its rehearsal failed"))


def _rolled_back(case: Case) -> Rule | None:
    if case.purpose != "roll back":
        return None
    return Rule("ask", ("a roll back is decided by a person", case.what))


def _mode_says(case: Case) -> tuple[str, ...]:
    if case.mode == "guided":
        return "guided mode asks before every run", case.what
    return (f"{case.mode} mode asks above tier {_by_itself(case)}", case.what)


# ------------------------------------------------------------------ allow
def _granted(case: Case) -> Rule | None:
    if not case.grant:
        return None
    return Rule("run", (f"grant {case.grant} covers {case.what}",))


def _rehearsed_alone(case: Case) -> Rule | None:
    if case.purpose != "rehearse" or case.mode not in ("hybrid", "automated"):
        return None
    return Rule("run", (f"{case.mode} mode rehearses by itself: no AWS, no inputs",))


def _by_the_table(case: Case) -> Rule | None:
    outcome = TABLE[case.mode][case.tier] if case.mode in TABLE else "refuse"
    if outcome == "run" and case.tier <= case.unattended:
        return Rule("run", (f"{case.mode} mode runs {case.what}",))
    if outcome == "ask" or (outcome == "run" and case.mode == "hybrid"):
        return Rule("ask", _mode_says(case))
    return None


def _by_itself(case: Case) -> int:
    row = TABLE.get(case.mode, ())
    runs = [tier for tier, outcome in enumerate(row) if outcome == "run"]
    return min(max(runs, default=-1), case.unattended)


def _span(tiers: list[int]) -> str:
    return str(tiers[0]) if len(tiers) == 1 else f"{tiers[0]} to {tiers[-1]}"


RULES: Final[Mapping[str, Check]] = {
    "never": _never,
    "above the ceiling": _above_the_ceiling,
    "unknown mode": _unknown_mode,
    "blocked, unattended": _blocked_unattended,
    "unresolved, unattended": _unresolved_unattended,
    "rehearsed badly, unattended": _rehearsed_badly_unattended,
    "rolled back, unattended": _rolled_back_unattended,
    "by hand": _by_hand,
    "blocked": _blocked,
    "two stages": _two_stages,
    "rehearsed badly": _rehearsed_badly,
    "rolled back": _rolled_back,
    "granted": _granted,
    "rehearsed alone": _rehearsed_alone,
    "by the table": _by_the_table,
}
"""Every rule, by name, in its order."""

MODES: Final[tuple[Mode, ...]] = get_args(Mode)
