"""What leaves is built from the judged call, and is not sent when it would say anything else."""

from __future__ import annotations

import gc
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from botocore import session
from botocore.awsrequest import AWSPreparedRequest
from botocore.model import ServiceModel

from sandbox.gateway import models
from sandbox.gateway.identify import identify
from sandbox.gateway.kept import SERVICES_KEPT
from sandbox.gateway.models import read_file
from sandbox.gateway.rebuild import CLIENTS_KEPT, Rebuilder
from sandbox.gateway.services import service_named
from sandbox.job import AwsCall, Credentials, Response

REGION = "eu-west-1"


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (AwsCall("s4", "ListBuckets", REGION, {}), "not a service that botocore knows"),
        (AwsCall("ec2", "DescribeNonsense", REGION, {}), "has no operation"),
        (AwsCall("ec2", "describe_instances", REGION, {}), "has no operation"),
        (AwsCall("ec2", "DescribeInstances", REGION, {"Nonsense": 1}), "Unknown parameter"),
        (AwsCall("rds", "DescribeDBInstances", REGION, {"MaxRecords": "5"}), "Invalid type"),
        (AwsCall("ecs", "DescribeTasks", REGION, {}), "Missing required parameter"),
        (AwsCall("ec2", "DescribeInstances", "eu west", {}), "no request can be made of it"),
        (AwsCall("ec2", "DescribeInstances", "evil.example#", {}), "no request can be made"),
        (AwsCall("sts", "AssumeRoleWithSAML", REGION, {}), "Missing required parameter"),
    ],
)
def test_a_call_that_cant_be_said_exactly_is_not_sent(call: AwsCall, reason: str) -> None:
    """Unknown, invalid and ambiguous calls are ValueErrors, and the transport is never asked."""
    asked: list[AWSPreparedRequest] = []

    def transport(request: AWSPreparedRequest) -> Response:
        asked.append(request)
        return Response(200, {}, b"")

    with pytest.raises(ValueError, match=r".") as refused:
        Rebuilder().send(call, transport)
    assert reason in str(refused.value)
    assert asked == []


