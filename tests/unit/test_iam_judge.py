"""The gateway's judge: region, never, ceiling, policy, in this order, and it never raises."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.iam.actions import lookup, operations
from core.iam.judge import authorizer
from sandbox.job import OPERATOR, AwsCall, Tier, Verdict

ACCOUNT = "123456789012"
REGIONS = ("us-east-1", "eu-west-1")
WEB = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:web:*"
ALARMS = f"arn:aws:cloudwatch:*:{ACCOUNT}:alarm:web-*"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def judge(
    service: str,
    operation: str,
    parameters: dict[str, Any],
    *statements: Any,
    region: str = "us-east-1",
    regions: tuple[str, ...] = REGIONS,
    ceiling: Tier = 4,
    principal: str = OPERATOR,
) -> Verdict:
    """Judge one call under these statements; its tier is the same without them."""
    decide = authorizer(
        {"Version": "2012-10-17", "Statement": list(statements)},
        account=ACCOUNT,
        partition="aws",
        regions=regions,
        ceiling=ceiling,
    )
    call = AwsCall(service, operation, region, parameters, principal)
    verdict = decide(call)
    assert decide.tier(call) == verdict.tier
    return verdict


def allow(action: str, resource: str = "*", **condition: Any) -> dict[str, Any]:
    """A statement that allows one action."""
    statement = {"Effect": "Allow", "Action": action, "Resource": resource}
    return statement | ({"Condition": condition} if condition else {})


def deny(action: str, resource: str = "*") -> dict[str, Any]:
    """A statement that denies one action."""
    return {"Effect": "Deny", "Action": action, "Resource": resource}


CASES: list[tuple[str, tuple[Any, ...], dict[str, Any], bool]] = [
    ("every resource is allowed", (
        "cloudwatch", "DescribeAlarms", {"AlarmNames": ["web-1", "web-2"]},
        allow("cloudwatch:DescribeAlarms", ALARMS),
    ), {}, True),
    ("one resource is not", (
        "cloudwatch", "DescribeAlarms", {"AlarmNames": ["web-1", "pay-1"]},
        allow("cloudwatch:DescribeAlarms", ALARMS),
    ), {}, False),
    ("no resource named means all of them", (
        "cloudwatch", "DescribeAlarms", {}, allow("cloudwatch:DescribeAlarms", ALARMS),
    ), {}, False),
    ("a list that is empty means all of them", (
        "cloudwatch", "DescribeAlarms", {"AlarmNames": []},
        allow("cloudwatch:DescribeAlarms", ALARMS),
    ), {}, False),
    ("one resource is denied", (
        "cloudwatch", "DescribeAlarms", {"AlarmNames": ["web-1", "web-2"]},
        allow("cloudwatch:DescribeAlarms"),
        deny("cloudwatch:*", f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:web-2"),
    ), {}, False),
    ("a Deny may bite what is not named", (
        "cloudwatch", "DescribeAlarms", {}, allow("*"), deny("cloudwatch:*", ALARMS),
    ), {}, False),
    ("log groups with the star", (
        "logs", "FilterLogEvents", {"logGroupName": "web"}, allow("logs:FilterLogEvents", WEB),
    ), {}, True),
    ("log groups without the star", (
        "logs", "FilterLogEvents", {"logGroupName": "web"},
        allow("logs:FilterLogEvents", WEB.removesuffix(":*")),
    ), {}, True),
    ("a Deny of either spelling bites", (
        "logs", "FilterLogEvents", {"logGroupName": "web"},
        allow("logs:FilterLogEvents", WEB), deny("logs:*", WEB.removesuffix(":*")),
    ), {}, False),
    ("unmasked logs without permission", (
        "logs", "FilterLogEvents", {"logGroupName": "web", "unmask": True},
        allow("logs:FilterLogEvents"),
    ), {}, False),
    ("unmasked logs with permission", (
        "logs", "FilterLogEvents", {"logGroupName": "web", "unmask": True},
        allow("logs:FilterLogEvents"), allow("logs:Unmask"),
    ), {}, True),
    ("a role handed over without permission", (
        "ecs", "RegisterTaskDefinition", {"taskRoleArn": f"arn:aws:iam::{ACCOUNT}:role/app"},
        allow("ecs:RegisterTaskDefinition"),
    ), {}, False),
    ("a role handed over with permission", (
        "ecs", "RegisterTaskDefinition", {"taskRoleArn": f"arn:aws:iam::{ACCOUNT}:role/app"},
        allow("ecs:RegisterTaskDefinition"),
        allow("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/app"),
    ), {}, True),
    ("another role handed over", (
        "ecs", "RegisterTaskDefinition", {"taskRoleArn": f"arn:aws:iam::{ACCOUNT}:role/root"},
        allow("ecs:RegisterTaskDefinition"),
        allow("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/app"),
    ), {}, False),
    ("an unlisted operation needs a star", (
        "ec2", "InventedYesterday", {}, allow("ec2:InventedYesterday"),
    ), {}, True),
    ("an unlisted operation on a named resource", (
        "ec2", "InventedYesterday", {"InstanceId": "i-1"},
        allow("ec2:InventedYesterday", f"arn:aws:ec2:us-east-1:{ACCOUNT}:instance/i-1"),
    ), {}, False),
    ("who am I, without a policy", ("sts", "GetCallerIdentity", {}), {}, True),
    ("who am I, though denied", ("sts", "GetCallerIdentity", {}, deny("*")), {}, True),
    ("who am I, above the ceiling", ("sts", "GetCallerIdentity", {}), {"ceiling": 0}, False),
    ("another region, whatever the policy says", (
        "ec2", "DescribeVpcs", {}, allow("ec2:DescribeVpcs"),
    ), {"region": "ap-south-1"}, False),
    ("a global service elsewhere", (
        "sts", "GetCallerIdentity", {},
    ), {"region": "ap-south-1"}, False),
    ("the region is known to conditions", (
        "ec2", "DescribeVpcs", {},
        allow("ec2:DescribeVpcs", StringEquals={"aws:RequestedRegion": "eu-west-1"}),
    ), {"region": "eu-west-1"}, True),
    ("the account is known to conditions", (
        "ec2", "DescribeVpcs", {},
        allow("ec2:DescribeVpcs", StringNotEquals={"aws:PrincipalAccount": ACCOUNT}),
    ), {}, False),
    ("other keys are unknown, not absent", (
        "ec2", "DescribeVpcs", {},
        allow("ec2:DescribeVpcs", StringNotEquals={"ec2:ResourceTag/team": "pay"}),
    ), {}, False),
    ("at the ceiling", (
        "logs", "GetQueryResults", {"queryId": "q"}, allow("logs:GetQueryResults"),
    ), {"ceiling": 2}, True),
    ("above the ceiling", (
        "logs", "GetQueryResults", {"queryId": "q"}, allow("logs:GetQueryResults"),
    ), {"ceiling": 1}, False),
    ("above the ceiling by what comes along", (
        "logs", "FilterLogEvents", {"logGroupName": "web", "unmask": True}, allow("logs:*"),
    ), {"ceiling": 2}, False),
    ("a global service, in the region of its partition", (
        "iam", "ListRoles", {}, allow("iam:ListRoles"),
    ), {"region": "us-east-1", "regions": ("eu-west-1",)}, True),
    ("a global service, in another region", (
        "iam", "ListRoles", {}, allow("iam:ListRoles"),
    ), {"region": "us-west-2", "regions": ("eu-west-1",)}, False),
    ("a regional service, in the region of global ones", (
        "ec2", "DescribeVpcs", {}, allow("ec2:DescribeVpcs"),
    ), {"region": "us-east-1", "regions": ("eu-west-1",)}, False),
    ("a global service, without any region", (
        "iam", "ListRoles", {}, allow("iam:ListRoles"),
    ), {"region": "us-east-1", "regions": ()}, False),
    ("what the table does not know, by a wildcard", (
        "ec2", "DescribeInventedYesterday", {}, allow("ec2:Describe*"),
    ), {}, False),
    ("what the table does not know, by its name", (
        "ec2", "DescribeInventedYesterday", {}, allow("ec2:DescribeInventedYesterday"),
    ), {}, True),
    ("what the table knows, by a wildcard", (
        "ec2", "DescribeVpcs", {}, allow("ec2:Describe*"),
    ), {}, True),
    ("an object", (
        "s3", "GetObject", {"Bucket": "web", "Key": "a"},
        allow("s3:GetObject", "arn:aws:s3:::web/*"),
    ), {}, True),
    ("an object of another bucket", (
        "s3", "GetObject", {"Bucket": "pay", "Key": "a"},
        allow("s3:GetObject", "arn:aws:s3:::web/*"),
    ), {}, False),
    ("a version is another permission", (
        "s3", "GetObject", {"Bucket": "web", "Key": "a", "VersionId": "1"},
        allow("s3:GetObject", "arn:aws:s3:::web/*"),
    ), {}, False),
    ("a copy reads its source", (
        "s3", "CopyObject", {"Bucket": "web", "Key": "a", "CopySource": "pay/b"},
        allow("s3:PutObject"), allow("s3:GetObject", "arn:aws:s3:::web/*"),
    ), {}, False),
    ("a copy of what may be read", (
        "s3", "CopyObject", {"Bucket": "web", "Key": "a", "CopySource": "web/b"},
        allow("s3:PutObject"), allow("s3:GetObject", "arn:aws:s3:::web/*"),
    ), {}, True),
    ("tags at creation are a permission of their own", (
        "ec2", "CreateSnapshot", {"TagSpecifications": [{"ResourceType": "snapshot"}]},
        allow("ec2:CreateSnapshot"),
    ), {}, False),
    ("a time that has passed", (
        "ec2", "DescribeVpcs", {},
        allow("ec2:DescribeVpcs", DateLessThan={"aws:CurrentTime": "2020-01-01T00:00:00Z"}),
    ), {}, False),
    ("a time that is to come", (
        "ec2", "DescribeVpcs", {},
        allow("ec2:DescribeVpcs", DateLessThan={"aws:CurrentTime": "2999-01-01T00:00:00Z"}),
    ), {}, True),
    ("never, whatever the policy says", (
        "cloudtrail", "StopLogging", {"Name": "audit"}, EVERYTHING,
    ), {"ceiling": 5}, False),
]  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "settings", "expected"), [pytest.param(*case[1:], id=case[0]) for case in CASES]
)
def test_verdicts(arguments: tuple[Any, ...], settings: dict[str, Any], expected: bool) -> None:
    """A call goes out only if region, tier and policy allow it on everything that it names."""
    assert judge(*arguments, **settings).allowed is expected


def test_a_verdict_tells_action_tier_and_reason() -> None:
    """An allowed read says by what, and need not wait for the disk."""
    assert judge("logs", "GetQueryResults", {}, allow("logs:GetQueryResults")) == Verdict(
        allowed=True,
        reason="statement 1 allows logs:GetQueryResults on *",
        tier=2,
        action="logs:GetQueryResults",
        durable_first=False,
    )


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "tier"),
    [
        ("sts", "AssumeRole", {"RoleArn": "arn:aws:iam::9:role/x"}, 3),
        ("logs", "FilterLogEvents", {"logGroupName": "web", "unmask": True}, 3),
        ("ec2", "StopInstances", {"InstanceIds": ["i-1"]}, 4),
        ("ec2", "InventedYesterday", {}, 4),
    ],
)
def test_dangerous_calls_are_on_disk_first(
    service: str, operation: str, parameters: dict[str, Any], tier: Tier
) -> None:
    """From tier 3 on the intent must be durable; what comes along counts too."""
    verdict = judge(service, operation, parameters, EVERYTHING)

    assert (verdict.allowed, verdict.tier, verdict.durable_first) == (True, tier, True)


@pytest.mark.parametrize(
    ("arguments", "settings", "reason"),
    [
        (
            ("ec2", "DescribeVpcs", {}, EVERYTHING),
            {"region": "ap-south-1"},
            "ap-south-1 is not one of the approved regions (us-east-1, eu-west-1)",
        ),
        (
            ("cloudtrail", "StopLogging", {}, EVERYTHING),
            {},
            (
                "cloudtrail:StopLogging is never allowed, by no approval (can stop or divert the "
                "audit trail)"
            ),
        ),
        (
            ("ec2", "StopInstances", {}, EVERYTHING),
            {"ceiling": 2},
            "ec2:StopInstances is tier 4 (a change), above this run's ceiling of 2",
        ),
        (
            ("ec2", "InventedYesterday", {}, EVERYTHING),
            {"ceiling": 2},
            (
                "ec2:InventedYesterday is tier 4 (not in the action table, so it counts as a "
                "change), above this run's ceiling of 2"
            ),
        ),
        (
            ("sts", "GetCallerIdentity", {}),
            {},
            "sts:GetCallerIdentity needs no permission",
        ),
        (
            ("cloudwatch", "DescribeAlarms", {}, allow("cloudwatch:DescribeAlarms", ALARMS)),
            {},
            (
                "statement 1 allows cloudwatch:DescribeAlarms, but not on "
                f"arn:aws:cloudwatch:us-east-1:{ACCOUNT}:alarm:*: "
                "the resource it names is alarm:web-*"
            ),
        ),
        (("ec2", "DescribeVpcs", {}), {}, "no statement allows ec2:DescribeVpcs"),
    ],
)
def test_reasons_can_be_acted_on(
    arguments: tuple[Any, ...], settings: dict[str, Any], reason: str
) -> None:
    """The first thing that keeps a call from going out is told, in one sentence."""
    assert judge(*arguments, **settings).reason == reason


OTHER = "arn:aws:sts::999999999999:assumed-role/reader/run-1"


def test_another_principal_is_judged_in_its_own_account() -> None:
    """Names in the parameters mean resources of the account whose role was assumed."""
    its = "arn:aws:cloudwatch:us-east-1:999999999999:alarm:web"
    verdict = judge(
        "cloudwatch",
        "DescribeAlarms",
        {"AlarmNames": ["web"]},
        allow("cloudwatch:DescribeAlarms", its),
        principal=OTHER,
    )

    assert (verdict.allowed, verdict.reason) == (
        True,
        f"statement 1 allows cloudwatch:DescribeAlarms on {its}, in the name of {OTHER}",
    )


def test_a_policy_for_the_own_account_allows_nothing_in_another() -> None:
    """An ARN with the operator's account does not cover what an assumed role would reach."""
    call = ("cloudwatch", "DescribeAlarms", {"AlarmNames": ["web-1"]})
    statement = allow("cloudwatch:DescribeAlarms", ALARMS.replace(":*:", ":us-east-1:"))

    assert judge(*call, statement).allowed is True
    assert judge(*call, statement, principal=OTHER).allowed is False


