"""The table of modes and tiers, row by row, and the rules around it, each of which is needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import get_args

import pytest

from core.approval.draft import Purpose
from core.approval.modes import (
    HUMAN_CEILING,
    MODES,
    RULES,
    Case,
    Check,
    ceiling_of,
    needs_confirmation,
    promise,
    rule,
)
from sandbox.job import Tier

TIERS = get_args(Tier)
ROWS = [
    # mode, ceiling, what becomes of tiers 0 to 5
    ("guided", 4, ["ask", "ask", "ask", "ask", "ask", "refuse"]),
    ("guided", 3, ["ask", "ask", "ask", "ask", "refuse", "refuse"]),
    ("hybrid", 4, ["run", "run", "ask", "ask", "ask", "refuse"]),
    ("hybrid", 2, ["run", "run", "ask", "refuse", "refuse", "refuse"]),
    ("automated", 2, ["run", "run", "run", "refuse", "refuse", "refuse"]),
    ("automated", 1, ["run", "run", "refuse", "refuse", "refuse", "refuse"]),
    ("automated", 0, ["run", "refuse", "refuse", "refuse", "refuse", "refuse"]),
    ("automated", 4, ["run", "run", "run", "refuse", "refuse", "refuse"]),
    ("manual", 4, ["hand over"] * 5 + ["refuse"]),
    ("manual", 2, ["hand over"] * 3 + ["refuse"] * 3),
    ("unheard-of", 4, ["refuse"] * 6),
]
CASES = [
    Case(mode, tier, ceiling, purpose, blockers, unresolved, unattended, failed, grant)
    for mode, tier, ceiling, purpose, blockers, unresolved, unattended, failed, grant in product(
        (*MODES, "unheard-of"),
        TIERS,
        TIERS[1:5:2] + TIERS[4:5],
        get_args(Purpose),
        (0, 1),
        (0, 1),
        TIERS[:3],
        (False, True),
        ("", "G1"),
    )
]


def broken(rules: Mapping[str, Check]) -> Iterator[str]:
    """Yield the promises of the design that cases break under `rules`."""
    return (name for case in CASES for name in sorted(broken_by(case, rules)))


def broken_by(case: Case, rules: Mapping[str, Check]) -> set[str]:
    """Return the promises that one case breaks, each told here a second time and otherwise."""
    found = rule(case, rules)
    known, unattended = case.mode in MODES, case.mode == "automated"
    trouble = bool(case.blockers or case.rehearsal_failed)
    alone = {"guided": -1, "hybrid": 1, "automated": 2, "manual": -1}.get(case.mode, -1)
    by_itself = case.tier <= min(alone, case.unattended)
    person = not unattended and case.mode in ("guided", "hybrid")
    reachable = known and case.tier <= min(case.ceiling, 2 if unattended else 4)
    steady = not trouble and case.purpose != "roll back"
    promises = {
        "tier 5 and what is above the ceiling never run": reachable or found.outcome == "refuse",
        "tier 5 says that nobody can": case.tier < 5 or "nobody can" in found.because[0],
        "another mode is named": known
        or case.tier > min(2, case.ceiling)
        or case.mode in found.because[0],
        "manual mode hands over": not (reachable and case.mode == "manual")
        or found.outcome == "hand over",
        "blockers are not run over": not case.blockers or found.outcome != "run",
        "blockers and tier 3 have two stages": not (person and reachable)
        or found.second_stage == (case.blockers > 0 or case.tier >= 3),
        "a failed rehearsal stops what goes by itself": not case.rehearsal_failed
        or found.outcome != "run",
        "a roll back has its person": case.purpose != "roll back" or found.outcome != "run",
        "automated mode asks nobody": not unattended or found.outcome in ("run", "refuse"),
        "automated mode says why it refuses": not (unattended and reachable and case.blockers)
        or "overrides none" in found.because[0],
        "unread calls do not run unattended": not (unattended and case.unresolved)
        or found.outcome == "refuse",
        "a person is asked": not (person and reachable)
        or found.outcome in (("run",) if by_itself and steady else ("ask", "run")),
        "what nothing allows is asked": not (person and reachable and not case.grant)
        or case.purpose == "rehearse"
        or found.outcome == ("run" if by_itself and steady else "ask"),
        "grants answer where nothing asks": not (person and case.grant and steady)
        or not reachable
        or case.tier >= 3
        or found.outcome == "run",
        "rehearsals go by themselves": case.purpose != "rehearse"
        or case.mode not in ("hybrid", "automated")
        or trouble
        or bool(unattended and case.unresolved)
        or case.tier >= 3
        or not reachable
        or found.outcome == "run",
        "automated mode runs its tiers": not (unattended and reachable and by_itself)
        or trouble
        or bool(case.unresolved)
        or case.purpose == "roll back"
        or found.outcome == "run",
        "a reason is always given": all(found.because) and bool(found.because),
        "a failed rehearsal is told": not (case.rehearsal_failed and reachable and steady_but(case))
        or any("rehearsal failed" in each for each in found.because),
        "a roll back is told": not (case.purpose == "roll back" and reachable and low(case))
        or any("decided by a person" in each for each in found.because),
        "a grant is named": not (found.outcome == "run" and case.grant)
        or case.grant in found.because[0],
    }
    return {name for name, kept in promises.items() if not kept}


def steady_but(case: Case) -> bool:
    """Nothing else decides than that the rehearsal failed."""
    return case.mode != "manual" and low(case)


def low(case: Case) -> bool:
    """Neither blockers nor the tier decide, nor unread calls."""
    blocked = case.blockers or (case.unresolved and case.mode == "automated")
    return not blocked and case.tier < 3 and case.mode != "manual" and not twice(case)


def twice(case: Case) -> bool:
    """Two rules ask at once, of which one speaks."""
    return case.rehearsal_failed and case.purpose == "roll back"


@pytest.mark.parametrize(("mode", "ceiling", "outcomes"), ROWS)
def test_the_table_of_the_design(mode: str, ceiling: Tier, outcomes: list[str]) -> None:
    """Each mode does with each tier what the design says."""
    assert [rule(Case(mode, tier, ceiling)).outcome for tier in TIERS] == outcomes


def test_every_promise_is_kept() -> None:
    """Over all modes, tiers, ceilings, purposes, blockers, grants: what the design promises."""
    assert set(broken(RULES)) == set()


@pytest.mark.parametrize("name", RULES)
def test_every_rule_is_needed(name: str) -> None:
    """Without the rule some promise is broken: none of them is there for nothing."""
    without = {each: check for each, check in RULES.items() if each != name}

    assert next(broken(without), None) is not None


def test_deny_comes_before_ask_and_ask_before_allow() -> None:
    """A grant never answers what is refused, nor what asks for a person."""
    order = list(RULES)

    assert max(map(order.index, ("never", "above the ceiling"))) < order.index("blocked")
    assert max(map(order.index, ("blocked", "two stages", "rolled back"))) < order.index("granted")


@pytest.mark.parametrize(
    ("tier", "blockers", "second"), [(2, 0, False), (3, 0, True), (1, 1, True)]
)
@pytest.mark.parametrize("mode", ["guided", "hybrid"])
def test_the_second_stage(mode: str, tier: Tier, blockers: int, second: bool) -> None:
    """From tier 3 on, and over blockers, the account's alias is typed as well."""
    assert rule(Case(mode, tier, 4, blockers=blockers)).second_stage is second


