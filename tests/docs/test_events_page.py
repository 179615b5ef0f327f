"""docs/events.md is held to the kinds and fields of core/events.py."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from core.events import BULK, KINDS

PAGE = (Path(__file__).parents[2] / "docs" / "events.md").read_text(encoding="utf-8")


def sections() -> dict[str, str]:
    """Return the page's text below each kind's heading."""
    parts = re.split(r"^## ([a-z.]+)$", PAGE, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def test_every_kind_has_a_section_and_no_section_is_left_over() -> None:
    """The headings are the kinds, in the order of the code."""
    assert list(KINDS) == list(sections())


def test_every_field_has_a_row_and_no_row_is_left_over() -> None:
    """Below each heading stand the fields of that kind, in order."""
    documented = {
        kind: re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) for kind, text in sections().items()
    }
    expected = {kind: [field.name for field in fields(each)] for kind, each in KINDS.items()}

    assert expected == documented


def test_bulk_kinds_are_said_to_be_bulk() -> None:
    """The page marks exactly the kinds that the fold only counts."""
    assert {kind for kind, text in sections().items() if "Bulk." in text} == BULK
