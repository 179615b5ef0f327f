"""The two parts of the gateway's work that have a bar of their own: finding a route, and judging.

Both are means over a mix, in one process and warm: what a service costs at its first use is not in
them. The requests come from `tools/make_requests.py`, where clients that know nothing of ours made
them: every operation of some services, REST ones with many routes among them. Each call that is
judged names resources that no call before it has named.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

from core.iam.judge import authorizer
from sandbox.gateway.identify import scope_of
from sandbox.gateway.routes import services_signing_as
from sandbox.job import AwsCall
from tools.make_gateway_page import requests

ACCOUNT = "123456789012"
REGION = "eu-west-1"
SERVICES = ("apigateway", "dynamodb", "ecs", "eks", "lambda", "rds", "route53", "s3", "sqs", "sts")
TURNS = 9
JUDGED = 1300
SIGNED = 300
ARN = f"arn:aws:{{}}:{REGION}:{ACCOUNT}:{{}}"
READS = {
    "autoscaling": "Describe*",
    "cloudtrail": "LookupEvents",
    "cloudwatch": "Describe*",
    "ec2": "Describe*",
    "ecs": "List*",
    "elasticloadbalancing": "Describe*",
    "rds": "Describe*",
    "sts": "GetCallerIdentity",
}
CALLS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("autoscaling", "DescribeAutoScalingGroups", {"AutoScalingGroupNames": ["shop"]}),
    ("cloudtrail", "LookupEvents", {"MaxResults": 50}),
    ("cloudwatch", "DescribeAlarms", {"AlarmNames": ["p99", "p50"]}),
    ("cloudwatch", "DeleteAlarms", {"AlarmNames": ["p99"]}),
    ("ec2", "DescribeInstances", {"InstanceIds": ["i-0123456789abcdef0"]}),
    ("ec2", "TerminateInstances", {"InstanceIds": ["i-0123456789abcdef0"]}),
    ("ecs", "DescribeServices", {"cluster": "c7", "services": ["web", "api"]}),
    ("ecs", "ListTasks", {"cluster": "c3"}),
    ("elbv2", "DescribeTargetHealth", {"TargetGroupArn": ARN.format("elasticloadbalancing", "x")}),
    ("logs", "FilterLogEvents", {"logGroupName": "/shop/9", "filterPattern": "ERROR"}),
    ("logs", "DescribeLogGroups", {"logGroupNamePrefix": "/shop/"}),
    ("rds", "DescribeDBInstances", {"DBInstanceIdentifier": "orders"}),
    ("sts", "GetCallerIdentity", {}),
)


class Line(NamedTuple):
    """What of a request decides which operations it could be."""

    signing_name: str
    method: str
    path: str
    query: Sequence[tuple[str, str]]
    operation: str


def route_us() -> float:
    """Return the microseconds of one look into the table of routes."""
    lines = [_line(made) for made in requests(SERVICES) if made[5]]
    lines = [line for line in lines if line.signing_name]
    return _mean_us(lambda: [_could_be(line) for line in lines], len(lines))


def decide_us() -> float:
    """Return the microseconds of one verdict."""
    judge = authorizer(_policy(), account=ACCOUNT, partition="aws", regions=(REGION,), ceiling=2)
    kinds = itertools.cycle(CALLS)
    fresh = (
        AwsCall(service, name, REGION, _renamed(given, number))
        for number, (service, name, given) in enumerate(kinds)
    )
    turns = [list(itertools.islice(fresh, JUDGED)) for _ in range(TURNS + 1)]
    return _mean_us(lambda: [judge(call) for call in turns.pop()], JUDGED)


def _renamed(value: Any, number: int) -> Any:
    """Return parameters with other names in them, so that nothing is known of their resources."""
    if isinstance(value, dict):
        return {key: _renamed(item, number) for key, item in value.items()}
    if isinstance(value, list):
        return [_renamed(item, number) for item in value]
    return f"{value}{number}" if isinstance(value, str) else value


def sign_us() -> float:
    """Return the microseconds that botocore takes to sign a call."""
    signer = SigV4Auth(ReadOnlyCredentials("AKIDEXAMPLE", "secret", None), "logs", REGION)
    headers = {"Content-Type": "application/x-amz-json-1.1"}

    def turn() -> None:
        for _ in range(SIGNED):
            request = AWSRequest("POST", "https://logs.example/", headers, data=b'{"limit": 5}')
            signer.add_auth(request)

    return _mean_us(turn, SIGNED)


def _mean_us(turn: Callable[[], object], size: int) -> float:
    """Return the time of one of `size` pieces of a turn: the median of the turns' means."""
    turn()
    took = []
    for _ in range(TURNS):
        begin = time.perf_counter()
        turn()
        took.append((time.perf_counter() - begin) / size * 1_000_000)
    return median(took)


def _line(made: Sequence[Any]) -> Line:
    _, operation, _, _, _, method, url, headers, _ = made
    parts = urlsplit(url)
    named = [tuple(header) for header in headers]
    signed = any(name == "Authorization" for name, _ in named)
    query = parse_qsl(parts.query, keep_blank_values=True)
    return Line(
        scope_of(named).signing_name if signed else "", method, parts.path, query, operation
    )


def _could_be(line: Line) -> list[str]:
    """Return what the table says: by the request line for REST, by the marker's name otherwise."""
    found = []
    for routes in services_signing_as(line.signing_name):
        if routes.rest:
            matching = routes.matching(line.method, line.path, line.query)
            found += [route.operation for route, _ in matching]
        elif line.operation in routes.operations:
            found.append(line.operation)
    return found


def _policy() -> dict[str, Any]:
    """Return a policy of 22 statements: eight of reads, fourteen of single resources."""
    statements = [
        {"Effect": "Allow", "Action": f"{prefix}:{name}", "Resource": "*"}
        for prefix, name in READS.items()
    ]
    for number in range(7):
        group, cluster = ARN.format("logs", f"log-group:/shop/{number}*"), f"service/c{number}/*"
        for action, resource in (
            (["logs:FilterLogEvents", "logs:GetLogEvents"], group),
            ("ecs:DescribeServices", ARN.format("ecs", cluster)),
        ):
            statements.append({"Effect": "Allow", "Action": action, "Resource": resource})  # type: ignore[dict-item]  # JSON
    return {"Version": "2012-10-17", "Statement": statements}
