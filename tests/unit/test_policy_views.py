"""The policy as a table: what each action is for, and where code and policy differ."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from core.checks.finding import Call
from core.session import Step
from tui import policy_views

Maker = Callable[..., Any]


def step_with(story: Maker, statements: list[Any], **review: Any) -> Step:
    """Return a reviewed step whose draft has these statements."""
    told = story().identified().drafted().reviewed()
    step: Step = told.session.steps[0]
    assert step.draft is not None
    assert step.review is not None
    draft = replace(step.draft, policy={"Version": "2012-10-17", "Statement": statements})
    return replace(step, drafts=(draft,), review=replace(step.review, **review))


def test_each_action_names_the_lines_that_call_it(story: Maker) -> None:
    """A pattern is needed where it reaches a call; what nothing calls is marked as excess."""
    step = step_with(
        story,
        [{"Effect": "Allow", "Action": ["ec2:Describe*", "s3:ListAllMyBuckets"], "Resource": "*"}],
        calls=(Call("ec2", "DescribeVpcs", 9), Call("ec2", "DescribeSubnets", 7)),
        excess=("s3:ListAllMyBuckets",),
    )
    policy = policy_views.policy(step)

    assert [(one.action, one.need, one.lines) for one in policy.permissions] == [
        ("ec2:Describe*", "needed", (7, 9)),
        ("s3:ListAllMyBuckets", "excess", ()),
    ]
    assert policy_views.policy_caption(policy).endswith(", 1 excess, can be tighter")
    assert policy_views.policy_counter(step) == "2!"


def test_what_the_policy_lacks_stands_first(story: Maker) -> None:
    """A call that will be denied is a row of its own, with tier and line, and is not allowed."""
    step = step_with(
        story,
        [{"Effect": "Deny", "Action": "ec2:DescribeVpcs", "Resource": "*"}],
        calls=(Call("ec2", "DescribeVpcs", 9),),
        missing=("ec2:DescribeVpcs",),
    )
    policy = policy_views.policy(step)

    first, denied = policy.permissions
    assert (first.action, first.need, first.tier, first.lines) == (
        "ec2:DescribeVpcs",
        "missing",
        1,
        (9,),
    )
    assert (denied.effect, denied.need, denied.tier, denied.lines) == ("Deny", "unread", None, ())
    assert policy_views.policy_caption(policy) == "0 allowed, tier 0, 1 missing"


def test_a_condition_stands_beside_what_it_narrows(story: Maker) -> None:
    """A table without conditions would show more power than there is, or hide how it is bound."""
    condition = {"StringEquals": {"aws:ResourceTag/team": ["shop", "cart"]}}
    step = step_with(
        story,
        [{"Effect": "Allow", "Action": "ec2:X", "Resource": "*", "Condition": condition}],
    )

    [one] = policy_views.policy(step).permissions
    assert one.condition == "StringEquals aws:ResourceTag/team shop, cart"


def test_a_table_that_can_not_say_all_says_so(story: Maker) -> None:
    """What the table has no column for is never left out in silence."""
    plain = {"Effect": "Allow", "Action": "ec2:DescribeVpcs", "Resource": "*"}

    assert policy_views.policy(step_with(story, [plain])).remarks == ()
    for odd in ({**plain, "Principal": "*"}, "Allow everything"):
        [remark] = policy_views.policy(step_with(story, [odd])).remarks
        assert "more in the document" in remark