@pytest.mark.parametrize(
    "principal",
    ["", "someone", "arn:aws-cn:sts::999999999999:assumed-role/a/b", "arn:aws:sts::9:assumed-role"],
)
def test_a_principal_that_is_not_understood_may_do_nothing(principal: str) -> None:
    """Neither may one of another partition, whatever the policy says, free calls included."""
    verdict = judge("sts", "GetCallerIdentity", {}, EVERYTHING, principal=principal)

    assert (verdict.allowed, verdict.reason) == (
        False,
        f"{principal} is not an identity of this partition (aws)",
    )


def test_an_action_that_only_a_wildcard_allows_is_named() -> None:
    """The operator is told what to write instead."""
    verdict = judge("rds", "DescribeInventedYesterday", {}, allow("rds:Describe*"))

    assert verdict.reason == (
        "only a wildcard allows rds:DescribeInventedYesterday, which is tier 4 (not in the action "
        "table, so it counts as a change), and the policy was approved as tier 1; name the action"
    )


@pytest.mark.parametrize("policy", [{}, [], "", {"Statement": [{"Effect": "Deny"}]}])
def test_a_policy_that_can_not_be_understood_denies(policy: Any) -> None:
    """The judge is made for any policy, and denies under one that allows nothing for certain."""
    decide = authorizer(policy, account=ACCOUNT, partition="aws", regions=REGIONS, ceiling=4)

    assert decide(AwsCall("ec2", "DescribeVpcs", "us-east-1", {})).allowed is False


