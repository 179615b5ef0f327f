"""Denials as real clients see them, through a served run: ordinary exceptions, and nothing sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.gateway.deny import DENIED

REASON = "no statement of the approved policy allows it (nearest: <Sid> & statement 2)"
JSON, FORM, EC2 = "AccessDeniedException", "AccessDenied", "UnauthorizedOperation"
BUCKET = {"Bucket": "a-bucket"}
CALLS: list[tuple[str, str, dict[str, Any], str, int]] = [
    ("sts", "get_caller_identity", {}, FORM, 403),
    ("iam", "list_users", {}, FORM, 403),
    ("sns", "list_topics", {}, FORM, 403),
    ("ec2", "describe_instances", {}, EC2, 403),
    ("ec2", "terminate_instances", {"InstanceIds": ["i-1"]}, EC2, 403),
    ("dynamodb", "list_tables", {}, JSON, 400),
    ("sqs", "list_queues", {}, JSON, 400),
    ("logs", "describe_log_groups", {}, JSON, 400),
    ("kms", "disable_key", {"KeyId": "k"}, JSON, 400),
    ("lambda", "list_functions", {}, JSON, 403),
    ("lambda", "invoke", {"FunctionName": "f", "Payload": b"{}"}, JSON, 403),
    ("eks", "list_clusters", {}, JSON, 403),
    ("route53", "list_hosted_zones", {}, FORM, 403),
    ("cloudfront", "list_distributions", {}, FORM, 403),
    ("s3", "list_buckets", {}, FORM, 403),
    ("s3", "get_object", {**BUCKET, "Key": "k"}, FORM, 403),
    ("s3", "put_object", {**BUCKET, "Key": "k", "Body": b"x" * 100_000}, FORM, 403),
    ("s3control", "list_jobs", {"AccountId": "123456789012"}, FORM, 403),
    ("eventbridgev2", "list_event_buses", {}, JSON, 400),
    ("cloudhsmv2", "describe_clusters", {}, JSON, 400),
]


@pytest.fixture
def client(server: Any) -> Callable[..., Any]:
    """Return a function that makes clients behind a run in which everything is denied."""
    server.verdict = replace(server.verdict, allowed=False, reason=REASON)
    port = server.run().port

    def make(service: str, **options: Any) -> Any:
        proxies = {"http": f"http://127.0.0.1:{port}"}
        config = Config(proxies=proxies, **options)
        session = boto3.Session("AKID", "secret", region_name="eu-west-1")
        return session.client(service, use_ssl=False, config=config)

    return make


@pytest.mark.parametrize("call", CALLS, ids=[".".join(call[:2]) for call in CALLS])
def test_a_denied_call_raises_the_ordinary_exception(
    server: Any, client: Callable[..., Any], call: tuple[str, str, dict[str, Any], str, int]
) -> None:
    """In each protocol: the code of AWS, our reason, our mark, one attempt, zero sends."""
    service, method, parameters, code, status = call
    with pytest.raises(ClientError) as refused:
        getattr(client(service), method)(**parameters)
    error, metadata = refused.value.response["Error"], refused.value.response["ResponseMetadata"]
    assert (error["Code"], error["Message"]) == (code, REASON)
    assert (metadata["HTTPStatusCode"], metadata["RetryAttempts"]) == (status, 0)
    assert metadata["HTTPHeaders"][DENIED] == "1"
    assert metadata["RequestId"]
    assert server.door.sent == []


@pytest.mark.parametrize("method", ["head_bucket", "head_object"])
def test_a_denied_head_is_what_it_is_at_aws(
    server: Any, client: Callable[..., Any], method: str
) -> None:
    """An answer to HEAD has no body, so botocore knows the status only, and our mark."""
    parameters = BUCKET if method == "head_bucket" else {**BUCKET, "Key": "k"}
    with pytest.raises(ClientError) as refused:
        getattr(client("s3"), method)(**parameters)
    error, metadata = refused.value.response["Error"], refused.value.response["ResponseMetadata"]
    assert (error["Code"], error["Message"]) == ("403", "Forbidden")
    assert metadata["HTTPHeaders"][DENIED] == "1"
    assert server.door.sent == []


@pytest.mark.parametrize("mode", ["legacy", "standard", "adaptive"])
def test_a_denial_is_not_tried_again(server: Any, client: Callable[..., Any], mode: str) -> None:
    """Whatever way of retrying a script has chosen."""
    with pytest.raises(ClientError) as refused:
        client("dynamodb", retries={"mode": mode, "total_max_attempts": 4}).list_tables()
    assert refused.value.response["ResponseMetadata"]["RetryAttempts"] == 0


def test_a_large_upload_is_denied_like_any_other_call(
    server: Any, client: Callable[..., Any]
) -> None:
    """Clients of S3 ask before they send the body of an object; the denial is the answer."""
    with pytest.raises(ClientError, match="no statement of the approved policy"):
        client("s3").put_object(**BUCKET, Key="k", Body=BytesIO(b"x" * 15_000_000))
    assert server.door.sent == []
