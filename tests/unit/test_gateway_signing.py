"""Requests that are made without a client are those that a client would make, and no others."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from botocore.awsrequest import AWSPreparedRequest

from sandbox.gateway.rebuild import Rebuilder
from sandbox.gateway.restate import Stated
from sandbox.gateway.signing import Once, is_plain, plain_request
from sandbox.job import AwsCall, Credentials

REGION = "eu-west-1"
KEYS = Credentials("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
PLAIN = (
    AwsCall("cloudwatch", "DescribeAlarms", REGION, {"AlarmNames": ["p99"]}),
    AwsCall("dynamodb", "GetItem", REGION, {"TableName": "t", "Key": {"a": {"S": "é"}}}),
    AwsCall("ec2", "DescribeInstances", REGION, {"InstanceIds": ["i-1"]}),
    AwsCall("gamelift", "ListBuilds", REGION, {"Limit": 3}),
    AwsCall("iam", "ListUsers", "us-east-1", {"PathPrefix": "/a b/"}),
    AwsCall("lambda", "GetFunction", REGION, {"FunctionName": "a b:/é", "Qualifier": "1+2&3"}),
    AwsCall("lambda", "ListFunctions", REGION, {"MaxItems": 5, "Marker": "~=/"}),
    AwsCall("logs", "DescribeLogGroups", REGION, {"limit": 5}),
    AwsCall("route53", "ListResourceRecordSets", "us-east-1", {"HostedZoneId": "Z1"}),
    AwsCall("sts", "GetCallerIdentity", REGION, {}),
)
BY_A_CLIENT = (
    AwsCall("apigateway", "GetRestApis", REGION, {}),
    AwsCall("ec2", "CopySnapshot", REGION, {"SourceRegion": "a-b", "SourceSnapshotId": "s"}),
    AwsCall("glacier", "ListVaults", REGION, {"accountId": "-"}),
    AwsCall("s3", "GetObject", REGION, {"Bucket": "bucket", "Key": "k"}),
    AwsCall("mediastore-data", "PutObject", REGION, {"Path": "/a", "Body": b"x"}),
)


def named(call: AwsCall) -> str:
    """Return what a test is called."""
    return f"{call.service}.{call.operation}"


def lasting(request: AWSPreparedRequest) -> dict[str, str]:
    """Return the headers of a request that are the same at another time."""
    changing = ("amz-sdk-invocation-id", "authorization", "x-amz-date")
    return {
        name.lower(): text.decode() if isinstance(text, bytes) else text
        for name, text in request.headers.items()
        if name.lower() not in changing
    }


@pytest.mark.parametrize("call", PLAIN, ids=named)
def test_the_second_request_needs_no_client_and_says_the_same(call: AwsCall) -> None:
    """Method, URL, body and headers are those of the client; the client is not asked again."""
    rebuilder = Rebuilder(lambda _: Credentials("AKID", "secret", "a token"))
    first = rebuilder.build(call)
    rebuilder._clients.clear()
    second = rebuilder.build(call)
    assert rebuilder._clients == {}
    assert (second.method, second.url) == (first.method, first.url)
    assert second.body == (first.body or None)
    assert lasting(second) == lasting(first)


@pytest.mark.parametrize("call", BY_A_CLIENT, ids=named)
def test_what_a_client_adds_to_is_left_to_it(call: AwsCall) -> None:
    """Headers of its own, URLs signed inside, unsigned bodies, S3: the client makes each one."""
    rebuilder = Rebuilder()
    for _ in range(2):
        rebuilder.build(call)
        assert rebuilder._clients
        rebuilder._clients.clear()


def test_a_signature_is_the_clients_own() -> None:
    """At the same moment both sign alike; with another key, time or word they do not."""
    call = PLAIN[5]
    rebuilder = Rebuilder(lambda _: KEYS)
    request = rebuilder.build(call)
    stated = rebuilder._check(request, call)
    home = f"{REGION}/lambda"
    assert is_plain(request, stated, home, KEYS)
    assert not is_plain(request, stated, "us-east-1/lambda", KEYS)
    assert not is_plain(request, stated, home, Credentials("AKIDEXAMPLE", "another"))
    request.headers["X-Amz-Target"] = b"another"
    assert not is_plain(request, stated, home, KEYS)


def test_the_example_of_amazons_own_documentation() -> None:
    """The signature of a known request at a known time is the one that AWS publishes."""
    stated = Stated(
        "GET",
        "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08",
        {"content-type": "application/x-www-form-urlencoded; charset=utf-8"},
        b"",
        "",
        "",
        "",
    )
    request = plain_request(stated, "us-east-1/iam", KEYS, Once("id", "20150830T123600Z"))
    assert request.headers["authorization"] == (
        b"AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, "
        b"SignedHeaders=content-type;host;x-amz-date, "
        b"Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
    )


def test_another_kind_of_signature_is_not_made_here() -> None:
    """An endpoint that wants SigV4A, which a parameter may choose, is refused with that word."""
    rebuilder = Rebuilder()
    entry = {"Source": "a", "DetailType": "b", "Detail": "{}"}
    rebuilder.build(AwsCall("events", "PutEvents", REGION, {"Entries": [entry]}))
    parameters = {"Entries": [entry], "EndpointId": "abc.xyz"}
    with pytest.raises(ValueError, match=r"sigv4a|CRT|crt"):
        rebuilder.build(AwsCall("events", "PutEvents", REGION, parameters))


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"MaxRecords": 0}, "MaxRecords"),
        ({"Nonsense": 1}, "Unknown"),
        ({"AlarmNames": 1}, "Invalid"),
    ],
)
def test_parameters_are_validated_without_a_client_too(
    parameters: dict[str, Any], reason: str
) -> None:
    """What the client would not take is not sent either when there is no client."""
    rebuilder = Rebuilder()
    for _ in range(2):
        rebuilder.build(PLAIN[0])
    with pytest.raises(ValueError, match=reason) as refused:
        rebuilder.build(AwsCall("cloudwatch", "DescribeAlarms", REGION, parameters))
    with pytest.raises(ValueError, match=reason) as by_client:
        Rebuilder().build(AwsCall("cloudwatch", "DescribeAlarms", REGION, parameters))
    assert str(refused.value) == str(by_client.value)


def test_each_request_has_its_own_time_keys_and_name() -> None:
    """Two requests without a client differ in invocation, and are signed with the keys of now."""
    keys = [Credentials(f"AKID{number}", "secret") for number in range(3)]
    rebuilder = Rebuilder(lambda _: keys.pop(0))
    requests = [rebuilder.build(PLAIN[-1]) for _ in range(3)]
    for number, request in enumerate(requests):
        assert f"Credential=AKID{number}/".encode() in request.headers["authorization"]
        then = datetime.strptime(request.headers["x-amz-date"].decode(), "%Y%m%dT%H%M%S%z")
        assert abs((datetime.now(UTC) - then).total_seconds()) < 3600
    names = {request.headers["amz-sdk-invocation-id"].decode() for request in requests}
    assert len(names) == 3
    assert {(str(UUID(name)) == name, UUID(name).version) for name in names} == {(True, 4)}