def test_settings_can_lower_the_unattended_ceiling_and_not_raise_it() -> None:
    """Whatever the settings say, nothing above tier 2 runs without a person."""
    assert [ceiling_of("automated", tier) for tier in TIERS[:5]] == [0, 1, 2, 2, 2]
    assert ceiling_of("guided", 0) == HUMAN_CEILING


@pytest.mark.parametrize("mode", MODES)
def test_the_ceiling_of_an_account_holds_in_every_mode(mode: str) -> None:
    """No mode reaches above what the settings give the account."""
    assert [ceiling_of(mode, 2, account) for account in (0, 1)] == [0, 1]


def test_only_a_live_account_is_typed_to_enter_automated_mode() -> None:
    """Recorded and simulated accounts can't be hurt; other modes run nothing above tier 1 alone."""
    sources = ("live", "simulated:00", "recorded:00")

    assert [needs_confirmation("automated", each) for each in sources] == [True, False, False]
    assert not any(needs_confirmation(mode, "live") for mode in MODES if mode != "automated")


def test_a_mode_says_what_it_will_do() -> None:
    """Whoever enters a mode reads the tiers that go by themselves, and the ceiling."""
    assert promise("automated", 2, 2).startswith("runs tier 0 to 2 by itself, refuses")
    assert promise("automated", 0, 2).startswith("runs tier 0 by itself, refuses")
    assert promise("hybrid", 4, 2) == (
        "runs tier 0 to 1 by itself, asks up to tier 4, refuses what is above"
    )
    assert promise("guided", 3, 2).startswith("runs nothing by itself, asks up to tier 3")
    assert promise("manual", 4, 2).startswith("runs nothing: hands scripts")
