"""docs/workflows.md is held to the form that core/workflows/model.py reads."""

from __future__ import annotations

import re
from dataclasses import MISSING, fields
from pathlib import Path

from core.workflows.model import Conclusion, Document, Next
from core.workflows.planner import load_library

PAGE = (Path(__file__).parents[2] / "docs" / "workflows.md").read_text(encoding="utf-8")
KEYS = PAGE.split("## ")[1]
ROWS = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", KEYS, re.MULTILINE))


def test_every_key_has_a_row_and_no_row_is_left_over() -> None:
    """The page's table has the keys of workflow.yaml and no other."""
    assert set(ROWS) == {field.name for field in fields(Document)}


def test_keys_of_lists_stand_in_their_rows() -> None:
    """`next` and `conclude` name the keys of their entries."""
    for row, form in (("next", Next), ("conclude", Conclusion)):
        assert re.findall(r"`(\w+)`", ROWS[row]) == [field.name for field in fields(form)]


def test_the_needed_keys_are_said_to_be_needed() -> None:
    """Keys without a default are the ones that the page calls needed."""
    needed = [
        field.name
        for field in fields(Document)
        if field.default is MISSING and field.default_factory is MISSING
    ]
    (sentence,) = re.findall(r"^(.*) are needed\.", PAGE, re.MULTILINE)

    assert set(re.findall(r"`(\w+)`", sentence)) == set(needed)


def test_the_page_lists_the_workflows_that_ship() -> None:
    """Each has a row in which stands where it leads on to."""
    shipped = {
        name: {onward.workflow for onward in workflow.document.next}
        for name, workflow in load_library().items()
    }
    listed = re.findall(r"^\| `([a-z-]+)` \| .* \|(.*)\|$", PAGE, re.MULTILINE)

    assert {name: set(re.findall(r"`([a-z-]+)`", onward)) for name, onward in listed} == shipped
