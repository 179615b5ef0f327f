"""Grants: what covers what, what is offered, and that nothing is wider than it was shown."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.approval.draft import Target
from core.approval.grants import GrantGiven, Standing, fits, offer, offer_rehearsals, printed
from core.iam import UNKNOWN, covers, evaluate
from core.iam.conditions import OTHER_KEYS
from core.iam.containment import Permission, as_policy, permissions_of
from sandbox.job import Sha

TARGET = Target("live", "aws", "111122223333", "arn:role", ("eu-west-1",), "shop")
NOW = 1_000
READS: Mapping[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["ec2:DescribeVpcs"], "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": "logs:Get*",
            "Resource": "arn:aws:logs:eu-west-1:1:log-group:a*",
        },
    ],
}
ACTIONS = st.sampled_from(
    [
        "*",
        "ec2:*",
        "ec2:Describe*",
        "ec2:DescribeVpcs",
        "EC2:describe*",
        "ec2:?escribeVpcs",
        "logs:Get*",
        "logs:GetLogEvents",
        "s3:GetObject",
        "s3:*Object",
        "s3:Get?bject",
        "s3:Get*bject",
    ]
)
RESOURCES = st.sampled_from(
    [
        "*",
        "arn:aws:s3:::a",
        "arn:aws:s3:::a/*",
        "arn:aws:s3:::a/b*",
        "arn:aws:s3:::?/b",
        "arn:aws:s3:::*/b",
        "arn:aws:logs:eu-west-1:1:log-group:a*",
        "arn:aws:logs:*:1:log-group:*",
        "arn:aws:logs",
        "arn:*",
        "arn:aws:logs:eu-west-1:1:log-group:a:*",
        "arn:aws:s3:::${aws:username}/*",
    ]
)
LISTS = st.tuples(
    st.lists(ACTIONS, min_size=1, max_size=3), st.lists(RESOURCES, min_size=1, max_size=3)
)
CONDITIONS = st.sampled_from([{}, {}, {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}])
STATEMENTS = st.builds(
    lambda effect, lists, condition, inverted: {
        "Effect": effect,
        "NotAction" if inverted == "action" else "Action": lists[0],
        "NotResource" if inverted == "resource" else "Resource": lists[1],
        **({"Condition": condition} if condition else {}),
    },
    st.sampled_from(["Allow"] * 6 + ["Deny"]),
    LISTS,
    CONDITIONS,
    st.sampled_from([""] * 8 + ["action", "resource"]),
)
POLICIES = st.builds(
    lambda version, statements: {"Version": version, "Statement": statements},
    st.sampled_from(["2012-10-17"] * 5 + ["2008-10-17"]),
    st.lists(STATEMENTS, max_size=3),
)
GRANTS = st.lists(LISTS, max_size=3).map(
    lambda lists: tuple(Permission(tuple(each[0]), tuple(each[1])) for each in lists)
)
CONTEXTS: list[dict[str, Any]] = [{}, {"aws:RequestedRegion": "eu-west-1"}, {OTHER_KEYS: UNKNOWN}]


class Given:
    """What grants these permissions."""

    def __init__(self, permissions: tuple[Permission, ...]) -> None:
        self.permissions = permissions


def instance(pattern: str, source: random.Random) -> str:
    """Return a text that a pattern may match: each wildcard is filled in somehow."""
    pieces = {"*": ["", "a", "b/c", "x:y", "Z"], "?": ["a", "D", "?"]}
    return "".join(source.choice(pieces.get(one, [one])) for one in pattern)


def asked(policy: Any, permissions: tuple[Permission, ...]) -> list[tuple[str, str]]:
    """Return actions and resources that the two may have an opinion on."""
    source = random.Random(7)
    actions, resources = {"ec2:RunInstances"}, {"*", "arn:aws:s3:::a/b"}
    for one in policy["Statement"]:
        actions |= {instance(each, source) for each in one.get("Action", one.get("NotAction"))}
        resources |= {instance(each, source) for each in one.get("Resource", ["*"])}
    for permission in permissions:
        actions |= {instance(each, source) for each in permission.actions}
        resources |= {instance(each, source) for each in permission.resources}
    return [(action, resource) for action in sorted(actions) for resource in sorted(resources)]


@settings(max_examples=1_000)
@given(POLICIES, GRANTS)
def test_what_is_covered_is_refused_nowhere(
    policy: Any, permissions: tuple[Permission, ...]
) -> None:
    """Where `covers` says yes, `evaluate` allows under the grant whatever the policy allows."""
    if not covers(Given(permissions), policy):
        return
    granted = as_policy(permissions)
    for action, resource in asked(policy, permissions):
        for context in CONTEXTS:
            if evaluate(policy, action, resource, context).allowed:
                assert evaluate(granted, action, resource, context).allowed, (action, resource)


@settings(max_examples=200)
@given(POLICIES)
def test_what_permissions_say_is_what_the_policy_says(policy: Any) -> None:
    """Where a policy can be said in permissions, the two allow the same, and cover each other."""
    permissions = permissions_of(policy)
    if permissions is None:
        return
    granted = as_policy(permissions)
    for action, resource in asked(policy, permissions):
        same = [evaluate(each, action, resource, {}).allowed for each in (policy, granted)]
        assert same[0] == same[1]


@pytest.mark.parametrize(
    ("actions", "resources", "yes"),
    [
        (["*"], ["*"], True),
        (["ec2:*", "LOGS:Get*"], ["*"], True),
        (["ec2:DescribeVpcs", "logs:Get*"], ["*"], True),
        (["ec2:DescribeVpcs", "logs:GetLogEvents"], ["*"], False),
        (["ec2:Describe*", "logs:*"], ["arn:aws:logs:eu-west-1:1:log-group:*"], False),
        (["ec2:DescribeVpcs"], ["*"], False),
        ([], [], False),
    ],
)
def test_covering(actions: list[str], resources: list[str], yes: bool) -> None:
    """Wider patterns cover narrower ones, and each action needs its resource in one permission."""
    assert covers(Given((Permission(tuple(actions), tuple(resources)),)), READS) is yes


def test_permissions_are_not_mixed() -> None:
    """An action of one permission and a resource of another are no permission."""
    two = (Permission(("ec2:DescribeVpcs",), ("arn:aws:a",)), Permission(("s3:Get*",), ("*",)))

    assert not covers(Given(two), as_policy((Permission(("ec2:DescribeVpcs",), ("*",)),)))


@pytest.mark.parametrize(
    "policy",
    [
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow"}]},
        {"Version": "2013-10-17", "Statement": []},
        {"Statement": [{"Effect": "Allow", "NotAction": "s3:*", "Resource": "*"}]},
        {"Statement": [{"Effect": "Allow", "Action": "s3:*", "NotResource": "arn:aws:a"}]},
        {"Statement": [{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::${a}"}]},
        "text",
    ],
)
def test_what_can_not_be_understood_is_not_covered(policy: Any) -> None:
    """Unknown means no, for a grant of everything too."""
    assert not covers(Given((Permission(("*",), ("*",)),)), policy)


# ------------------------------------------------------------------ offers
def test_what_is_offered_is_exactly_the_policy() -> None:
    """The permissions of an offer are the statements of the draft's policy, one by one."""
    grant = offer("G1", TARGET, 1, READS, NOW)

    assert grant is not None
    assert grant.permissions == (
        Permission(("ec2:DescribeVpcs",), ("*",)),
        Permission(("logs:Get*",), ("arn:aws:logs:eu-west-1:1:log-group:a*",)),
    )
    assert (grant.account, grant.role, grant.regions) == (
        "111122223333",
        "arn:role",
        ("eu-west-1",),
    )
    assert grant.expires_at > NOW
    assert all(pattern in " ".join(printed(grant)) for pattern in ("ec2:DescribeVpcs", "logs:Get*"))


