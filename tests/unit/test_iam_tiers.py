"""The tier of a policy: the worst that any of its Allow statements can grant."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.iam.actions import names
from core.iam.tiers import tier_of_pattern, tier_of_policy
from sandbox.job import Tier


def allows(*actions: str, **fields: Any) -> dict[str, Any]:
    """A policy that allows these actions."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*", **fields}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.mark.parametrize(
    ("actions", "tier"),
    [
        (["sts:GetCallerIdentity"], 1),
        (["cloudwatch:DescribeAlarms", "ec2:DescribeInstances"], 1),
        (["CLOUDWATCH:describealarms"], 1),
        (["cloudwatch:DescribeAlarms", "logs:FilterLogEvents"], 2),
        (["cloudwatch:DescribeAlarms", "sts:AssumeRole"], 3),
        (["logs:Unmask"], 3),
        (["secretsmanager:GetSecretValue"], 3),
        (["ecs:UpdateService"], 4),
        (["iam:PassRole"], 4),
        (["ec2:InventedYesterday"], 4),
        (["newservice:DescribeThings"], 4),
        (["ec2:Describe*"], 3),
        (["ec2:DescribeInstance?"], 1),
        (["EC2:describeinstance?"], 1),
        (["cloudwatch:Describe*"], 1),
        (["ecs:Describe*"], 2),
        (["secretsmanager:Get*"], 3),
        (["ec2:Describe*", "ec2:DescribeVpcs"], 3),
        (["ec2:Desc*"], 4),
        (["ec2:*Instances"], 4),
        (["cloudwatch:?escribeAlarms"], 4),
        (["ec2:BatchGet*"], 4),
        (["newservice:Describe*"], 4),
        (["ec2:DescribeInvented*"], 4),
        (["iam:Put*"], 5),
        (["logs:*"], 4),
        (["newservice:*"], 4),
        (["cloudtrail:StopLogging"], 5),
        (["cloudtrail:*"], 5),
        (["cloudtrail:StopEvent*"], 5),
        (["iam:CreateAccessKey"], 5),
        (["organizations:LeaveOrganization"], 5),
        (["kms:ScheduleKeyDeletion"], 5),
        (["*"], 5),
        (["*:*"], 5),
        (["*:Describe*"], 5),
        (["cloudwatch:DescribeAlarms", "cloudtrail:StopLogging"], 5),
    ],
)
def test_the_worst_action_counts(actions: list[str], tier: Tier) -> None:
    """The tier is that of the worst action; wildcards reach what the table has, and maybe more."""
    assert tier_of_policy(allows(*actions))[0] == tier


@pytest.mark.parametrize(
    "policy", [{}, {"Version": "2012-10-17"}, {"Version": "2012-10-17", "Statement": []}]
)
def test_the_empty_policy_is_tier_0(policy: dict[str, Any]) -> None:
    """A policy that allows nothing has the lowest tier, and nothing to explain."""
    assert tier_of_policy(policy) == (0, ())


def test_a_deny_alone_allows_nothing() -> None:
    """Denying is no access, however dangerous what is denied."""
    deny = {"Effect": "Deny", "Action": "cloudtrail:StopLogging", "Resource": "*"}

    assert tier_of_policy({"Statement": deny}) == (0, ())


@pytest.mark.parametrize(
    "narrower",
    [
        {"Resource": "arn:aws:ecs:us-east-1:123456789012:service/c/one"},
        {"Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}},
    ],
)
def test_resources_and_conditions_do_not_lower_it(narrower: dict[str, Any]) -> None:
    """A change of one service in one region is a change."""
    assert tier_of_policy(allows("ecs:UpdateService", **narrower))[0] == 4


def test_not_action_allows_nearly_everything() -> None:
    """An Allow with NotAction reaches what is never allowed."""
    statement = {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}

    assert tier_of_policy({"Statement": [statement]}) == (
        5,
        ("statement 1 allows everything but what NotAction names",),
    )


@pytest.mark.parametrize(
    "policy",
    [
        [],
        {"Statement": "Allow"},
        {"Statement": [{"Effect": "allow", "Action": "ec2:DescribeVpcs", "Resource": "*"}]},
        {"Statement": [{"Effect": "Allow", "Action": "ec2:DescribeVpcs"}]},
        {"Statement": [], "Principal": "*"},
    ],
)
def test_a_malformed_policy_is_tier_5(policy: Any) -> None:
    """What a malformed policy allows can't be told, so nothing runs under it."""
    tier, reasons = tier_of_policy(policy)

    assert tier == 5
    assert reasons[0].startswith("what the policy allows can't be told: ")


@pytest.mark.parametrize(
    ("actions", "reasons"),
    [
        (["sts:GetSessionToken"], ("sts:GetSessionToken is tier 3 (returns credentials)",)),
        (
            ["ec2:DescribeVpcs", "logs:GetLogEvents", "logs:getlogevents"],
            ("logs:GetLogEvents is tier 2 (reads log content)",),
        ),
        (
            ["ec2:Invented"],
            ("ec2:Invented is not in the action table, so it counts as a change",),
        ),
        (
            ["secretsmanager:Get*"],
            (
                (
                    "secretsmanager:Get* reaches 3 actions, at worst "
                    "secretsmanager:GetRandomPassword: tier 3 (returns a password)"
                ),
            ),
        ),
        (
            ["sts:*"],
            (
                (
                    "sts:* reaches sts:AssumeRoot, which is never allowed (returns "
                    "credentials of the root user)"
                ),
            ),
        ),
        (
            ["sqs:Receive*"],
            (
                (
                    "sqs:Receive* reaches 1 action, at worst sqs:ReceiveMessage, and may reach "
                    "changes that AWS adds, so it counts as a change; name the actions one by one"
                ),
            ),
        ),
        (
            ["ec2:DescribeInvented*"],
            (
                (
                    "ec2:DescribeInvented* reaches nothing that is in the action table, so it "
                    "counts as a change"
                ),
            ),
        ),
        (
            ["cloudtrail:StopE*"],
            (
                (
                    "cloudtrail:StopE* reaches cloudtrail:StopEventDataStoreIngestion, which is "
                    "never allowed (can stop or destroy the audit trail)"
                ),
            ),
        ),
        (["*"], ("* reaches every service, and so actions that are never allowed",)),
    ],
)
def test_reasons_explain_the_tier(actions: list[str], reasons: tuple[str, ...]) -> None:
    """Only what makes the tier is told, each thing once."""
    assert tier_of_policy(allows(*actions))[1] == reasons


@given(st.lists(st.sampled_from(sorted(names())), max_size=4), st.text("*?", max_size=2))
def test_more_actions_never_lower_the_tier(actions: list[str], wildcard: str) -> None:
    """Adding an action, or widening one by a wildcard, never makes a policy look safer."""
    before = tier_of_policy(allows(*actions or ["sts:GetCallerIdentity"]))[0]
    wider = [action + wildcard for action in actions]

    assert tier_of_policy(allows(*actions, *wider, "ec2:DescribeVpcs"))[0] >= before


@given(st.sampled_from(sorted(names())), st.integers(1, 12))
def test_a_pattern_is_as_dangerous_as_what_it_reaches(action: str, kept: int) -> None:
    """Whatever stands before a star, the tier is no lower than that of an action it matches."""
    prefix, _, name = action.partition(":")

    assert tier_of_pattern(f"{prefix}:{name[:kept]}*")[0] >= tier_of_pattern(action)[0]
