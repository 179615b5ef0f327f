"""What real botocore clients send is read back, and built again, exactly."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.awsrequest import AWSPreparedRequest
from botocore.config import Config
from botocore.model import OperationModel, Shape
from botocore.session import Session

from sandbox.errors import Unidentified
from sandbox.gateway.identify import identify
from sandbox.gateway.rebuild import Rebuilder
from sandbox.job import AwsCall

REGION = "eu-west-1"
SERVICES = (
    *("autoscaling", "cloudtrail", "cloudwatch", "ec2", "ecs", "elb", "elbv2", "logs", "rds"),
    *("sqs", "sts"),
)
UNSUPPORTED = {
    "sts": {"AssumeRoleWithSAML", "AssumeRoleWithWebIdentity"},
}
"""Calls without a signature."""
SIGNS_A_URL = "CopySnapshot"
"""Its client adds a parameter, and the time."""
OF_THE_CLIENT = ("amz-sdk-invocation-id", "x-amzn-trace-id")
NUMBERS = {"integer": 7, "long": 2**40, "float": 0.1, "double": 1.5e-7}
MOMENT = datetime(2026, 1, 31, 12, 0, 0, 123456, tzinfo=UTC)
ENCODED_BY_CLIENT = {("RunInstances", "UserData"), ("CreateLaunchConfiguration", "UserData")}


class Taken(Exception):
    """Carries a finished request out of the client."""


def take(request: AWSPreparedRequest, **_: object) -> None:
    """Stop the client at its last hook before the network."""
    raise Taken(request)


def sample(shape: Shape, *, everything: bool, seen: str = "") -> Any:
    """Return a value of `shape`: all members, or the required ones and what keeps it from empty."""
    kind = shape.type_name
    if getattr(shape, "is_document_type", False):
        return {"a": [1, "x", None, True, 0.5]}
    if kind == "structure":
        return sample_structure(shape, everything=everything)
    if kind == "list":
        item = sample(shape.member, everything=everything)
        return [item] * max(2 if everything else 1, shape.metadata.get("min", 0))
    if kind == "map":
        return {
            sample(shape.key, everything=everything): sample(shape.value, everything=everything)
        }
    if kind == "string":
        letters = "a b~é*&=+%.\n😀"
        length = min(max(shape.metadata.get("min", 0), len(letters)), shape.metadata.get("max", 99))
        return (letters * length)[:length]
    if kind in NUMBERS:
        return max(shape.metadata.get("min", 0), NUMBERS[kind])
    return {"boolean": True, "timestamp": MOMENT, "blob": b"\x00\xff blob"}[kind]


def sample_structure(shape: Shape, *, everything: bool) -> dict[str, Any]:
    """Return a structure as `sample` does; tokens are always given, or the client makes them up."""
    wanted = [
        name
        for name, member in shape.members.items()
        if everything or name in shape.required_members or member.metadata.get("idempotencyToken")
    ]
    if "PreSignedUrl" in shape.members:
        # RDS: a copy from another region puts a URL, signed in the body, into the request.
        wanted = [name for name in wanted if name not in ("PreSignedUrl", "SourceRegion")]
    if shape.members and (not wanted or getattr(shape, "is_tagged_union", False)):
        wanted = list(shape.members)[:1]
    return {name: sample(shape.members[name], everything=everything) for name in wanted}


def said(value: Any, *, form: bool) -> Any:
    """Return what can be said of a value on the wire: forms have no empty structures."""
    if isinstance(value, dict):
        pruned = {key: said(item, form=form) for key, item in value.items()}
        return {key: item for key, item in pruned.items() if not (form and item in ({}, [{}, {}]))}
    if isinstance(value, list):
        return [said(item, form=form) for item in value]
    return value


def parameters_of(operation: OperationModel) -> Iterator[dict[str, Any]]:
    """Yield the fewest and the most parameters of an operation."""
    shape = operation.input_shape
    yield {} if shape is None else sample_structure(shape, everything=False)
    yield {} if shape is None else sample_structure(shape, everything=True)


def wire(request: AWSPreparedRequest) -> tuple[str, str, list[tuple[str, str]], bytes]:
    """Return a prepared request as the gateway gets it."""
    headers = [
        (name, value.decode("ascii") if isinstance(value, bytes) else value)
        for name, value in request.headers.items()
    ]
    body = request.body or b""
    return request.method, request.url, headers, body.encode() if isinstance(body, str) else body


def lasting(headers: Sequence[tuple[str, str]]) -> dict[str, str]:
    """Return the headers that are the same whoever sends a request, and whenever."""
    return {
        name.lower(): text
        for name, text in headers
        if name.lower() not in ("authorization", "user-agent", "x-amz-date", *OF_THE_CLIENT)
    }


@pytest.fixture(scope="module")
def rebuilder() -> Rebuilder:
    """Return one rebuilder for all services, as in a gateway process."""
    return Rebuilder()


@pytest.mark.parametrize("service", SERVICES)
def test_every_operation_comes_back_as_it_was_said(service: str, rebuilder: Rebuilder) -> None:
    """Real client -> identify -> rebuild: same call, same parameters, same bytes; twice each."""
    client = Session().create_client(
        service,
        region_name=REGION,
        aws_access_key_id="AKID",
        aws_secret_access_key="secret",
        config=Config(disable_request_compression=True, retries={"total_max_attempts": 1}),
    )
    client.meta.events.register("before-send", take)
    model = client.meta.service_model
    refused = set()
    for method, name in client.meta.method_to_api_mapping.items():
        if name == SIGNS_A_URL:
            continue
        for parameters in parameters_of(model.operation_model(name)):
            with pytest.raises(Taken) as taken:
                getattr(client, method)(**parameters)
            request = wire(taken.value.args[0])
            try:
                call = identify(*request)
            except Unidentified:
                refused.add(name)
                continue
            for key in [key for key in parameters if (name, key) in ENCODED_BY_CLIENT]:
                parameters[key] = base64.b64encode(parameters[key].encode()).decode()
            expected = said(parameters, form=model.resolved_protocol != "json")
            assert call == AwsCall(service, name, REGION, expected)
            method_, url, headers, body = wire(rebuilder.build(call))
            assert (method_, url, body) == (request[0], request[1], request[3])
            assert lasting(headers) == lasting(request[2])
    assert refused == UNSUPPORTED.get(service, set())
