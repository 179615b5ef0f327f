"""docs/worlds.md is held to the form of worlds and to what the simulator answers."""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

from core.simulator import world
from core.simulator.answers import OVERLAY
from core.simulator.listings import LISTINGS

PAGE = (Path(__file__).parents[2] / "docs" / "worlds.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
FORMS = {name: form for name, form in vars(world).items() if is_dataclass(form)}


@pytest.mark.parametrize("name", FORMS)
def test_each_form_has_its_keys_on_the_page(name: str) -> None:
    """A section's table has the keys of the form it is called after, in their order."""
    documented = re.findall(r"^\| `(\w+)` \|", SECTIONS[name], re.MULTILINE)

    assert documented == [field.name for field in fields(FORMS[name])]


def test_the_page_lists_what_is_answered() -> None:
    """Each operation has a row that names its parameters and filters, and no other has one."""
    rows = dict(re.findall(r"^\| `(\w+:\w+)` \| (.*)\|$", PAGE, re.MULTILINE))

    assert set(rows) == {f"{service}:{name}" for service, name in (*LISTINGS, *OVERLAY)}
    for (service, name), listing in LISTINGS.items():
        named = [*listing.ids, *listing.asked, *listing.filters]
        assert set(re.findall(r"`([^`]+)`", rows[f"{service}:{name}"])) == set(named)
