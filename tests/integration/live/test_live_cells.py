"""Endpoint discovery: a script comes back with its call, and it goes to the host that AWS named."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSResponse
from botocore.config import Config

from core.upstream.cells import Cells
from core.upstream.rehearsal import Rehearsal
from sandbox.gateway.identify import identify
from sandbox.job import AwsCall, Response

REGION = "eu-west-1"
CELL = "query-cell3.timestream.eu-west-1.amazonaws.com"
ASKING = AwsCall("timestream-query", "DescribeEndpoints", REGION, {})
QUERY = AwsCall("timestream-query", "Query", REGION, {"QueryString": "select 1"})
FOUND = json.dumps({"Endpoints": [{"Address": CELL, "CachePeriodInMinutes": 9}]}).encode()

Make = Callable[..., Any]


def answered(address: object) -> Response:
    """Return what a service says of its hosts."""
    return Response(200, {}, json.dumps({"Endpoints": [{"Address": address}]}).encode())


def test_a_call_goes_to_the_host_that_its_service_named(aws: Any, live: Make) -> None:
    """Signed for that host, with the body of the call; before anybody asked, nothing is sent."""
    upstream = live()
    aws.answer = lambda _: aws.reply(200, FOUND)
    with pytest.raises(ValueError, match="nobody has asked for that in this run"):
        upstream.send(QUERY)
    before = len(aws.arrived)
    assert CELL not in [each.host for each in aws.arrived]

    told = json.loads(upstream.send(ASKING).body)
    assert told["Endpoints"] == [
        {"Address": "http://query.timestream.eu-west-1.amazonaws.com/", "CachePeriodInMinutes": 9}
    ]
    for _ in range(2):
        upstream.send(QUERY)
    assert [each.host for each in aws.arrived[before:]] == [
        "query.timestream.eu-west-1.amazonaws.com",
        CELL,
        CELL,
    ]
    assert json.loads(aws.arrived[-1].body)["QueryString"] == "select 1"
    assert "host;" in aws.arrived[-1].headers["authorization"]


def test_hosts_of_another_region_or_caller_are_not_ours() -> None:
    """What was said to one caller in one region holds for nobody else."""
    cells = Cells()
    cells.told(ASKING, answered(CELL))
    assert cells.host_for(QUERY) == CELL
    for other in (
        AwsCall("timestream-query", "Query", "us-east-1", {}),
        AwsCall("timestream-query", "Query", REGION, {}, "arn:aws:iam::123456789012:role/a"),
        AwsCall("timestream-write", "ListDatabases", REGION, {}),
    ):
        with pytest.raises(ValueError, match="nobody has asked"):
            cells.host_for(other)


def test_where_it_is_optional_the_ordinary_endpoint_is_asked() -> None:
    """DynamoDB has no host of its own for a call, and needs no question before it."""
    cells = Cells()
    told = cells.told(
        AwsCall("dynamodb", "DescribeEndpoints", REGION, {}),
        answered("dynamodb.eu-west-1.amazonaws.com"),
    )
    assert b"http://dynamodb.eu-west-1.amazonaws.com" in told.body
    assert cells.host_for(AwsCall("dynamodb", "ListTables", REGION, {})) == ""
    assert cells.host_for(AwsCall("logs", "DescribeLogGroups", REGION, {})) == ""


@pytest.mark.parametrize("address", ["", "a", "evil.com/x?", "user@evil.com", "a.b:1", 5, None])
def test_what_is_no_host_is_not_believed(address: object) -> None:
    """An answer that names something else is no answer."""
    with pytest.raises(ValueError, match=r"no name of a host|did not say"):
        Cells().told(ASKING, answered(address))


def test_a_rehearsal_leads_back_as_well() -> None:
    """Hosts that were made up are nowhere, and a script that is right comes to its end."""
    told = json.loads(Rehearsal("aws", "123456789012").send(ASKING).body)
    assert told["Endpoints"][0]["Address"] == "http://query.timestream.eu-west-1.amazonaws.com/"


def test_errors_and_other_answers_are_left_alone() -> None:
    """Only a success of the one operation that names hosts is looked at."""
    cells = Cells()
    error = Response(400, {}, b"{}")
    answer = answered(CELL)
    assert cells.told(ASKING, error) is error
    assert cells.told(QUERY, answer) is answer
    assert cells.told(AwsCall("s3", "ListBuckets", REGION, {}), answer) is answer


def test_a_real_client_comes_back_with_its_call() -> None:
    """boto3 takes the host from the answer as it is given, by HTTP, and what it sends is read."""
    client = boto3.Session("AKID", "secret", region_name=REGION).client(
        "timestream-query", use_ssl=False, config=Config(retries={"total_max_attempts": 1})
    )
    cells, sent = Cells(), []

    def answer(request: Any, **_: object) -> AWSResponse:
        headers = [(name, text.decode()) for name, text in _bytes(request.headers)]
        call = identify(request.method, request.url, headers, _body(request))
        sent.append((request.url, call.operation))
        answer = Response(200, {"x-amz-crc32": "1"}, FOUND if call == ASKING else b'{"Rows": []}')
        told = cells.told(call, answer)
        return AWSResponse(request.url, 200, dict(told.headers), _Raw(told.body))

    client.meta.events.register("before-send", answer)
    assert client.query(QueryString="select 1")["Rows"] == []
    assert sent == [
        ("http://query.timestream.eu-west-1.amazonaws.com/", "DescribeEndpoints"),
        ("http://query.timestream.eu-west-1.amazonaws.com/", "Query"),
    ]


def _bytes(headers: Any) -> list[tuple[str, bytes]]:
    return [
        (name, text if isinstance(text, bytes) else str(text).encode())
        for name, text in headers.items()
    ]


def _body(request: Any) -> bytes:
    body = request.body or b""
    return body if isinstance(body, bytes) else str(body).encode()


class _Raw:
    """The body of an answer, as botocore reads one."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> list[bytes]:
        """Return its pieces."""
        return [self._body]
