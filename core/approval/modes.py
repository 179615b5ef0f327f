"""Who decides, by mode and tier: the table of DESIGN.md as one pure function.

Two of the four modes exist so far, guided and automated. A blocker never runs by itself in any
mode, tier 5 never runs at all, and anything the table does not foresee is refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sandbox.job import Tier

HUMAN_CEILING: Tier = 4
"""The highest tier that a person can approve."""
UNATTENDED_CEILING: Tier = 2
"""The highest tier that ever runs without a person, whatever the settings say."""
SECOND_STAGE_FROM: Tier = 3
"""From this tier on a person also types the account's alias."""
CHANGES: Tier = 4
"""A refused request of this tier ends an automated session."""
TIER_NAMES = {
    0: "analysis without network",
    1: "metadata reads",
    2: "content or billed reads",
    3: "secret-bearing or side-effecting reads",
    4: "changes",
    5: "actions that are never run",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """What becomes of a request, and why."""

    outcome: Literal["ask", "run", "refuse"]
    because: tuple[str, ...]
    second_stage: bool = False
    """The person must also type the account's alias."""


def most(mode: str) -> Tier:
    """Return the highest ceiling that a session in `mode` can have, whatever the settings say."""
    return HUMAN_CEILING if mode == "guided" else UNATTENDED_CEILING


def ceiling_of(mode: str, settings_ceiling: Tier) -> Tier:
    """Return the highest tier that a session in `mode` may reach; goes into the digest."""
    return HUMAN_CEILING if mode == "guided" else min(settings_ceiling, most(mode))


def rule(mode: str, tier: Tier, blockers: int, ceiling: Tier) -> Rule:
    """Return what `mode` does with a reviewed draft of `tier` with so many blockers."""
    what = f"tier {tier}, {TIER_NAMES[tier]}"
    ceiling = min(ceiling, most(mode))
    if tier > ceiling:
        return Rule("refuse", (f"{what}: above this session's ceiling, tier {ceiling}",))
    if mode == "guided":
        return _guided(what, tier, blockers)
    if mode == "automated":
        return _automated(what, blockers)
    return Rule("refuse", (f"no rule for mode {mode}",))


def _guided(what: str, tier: Tier, blockers: int) -> Rule:
    because = ["guided mode asks before every run", what]
    if blockers:
        because.append(f"blocking findings to override: {blockers}")
    return Rule("ask", tuple(because), second_stage=tier >= SECOND_STAGE_FROM or blockers > 0)


def _automated(what: str, blockers: int) -> Rule:
    if blockers:
        return Rule("refuse", (f"{blockers} blocking findings; automated mode overrides none",))
    return Rule("run", (f"automated mode runs {what}",))
