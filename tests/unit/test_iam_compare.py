"""Proposed, static, observed: the eight states, and the policy that would do."""

from __future__ import annotations

from typing import Any

import pytest

from core.iam.compare import rows
from core.iam.document import parse
from core.iam.evaluate import evaluate
from core.iam.globs import UNKNOWN_PART
from core.iam.propose import Shown, propose, resources_of
from core.runs import Counted

DESCRIBE = Shown("ec2", "DescribeInstances", 3, {})
READ = Shown("logs", "FilterLogEvents", 7, {"logGroupName": "web"})
WEB = "arn:aws:logs:*:*:log-group:web:*"


DESCRIBED = Counted("ec2", "DescribeInstances", "ec2:DescribeInstances", 1)
REFUSED = Counted("logs", "FilterLogEvents", "logs:FilterLogEvents", 1, 1)
FREE = Counted("sts", "GetCallerIdentity", "sts:GetCallerIdentity", 1)
UNREAD = Counted("", "", "", 1, 1)


def allows(*actions: str, on: str = "*") -> dict[str, Any]:
    """A policy that allows these actions."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": on}
    return {"Version": "2012-10-17", "Statement": [statement]}


@pytest.mark.parametrize(
    ("policy", "calls", "observed", "complete", "expected"),
    [
        (allows("ec2:DescribeInstances"), [DESCRIBE], None, True, "matched"),
        (allows("ec2:Describe*"), [DESCRIBE], [DESCRIBED], True, "matched"),
        (allows("ec2:DescribeVpcs"), [], None, True, "not called"),
        (allows("ec2:DescribeVpcs"), [], None, False, "unseeable"),
        (allows("ec2:DescribeInstances"), [DESCRIBE], [], True, "not taken"),
        ({}, [DESCRIBE], None, True, "missing"),
        (allows("ec2:DescribeInstances"), [READ], [REFUSED], True, "denied"),
        ({}, [], [REFUSED], True, "denied"),
        (allows("ec2:DescribeInstances"), [], [DESCRIBED], True, "surprise"),
        (allows("logs:FilterLogEvents"), [READ], None, True, "too wide"),
        (allows("logs:FilterLogEvents", on=WEB), [READ], None, True, "matched"),
    ],
)
def test_states(
    policy: dict[str, Any],
    calls: list[Shown],
    observed: list[Counted],
    complete: bool,
    expected: str,
) -> None:
    """Each of the eight states, by what is proposed, seen in the code and seen in a run."""
    first = rows(parse(policy), calls, observed, complete=complete)[0]

    assert first.state == expected


def test_what_a_call_needs_besides_was_called_too() -> None:
    """Copying an object reads it; a role that is handed over is checked where nobody sees it."""
    copy = Shown("s3", "CopyObject", 3, {})
    update = Shown("ecs", "UpdateService", 5, {UNKNOWN_PART: UNKNOWN_PART})
    allowed = parse(allows("s3:PutObject", "s3:GetObject", "ecs:UpdateService", "iam:PassRole"))
    ran = (
        Counted("s3", "CopyObject", "s3:PutObject", 2),
        Counted("ecs", "UpdateService", "ecs:UpdateService", 1),
        UNREAD,
    )
    states = {row.action: row.state for row in rows(allowed, [copy, update], ran)}

    assert states["s3:GetObject"] == states["s3:PutObject"] == "matched"
    assert states.get("iam:PassRole", "matched") == "matched"
    assert "" not in states


def test_a_row_says_why() -> None:
    """The lines that call an action, its tier, what would do, and how often a run called it."""
    found = rows(
        parse(allows("logs:*")), [READ, READ, DESCRIBE], [DESCRIBED, DESCRIBED, FREE, UNREAD]
    )

    first, second = found
    assert (first.action, first.tier, first.lines, first.resources, first.called) == (
        "ec2:DescribeInstances",
        1,
        (3,),
        ("*",),
        2,
    )
    assert (second.lines, second.resources, second.state) == ((7,), (WEB,), "not taken")
    assert "tier 2" in second.why


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"CapacityProviderStrategy": [], "cluster": "a"}, "not called"),
        ({UNKNOWN_PART: UNKNOWN_PART, "cluster": "a"}, None),
        ({}, None),
    ],
)
def test_a_role_that_no_call_hands_over(parameters: dict[str, Any], expected: str | None) -> None:
    """iam:PassRole is too much only where the parameters of every change are in sight."""
    policy = allows("iam:PassRole", "ecs:UpdateService")
    found = rows(parse(policy), [Shown("ecs", "UpdateService", 1, parameters)])

    states = {row.action: row.state for row in found}
    assert states.get("iam:PassRole") == expected


CALLS: list[tuple[Shown, dict[str, tuple[str, ...]]]] = [
    (DESCRIBE, {"ec2:DescribeInstances": ("*",)}),
    (READ, {"logs:FilterLogEvents": (WEB,)}),
    (Shown("logs", "FilterLogEvents", 1, {"logGroupName": UNKNOWN_PART}),
     {"logs:FilterLogEvents": ("*",)}),
    (Shown("logs", "FilterLogEvents", 1, {"logGroupName": "web*"}),
     {"logs:FilterLogEvents": ("*",)}),
    (Shown("s3", "GetObject", 1, {"Bucket": "b", "Key": f"kept/{UNKNOWN_PART}"}),
     {"s3:GetObject": ("arn:aws:s3:::b/kept/*",)}),
    (Shown("sns", "Publish", 1, {"TopicArn": "arn:aws-cn:sns:cn-north-1:123456789012:t"}),
     {"sns:Publish": ("arn:aws-cn:sns:cn-north-1:123456789012:t",)}),
    (Shown("sts", "GetCallerIdentity", 1, {}), {}),
    (Shown("ecs", "DescribeServices", 1, {"services": ["web"]}),
     {"ecs:DescribeServices": ("arn:aws:ecs:*:*:service/default/web",)}),
    (Shown("ecs", "DescribeServices", 1, {"services": ["web"], UNKNOWN_PART: UNKNOWN_PART}),
     {"ecs:DescribeServices": ("arn:aws:ecs:*:*:service/*/web",)}),
]  # fmt: skip


@pytest.mark.parametrize(("call", "expected"), CALLS)
def test_resources_from_parameters(call: Shown, expected: dict[str, tuple[str, ...]]) -> None:
    """What a parameter names is in the policy; what is not known, or is a wildcard, is a star."""
    assert resources_of([call]) == expected


def test_the_proposed_policy_allows_what_it_was_made_for() -> None:
    """Each action on its resource in any account and region, and not on others."""
    policy = propose(resources_of([DESCRIBE, READ, Shown("sts", "GetCallerIdentity", 1, {})]))
    arn = "arn:aws:logs:eu-west-1:123456789012:log-group:{}:x"

    assert parse(policy).all_problems() == ()
    assert evaluate(policy, "ec2:DescribeInstances", "*", {}).allowed
    assert evaluate(policy, "logs:FilterLogEvents", arn.format("web"), {}).allowed
    assert not evaluate(policy, "logs:FilterLogEvents", arn.format("other"), {}).allowed
    assert len(policy["Statement"]) == 2
    assert propose({}) == {"Version": "2012-10-17", "Statement": []}
