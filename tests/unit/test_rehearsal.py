"""A rehearsal answers every operation in its own shape, for botocore and for scripts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from io import BytesIO
from typing import Any

import boto3
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.loaders import Loader
from botocore.parsers import create_parser

from core.upstream.invented import MOMENT, MOST_ITEMS, NEXT_PAGE, invented
from core.upstream.rehearsal import Rehearsal
from core.upstream.written import CONTENT, written
from sandbox.gateway.identify import identify
from sandbox.gateway.services import service_named
from sandbox.job import AwsCall

ACCOUNT, REGION = "123456789012", "eu-west-1"
SERVICES = Loader().list_available_services("service-2")
GROUPS = [SERVICES[start : start + 12] for start in range(0, len(SERVICES), 12)]
LISTS = ("List", "Describe", "Get", "Search", "Batch")
SAMPLED = 1
"""Operations of each service that are like a list; the last of all is another."""

Client = Callable[..., Any]


class Raw(BytesIO):
    """A body as botocore gets it from its connection."""

    def stream(self, amt: int = 1024, decode_content: bool | None = None) -> Iterator[bytes]:
        """Yield the whole."""
        yield self.read()


@pytest.fixture(scope="module")
def client() -> Client:
    """Return a function that gives real clients, whose requests are answered by a rehearsal."""
    rehearsal = Rehearsal("aws", ACCOUNT)

    def answer(request: AWSPreparedRequest, **_: object) -> AWSResponse:
        headers = [
            (name, text if isinstance(text, str) else text.decode())
            for name, text in request.headers.items()
        ]
        body = request.body or b""
        body = body.encode() if isinstance(body, str) else body
        response = rehearsal.send(identify(request.method, request.url, headers, body))
        named = HTTPHeaders.from_dict(response.headers)
        return AWSResponse(request.url, response.status, named, Raw(response.body))

    @cache
    def make(service: str, region: str = REGION) -> Any:
        config = Config(request_checksum_calculation="when_required")
        made = boto3.Session("AKID", "secret", region_name=region).client(service, config=config)
        made.meta.events.register("before-send", answer)
        return made

    return make


def sampled(operations: list[str]) -> list[str]:
    """Return some operations of a service."""
    return [*[name for name in operations if name.startswith(LISTS)][:SAMPLED], operations[-1]]


def lost(invented: Any, parsed: Any, path: str) -> Iterator[str]:
    """Yield where what a parser read is not what was invented."""
    if isinstance(invented, dict) and isinstance(parsed, dict):
        for name in invented.keys() | parsed.keys():
            yield from lost(invented.get(name), parsed.get(name), f"{path}.{name}")
    elif isinstance(invented, list) and isinstance(parsed, list) and len(invented) == len(parsed):
        for one, other in zip(invented, parsed, strict=True):
            yield from lost(one, other, f"{path}[]")
    elif invented != parsed and (invented or parsed):
        yield f"{path}: {invented!r} was read as {parsed!r}"


@pytest.mark.parametrize("services", GROUPS, ids=[group[0] for group in GROUPS])
def test_every_service_answers_what_its_parser_reads(services: list[str]) -> None:
    """Of each service some operations: botocore's own parser reads exactly what was invented."""
    told: list[str] = []
    for name in services:
        service = service_named(name)
        parser = create_parser(service.protocol)
        for each in sampled(service.model.operation_names):
            operation = service.operation(each)
            if operation.has_event_stream_output or operation.has_streaming_output:
                continue
            values = invented(operation, AwsCall(name, each, REGION, {}), "aws", ACCOUNT)
            answer = written(operation, values)
            whole = {
                "status_code": answer.status,
                "headers": HTTPHeaders.from_dict(answer.headers),
                "body": answer.body,
            }
            parsed = parser.parse(whole, operation.output_shape)
            del parsed["ResponseMetadata"]
            told += [
                problem
                for problem in lost(values, parsed, f"{name}.{each}")
                if not of_the_transport(operation.output_shape, problem)
            ]
    assert told == []


