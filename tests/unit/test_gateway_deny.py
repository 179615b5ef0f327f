"""Refusals are ordinary AWS errors to botocore: the right code, our reason, and no second try."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.session import Session

from sandbox.gateway.deny import DENIED, denial

REASON = "no statement allows <it> & \x00 \ud800 \x1b[31m «so»"
JSON, FORM, EC2 = "AccessDeniedException", "AccessDenied", "UnauthorizedOperation"


class Raw:
    """The body of an answer as botocore reads it."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self) -> list[bytes]:
        return [self._body]


@pytest.mark.parametrize("mode", ["legacy", "standard"])
@pytest.mark.parametrize(
    ("service", "method", "parameters", "expected"),
    [
        ("sts", "get_caller_identity", {}, (FORM, 403)),
        ("cloudwatch", "describe_alarms", {}, (JSON, 400)),
        ("logs", "describe_log_groups", {}, (JSON, 400)),
        ("ec2", "describe_instances", {}, (EC2, 403)),
        ("elbv2", "describe_load_balancers", {}, (FORM, 403)),
        ("autoscaling", "describe_auto_scaling_groups", {}, (FORM, 403)),
        ("cloudtrail", "lookup_events", {}, (JSON, 400)),
        ("ecs", "list_clusters", {}, (JSON, 400)),
        ("rds", "describe_db_instances", {}, (FORM, 403)),
        ("s3", "list_buckets", {}, (FORM, 403)),
        ("s3", "put_object", {"Bucket": "b", "Key": "k", "Body": b"x"}, (FORM, 403)),
        ("route53", "list_hosted_zones", {}, (FORM, 403)),
        ("lambda", "list_functions", {}, (JSON, 403)),
        ("dynamodb", "list_tables", {}, (JSON, 400)),
        ("sqs", "list_queues", {}, (JSON, 400)),
        ("sns", "list_topics", {}, (FORM, 403)),
        ("eventbridgev2", "list_event_buses", {}, (JSON, 400)),
    ],
)
def test_botocore_raises_an_ordinary_client_error(
    service: str, method: str, parameters: dict[str, Any], expected: tuple[str, int], mode: str
) -> None:
    """For each protocol the script sees AccessDenied with our reason, after a single attempt."""
    attempts = []

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        headers = [
            (name, value.decode() if isinstance(value, bytes) else value)
            for name, value in request.headers.items()
        ]
        response = denial(REASON, headers)
        attempts.append(response)
        return AWSResponse(request.url, response.status, response.headers, Raw(response.body))

    client = Session().create_client(
        service,
        region_name="eu-west-1",
        aws_access_key_id="AKID",
        aws_secret_access_key="secret",
        config=Config(retries={"mode": mode, "total_max_attempts": 3}),
    )
    client.meta.events.register("before-send", answer)
    with pytest.raises(ClientError) as refused:
        getattr(client, method)(**parameters)
    metadata = refused.value.response["ResponseMetadata"]
    error = refused.value.response["Error"]
    assert (error["Code"], metadata["HTTPStatusCode"]) == expected
    assert "no statement allows <it> & " in error["Message"]
    assert "«so»" in error["Message"]
    assert metadata["HTTPHeaders"][DENIED] == "1"
    assert len(attempts) == 1


@pytest.mark.parametrize("headers", [[], [("authorization", "garbage"), ("content-type", "")]])
def test_there_is_an_answer_to_anything(headers: list[tuple[str, str]]) -> None:
    """A request that says nothing about itself is refused too."""
    answer = denial("no", headers)
    assert (answer.status, answer.headers[DENIED]) == (403, "1")
