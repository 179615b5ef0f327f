"""Condition keys of a call: what the request says is known, the rest is not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.iam import UNKNOWN, evaluate
from core.iam.conditions import OTHER_KEYS
from core.iam.context import context_of
from sandbox.job import OPERATOR, AwsCall

ACCOUNT, REGION = "123456789012", "us-east-1"
ALWAYS = {"aws:RequestedRegion", "aws:SecureTransport", "aws:PrincipalAccount", OTHER_KEYS}
TAG = {"Key": "team", "Value": "web"}
FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:a"
CLUSTER = "arn:aws:ecs:us-east-1:123456789012:cluster/web"


def known(
    service: str, operation: str, parameters: dict[str, Any], principal: str = OPERATOR
) -> dict[str, Any]:
    """The keys of a call, without those that every call has."""
    call = AwsCall(service, operation, REGION, parameters, principal)
    found = context_of(call, REGION, ACCOUNT)
    return {key: value for key, value in found.items() if key not in ALWAYS}


def test_what_every_call_of_the_operator_has() -> None:
    """Region, account and transport are certain; the time and every other key are not."""
    assert context_of(AwsCall("logs", "GetLogEvents", REGION, {}), REGION, ACCOUNT) == {
        "aws:RequestedRegion": REGION,
        "aws:PrincipalAccount": ACCOUNT,
        "aws:SecureTransport": "true",
        OTHER_KEYS: UNKNOWN,
    }


def test_the_time_is_known_when_it_is_handed_in() -> None:
    """The current time is told in UTC, whatever its zone, and as seconds."""
    now = datetime(2026, 11, 20, 19, 12, tzinfo=timezone(timedelta(hours=1)))
    found = context_of(AwsCall("logs", "GetLogEvents", REGION, {}), REGION, ACCOUNT, now)

    assert (found["aws:CurrentTime"], found["aws:EpochTime"]) == (
        "2026-11-20T18:12:00Z",
        "1795198320",
    )


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "expected"),
    [
        ("s3", "ListObjectsV2", {"Bucket": "b", "Prefix": "a/", "MaxKeys": 5}, {
            "s3:prefix": "a/", "s3:delimiter": None, "s3:max-keys": 5,
        }),
        ("s3", "ListObjects", {"Bucket": "b", "Delimiter": "/"}, {
            "s3:prefix": None, "s3:delimiter": "/", "s3:max-keys": None,
        }),
        ("s3", "ListObjectsV2", {"Prefix": ["a"]}, {"s3:delimiter": None, "s3:max-keys": None}),
        ("s3", "ListBuckets", {"Prefix": "a"}, {}),
        ("s3", "PutObject", {"ACL": "private"}, {"s3:x-amz-acl": "private"}),
        ("s3", "PutObject", {}, {"s3:x-amz-acl": None}),
        ("s3", "PutObject", {"ACL": "private", "Tagging": "a=b"}, {}),
        ("s3", "CopyObject", {"ACL": "private"}, {}),
        ("s3", "GetObject", {"VersionId": "1"}, {"s3:VersionId": "1"}),
        ("s3", "GetObject", {}, {"s3:VersionId": None}),
        ("s3", "PutBucketTagging", {"Tagging": {"TagSet": [TAG]}}, {}),
        ("dynamodb", "GetItem", {"Key": {"id": {"S": "ann"}}}, {"dynamodb:LeadingKeys": ["ann"]}),
        ("dynamodb", "DeleteItem", {"Key": {"id": {"N": "7"}}}, {"dynamodb:LeadingKeys": ["7"]}),
        ("dynamodb", "GetItem", {"Key": {"id": {"N": "7.0"}}}, {}),
        ("dynamodb", "GetItem", {"Key": {"id": {"B": b"7"}}}, {}),
        ("dynamodb", "GetItem", {"Key": {"id": {"S": "ann"}, "at": {"N": "7"}}}, {}),
        ("dynamodb", "PutItem", {"Item": {"id": {"S": "ann"}}}, {}),
        ("dynamodb", "BatchGetItem", {"RequestItems": {
            "t": {"Keys": [{"id": {"S": "bob"}}, {"id": {"S": "ann"}}]},
        }}, {"dynamodb:LeadingKeys": ["ann", "bob"]}),
        ("dynamodb", "BatchGetItem", {"RequestItems": {
            "t": {"Keys": [{"id": {"S": "bob"}}]}, "u": {"Keys": [{"a": {}, "b": {}}]},
        }}, {}),
        ("dynamodb", "BatchGetItem", {"RequestItems": {"t": {}}}, {}),
        ("dynamodb", "BatchGetItem", {}, {}),
        ("dynamodb", "Query", {"Select": "COUNT"}, {"dynamodb:Select": "COUNT"}),
        ("dynamodb", "Query", {}, {}),
        ("ec2", "DescribeInstances", {}, {"ec2:Region": REGION}),
        ("ec2", "RunInstances", {"InstanceType": "t3.micro"}, {
            "ec2:Region": REGION, "ec2:InstanceType": "t3.micro",
        }),
        ("lambda", "CreateEventSourceMapping", {"FunctionName": FUNCTION}, {
            "lambda:FunctionArn": FUNCTION,
        }),
        ("lambda", "CreateEventSourceMapping", {"FunctionName": "a"}, {}),
        ("sts", "AssumeRole", {"RoleSessionName": "s"}, {
            "sts:RoleSessionName": "s", "sts:ExternalId": None,
        }),
        ("cloudwatch", "PutMetricData", {"Namespace": "a"}, {"cloudwatch:namespace": "a"}),
        ("ecs", "ListTasks", {"cluster": CLUSTER}, {"ecs:cluster": CLUSTER}),
        ("ecs", "ListTasks", {"cluster": "web"}, {}),
        ("ec2", "CreateTags", {"Tags": [TAG]}, {
            "ec2:Region": REGION, "aws:TagKeys": ["team"], "aws:RequestTag/team": "web",
        }),
        ("ec2", "CreateKeyPair", {"TagSpecifications": [{"ResourceType": "x", "Tags": [TAG]}]}, {
            "ec2:Region": REGION, "aws:TagKeys": ["team"], "aws:RequestTag/team": "web",
        }),
        ("ec2", "RunInstances", {"TagSpecifications": [{"Tags": [TAG]}]}, {"ec2:Region": REGION}),
        ("ec2", "CreateKeyPair", {"TagSpecifications": [{}, {}]}, {"ec2:Region": REGION}),
        ("ecs", "TagResource", {"tags": [{"key": "team", "value": "web"}]}, {
            "aws:TagKeys": ["team"], "aws:RequestTag/team": "web",
        }),
        ("lambda", "TagResource", {"Tags": {"team": "web", "cost": ""}}, {
            "aws:TagKeys": ["team", "cost"], "aws:RequestTag/team": "web",
            "aws:RequestTag/cost": "",
        }),
        ("lambda", "UntagResource", {"TagKeys": ["team"]}, {"aws:TagKeys": ["team"]}),
        ("lambda", "UntagResource", {"TagKeys": []}, {}),
        ("lambda", "UntagResource", {"TagKeys": [1]}, {}),
        ("lambda", "TagResource", {"Tags": {"team": 1}}, {}),
        ("lambda", "TagResource", {"Tags": {"team": "web", "Team": "pay"}}, {}),
        ("ecs", "TagResource", {"tags": [TAG, TAG]}, {}),
        ("ecs", "TagResource", {"tags": [{"Key": "team"}]}, {}),
        ("ecs", "TagResource", {"tags": ["team"]}, {}),
        ("ecs", "TagResource", {"tags": "team=web"}, {}),
        ("ecs", "TagResource", {"tags": []}, {}),
        ("x", "TagResource", {"Tags": [TAG], "tags": [TAG]}, {}),
    ],
)  # fmt: skip
def test_what_the_parameters_say(
    service: str, operation: str, parameters: dict[str, Any], expected: dict[str, Any]
) -> None:
    """Only what is certain is known: absent (None) where AWS has no key without the parameter."""
    assert known(service, operation, parameters) == expected


@pytest.mark.parametrize(
    ("principal", "account", "expected"),
    [
        ("arn:aws:iam::210987654321:user/ops/ann", "210987654321", {
            "aws:PrincipalArn": "arn:aws:iam::210987654321:user/ops/ann",
            "aws:PrincipalType": "User", "aws:username": "ann",
        }),
        ("arn:aws:iam::210987654321:role/on-call", "210987654321", {
            "aws:PrincipalArn": "arn:aws:iam::210987654321:role/on-call",
        }),
        ("arn:aws:sts::210987654321:federated-user/ann", "210987654321", {
            "aws:PrincipalArn": "arn:aws:sts::210987654321:federated-user/ann",
        }),
        ("arn:aws:sts::210987654321:assumed-role/on-call/ann", "210987654321", {
            "aws:PrincipalType": "AssumedRole",
        }),
        ("arn:aws:iam::21:user/ann", None, {}),
        ("somebody", None, {}),
    ],
)  # fmt: skip
def test_who_calls(principal: str, account: str | None, expected: dict[str, Any]) -> None:
    """A principal is known by its ARN; the role of a session is not, since its path is hidden."""
    found = context_of(AwsCall("sqs", "ListQueues", REGION, {}, principal), REGION, ACCOUNT)

    assert found.get("aws:PrincipalAccount") == account
    assert known("sqs", "ListQueues", {}, principal) == expected


@pytest.mark.parametrize(
    ("parameters", "allowed"),
    [({"Prefix": "home/ann/"}, True), ({"Prefix": "home/"}, False), ({}, False)],
)
def test_a_listing_is_held_to_its_prefix(parameters: dict[str, Any], allowed: bool) -> None:
    """The usual policy for a folder in a bucket is judged from the request alone."""
    document = {
        "Version": "2012-10-17",
        "Statement": {
            "Effect": "Allow",
            "Action": "s3:ListBucket",
            "Resource": "arn:aws:s3:::box",
            "Condition": {"StringLike": {"s3:prefix": "home/ann/*"}},
        },
    }
    call = AwsCall("s3", "ListObjectsV2", REGION, {"Bucket": "box", **parameters})
    context = context_of(call, REGION, ACCOUNT)

    assert evaluate(document, "s3:ListBucket", "arn:aws:s3:::box", context).allowed is allowed


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text("aK:*", max_size=3) | st.binary(max_size=2),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["Key", "Value", "Keys", "S", "Tags"]), inner, max_size=2)
    ),
    max_leaves=6,
)
_NAMES = ("Tags", "tags", "TagKeys", "TagSpecifications", "Key", "RequestItems", "Prefix", "ACL")


@given(
    st.sampled_from(
        [
            ("s3", "ListObjectsV2"),
            ("s3", "PutObject"),
            ("dynamodb", "GetItem"),
            ("dynamodb", "BatchGetItem"),
            ("ec2", "CreateKeyPair"),
            ("ecs", "TagResource"),
        ]
    ),
    st.dictionaries(st.sampled_from(_NAMES), _VALUES, max_size=3),
)
def test_any_parameters_have_a_context(called: tuple[str, str], parameters: dict[str, Any]) -> None:
    """Whatever a script sends, there is a context that names what can't be known."""
    call = AwsCall(*called, REGION, parameters)

    now = datetime(2026, 11, 20, tzinfo=UTC)
    assert context_of(call, REGION, ACCOUNT, now)[OTHER_KEYS] is UNKNOWN