def of_the_transport(output: Any, problem: str) -> bool:
    """Tell whether what differs is a member that says what HTTP said: a status, a length."""
    members = output.members.items() if output is not None else ()
    return any(
        f".{name}:" in problem and shape.serialization.get("location") in ("statusCode", "header")
        for name, shape in members
    )


def test_a_call_is_always_answered_in_the_same_way(client: Client) -> None:
    """Two answers to one call are equal, and so are those of another rehearsal."""
    first, second = [client("ec2").describe_instances() for _ in range(2)]
    assert first == second
    assert first["Reservations"][0]["Instances"][0]["InstanceId"] == "rehearsed-1"


@pytest.mark.parametrize(
    ("service", "method", "key", "parameters"),
    [
        ("ec2", "describe_instances", "Reservations", {}),
        ("s3", "list_objects_v2", "Contents", {"Bucket": "bucket"}),
        ("s3", "list_objects", "Contents", {"Bucket": "bucket"}),
        ("logs", "filter_log_events", "events", {"logGroupName": "/shop"}),
        ("iam", "list_roles", "Roles", {}),
        ("dynamodb", "scan", "Items", {"TableName": "orders"}),
        ("route53", "list_resource_record_sets", "ResourceRecordSets", {"HostedZoneId": "Z1"}),
        ("cloudwatch", "get_metric_data", "MetricDataResults", None),
        ("cloudfront", "list_distributions", "DistributionList", {}),
    ],
)
def test_a_list_is_over_after_two_pages(
    client: Client, service: str, method: str, key: str, parameters: dict[str, Any] | None
) -> None:
    """Each of two pages has something on it, and then botocore's own paginators are at the end."""
    period = {"StartTime": MOMENT, "EndTime": MOMENT, "MetricDataQueries": [{"Id": "a"}]}
    given = period if parameters is None else parameters
    pages = list(client(service).get_paginator(method).paginate(**given))
    assert len(pages) == 2
    assert all(page[key] for page in pages)


def test_a_loop_by_hand_comes_to_its_end(client: Client) -> None:
    """A token that is handed back ends the list, and tokens that never end stay the same."""
    logs, records = client("logs"), client("kinesis")
    first = logs.describe_log_groups()
    assert first["nextToken"] == NEXT_PAGE
    assert "nextToken" not in logs.describe_log_groups(nextToken=first["nextToken"])
    given = {"logGroupName": "/shop", "logStreamName": "web"}
    forward = logs.get_log_events(**given)["nextForwardToken"]
    assert logs.get_log_events(**given, nextToken=forward)["nextForwardToken"] == forward
    more = records.get_records(ShardIterator="begin")["NextShardIterator"]
    assert "NextShardIterator" not in records.get_records(ShardIterator=more)


def test_what_was_asked_for_by_name_is_answered_by_name(client: Client) -> None:
    """Ids, names, keys of maps and filters of a request stand in its answer, one item for each."""
    ids = ["i-1", "i-2", "i-3"]
    found = client("ec2").describe_instances(InstanceIds=ids)["Reservations"]
    assert [each["InstanceId"] for one in found for each in one["Instances"]] == ids
    [network] = client("ec2").describe_subnets(Filters=[{"Name": "vpc-id", "Values": ["vpc-1"]}])[
        "Subnets"
    ]
    assert network["VpcId"] == "vpc-1"
    services = client("ecs").describe_services(cluster="shop", services=["web", "api"])["services"]
    assert [each["serviceName"] for each in services] == ["web", "api"]
    assert services[0]["clusterArn"] == f"arn:aws:ecs:{REGION}:{ACCOUNT}:rehearsed/shop"
    queries = [{"Id": "a", "Expression": "1"}, {"Id": "b", "Expression": "2"}]
    got = client("cloudwatch").get_metric_data(
        MetricDataQueries=queries, StartTime=MOMENT, EndTime=MOMENT
    )
    assert [each["Id"] for each in got["MetricDataResults"]] == ["a", "b"]
    keys = {"orders": {"Keys": [{"id": {"S": "1"}}]}}
    batch = client("dynamodb").batch_get_item(RequestItems=keys)
    assert list(batch["Responses"]) == ["orders"]
    assert batch["UnprocessedKeys"] == {}


