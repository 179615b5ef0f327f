"""docs/iam.md: its figures are those of the table, and the table is what its sources give."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

import pytest

from core.iam.actions import lookup
from core.iam.table import DATA, SPECIAL
from tools.make_actions import BEGIN, END, Maker, figures, packed

PAGE = (Path(__file__).parents[2] / "docs" / "iam.md").read_text(encoding="utf-8")


@lru_cache(maxsize=1)
def maker() -> Maker:
    """Return what the table is made from; it takes seconds to read."""
    return Maker()


@lru_cache(maxsize=1)
def rows() -> dict[str, int]:
    """Return the figures of the page."""
    text = PAGE.partition(BEGIN)[2].partition(END)[0]
    lines = [line.strip("| ").split(" | ") for line in text.splitlines()[2:]]
    return {what: int(number) for what, number in lines}


@pytest.mark.timeout(240)
def test_the_same_sources_give_the_same_bytes() -> None:
    """The table that ships is what `make actions` makes, and so are the figures."""
    table = maker().table()

    assert packed(table) == DATA.read_bytes()
    assert "\n".join(figures(maker(), table)) + "\n" == PAGE.partition(BEGIN)[2].partition(END)[0]


def test_nearly_every_operation_has_an_action_of_aws() -> None:
    """At least 96 % of botocore's operations are an action of the reference."""
    known = next(number for what, number in rows().items() if what.startswith("as an action"))

    assert known >= 0.96 * rows()["their operations"]


def test_every_service_of_botocore_is_in_it() -> None:
    """The numbers of operations add up."""
    table, missing = rows()["in the table"], rows()["their operations"] - rows()["in the table"]
    kinds = ("no resources, so a policy must say *", "resources from parameters", "unknown")

    assert rows()["not in the table: a change, on unknown resources"] == missing
    assert sum(rows()[kind] for kind in kinds) == table
    assert sum(rows()[f"tier {tier}"] for tier in range(1, 6)) == rows()["actions rated"]


def test_the_page_explains_every_word_of_the_source() -> None:
    """Whoever changes tools/actions.json finds its words here."""
    source = json.loads((Path(__file__).parents[2] / "tools" / "actions.json").read_bytes())
    words = {word for rules in source["services"].values() for row in rules["operations"].values()
             for word in row}  # fmt: skip
    plain = {"tier", "level", "why", "on", "along", "beyond", *SPECIAL}

    assert [word for word in sorted(words - plain) if f"`{word}`" not in PAGE] == []
    assert lookup("sts", "GetSessionToken").free is False