def test_no_region_is_approved_by_default() -> None:
    """Without approved regions nothing goes out."""
    decide = authorizer(
        {"Statement": [EVERYTHING]}, account=ACCOUNT, partition="aws", regions=(), ceiling=4
    )
    verdict = decide(AwsCall("ec2", "DescribeVpcs", "us-east-1", {}))

    assert verdict.reason == "us-east-1 is not one of the approved regions (none)"


FREE = {("sts", "GetCallerIdentity"), ("dynamodb", "DescribeEndpoints")}
_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.just("arn:aws:iam::1:role/x"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)
_STRANGE = st.sampled_from(["", "{AlarmNames}", "{x!unheard}", "us-east-1:9", "*", "\uffff"])
_OPERATIONS = st.sampled_from(sorted(operations()))
_PARAMETERS = st.dictionaries(
    st.sampled_from(["AlarmNames", "logGroupName", "cluster", "services", "unmask", "Name"]),
    _VALUES,
)


@given(_OPERATIONS, _PARAMETERS)
def test_nothing_but_a_free_call_goes_out_without_a_policy(
    key: tuple[str, str], parameters: dict[str, Any]
) -> None:
    """Under the empty policy every call gets a verdict, and only what is free a yes."""
    verdict = judge(*key, parameters)

    assert verdict.allowed is (key in FREE)
    assert verdict.reason != ""