def test_settings_of_the_operator_play_no_part(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the environment nor ~/.aws/config moves a request to another endpoint or key."""
    folder = Path.home() / ".aws"
    folder.mkdir()
    (folder / "config").write_text(
        "[default]\nuse_fips_endpoint=true\nparameter_validation=false\n"
    )
    (folder / "credentials").write_text("[default]\naws_access_key_id=AKIDREAL\n")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("AWS_USE_DUALSTACK_ENDPOINT", "true")
    monkeypatch.setenv("AWS_STS_REGIONAL_ENDPOINTS", "legacy")
    request = Rebuilder(lambda _: Credentials("AKIDOURS", "secret")).build(
        AwsCall("sts", "GetCallerIdentity", REGION, {})
    )
    assert request.url == "https://sts.eu-west-1.amazonaws.com/"
    assert b"Credential=AKIDOURS/" in request.headers["Authorization"]


def test_threads_share_a_rebuilder() -> None:
    """Clients are made once each, and every thread gets the request of its own call."""
    rebuilder = Rebuilder()

    def build(number: int) -> tuple[Any, Any]:
        region = ("eu-west-1", "us-east-1")[number % 2]
        call = AwsCall("rds", "DescribeDBInstances", region, {"Marker": str(number)})
        request = rebuilder.build(call)
        return request.url, request.body

    with ThreadPoolExecutor(8) as pool:
        built = list(pool.map(build, range(64)))
    assert built == [
        (
            f"https://rds.{('eu-west-1', 'us-east-1')[number % 2]}.amazonaws.com/",
            f"Action=DescribeDBInstances&Version=2014-10-31&Marker={number}".encode(),
        )
        for number in range(64)
    ]
    assert {name: list(regions) for name, regions in rebuilder._clients.items()} in (
        {"rds": ["eu-west-1", "us-east-1"]},
        {"rds": ["us-east-1", "eu-west-1"]},
    )


def test_each_call_is_signed_with_the_keys_of_its_principal() -> None:
    """They are asked for at every call, may have changed since the last one, and bring a token."""
    asked: list[str] = []

    def credentials_of(principal: str) -> Credentials:
        asked.append(principal)
        return Credentials(f"AKID{len(asked)}", "secret", "token" * len(asked))

    rebuilder = Rebuilder(credentials_of)
    for number, principal in enumerate(("operator", "arn:aws:iam::1:role/a", "operator"), 1):
        call = AwsCall("sts", "GetCallerIdentity", REGION, {}, principal)
        headers = rebuilder.build(call).headers
        assert f"Credential=AKID{number}/".encode() in headers["authorization"]
        assert headers["x-amz-security-token"] == ("token" * number).encode()
    assert asked == ["operator", "arn:aws:iam::1:role/a", "operator"]


def test_few_clients_are_kept() -> None:
    """A script that names many regions can't fill the memory."""
    rebuilder = Rebuilder()
    for number in range(CLIENTS_KEPT):
        rebuilder.build(AwsCall("sts", "GetCallerIdentity", f"eu-west-{number}", {}))
    for number in range(2):
        rebuilder.build(AwsCall("sqs", "ListQueues", f"eu-west-{number}", {}))
    assert list(rebuilder._clients["sqs"]) == ["eu-west-0", "eu-west-1"]
    assert len(rebuilder._clients["sts"]) == CLIENTS_KEPT - 2


def test_models_that_are_not_kept_are_gone() -> None:
    """A script that goes from service to service, and round again, can't fill the memory."""
    before = {id(thing): thing for thing in gc.get_objects() if type(thing) is ServiceModel}
    rebuilder = Rebuilder()
    names = session.Session().get_available_services()[: SERVICES_KEPT + 4]
    for _ in range(2):
        for service in names:
            operation = service_named(service).model.operation_names[0]
            with suppress(ValueError):
                rebuilder.build(AwsCall(service, operation, REGION, {}))
    gc.collect()
    alike = [thing for thing in gc.get_objects() if type(thing) is ServiceModel]
    alive = [each for each in alike if each.service_name in names and id(each) not in before]
    assert len(alive) <= 2 * SERVICES_KEPT  # those that are read by, and those of the clients


def test_what_a_model_is_read_from_is_not_kept() -> None:
    """Every file that it ever read is what botocore's own loader keeps: ours forgets them."""
    for name in ("sts", "sqs"):
        assert read_file(name, "service-2")["operations"]
    kept = {kind for kind, *_ in models._loader()._cache}
    assert kept <= {"list_available_services", "determine_latest_version", "list_api_versions"}


def test_a_length_that_is_not_the_bodys_is_not_sent() -> None:
    """Whoever reads by it would take the rest for another request."""
    for length in (3, 5):
        parameters = {"Bucket": "bucket", "Key": "k", "Body": b"text", "ContentLength": length}
        with pytest.raises(ValueError, match="another length"):
            Rebuilder().build(AwsCall("s3", "PutObject", REGION, parameters))


@pytest.mark.parametrize(
    "call",
    [
        AwsCall("s3", "GetBucketLocation", REGION, {"Bucket": "dots.in.it"}),
        AwsCall("s3", "CopyObject", REGION, {"Bucket": "b-1", "Key": "k", "CopySource": "a/b%20c"}),
        AwsCall("timestream-query", "DescribeEndpoints", "us-east-1", {}),
        AwsCall("gamelift", "ListBuilds", REGION, {"Limit": 3}),
        AwsCall("iam", "ListUsers", "us-east-1", {}),
    ],
    ids=lambda call: f"{call.service}.{call.operation}",
)
def test_what_is_built_reads_as_what_was_judged(call: AwsCall) -> None:
    """Also where clients have rules of their own: styles of buckets, CBOR, global services."""
    request = Rebuilder().build(call)
    headers = [
        (name, value.decode() if isinstance(value, bytes) else value)
        for name, value in request.headers.items()
    ]
    body = request.body or b""
    body = body.encode() if isinstance(body, str) else body
    assert identify(request.method, request.url, headers, body) == call
