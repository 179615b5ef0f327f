"""The pure parts of sending to AWS: clocks, error codes, buckets, names, hosts."""

from __future__ import annotations

import pytest
from botocore.session import Session

from core.upstream.clock import clock_offset, skew_told
from core.upstream.live import code_of, home_of
from core.upstream.whoami import name_of
from core.upstream.wire import SUFFIXES
from sandbox.job import AwsCall, Response

THERE = 1_767_225_600
DATE = "Thu, 01 Jan 2026 00:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "offset"),
    [
        ({"Date": DATE}, 300),
        ({"date": DATE}, 300),
        ({"Date": "yesterday"}, 0),
        ({}, 0),
    ],
)
def test_the_offset_of_the_clock_is_read_from_an_answer(
    headers: dict[str, str], offset: int
) -> None:
    """In seconds, positive where this machine is ahead; an answer without a date says nothing."""
    assert clock_offset(headers, THERE + 300) == offset


@pytest.mark.parametrize(
    ("offset", "told"),
    [(0, ""), (239, ""), (-239, ""), (240, "240 s ahead"), (-500, "500 s behind")],
)
def test_only_a_clock_that_matters_is_told_of(offset: int, told: str) -> None:
    """AWS accepts five minutes; below four nobody needs to look at it."""
    assert told in skew_told(offset)
    assert bool(told) == bool(skew_told(offset))


@pytest.mark.parametrize(
    ("headers", "body", "code"),
    [
        ({}, b"<Error><Code>NoSuchKey</Code></Error>", "NoSuchKey"),
        ({}, b'{"__type":"com.amazonaws.x#ThrottlingException"}', "ThrottlingException"),
        ({}, b'{ "__type" : "AccessDeniedException" }', "AccessDeniedException"),
        ({}, b'{"code":"ExpiredToken"}', "ExpiredToken"),
        ({"X-Amzn-ErrorType": "NotFound:http://x/"}, b"{}", "NotFound"),
        ({}, b"<html>", ""),
        ({}, b"", ""),
    ],
)
def test_the_code_of_an_error_is_found(headers: dict[str, str], body: bytes, code: str) -> None:
    """In the shapes of XML and JSON services, and in the header of REST ones."""
    assert code_of(Response(400, headers, body)) == code


@pytest.mark.parametrize(
    ("service", "bucket", "status", "home"),
    [
        ("s3", "logs", 301, "us-east-1"),
        ("s3", "logs", 200, None),
        ("s3", "logs", 403, None),
        ("s3", "arn:aws:s3:eu-west-1:1:accesspoint/a", 301, None),
        ("s3control", "logs", 301, None),
        ("s3", None, 301, None),
    ],
)
def test_only_s3_says_where_a_bucket_lies(
    service: str, bucket: str | None, status: int, home: str | None
) -> None:
    """By a redirect, for a bucket that was named plainly."""
    call = AwsCall(service, "GetObject", "eu-west-1", {"Bucket": bucket})

    assert home_of(call, Response(status, {"x-amz-bucket-region": "us-east-1"}, b"")) == home


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("20261121T010101-0a1b2c3", "20261121T010101-0a1b2c3"),
        ("Ada Lovelace", "Ada-Lovelace"),
        ("a", "a-"),
        ("ä" * 100, "-" * 64),
    ],
)
def test_names_are_made_as_sts_takes_them(text: str, name: str) -> None:
    """Two to 64 characters of a small set."""
    assert name_of(text) == name


def test_the_hosts_of_every_partition_are_known() -> None:
    """The table is that of the installed botocore, so an update that adds a partition shows."""
    data = Session().get_component("data_loader").load_data("partitions")

    assert {
        partition["id"]: (
            f".{partition['outputs']['dnsSuffix']}",
            f".{partition['outputs']['dualStackDnsSuffix']}",
        )
        for partition in data["partitions"]
    } == SUFFIXES