@given(_OPERATIONS, _PARAMETERS, _STRANGE)
def test_no_region_breaks_the_judge(
    key: tuple[str, str], parameters: dict[str, Any], region: str
) -> None:
    """A region that is none is refused, whatever the policy says."""
    assert judge(*key, parameters, EVERYTHING, region=region).allowed is False


@given(_OPERATIONS, _PARAMETERS, st.sampled_from([0, 1, 2, 3, 4, 5]))
def test_the_ceiling_holds_under_any_policy(
    key: tuple[str, str], parameters: dict[str, Any], ceiling: Tier
) -> None:
    """Even a policy that allows everything lets nothing above the ceiling, or of tier 5, out."""
    verdict = judge(*key, parameters, EVERYTHING, ceiling=ceiling)

    assert verdict.allowed is (verdict.tier <= min(ceiling, 4))


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "action"),
    [
        (
            "cloudtrail",
            "StartQuery",
            {"QueryStatement": "SELECT 1", "DeliveryS3Uri": "s3://elsewhere"},
            "cloudtrail:StartQuery",
        ),
        (
            "taxsettings",
            "GetTaxRegistrationDocument",
            {"destinationS3Location": {"bucket": "elsewhere"}},
            "tax:GetTaxRegistrationDocument",
        ),
        (
            "workmail",
            "TestAvailabilityConfiguration",
            {"EwsProvider": {"EwsEndpoint": "https://elsewhere.example"}},
            "workmail:TestAvailabilityConfiguration",
        ),
    ],
)
def test_a_read_that_carries_data_elsewhere_is_a_change(
    service: str, operation: str, parameters: dict[str, Any], action: str
) -> None:
    """What AWS calls a read and what writes where the call says is above the ceiling of reads."""
    policy = allow(action)
    verdict = judge(service, operation, parameters, policy, allow("s3:PutObject"), ceiling=2)

    assert (verdict.allowed, verdict.tier) == (False, 4)
    assert "above this run's ceiling of 2" in verdict.reason


