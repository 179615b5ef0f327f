"""What on-call people call most, directly and through the gateway: the same results, exactly.

Each row is called by a real client both ways in one simulated account. Results are compared whole,
bodies and events of streams included, errors by their type, code, message and status. What belongs
to one request alone (its id, its date, what was between) is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError
from botocore.response import StreamingBody

Clients = Callable[[str], Any]
YEARS = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2036, 1, 1, tzinfo=UTC))


class Row(NamedTuple):
    """One operation; `{name}` in a parameter is an id of the account."""

    service: str
    method: str
    parameters: Mapping[str, Any] = {}
    page: int = 0
    """Size of a page where it is to be read page by page."""
    error: str = ""
    """Code of the error that it has to end in."""


READS = (
    Row("apigateway", "get_resources", {"restApiId": "{api}"}),
    Row("autoscaling", "describe_auto_scaling_groups"),
    Row("autoscaling", "describe_scaling_activities", {"AutoScalingGroupName": "shop"}),
    Row("cloudformation", "describe_stacks", {"StackName": "shop"}),
    Row("cloudformation", "describe_stack_events", {"StackName": "shop"}),
    Row("cloudtrail", "describe_trails"),
    Row("cloudtrail", "get_trail_status", {"Name": "all"}),
    Row("cloudwatch", "describe_alarms", {"AlarmNames": ["p0", "p2"]}),
    Row("cloudwatch", "list_metrics", {"Namespace": "Shop"}),
    Row(
        "cloudwatch",
        "get_metric_statistics",
        {
            "Namespace": "Shop",
            "MetricName": "Latency",
            "StartTime": YEARS[0],
            "EndTime": YEARS[1],
            "Period": 3600 * 24 * 3650,
            "Statistics": ["Average"],
        },
    ),
    Row("dynamodb", "describe_table", {"TableName": "orders"}),
    Row("dynamodb", "get_item", {"TableName": "orders", "Key": {"id": {"S": "o1"}}}),
    Row("ec2", "describe_instances", {"InstanceIds": ["{machine}"]}),
    Row("ec2", "describe_instance_status", {"IncludeAllInstances": True}),
    Row("ec2", "describe_security_groups"),
    Row("ec2", "describe_subnets", {"Filters": [{"Name": "state", "Values": ["available"]}]}),
    Row("ec2", "describe_volumes"),
    Row("ecr", "describe_repositories"),
    Row("ecs", "describe_clusters", {"clusters": ["shop"]}),
    Row("ecs", "describe_services", {"cluster": "shop", "services": ["web"]}),
    Row("ecs", "describe_task_definition", {"taskDefinition": "web"}),
    Row("eks", "describe_cluster", {"name": "shop"}),
    Row("elasticache", "describe_cache_clusters", {"CacheClusterId": "carts"}),
    Row("elbv2", "describe_load_balancers", {"Names": ["shop"]}),
    Row("elbv2", "describe_target_health", {"TargetGroupArn": "{targets}"}),
    Row("events", "describe_rule", {"Name": "nightly"}),
    Row("iam", "get_role", {"RoleName": "shop"}),
    Row("kinesis", "describe_stream_summary", {"StreamName": "clicks"}),
    Row("kms", "describe_key", {"KeyId": "{key}"}),
    Row("lambda", "get_function_configuration", {"FunctionName": "resize"}),
    Row("lambda", "list_functions"),
    Row("logs", "describe_log_streams", {"logGroupName": "/shop/0"}),
    Row("logs", "filter_log_events", {"logGroupName": "/shop/0", "filterPattern": "ERROR"}),
    Row("logs", "get_log_events", {"logGroupName": "/shop/0", "logStreamName": "web"}),
    Row("rds", "describe_db_instances", {"DBInstanceIdentifier": "orders"}),
    Row("rds", "describe_db_parameter_groups"),
    Row("route53", "list_resource_record_sets", {"HostedZoneId": "{zone}"}),
    Row("s3", "get_bucket_location", {"Bucket": "shop-data"}),
    Row("s3", "get_object", {"Bucket": "shop-data", "Key": "a b/é+1"}),
    Row("s3", "head_object", {"Bucket": "shop-data", "Key": "a b/é+1"}),
    Row("s3", "list_buckets"),
    Row("secretsmanager", "describe_secret", {"SecretId": "shop"}),
    Row("sns", "get_topic_attributes", {"TopicArn": "{topic}"}),
    Row("sqs", "get_queue_attributes", {"QueueUrl": "{queue}", "AttributeNames": ["All"]}),
    Row("ssm", "get_parameter", {"Name": "/shop/mode"}),
    Row("stepfunctions", "describe_state_machine", {"stateMachineArn": "{states}"}),
    Row("sts", "get_caller_identity"),
)
PAGES = (
    Row("dynamodb", "scan", {"TableName": "orders"}, page=2),
    Row("ec2", "describe_instances", page=5),
    Row("iam", "list_roles", page=2),
    Row("logs", "describe_log_groups", {"logGroupNamePrefix": "/shop/"}, page=2),
    Row("s3", "list_objects_v2", {"Bucket": "shop-data", "Prefix": "a b/"}, page=2),
)
EMPTY = (
    Row("s3", "get_object", {"Bucket": "shop-data", "Key": "empty"}),
    Row("s3", "delete_object", {"Bucket": "shop-data", "Key": "never-there"}),
    Row(
        "sqs",
        "set_queue_attributes",
        {"QueueUrl": "{queue}", "Attributes": {"VisibilityTimeout": "30"}},
    ),
    Row("cloudwatch", "disable_alarm_actions", {"AlarmNames": ["p1"]}),
)
STREAMS = (
    Row("s3", "get_object", {"Bucket": "shop-data", "Key": "large"}),
    Row("s3", "get_object", {"Bucket": "shop-data", "Key": "large", "Range": "bytes=5-1000004"}),
    Row("lambda", "invoke_with_response_stream", {"FunctionName": "resize"}),
)
ERRORS = (
    Row("s3", "get_object", {"Bucket": "shop-data", "Key": "none"}, error="NoSuchKey"),
    Row("s3", "head_object", {"Bucket": "shop-data", "Key": "none"}, error="404"),
    Row("s3", "list_objects_v2", {"Bucket": "shop-none"}, error="NoSuchBucket"),
    Row("lambda", "get_function", {"FunctionName": "no"}, error="ResourceNotFoundException"),
    Row("dynamodb", "describe_table", {"TableName": "no"}, error="ResourceNotFoundException"),
    Row(
        "ec2",
        "describe_instances",
        {"InstanceIds": ["i-00000000000000000"]},
        error="InvalidInstanceID.NotFound",
    ),
    Row("iam", "get_role", {"RoleName": "no"}, error="NoSuchEntity"),
    Row(
        "ecs",
        "describe_services",
        {"cluster": "no", "services": ["a"]},
        error="ClusterNotFoundException",
    ),
    Row("route53", "get_hosted_zone", {"Id": "Z0"}, error="NoSuchHostedZone"),
    Row("rds", "describe_db_instances", {"DBInstanceIdentifier": "no"}, error="DBInstanceNotFound"),
    Row(
        "logs",
        "describe_log_groups",
        {"logGroupNamePrefix": "a-throttled"},
        error="ThrottlingException",
    ),
    Row("dynamodb", "describe_table", {"TableName": "a-throttled"}, error="ThrottlingException"),
)
ROWS = {
    f"{row.service}.{row.method}{' ' + what if what else ''} {number}": row
    for what, rows in {
        "": READS,
        "in pages": PAGES,
        "without a body": EMPTY,
        "as a stream": STREAMS,
        "as an error": ERRORS,
    }.items()
    for number, row in enumerate(rows)
}
OF_ONE_REQUEST = frozenset(
    {
        *("connection", "content-length", "date", "server", "transfer-encoding"),
        *("x-amz-crc32", "x-amzn-requestid", "HostId", "RequestId"),
        "LatestRestorableTime",  # which is now, in moto
    }
)


def called(client: Any, row: Row, ids: Mapping[str, str]) -> Any:
    """Return what a call gives, whole; an error as what it says of itself."""
    parameters = filled(row.parameters, ids)
    try:
        if row.page:
            pages = client.get_paginator(row.method).paginate(
                **parameters, PaginationConfig={"PageSize": row.page}
            )
            return [whole(page) for page in pages]
        return whole(getattr(client, row.method)(**parameters))
    except ClientError as error:
        return type(error).__qualname__, str(error), whole(error.response)


def filled(value: Any, ids: Mapping[str, str]) -> Any:
    """Put the account's ids in."""
    if isinstance(value, Mapping):
        return {key: filled(item, ids) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, ids) for item in value]
    return ids.get(value[1:-1], value) if isinstance(value, str) else value


