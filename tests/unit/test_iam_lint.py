"""A policy by itself: each rule against a policy that breaks it, and sound policies against all."""

from __future__ import annotations

from typing import Any

import pytest

from core.iam.actions import find
from core.iam.dangers import CREDENTIALS, ESCALATIONS, EXFILTRATIONS, EXPOSURES
from core.iam.document import parse
from core.iam.lint import Ceilings, limits, lint, lint_size


def allows(*actions: str, on: Any = "*", **fields: Any) -> dict[str, Any]:
    """A policy that allows these actions."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": on, **fields}
    return {"Version": "2012-10-17", "Statement": [statement]}


BUCKET = "arn:aws:s3:::shop"
SECRET = "arn:aws:secretsmanager:*:*:secret:db-*"
GROUP = "arn:aws:logs:*:*:log-group:web:*"
ROLE = "arn:aws:iam::123456789012:role/web"
BROKEN: list[tuple[str, dict[str, Any], str, str]] = [
    # rule, policy, severity, what message and fix say
    ("malformed", {"Statement": "all"}, "blocker", "list of objects"),
    ("malformed", allows("ec2"), "blocker", "is not an action"),
    ("not-action", {"Statement": {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}},
     "blocker", "everything but"),
    ("not-resource",
     {"Statement": {"Effect": "Allow", "Action": "ec2:DescribeVpcs", "NotResource": BUCKET}},
     "blocker", "NotResource"),
    ("never", allows("cloudtrail:StopLogging"), "blocker", "nobody can approve it"),
    ("never", allows("*"), "blocker", "every service"),
    ("whole-service", allows("ec2:*"), "blocker", "826 actions"),
    ("wildcard", allows("rds:Describe*"), "warning", "it reaches rds:Describe"),
    ("wildcard", allows("s3:Get*"), "warning", "more"),
    ("unknown-action", allows("ec2:DescribeVpc"), "warning", "ec2:DescribeVpcs?"),
    ("unknown-action", allows("lamda:GetFunction"), "warning", "lambda:GetFunction?"),
    ("ceiling", allows("ec2:RebootInstances", on="arn:aws:ec2:*:*:instance/i-1"), "blocker",
     "above the ceiling of 2"),
    ("ceiling", allows("secretsmanager:GetSecretValue", on=SECRET), "blocker", "settings"),
    ("ceiling", allows("logs:FilterLogEvents", on=GROUP), "warning", "of 1 that this mode has"),
    ("wrong-resource", allows("s3:GetObject", on=BUCKET), "warning", "arn:*:s3:::*/*"),
    ("wrong-resource", allows("logs:FilterLogEvents", on=BUCKET), "warning", "log-group"),
    ("escalation", allows("iam:PassRole", "lambda:CreateFunction"), "blocker", "any role"),
    ("escalation", allows("iam:PassRole", "ec2:RunInstances", on=ROLE), "warning", "any role"),
    ("escalation", allows("lambda:UpdateFunctionCode"), "warning", "other code"),
    ("escalation", allows("iam:CreateAccessKey"), "blocker", "keys of any user"),
    ("exposure", allows("s3:PutBucketPolicy", on=BUCKET), "warning", "opens a bucket"),
    ("exposure", allows("ec2:Modify*"), "warning", "shares a copy of disks"),
    ("credentials", allows("sts:AssumeRole", on=ROLE), "warning", "credentials"),
    ("exfiltration", allows("s3:GetObject"), "warning", "any object of any bucket"),
    ("exfiltration", allows("dynamodb:*"), "warning", "any item of any table"),
    ("double", allows("ec2:DescribeVpcs", "EC2:DescribeVpcs"), "note", "a second time"),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "policy", "severity", "says"), BROKEN)
def test_each_rule_finds_its_offender(
    rule: str, policy: dict[str, Any], severity: str, says: str
) -> None:
    """A policy that breaks a rule is told by that rule, with its severity and what to do."""
    found = [one for one in lint(parse(policy), Ceilings(1, 2)) if one.rule == rule]

    assert [one.severity for one in found[:1]] == [severity]
    assert any(says in f"{one.message} {one.fix}" for one in found)


@pytest.mark.parametrize(
    "policy",
    [
        {},
        allows("ec2:DescribeInstances", "cloudtrail:LookupEvents"),
        allows("s3:GetObject", on=f"{BUCKET}/*"),
        allows("s3:ListBucket", on=BUCKET),
        allows("s3:GetObject", Condition={"StringEquals": {"s3:ExistingObjectTag/a": "b"}}),
        allows("logs:FilterLogEvents", on="arn:aws:logs:*:*:log-group:web:*"),
        allows("dynamodb:GetItem", on="arn:aws:dynamodb:*:*:table/orders"),
        allows("lambda:GetFunctionConfiguration", on="arn:aws:lambda:*:*:function:web"),
        allows("sqs:GetQueueAttributes", on="arn:aws:sqs:*:*:orders"),
        allows("ec2:RebootInstances", on="arn:aws:ec2:*:*:instance/i-1"),
    ],
)
def test_sound_policies_raise_no_remark(policy: dict[str, Any]) -> None:
    """A policy that names its actions and resources leaves nothing to say."""
    assert list(lint(parse(policy))) == []


def test_every_action_of_the_classes_exists() -> None:
    """A class with a misspelt action would be silent about it for ever."""
    named = {*CREDENTIALS, *EXPOSURES, *EXFILTRATIONS}
    named |= {action for actions, _ in ESCALATIONS for action in actions}

    assert [action for action in sorted(named) if find(action) is None] == []


@pytest.mark.parametrize(("actions", "told"), ESCALATIONS)
def test_every_escalation_is_found(actions: tuple[str, ...], told: str) -> None:
    """Each combination is told, and none of its actions alone is told as it."""
    policy = allows(*actions)

    assert any(told in one.message for one in lint(parse(policy)) if one.rule == "escalation")
    for action in actions if len(actions) > 1 else ():
        alone = [one for one in lint(parse(allows(action))) if one.rule == "escalation"]
        assert not any("iam:PassRole" in one.message for one in alone)


@pytest.mark.parametrize(
    ("number", "action", "severity"),
    [
        (2, "ec2:DescribeVpcs", []),
        (60, "s3:ListBucket", ["note"]),
        (60, "s3:PutObject", ["warning"]),
    ],
)
def test_the_size_for_a_session(number: int, action: str, severity: list[str]) -> None:
    """What AWS does not take for a session is told: as a loss for reads, as a refusal for more."""
    on = [f"arn:aws:s3:::{'bucket' * 6}-{place}" for place in range(number)]

    assert [one.severity for one in lint_size(allows(action, on=on))] == severity


def test_the_forms_of_resources() -> None:
    """An action that can be limited says to what; one that can't says nothing."""
    assert limits("ec2:DescribeVpcs") == ()
    assert limits("S3:GetObject") == ("arn:*:s3:::*/*",)
    assert "arn:*:sqs:*:*:*" in limits("sqs:ReceiveMessage")
