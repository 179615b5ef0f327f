"""The action table: it knows all of AWS, keeps what was reviewed by hand, and fails closed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session

from core.iam.actions import find, lookup, names, operations, prefixes, rated
from core.iam.names import READERS
from sandbox.job import Tier

SERVED = ("sts", "cloudwatch", "logs", "ec2", "elbv2", "autoscaling", "cloudtrail", "ecs", "rds")
"""The services that the gateway speaks first."""
TABLE: dict[str, Any] = json.loads(
    (Path(__file__).parents[2] / "tools" / "actions.json").read_bytes()
)
"""What was written by hand."""


@pytest.fixture(scope="module")
def parameters() -> Callable[[str, str], set[str]]:
    """Return a function that gives the parameters of an operation, from botocore's model."""
    session = Session()

    def of(service: str, operation: str) -> set[str]:
        shape = session.get_service_model(service).operation_model(operation).input_shape
        return set(shape.members) if shape else set()

    return of


@pytest.mark.parametrize("service", sorted(TABLE["services"]))
def test_the_table_fits_the_models(
    service: str, parameters: Callable[[str, str], set[str]]
) -> None:
    """Every operation exists, and has the parameters that its resources are made from."""
    rules = TABLE["services"][service]
    unfit = [
        f"{operation}: {name}"
        for operation, row in rules["operations"].items()
        for name in ["", *_named(row)]
        if name not in {"", *parameters(service, operation)}
    ]

    assert unfit == []


def _named(row: Mapping[str, Any]) -> set[str]:
    """The parameters that a row takes values from."""
    found = {part[0].partition(":")[0] for key in ("also", "instead") for part in row.get(key, [])}
    found |= {asked.partition(":")[0] for asked in row.get("beyond", [])}
    found |= {name for hole in _holes(row) for name in re.split(r"[=!]", hole)[0].split("|")}
    return {name.partition(".")[0] for name in found} - {"?", "partition", "region", "account"}


def _holes(row: Mapping[str, Any]) -> Iterator[str]:
    on = row.get("on", [])
    templates = [on] if isinstance(on, str) else on
    templates = [*templates, *(one for part in row.get("also", []) for one in part[2])]
    return (hole for one in templates for hole in re.findall(r"\{([^}]*)\}", one))


def test_what_was_reviewed_goes_before_everything() -> None:
    """Each row of the hand-written table is found again: action, tier, level and reason."""
    for service, rules in TABLE["services"].items():
        for operation, row in rules["operations"].items():
            found = lookup(service, operation)
            action = row.get("action", operation)
            name = action if ":" in action else f"{rules['prefix']}:{action}"

            assert (found.name.lower(), found.free) == (name.lower(), row.get("free", False))
            assert found.tier >= row["tier"]
            assert found.reason == row.get("why", found.reason) or found.tier > row["tier"]


def test_every_reader_of_a_template_exists() -> None:
    """What stands behind a "!" is the name of a function of `core.iam.names`."""
    on = {one for key in operations() for one in lookup(*key).on}
    readers = {hole.partition("!")[2] for one in on for hole in re.findall(r"\{([^}]*)\}", one)}

    assert readers - {""} <= READERS.keys()


@pytest.mark.parametrize("service", SERVED)
def test_reads_are_listed_as_reads_and_nothing_else_is(service: str) -> None:
    """In the served services tiers 1 and 2 hold reads only, and each has a read to offer."""
    rows = TABLE["services"][service]["operations"]
    low = {name: row["level"] for name, row in rows.items() if row["tier"] <= 2}

    assert {name for name, level in low.items() if level not in ("List", "Read")} == set()
    assert len(low) >= 3