def whole(value: Any) -> Any:
    """Return a value with its streams read, and without what belongs to one request alone."""
    if isinstance(value, StreamingBody):
        return value.read()
    if isinstance(value, Mapping):
        return {key: whole(item) for key, item in value.items() if key not in OF_ONE_REQUEST}
    if isinstance(value, list):
        return [whole(item) for item in value]
    if hasattr(value, "close") and hasattr(value, "__iter__"):
        return [whole(event) for event in value]
    return value


@pytest.mark.parametrize("row", ROWS.values(), ids=ROWS)
def test_it_is_the_same_through_the_gateway(
    row: Row, account: Any, gateway: Any, directly: Clients, through_gateway: Clients
) -> None:
    """Result, pages, stream or exception; and the gateway sent as many calls as there were."""
    expected = called(directly(row.service), row, account.ids)
    before = len(gateway.upstream.calls)
    found = called(through_gateway(row.service), row, account.ids)
    assert found == expected
    sent = gateway.upstream.calls[before:]
    assert len(sent) == (len(expected) if row.page else 1)
    assert (expected[2]["Error"]["Code"] if isinstance(expected, tuple) else "") == row.error


def test_it_is_more_than_forty_operations_of_all_protocols() -> None:
    """The list stays as long as it was meant to be."""
    assert len({(row.service, row.method) for row in ROWS.values()}) >= 40
    assert len({row.service for row in ROWS.values()}) >= 25


def test_control_the_streams_are_what_they_should_be(account: Any, directly: Clients) -> None:
    """Twenty megabytes, several events, several pages: nothing is equal by being empty."""
    large, piece, function = (called(directly(row.service), row, account.ids) for row in STREAMS)
    assert (len(large["Body"]), len(piece["Body"])) == (20 * 1024 * 1024, 1_000_000)
    chunks = [event["PayloadChunk"]["Payload"] for event in function["EventStream"][:-1]]
    assert b"".join(chunks) == b"first second " + b"x" * 5000
    pages = [len(called(directly(row.service), row, account.ids)) for row in PAGES]
    assert min(pages) > 1, pages
