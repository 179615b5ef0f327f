"""Whichever endpoint a client was told to use, the call is the same, and goes to ours."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from botocore.session import Session

from sandbox.errors import Unidentified
from sandbox.gateway.identify import identify
from sandbox.gateway.rebuild import Rebuilder
from sandbox.job import AwsCall, Credentials

REGION = "eu-west-1"
OBJECT = {"Bucket": "logs-1", "Key": "a b/c"}
Wire = tuple[str, str, list[tuple[str, str]], bytes]


class Taken(Exception):
    """Carries a finished request out of the client."""


def take(request: AWSPreparedRequest, **_: object) -> None:
    """Stop the client at its last hook before the network."""
    raise Taken(request)


@cache
def session() -> Session:
    """Return one session for all clients: each would read the models anew."""
    return Session()


def sent(
    service: str, method: str, parameters: dict[str, Any], region: str = REGION, **made: Any
) -> Wire:
    """Return the request that a real client makes; `made` are settings of client and Config."""
    of_client = {name: made.pop(name) for name in ("endpoint_url", "use_ssl") if name in made}
    client = session().create_client(
        service,
        region_name=region,
        aws_access_key_id="AKID",
        aws_secret_access_key="secret",
        config=Config(retries={"total_max_attempts": 1}, **made),
        **of_client,
    )
    client.meta.events.register("before-send", take)
    with pytest.raises(Taken) as taken:
        getattr(client, method)(**parameters)
    request = taken.value.args[0]
    headers = [
        (name, value.decode() if isinstance(value, bytes) else str(value))
        for name, value in request.headers.items()
    ]
    body = request.body or b""
    body = body.read() if hasattr(body, "read") else body
    return request.method, request.url, headers, body.encode() if isinstance(body, str) else body


def url_of(call: AwsCall, *, dualstack: bool = False, fips: bool = False) -> str:
    """Return where the gateway sends a call."""
    return str(Rebuilder(dualstack=dualstack, fips=fips).build(call).url)


PLAIN: dict[str, dict[str, Any]] = {
    "dynamodb": {"account_id_endpoint_mode": "disabled"},
    "s3": {"s3": {"us_east_1_regional_endpoint": "regional"}},
}
"""What makes a client choose the endpoint that the gateway chooses."""
STYLES: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "dualstack": ("sqs", "list_queues", {}, {"use_dualstack_endpoint": True}),
    "FIPS": ("sts", "get_caller_identity", {}, {"use_fips_endpoint": True, "region": "us-east-1"}),
    "both": (
        "kms",
        "list_keys",
        {},
        {"use_fips_endpoint": True, "use_dualstack_endpoint": True, "region": "us-east-1"},
    ),
    "the account's own": (
        "dynamodb",
        "get_item",
        {
            "TableName": "arn:aws:dynamodb:eu-west-1:123456789012:table/t",
            "Key": {"id": {"S": "1"}},
        },
        {"account_id_endpoint_mode": "preferred"},
    ),
    "a bucket in the path": (
        "s3",
        "head_object",
        OBJECT,
        {"s3": {"addressing_style": "path"}},
    ),
    "S3 over dualstack": ("s3", "head_object", OBJECT, {"use_dualstack_endpoint": True}),
    "the old name of S3": (
        "s3",
        "head_object",
        OBJECT,
        {"region": "us-east-1", "s3": {"us_east_1_regional_endpoint": "legacy"}},
    ),
}


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_an_endpoint_of_another_style_is_the_same_call(style: Any) -> None:
    """It is read with exactly its parameters, and what is built goes to the plain endpoint."""
    service, method, parameters, made = style
    call = identify(*sent(service, method, parameters, **made))
    assert call.parameters == parameters
    region = made.get("region", REGION)
    plain = sent(service, method, parameters, region, **PLAIN.get(service, {}))
    assert url_of(call) == plain[1]


def test_the_gateways_own_style_is_the_operators() -> None:
    """Dual-stack and FIPS are settings of the rebuilder, and are kept to."""
    call = AwsCall("kms", "ListKeys", "us-east-1", {})
    assert url_of(call) == "https://kms.us-east-1.amazonaws.com/"
    assert url_of(call, fips=True) == "https://kms-fips.us-east-1.amazonaws.com/"
    assert url_of(call, dualstack=True) == "https://kms.us-east-1.api.aws/"


@pytest.mark.parametrize("settings", [{}, {"request_checksum_calculation": "when_required"}])
@pytest.mark.parametrize("use_ssl", [True, False])
def test_an_upload_is_read_and_built_again(use_ssl: bool, settings: dict[str, Any]) -> None:
    """With and without a checksum, chunked (over TLS) or not: the same bytes go on."""
    given = {**OBJECT, "Body": b"x" * 3_000_000, "Metadata": {"a": "b"}}
    call = identify(*sent("s3", "put_object", given, use_ssl=use_ssl, **settings))
    checksums = {} if settings else {"ChecksumAlgorithm": "CRC32"}
    left = {
        name: value
        for name, value in call.parameters.items()
        if name not in ("ChecksumCRC32", "ContentLength")
    }
    assert left == given | checksums
    request = Rebuilder().build(call)
    assert (request.url, request.body) == (
        "https://logs-1.s3.eu-west-1.amazonaws.com/a%20b/c",
        given["Body"],
    )
    assert ("x-amz-checksum-crc32" in request.headers) == (not settings)
    assert "Content-Encoding" not in request.headers


# ------------------------------------------------------------------ S3 under other names
POINT = "arn:{}:s3:{}:123456789012:accesspoint/a-1"
POINTS = {
    "here": (POINT.format("aws", REGION), REGION, {}),
    "in another region": (POINT.format("aws", "us-west-2"), "us-west-2", {}),
    "in China": (POINT.format("aws-cn", "cn-north-1"), "cn-north-1", {}),
    "in GovCloud": (POINT.format("aws-us-gov", "us-gov-west-1"), "us-gov-west-1", {}),
    "over dualstack": (POINT.format("aws", REGION), REGION, {"use_dualstack_endpoint": True}),
}


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_an_access_point_is_the_bucket_that_its_arn_names(point: Any) -> None:
    """It is read as its ARN, in its own region and partition, and built again for its endpoint."""
    arn, region, made = point
    given = {"Bucket": arn, "Key": "a b/c"}
    own = region if region.startswith(("cn-", "us-gov-")) else REGION
    call = identify(*sent("s3", "head_object", given, own, **made))
    assert (call.operation, call.region) == ("HeadObject", region)
    assert call.parameters == given
    plain = url_of(call)
    assert plain == sent("s3", "head_object", given, own)[1]
    assert "/a-1-123456789012.s3-accesspoint." in plain


@pytest.mark.parametrize("point", POINTS.values(), ids=POINTS)
def test_an_access_point_at_an_endpoint_of_its_own_is_read(point: Any) -> None:
    """Its name and account stand before our host, and its region is the one that is signed for."""
    arn, region, _ = point
    own = region if region.startswith(("cn-", "us-gov-")) else REGION
    at_ours = {"endpoint_url": OURS + "s3"}
    for method, more in (("head_object", {"Key": "a b/c"}), ("list_objects_v2", {})):
        given = {"Bucket": arn, **more}
        call = identify(*sent("s3", method, given, own, **at_ours))
        assert (call.region, call.parameters["Bucket"]) == (region, arn)
        assert url_of(call) == sent("s3", method, given, own)[1]


def test_what_may_be_an_access_point_or_a_bucket_is_refused() -> None:
    """At `localhost` a bucket may stand before the host, too, and one is called like a point."""
    at_ours: dict[str, Any] = {"endpoint_url": "http://localhost:8080/_svc/s3"}
    before: dict[str, Any] = {"s3": {"addressing_style": "virtual"}, **at_ours}
    for bucket in (POINTS["here"][0], "a-1-123456789012"):
        with pytest.raises(Unidentified, match="it could be each of s3"):
            identify(*sent("s3", "head_object", {"Bucket": bucket, "Key": "k"}, **before))
    for made, bucket in ((before, "a-1"), (at_ours, "a-1-123456789012")):
        call = identify(*sent("s3", "head_object", {"Bucket": bucket, "Key": "k"}, **made))
        assert call.parameters["Bucket"] == bucket


def test_a_host_that_only_looks_like_an_access_point_is_refused() -> None:
    """What the endpoint rules would not make of the ARN is no request that botocore makes."""
    method, url, headers, body = sent(
        "s3", "head_object", {"Bucket": POINTS["here"][0], "Key": "k"}
    )
    for host in ("us-west-2.amazonaws.com", "eu-west-1.amazonaws.com.cn", "eu.amazonaws.com"):
        other = url.replace("eu-west-1.amazonaws.com", host)
        assert other != url
        moved = [(name, value) for name, value in headers if name.lower() != "host"]
        with pytest.raises(Unidentified):
            identify(method, other, moved, body)


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:s3-object-lambda:eu-west-1:123456789012:accesspoint/a",
        "arn:aws:s3-outposts:eu-west-1:123456789012:outpost/op-01234567890123456/accesspoint/a",
    ],
)
def test_access_points_with_permissions_of_their_own_are_refused(arn: str) -> None:
    """AWS asks for other actions than those of S3, so the reason says what to name instead."""
    with pytest.raises(Unidentified, match="an ordinary access point"):
        identify(*sent("s3", "get_object", {"Bucket": arn, "Key": "k"}))


def test_a_link_that_a_script_made_is_refused_with_what_to_do() -> None:
    """One that is not SigV4 is no request of the run; the reason names the call to be made."""
    client = session().create_client(
        "s3", region_name=REGION, aws_access_key_id="AKID", aws_secret_access_key="secret"
    )
    url = client.generate_presigned_url("get_object", OBJECT)
    with pytest.raises(Unidentified, match=r"s3\.GetObject .*presigned.* make the call itself"):
        identify("GET", url, [("Host", url.split("/")[2])], b"")


def test_a_call_in_a_session_of_a_directory_bucket_is_read() -> None:
    """The token of S3 Express is one of the transport: whose call it is says the access key."""
    method, url, headers, body = sent(
        "s3",
        "list_objects_v2",
        {"Bucket": "a--use1-az4--x-s3"},
        "us-east-1",
        s3={"disable_s3_express_session_auth": True},
    )
    in_session = [*headers, ("x-amz-s3session-token", "a token")]
    call = identify(method, url, in_session, body)
    assert (call.operation, call.parameters["Bucket"]) == ("ListObjectsV2", "a--use1-az4--x-s3")
    built = Rebuilder().build(call)
    assert built.url == url
    assert "x-amz-s3session-token" not in built.headers


# ------------------------------------------------------------------ an endpoint variable
OURS = "http://127.0.0.1:8080/_svc/"


@pytest.mark.parametrize(
    ("service", "method", "parameters"),
    [
        ("cloudwatch", "describe_alarms", {"AlarmNames": ["a"]}),
        ("rds", "describe_db_instances", {}),
        ("s3", "head_object", OBJECT),
        ("s3", "list_buckets", {}),
        ("lambda", "get_function", {"FunctionName": "f"}),
        ("s3control", "get_public_access_block", {"AccountId": "123456789012"}),
        ("stepfunctions", "start_sync_execution", {"stateMachineArn": "arn:aws:states:x"}),
    ],
)
@pytest.mark.parametrize("prefixed", [True, False])
def test_an_endpoint_of_its_own_names_the_service(
    service: str, method: str, parameters: Any, prefixed: bool
) -> None:
    """The path names the service; a label before our host is what the call puts there."""
    made: dict[str, Any] = {"endpoint_url": OURS + service, "inject_host_prefix": prefixed}
    call = identify(*sent(service, method, parameters, **made))
    assert (call.service, call.parameters) == (service, parameters)
    assert url_of(call) == sent(service, method, parameters)[1]


def test_a_path_that_names_another_service_is_refused() -> None:
    """The service of the path must be one that is signed for; and only on our own host."""
    method, _, headers, body = sent("cloudwatch", "describe_alarms", {}, endpoint_url=OURS + "x")
    with pytest.raises(Unidentified, match="its path says that it is for 'rds'"):
        identify(method, OURS + "rds", headers, body)
    with pytest.raises(Unidentified, match="the URL would be"):
        identify(method, "http://127.0.0.1:8080/", headers, body)
    headers = [(name, value) for name, value in headers if name.lower() != "host"]
    with pytest.raises(Unidentified, match="path is not"):
        identify(
            method, "http://monitoring.eu-west-1.amazonaws.com/_svc/cloudwatch/", headers, body
        )


# ------------------------------------------------------------------ the JavaScript SDK
def test_the_key_of_the_javascript_sdk_is_known() -> None:
    """`x-id` must say what the request is, once, and is dropped."""
    method, url, headers, body = sent("s3", "get_object", OBJECT)
    expected = identify(method, url, headers, body)
    assert identify(method, url + "?x-id=GetObject", headers, body) == expected
    for query in ("?x-id=DeleteObject", "?x-id=GetObject&x-id=GetObject", "?x-id="):
        with pytest.raises(Unidentified):
            identify(method, url + query, headers, body)


def test_json_may_be_written_in_another_way() -> None:
    """Spaces and escapes say nothing, values and names do."""
    method, url, headers, _ = sent("cloudwatch", "describe_alarms", {})
    call = identify(method, url, headers, b'{"AlarmNames":["\\u0061"],"MaxRecords":5}')
    assert call.parameters == {"AlarmNames": ["a"], "MaxRecords": 5}
    for body in (b'{"MaxRecords":"5"}', b'{"MaxRecords":5,"MaxRecords":6}', b'{"MaxRecords":true}'):
        with pytest.raises(Unidentified):
            identify(method, url, headers, body)


# ------------------------------------------------------------------ URLs signed inside a call
COPY = {"SourceRegion": "us-east-1", "SourceSnapshotId": "snap-1", "Description": "a copy"}
COPY_DB = {
    "SourceDBSnapshotIdentifier": "arn:aws:rds:us-east-1:123456789012:snapshot:a",
    "TargetDBSnapshotIdentifier": "b",
    "SourceRegion": "us-east-1",
}


def test_a_url_signed_by_the_client_is_signed_again() -> None:
    """The script's is dropped; the gateway's has its keys, for the same source."""
    keys = Credentials("AKIDOURS", "secret")
    for service, method, given, name in (
        ("ec2", "copy_snapshot", COPY, "PresignedUrl"),
        ("rds", "copy_db_snapshot", COPY_DB, "PreSignedUrl"),
    ):
        call = identify(*sent(service, method, given))
        assert {key: call.parameters[key] for key in given} == given
        assert name not in call.parameters
        body = str(Rebuilder(lambda _: keys).build(call).body)
        assert "Credential%3DAKIDOURS" in body
        assert "AKID%252F" not in body


def test_a_url_that_says_something_else_is_refused() -> None:
    """Another snapshot, another key, or no such URL at all."""
    method, url, headers, body = sent("ec2", "copy_snapshot", COPY)
    for changed in (
        body.replace(b"SourceSnapshotId%3Dsnap-1", b"SourceSnapshotId%3Dsnap-2"),
        body.replace(b"Credential%3DAKID", b"Credential%3DAKIE"),
        body.partition(b"&PresignedUrl")[0] + b"&PresignedUrl=x",
    ):
        assert changed != body
        with pytest.raises(Unidentified, match="PresignedUrl is a request of its own"):
            identify(method, url, headers, changed)