@pytest.mark.parametrize(
    ("service", "operation", "action", "tier"),
    [
        ("sts", "GetCallerIdentity", "sts:GetCallerIdentity", 1),
        ("sts", "AssumeRole", "sts:AssumeRole", 3),
        ("sts", "GetFederationToken", "sts:GetFederationToken", 3),
        ("sts", "GetSessionToken", "sts:GetSessionToken", 3),
        ("cloudwatch", "DescribeAlarms", "cloudwatch:DescribeAlarms", 1),
        ("cloudwatch", "GetMetricData", "cloudwatch:GetMetricData", 2),
        ("cloudwatch", "DeleteAlarms", "cloudwatch:DeleteAlarms", 4),
        ("logs", "DescribeLogGroups", "logs:DescribeLogGroups", 1),
        ("logs", "FilterLogEvents", "logs:FilterLogEvents", 2),
        ("logs", "GetLogEvents", "logs:GetLogEvents", 2),
        ("logs", "StartQuery", "logs:StartQuery", 2),
        ("logs", "GetQueryResults", "logs:GetQueryResults", 2),
        ("ec2", "DescribeInstances", "ec2:DescribeInstances", 1),
        ("ec2", "DescribeInstanceAttribute", "ec2:DescribeInstanceAttribute", 2),
        ("ec2", "GetConsoleOutput", "ec2:GetConsoleOutput", 2),
        ("ec2", "GetPasswordData", "ec2:GetPasswordData", 3),
        ("ec2", "TerminateInstances", "ec2:TerminateInstances", 4),
        ("elbv2", "DescribeTargetHealth", "elasticloadbalancing:DescribeTargetHealth", 1),
        ("autoscaling", "DescribeScalingActivities", "autoscaling:DescribeScalingActivities", 1),
        ("cloudtrail", "LookupEvents", "cloudtrail:LookupEvents", 2),
        ("cloudtrail", "StopLogging", "cloudtrail:StopLogging", 5),
        ("cloudtrail", "DeleteTrail", "cloudtrail:DeleteTrail", 5),
        ("ecs", "DescribeServices", "ecs:DescribeServices", 1),
        ("ecs", "DescribeTaskDefinition", "ecs:DescribeTaskDefinition", 2),
        ("rds", "DescribeDBInstances", "rds:DescribeDBInstances", 1),
        ("s3", "ListObjectsV2", "s3:ListBucket", 1),
        ("secretsmanager", "GetSecretValue", "secretsmanager:GetSecretValue", 3),
        ("s3", "GetBucketCors", "s3:GetBucketCORS", 2),
        ("s3", "DeleteBucketCors", "s3:PutBucketCORS", 4),
        ("s3", "ListBucketMetricsConfigurations", "s3:GetMetricsConfiguration", 2),
        ("s3", "DeleteBucketReplication", "s3:PutReplicationConfiguration", 4),
        ("s3", "UploadPartCopy", "s3:PutObject", 4),
        ("s3control", "GetPublicAccessBlock", "s3:GetAccountPublicAccessBlock", 2),
        ("s3control", "GetBucket", "s3-outposts:GetBucket", 2),
        ("apigateway", "GetRestApis", "apigateway:GET", 3),
        ("apigatewayv2", "DeleteApi", "apigateway:DELETE", 4),
        ("lambda", "InvokeWithResponseStream", "lambda:InvokeFunction", 4),
        ("sqs", "SendMessageBatch", "sqs:SendMessage", 4),
        ("kms", "ReEncrypt", "kms:ReEncryptFrom", 4),
        ("budgets", "DescribeBudgets", "budgets:ViewBudget", 1),
        ("bedrock-runtime", "Converse", "bedrock:InvokeModel", 3),
        ("keyspaces", "DeleteTable", "cassandra:Drop", 4),
        ("stepfunctions", "DescribeExecution", "states:DescribeExecution", 2),
        ("eks", "DescribeCluster", "eks:DescribeCluster", 1),
        ("opensearch", "DescribeDomain", "es:DescribeDomain", 1),
        ("ce", "GetTags", "ce:GetTags", 2),
        ("organizations", "DeletePolicy", "organizations:DeletePolicy", 5),
        ("iam", "PutUserPolicy", "iam:PutUserPolicy", 5),
        ("kms", "ScheduleKeyDeletion", "kms:ScheduleKeyDeletion", 5),
        ("rekognition", "DetectFaces", "rekognition:DetectFaces", 3),
        ("cognito-idp", "DescribeUserPoolClient", "cognito-idp:DescribeUserPoolClient", 3),
        ("redshift", "GetClusterCredentials", "redshift:GetClusterCredentials", 4),
        ("s3control", "GetDataAccess", "s3:GetDataAccess", 3),
        ("codepipeline", "GetJobDetails", "codepipeline:GetJobDetails", 3),
        ("datazone", "GetConnection", "datazone:GetConnection", 3),
        ("gamelift", "GetInstanceAccess", "gamelift:GetInstanceAccess", 3),
        ("amplify", "ListApps", "amplify:ListApps", 3),
        ("codebuild", "BatchGetBuildBatches", "codebuild:BatchGetBuildBatches", 3),
        ("kafkaconnect", "DescribeConnector", "kafkaconnect:DescribeConnector", 3),
        (
            "directconnect",
            "DescribeRouterConfiguration",
            "directconnect:DescribeRouterConfiguration",
            3,
        ),
        ("cloudcontrol", "ListResources", "cloudformation:ListResources", 3),
        ("cloudcontrol", "CreateResource", "cloudformation:CreateResource", 5),
        ("iot", "TestInvokeAuthorizer", "iot:TestInvokeAuthorizer", 3),
        ("lambda", "ListFunctions", "lambda:ListFunctions", 2),
        ("ssm", "ListCommandInvocations", "ssm:ListCommandInvocations", 2),
        ("cloudfront", "ListDistributions", "cloudfront:ListDistributions", 2),
        ("sagemaker", "DescribeTrainingJob", "sagemaker:DescribeTrainingJob", 2),
        ("ec2", "InventedYesterday", "ec2:InventedYesterday", 4),
        ("elbv2", "InventedYesterday", "elasticloadbalancing:InventedYesterday", 4),
        ("newservice", "DescribeThings", "newservice:DescribeThings", 4),
    ],
)
def test_lookup(service: str, operation: str, action: str, tier: Tier) -> None:
    """An operation is its IAM action at its tier, and a change if the table does not know it."""
    found = lookup(service, operation)

    assert (found.name, found.tier) == (action, tier)