def test_nothing_has_failed_and_nobody_waits(client: Client) -> None:
    """Lists of failures are empty, errors are absent, and what waiters wait for has come."""
    tasks = client("ecs").describe_tasks(tasks=["a"])
    assert tasks["failures"] == []
    assert client("events").put_events(Entries=[{"Source": "a"}])["FailedEntryCount"] == 0
    assert "FunctionError" not in client("lambda").invoke(FunctionName="f")
    client("rds").get_waiter("db_instance_available").wait(DBInstanceIdentifier="orders")
    client("cloudformation").get_waiter("stack_create_complete").wait(StackName="shop")
    state = client("athena").get_query_execution(QueryExecutionId="q")["QueryExecution"]["Status"]
    assert state["State"] == "SUCCEEDED"


def test_texts_have_the_form_that_scripts_take_apart(client: Client) -> None:
    """ARNs, regions, documents, amounts and times can be split, loaded and converted."""
    arn = client("sts").get_caller_identity()["Arn"]
    assert arn.split(":")[:5] == ["arn", "aws", "sts", "", ACCOUNT]
    assert client("s3").get_bucket_location(Bucket="b")["LocationConstraint"] == REGION
    regions = client("ec2").describe_regions()["Regions"]
    assert [each["RegionName"] for each in regions] == [REGION]
    role = client("iam").get_role(RoleName="web")["Role"]
    assert role["RoleName"] == "web"
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Effect"] == "Allow"
    [event] = client("cloudtrail").lookup_events()["Events"]
    assert json.loads(event["CloudTrailEvent"])["awsRegion"] == REGION
    assert event["EventTime"] == MOMENT
    since = datetime(2026, 5, 1, tzinfo=UTC)
    [event] = client("cloudtrail").lookup_events(StartTime=since)["Events"]
    assert event["EventTime"] == since


def test_files_and_streams_are_small_and_whole(client: Client) -> None:
    """An object has content of the length that is said, and a stream one event of each kind."""
    store = client("s3")
    got = store.get_object(Bucket="b", Key="k")
    assert got["Body"].read() == CONTENT
    assert store.head_object(Bucket="b", Key="k")["ContentLength"] == len(CONTENT)
    tail = client("logs").start_live_tail(
        logGroupIdentifiers=[f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/shop"]
    )
    assert [list(event) for event in tail["responseStream"]] == [
        ["sessionStart"],
        ["sessionUpdate"],
    ]


def test_an_answer_has_a_bound(client: Client) -> None:
    """A request with a thousand names, or the shape of a whole dashboard, gets a small answer."""
    names = [f"a{number}" for number in range(1000)]
    alarms = client("cloudwatch").describe_alarms(AlarmNames=names[:100])["MetricAlarms"]
    assert len(alarms) == MOST_ITEMS
    operation = service_named("ssm").operation("GetParameters")
    call = AwsCall("ssm", "GetParameters", REGION, {"Names": names})
    assert len(invented(operation, call, "aws", ACCOUNT)["Parameters"]) == MOST_ITEMS
    operation = service_named("quicksight").operation("DescribeDashboardDefinition")
    call = AwsCall("quicksight", "DescribeDashboardDefinition", REGION, {})
    assert len(written(operation, invented(operation, call, "aws", ACCOUNT)).body) < 2**20


def test_what_could_not_be_sent_is_not_answered() -> None:
    """A call that botocore would not send for live is not answered here either."""
    with pytest.raises(ValueError, match="MaxRecords"):
        Rehearsal("aws", ACCOUNT).send(
            AwsCall("cloudwatch", "DescribeAlarms", REGION, {"MaxRecords": 0})
        )


def test_a_member_that_no_answer_has_is_missing(client: Client) -> None:
    """What a script reads by a wrong name raises KeyError, which is what a rehearsal is for."""
    with pytest.raises(KeyError, match="Instances"):
        client("ec2").describe_instances()["Instances"]
