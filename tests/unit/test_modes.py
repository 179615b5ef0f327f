"""The table of modes and tiers, row by row."""

from __future__ import annotations

from typing import get_args

import pytest

from core.approval.modes import HUMAN_CEILING, ceiling_of, rule
from sandbox.job import Tier

ROWS = [
    # mode, ceiling, what becomes of tiers 0 to 5
    ("guided", 4, ["ask", "ask", "ask", "ask", "ask", "refuse"]),
    ("automated", 2, ["run", "run", "run", "refuse", "refuse", "refuse"]),
    ("automated", 1, ["run", "run", "refuse", "refuse", "refuse", "refuse"]),
    ("automated", 0, ["run", "refuse", "refuse", "refuse", "refuse", "refuse"]),
    ("automated", 4, ["run", "run", "run", "refuse", "refuse", "refuse"]),
    ("unheard-of", 4, ["refuse"] * 6),
]


@pytest.mark.parametrize(("mode", "ceiling", "outcomes"), ROWS)
def test_the_table_of_the_design(mode: str, ceiling: Tier, outcomes: list[str]) -> None:
    """Each mode does with each tier what the design says."""
    got = [rule(mode, tier, 0, ceiling).outcome for tier in get_args(Tier)]

    assert got == outcomes


@pytest.mark.parametrize("tier", get_args(Tier))
def test_a_blocker_never_runs_by_itself(tier: Tier) -> None:
    """With a blocker automated mode refuses whatever the tier."""
    assert rule("automated", tier, 1, 2).outcome == "refuse"


@pytest.mark.parametrize(
    ("tier", "blockers", "second"), [(2, 0, False), (3, 0, True), (1, 1, True)]
)
def test_the_second_stage(tier: Tier, blockers: int, second: bool) -> None:
    """From tier 3 on, and over blockers, the account's alias is typed as well."""
    assert rule("guided", tier, blockers, 4).second_stage is second


def test_every_rule_says_why() -> None:
    """A request always states in words the rule that made it."""
    for mode in ("guided", "automated", "unheard-of"):
        for tier in get_args(Tier):
            assert all(rule(mode, tier, 0, 2).because)


def test_settings_can_lower_the_unattended_ceiling_and_not_raise_it() -> None:
    """Whatever the settings say, nothing above tier 2 runs without a person."""
    assert [ceiling_of("automated", tier) for tier in get_args(Tier)[:5]] == [0, 1, 2, 2, 2]
    assert ceiling_of("guided", 0) == HUMAN_CEILING