def test_an_unlisted_operation_is_a_write_on_who_knows_what() -> None:
    """What the table does not know is treated as a change that only a star can cover."""
    found = lookup("ec2", "InventedYesterday")

    assert (found.level, found.on, found.listed) == ("Write", ("{?}",), False)


def test_actions_are_found_in_any_case() -> None:
    """An action of a policy is found as IAM would, whatever its case."""
    found = find("CLOUDTRAIL:stoplogging")

    assert found is not None
    assert found.name == "cloudtrail:StopLogging"


def test_an_unknown_action_is_not_found() -> None:
    """The table does not make things up."""
    assert find("ec2:InventedYesterday") is None


def test_names_are_all_actions_of_the_table() -> None:
    """Operations and actions that are no operation are both offered as names."""
    assert {"logs:GetLogEvents", "iam:PassRole", "rds-db:connect"} <= set(names())


def test_names_of_one_prefix_are_its_own() -> None:
    """In any case of the prefix, and none for a prefix that nobody knows."""
    assert set(names("STS")) == {name for name in names() if name.startswith("sts:")}
    assert list(names("invented")) == []


def test_no_read_of_the_table_writes() -> None:
    """Nothing that AWS calls a write is below tier 3, in any service."""
    low = [
        name
        for prefix in prefixes()
        for name, rating in rated(prefix)
        if rating.level not in ("List", "Read") and rating.tier < 3
    ]

    assert low == []


def test_what_is_called_like_a_secret_is_no_plain_read() -> None:
    """Reads whose names speak of secrets are tier 3 or more, but for the ones looked at."""
    told = re.compile("Password|Credential|Secret|Token")
    low = {
        name
        for prefix in prefixes()
        for name, rating in rated(prefix)
        if told.search(name) and rating.tier < 3
    }

    assert low == {
        "iam:GenerateCredentialReport",
        "iam:GetAccountPasswordPolicy",
        "iam:GetCredentialReport",
        "iam:ListServiceSpecificCredentials",
        "secretsmanager:DescribeSecret",
        "secretsmanager:ListSecretVersionIds",
        "secretsmanager:ListSecrets",
    }