def test_a_query_whose_results_are_read_is_a_read() -> None:
    """Only where results are delivered CloudTrail's query needs more than a read."""
    query = {"QueryStatement": "SELECT 1"}
    verdict = judge("cloudtrail", "StartQuery", query, allow("cloudtrail:StartQuery"), ceiling=2)

    assert (verdict.allowed, verdict.tier) == (True, 2)


BEYOND = [
    ("ec2", "CopySnapshot", {"SourceRegion": "ap-south-1", "SourceSnapshotId": "snap-1"}),
    ("rds", "CopyDBSnapshot", {"SourceRegion": "AP-SOUTH-1"}),
    ("kms", "ReplicateKey", {"KeyId": "k", "ReplicaRegion": "ap-south-1"}),
    ("secretsmanager", "CreateSecret", {"AddReplicaRegions": [{"Region": "ap-south-1"}]}),
    ("dynamodb", "UpdateTable", {
        "TableName": "t", "ReplicaUpdates": [{"Create": {"RegionName": "ap-south-1"}}],
    }),
    ("s3", "CreateBucket", {
        "Bucket": "b", "CreateBucketConfiguration": {"LocationConstraint": "ap-south-1"},
    }),
    ("cloudformation", "CreateStackInstances", {"Regions": ["us-east-1", "ap-south-1"]}),
    ("ssm-incidents", "CreateReplicationSet", {"regions": {"ap-south-1": {}}}),
]  # fmt: skip


@pytest.mark.parametrize(("service", "operation", "parameters"), BEYOND)
def test_a_change_does_not_reach_beyond_the_approved_regions(
    service: str, operation: str, parameters: dict[str, Any]
) -> None:
    """What is copied from or to a region that nobody approved stays there, by any policy."""
    policy = {"Effect": "Allow", "Action": lookup(service, operation).name, "Resource": "*"}
    verdict = judge(service, operation, parameters, policy)

    assert not verdict.allowed
    assert verdict.reason.startswith("it reaches ap-south-1, which is not one of the approved")
    approved = judge(service, operation, parameters, policy, regions=(*REGIONS, "ap-south-1"))
    assert "ap-south-1" not in approved.reason.partition("(")[0]


def test_what_names_a_region_otherwise_is_not_refused_for_it() -> None:
    """Reads may speak of any region, and tags say what people like."""
    every = allow("ec2:DescribeRegions")
    assert judge("ec2", "DescribeRegions", {"RegionNames": ["ap-south-1"]}, every).allowed
    function = f"arn:aws:lambda:us-east-1:{ACCOUNT}:function:f"
    tagged = {"Resource": function, "Tags": {"region": "ap-south-1"}}
    assert judge("lambda", "TagResource", tagged, allow("lambda:TagResource")).allowed
    made = {"Bucket": "b", "CreateBucketConfiguration": {"LocationConstraint": "EU"}}
    assert judge("s3", "CreateBucket", made, allow("s3:CreateBucket")).allowed
