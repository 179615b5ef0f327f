"""docs/approval.md is held to the table of modes."""

from __future__ import annotations

from pathlib import Path

from core.approval.modes import MODES, TIER_NAMES, Case, rule

PAGE = (Path(__file__).parents[2] / "docs" / "approval.md").read_text(encoding="utf-8")


def row(tier: int, name: str) -> str:
    """Return a row of the table as the rules make it."""
    found = [rule(Case(mode, tier, 4)) for mode in MODES]  # type: ignore[arg-type]  # 0 to 5
    cells = [f"{one.outcome}{', second stage' if one.second_stage else ''}" for one in found]
    return f"| {tier} | {name} | {' | '.join(cells)} |"


def test_the_table_of_modes_is_what_the_rules_say() -> None:
    """Every cell of the page is what a draft of that tier meets in that mode."""
    table = PAGE.partition("<!-- modes -->\n")[2].partition("<!-- end -->")[0].splitlines()

    assert table[0] == f"| tier | what | {' | '.join(MODES)} |"
    assert table[2:] == [row(tier, name) for tier, name in TIER_NAMES.items()]
