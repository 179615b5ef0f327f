"""docs/approval.md is held to the table of modes, the grants, the flags and the statuses."""

from __future__ import annotations

import argparse
import re
from dataclasses import fields
from pathlib import Path

from core.approval.command import VERBS
from core.approval.grants import Grant
from core.approval.modes import MODES, TIER_NAMES, Case, rule
from tui.cli import _approval

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


def test_the_fields_of_a_grant_are_those_of_the_code() -> None:
    """The table of grants names every field of a grant but its own name, in their order."""
    section = PAGE.partition("## Grants")[2].partition("## Without")[0]
    first_cells = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    named = [name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)]

    assert ["grant", *named] == [field.name for field in fields(Grant)]


def test_the_exit_statuses_of_a_command_are_those_of_the_code() -> None:
    """The table of statuses is what the approver that asks a command makes of them."""
    rows = dict(re.findall(r"^\| (\d+) \| (\w+) \|$", PAGE, re.MULTILINE))

    assert {int(status): verb for status, verb in rows.items()} == dict(VERBS)


def test_every_flag_that_answers_is_on_the_page() -> None:
    """The table of flags has what the command line takes for answering, and no other."""
    section = PAGE.partition("## Without a terminal")[2].partition("They are asked")[0]
    named = re.findall(r"^\| `(--[a-z-]+)", section, re.MULTILINE)
    command = argparse.ArgumentParser(add_help=False)
    _approval(command)

    assert sorted(named) == sorted(one.option_strings[0] for one in command._actions)
