"""docs/result.md is held to the code that reads result.json."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path

import pytest

from core.errors import ResultUnreadable
from core.evidence import (
    MOST_FACTS,
    MOST_ROWS_ON_CARD,
    MOST_TABLES,
    MOST_TEXT,
    Coverage,
    Result,
    ResultTable,
    read_result,
)

PAGE = (Path(__file__).parents[2] / "docs" / "result.md").read_text(encoding="utf-8")


def test_the_page_names_exactly_the_keys_of_a_result() -> None:
    """The page's table has a row for each key of result.json and no other."""
    documented = re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)

    assert [field.name for field in fields(Result)] == documented


def test_the_page_names_every_key_of_tables_and_coverage() -> None:
    """Keys of the nested objects stand on the page too."""
    nested = [field.name for field in (*fields(ResultTable), *fields(Coverage))]

    assert [name for name in nested if name not in PAGE] == []


def test_the_example_of_the_page_is_read() -> None:
    """What the page shows is accepted, with the values it shows."""
    example = re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0]

    result = read_result(example.encode())

    assert result.facts["unhealthy"] == 3
    assert result.tables["targets"].total_rows == 3


def test_the_page_states_the_limits_of_the_code() -> None:
    """The numbers on the page are those that the code enforces."""
    stated = [f"at most {MOST_FACTS}", f"at most {MOST_TABLES}", f"first {MOST_ROWS_ON_CARD} rows"]

    assert [each for each in [*stated, f"{MOST_TEXT:,} characters"] if each not in PAGE] == []


@pytest.mark.parametrize(
    ("document", "place"),
    [
        ([], "the document"),
        ({"fact": {}}, "fact"),
        ({"facts": {"n": [1]}}, "facts/n"),
        ({"facts": {"n": "x" * (MOST_TEXT + 1)}}, "facts/n"),
        ({"facts": {str(n): n for n in range(MOST_FACTS + 1)}}, "facts"),
        ({"tables": {"t": {"columns": ["a"], "rows": [[1, 2]]}}}, "tables/t"),
        ({"tables": {"t": {"columns": ["a"], "rows": [[1]], "total_rows": 0}}}, "tables/t"),
        ({"coverage": [{"what": "x", "complete": "yes"}]}, "coverage/0/complete"),
        ({"errors": "none"}, "errors"),
    ],
)
def test_a_result_of_another_form_is_refused_by_place(document: object, place: str) -> None:
    """Whatever the page does not allow is refused, and the message says where."""
    with pytest.raises(ResultUnreadable, match=f"result.json: {re.escape(place)}"):
        read_result(json.dumps(document).encode())


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000, b'{"facts": {"n": NaN}}'])
def test_bytes_that_are_no_json_are_refused(body: bytes) -> None:
    """Broken JSON ends as a ResultUnreadable, not as a crash."""
    with pytest.raises(ResultUnreadable):
        read_result(body)
