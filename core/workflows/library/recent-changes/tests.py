"""Tests what is made of CloudTrail's events, and the form of what the script leaves."""

import json
from datetime import UTC, datetime
from pathlib import Path

from script import describe, leaves

RECORD = {"userIdentity": {"arn": "arn:aws:iam::1:user/ada"}, "requestParameters": {"a": [1]}}


def test_every_single_value_of_a_change_is_found() -> None:
    """Values are found however deep they lie, as texts."""
    assert leaves({"a": [1, {"b": "sg-1"}], "c": {}}) == {"1", "sg-1"}


def test_a_change_is_told_with_who_made_it() -> None:
    """The caller's ARN goes before a name, and the time is UTC."""
    event = {
        "EventName": "StopInstances",
        "EventTime": datetime(2026, 11, 30, 8, 5, tzinfo=UTC),
        "EventId": "e-1",
        "Username": "somebody",
        "CloudTrailEvent": json.dumps(RECORD),
    }
    told = describe(event)

    assert (told["change"], told["who"]) == ("StopInstances", "arn:aws:iam::1:user/ada")
    assert told["when"] == "2026-11-30T08:05:00Z"


def test_the_result_has_the_form_that_it_promises() -> None:
    """Rows are as long as their columns, and what was looked at is said."""
    result = json.loads(Path("out/result.json").read_text())
    table = result["tables"]["changes"]

    assert result["facts"]["changes"] == len(table["rows"])
    assert all(len(row) == len(table["columns"]) for row in table["rows"])
    assert [each["what"] for each in result["coverage"]]