@pytest.mark.parametrize(
    ("tier", "statement"),
    [
        (3, {"Action": "ssm:GetParameter", "Resource": "*"}),
        (4, {"Action": "ec2:RunInstances", "Resource": "*"}),
        (1, {"Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"a": "true"}}}),
        (1, {"NotAction": "s3:*", "Resource": "*"}),
        (1, {"Action": "s3:*", "Resource": "arn:aws:s3:::${aws:username}"}),
    ],
)
def test_nothing_is_offered_that_changes_or_that_can_not_be_said(tier: Any, statement: Any) -> None:
    """No grant for tier 3 and above, nor for a policy that permissions can't express exactly."""
    policy = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement}]}

    assert offer("G1", TARGET, tier, policy, NOW) is None


CHANGES: list[tuple[str, Any]] = [
    ("account", "444455556666"),
    ("role", "arn:other"),
    ("source", "recorded:00"),
    ("partition", "aws-cn"),
    ("regions", ("us-east-1",)),
    ("tier", 0),
    ("permissions", ()),
    ("code_digest", Sha("0" * 64)),
    ("purpose", "rehearse"),
]


@pytest.mark.parametrize(("field", "value"), CHANGES)
def test_every_field_of_a_grant_counts(field: str, value: Any) -> None:
    """A grant that differs in one field from what the draft needs does not fit it."""
    grant = offer("G1", TARGET, 1, READS, NOW)
    assert grant is not None
    wanted = {"purpose": "run", "tier": 1, "code_digest": Sha("f" * 64), "policy": READS}

    assert fits(grant, TARGET, **wanted)  # type: ignore[arg-type]  # by name
    assert not fits(replace(grant, **{field: value}), TARGET, **wanted)  # type: ignore[arg-type]


def test_a_grant_ends_by_time_and_by_use() -> None:
    """It holds until its end and for as many uses as it says, and then says why not."""
    grant = offer("G1", TARGET, 1, READS, NOW)
    assert grant is not None
    given_once = Standing(GrantGiven(replace(grant, uses=1), "ada", "tui"))

    assert given_once.holds(grant.expires_at - 1)
    assert given_once.over(grant.expires_at) == "expired"
    assert given_once.after_use().over(NOW) == "used up"
    assert not replace(given_once, ended="revoked by ada").holds(NOW)


def test_rehearsals_are_granted_for_any_draft_and_nothing_else() -> None:
    """A grant for rehearsals needs no permissions, and lets nothing run."""
    grant = offer_rehearsals("G1", TARGET, NOW)
    assert grant is not None
    wanted = {"tier": 0, "code_digest": Sha("f" * 64), "policy": READS}

    assert fits(grant, TARGET, purpose="rehearse", **wanted)  # type: ignore[arg-type]  # by name
    assert not fits(grant, TARGET, purpose="run", **wanted)  # type: ignore[arg-type]  # by name
