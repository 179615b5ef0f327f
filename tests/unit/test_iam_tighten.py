"""The tighter policy: less than before in every case, and all that code and runs need."""

from __future__ import annotations

from typing import Any

import pytest

from core.iam.compare import rows
from core.iam.document import parse
from core.iam.evaluate import evaluate
from core.iam.globs import UNKNOWN_PART
from core.iam.propose import Shown
from core.iam.tighten import is_narrower, tightened
from core.runs import Counted

VPCS, SUBNETS, EVENTS = "ec2:DescribeVpcs", "ec2:DescribeSubnets", "logs:FilterLogEvents"
CODE = [
    Shown("ec2", "DescribeVpcs", 1, {}),
    Shown("logs", "FilterLogEvents", 2, {"logGroupName": "web"}),
]
WEB = "arn:aws:logs:*:*:log-group:web:*"
HIDDEN = (Counted("ec2", "DescribeSubnets", SUBNETS, 3),)
DENY = {"Effect": "Deny", "Action": "ec2:*", "Resource": "*"}
ONLY = {"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}


def allow(*actions: str, on: Any = "*", **fields: Any) -> dict[str, Any]:
    """A statement that allows these actions."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": on, **fields}


def policy(*statements: Any) -> dict[str, Any]:
    """A policy of these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements)}


def tight(
    given: dict[str, Any],
    observed: tuple[Counted, ...] | None = None,
    calls: list[Shown] = CODE,
    *,
    complete: bool = True,
) -> Any:
    """The statements of the tighter policy, None where there is none."""
    table = rows(parse(given), calls, observed, complete=complete)
    found = tightened(given, table, complete=complete, ran=observed is not None)
    if found is None:
        return None
    assert is_narrower(given, found)
    assert found["Version"] == given["Version"]
    return found["Statement"]


WHOLE = allow(VPCS), allow(EVENTS, on=[WEB])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (policy(*WHOLE), None),
        (policy(*WHOLE, allow("s3:ListAllMyBuckets")), [*WHOLE]),
        (policy(allow(VPCS, SUBNETS, Sid="One"), WHOLE[1]), [allow(VPCS, Sid="One"), WHOLE[1]]),
        (policy(allow("ec2:Describe*"), WHOLE[1]), [allow(VPCS), WHOLE[1]]),
        (policy(allow(VPCS, EVENTS, Sid="One")), [allow(VPCS, Sid="One"), allow(EVENTS, on=[WEB])]),
        (policy(allow("ec2:*", Condition=ONLY), WHOLE[1]), [allow(VPCS, Condition=ONLY), WHOLE[1]]),
        (policy(*WHOLE, allow("s3:Get*"), DENY), [*WHOLE, DENY]),
        (policy({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}), None),
        (policy(*WHOLE, allow("ec2")), None),
    ],
)
def test_what_nothing_needs_goes(given: dict[str, Any], expected: Any) -> None:
    """Actions that nothing calls, wildcards and stars; conditions, denials and exceptions stay."""
    assert tight(given) == expected


def test_hidden_calls_keep_what_they_may_need_until_a_run_shows() -> None:
    """Where calls are hidden only a run that came to its end says what is left of a wildcard."""
    given = policy(allow("ec2:Describe*", "s3:ListAllMyBuckets"), allow(EVENTS))

    assert tight(given, complete=False) is None
    assert tight(given, HIDDEN, complete=False) == [allow(VPCS, SUBNETS), allow(EVENTS)]


def test_what_a_run_called_and_no_line_shows_stays() -> None:
    """A surprise is needed; what the code has and the run did not call is needed too."""
    assert tight(policy(allow(VPCS, SUBNETS), WHOLE[1]), HIDDEN) is None
    assert tight(policy(allow("ec2:*"), WHOLE[1]), HIDDEN) == [allow(VPCS, SUBNETS), WHOLE[1]]


def test_a_role_that_may_be_handed_over_stays() -> None:
    """No call shows iam:PassRole, so a change with parameters out of sight keeps it."""
    update = [Shown("ecs", "UpdateService", 1, {"cluster": "a", UNKNOWN_PART: UNKNOWN_PART})]
    on = allow("ecs:UpdateService", on=["arn:aws:ecs:*:*:service/a/*"])
    changes = policy(allow("ecs:UpdateService", "iam:PassRole"))

    assert tight(changes, calls=update) == [on, allow("iam:PassRole")]
    assert tight(policy(on, allow("iam:Pass*")), calls=update) is None


@pytest.mark.parametrize(
    "given", [policy(allow("ec2:*", "logs:*")), policy(allow("*")), policy(allow(VPCS, "s3:*"))]
)
def test_nothing_is_allowed_that_was_not(given: dict[str, Any]) -> None:
    """Whatever the tighter policy allows the wider one does, and the code's calls are among it."""
    narrow = policy(*(tight(given, HIDDEN) or given["Statement"]))
    arns = ("*", "arn:aws:logs:eu-west-1:123456789012:log-group:web:x", "arn:aws:s3:::b/k")
    for action in (VPCS, SUBNETS, EVENTS, "s3:GetObject", "iam:PassRole", "ec2:RunInstances"):
        for arn in arns:
            less = evaluate(narrow, action, arn, {}).allowed
            assert not less or evaluate(given, action, arn, {}).allowed
    assert evaluate(narrow, VPCS, "*", {}).allowed


@pytest.mark.parametrize(
    "wider",
    [
        policy(allow(VPCS, "s3:GetObject")),
        policy(allow(VPCS), allow(EVENTS)),
        policy(allow(VPCS, Condition=ONLY), allow(EVENTS, on=[WEB])),
        policy(allow("ec2:Describe?*")),
        policy({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}),
        policy(allow("ec2")),
    ],
)
def test_what_is_not_surely_less_is_not_narrower(wider: dict[str, Any]) -> None:
    """More actions, more resources, another condition, and what can't be understood."""
    given = policy(allow(VPCS, SUBNETS), allow(EVENTS, on=[WEB]))

    assert is_narrower(given, given)
    assert not is_narrower(given, wider)
    assert not is_narrower(policy(*given["Statement"], DENY), given)


@pytest.mark.parametrize("version", ["2008-10-17", None])
def test_another_version_is_not_narrower(version: str | None) -> None:
    """The same statements allow more where a policy variable of a Deny becomes plain text."""
    own = "arn:aws:s3:::home/${aws:username}/*"
    given = policy(allow("s3:GetObject"), {**DENY, "Action": "s3:*", "Resource": own})
    other = {**given, "Version": version}
    if version is None:
        del other["Version"]
    asked = ("s3:GetObject", "arn:aws:s3:::home/ann/key", {"aws:username": "ann"})

    assert not evaluate(given, *asked).allowed
    assert evaluate(other, *asked).allowed
    assert is_narrower(other, other)
    assert not is_narrower(given, other)
    assert not is_narrower(other, given)
