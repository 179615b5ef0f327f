"""Policy variables: a value stands for itself, and what is not known helps no Allow."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.iam import UNKNOWN, evaluate
from core.iam.conditions import OTHER_KEYS, lowered
from core.iam.globs import covers, touches
from core.iam.variables import expand

READ = "s3:GetObject"
CONTEXT = {
    "aws:username": "ann",
    "aws:PrincipalTag/team": "web",
    "aws:PrincipalTag/star": "*",
    "aws:PrincipalTag/mark": "a?",
    "aws:PrincipalTag/sign": "\ufdd0",
    "aws:PrincipalTag/none": "${aws:username}",
    "aws:PrincipalTag/blank": "",
    "aws:PrincipalTag/path": "a:b",
    "aws:PrincipalArn": "arn:aws:iam::1:role/ann",
    "aws:userid": UNKNOWN,
    "aws:TagKeys": ["ann"],
    "aws:RequestedRegion": "us-east-1",
    "s3:prefix": "home/ann/",
    "x:star": "*",
}

RESOURCES: list[tuple[str, str, str, bool | None]] = [
    # what, the end of the pattern, the end of the resource, matches (None: nobody can tell)
    ("a value", "home/${aws:username}/*", "home/ann/x", True),
    ("another value", "home/${aws:username}/*", "home/bob/x", False),
    ("case of the key", "${AWS:UserName}", "ann", True),
    ("case of the value", "${aws:username}", "Ann", False),
    ("two", "${aws:PrincipalTag/team}/${aws:username}", "web/ann", True),
    ("a blank value", "${aws:PrincipalTag/blank}x", "x", True),
    ("a value with a colon", "${aws:PrincipalTag/path}", "a:b", True),
    ("unsafe: a value is no wildcard", "${aws:PrincipalTag/star}", "ann", False),
    ("a value that is a star", "${aws:PrincipalTag/star}", "*", True),
    ("unsafe: a value is no question mark", "${aws:PrincipalTag/mark}", "ab", False),
    ("a value is not read again", "${aws:PrincipalTag/none}", "ann", False),
    ("a sign of ours in a value", "${aws:PrincipalTag/sign}", "*", None),
    ("a default that is not needed", "${aws:username, 'bob'}", "ann", True),
    ("unsafe: a default beside a value", "${aws:username, 'bob'}", "bob", False),
    ("a default", "${aws:PrincipalTag/nope, 'bob'}", "bob", True),
    ("a default without a blank", "${aws:PrincipalTag/nope,'bob'}", "bob", True),
    ("an empty default", "x${aws:PrincipalTag/nope, ''}", "x", True),
    ("a default with a brace", "${aws:PrincipalTag/nope, '}'}", "}", True),
    ("a default with a star", "${aws:PrincipalTag/nope, '*'}", "ann", None),
    ("a default of the unknown", "${aws:userid, 'bob'}", "bob", None),
    ("missing", "${aws:PrincipalTag/nope}", "ann", None),
    ("missing, and no other can match", "home/${aws:PrincipalTag/nope}", "logs/ann", False),
    ("unknown", "${aws:userid}", "ann", None),
    ("unknown beside a star", "${aws:userid}*", "ann", None),
    ("several values", "${aws:TagKeys}", "ann", None),
    ("a star by name", "${*}", "*", True),
    ("a star by name is none", "${*}", "ann", False),
    ("a question mark by name", "a${?}", "a?", True),
    ("a question mark by name is none", "a${?}", "ab", False),
    ("a dollar by name", "a${$}b", "a$b", True),
    ("a dollar by name makes no variable", "${$}{aws:username}", "${aws:username}", True),
    ("a dollar alone", "a$b", "a$b", True),
    ("never closed", "${aws:username", "ann", None),
    ("without a name", "${}", "ann", None),
    ("a variable in a variable", "${aws:${aws:username}}", "ann}", None),
    ("a default without quotes", "${aws:PrincipalTag/nope, bob}", "bob", None),
]
CONDITIONS: list[tuple[str, dict[str, Any], bool | None]] = [
    ("equal", {"StringEquals": {"s3:prefix": "home/${aws:username}/"}}, True),
    ("not equal", {"StringEquals": {"s3:prefix": "home/${aws:PrincipalTag/team}/"}}, False),
    ("like", {"StringLike": {"s3:prefix": ["", "home/${aws:username}/*"]}}, True),
    ("unsafe: like a value", {"StringLike": {"s3:prefix": "${aws:PrincipalTag/star}"}}, False),
    ("a star by name", {"StringLike": {"x:star": "${*}"}}, True),
    ("a star by name is none", {"StringLike": {"s3:prefix": "${*}"}}, False),
    ("a star by name when equal", {"StringEquals": {"x:star": "${*}"}}, True),
    ("negated", {"StringNotEquals": {"s3:prefix": "home/${aws:username}/"}}, False),
    ("case ignored", {"StringEqualsIgnoreCase": {"s3:prefix": "HOME/${aws:username}/"}}, True),
    ("missing", {"StringEquals": {"s3:prefix": "${aws:PrincipalTag/nope}"}}, None),
    ("missing, negated", {"StringNotEquals": {"s3:prefix": "${aws:PrincipalTag/nope}"}}, None),
    ("missing, with a default",
     {"StringEquals": {"aws:username": "${aws:PrincipalTag/nope, 'ann'}"}}, True),
    ("unknown", {"StringLike": {"s3:prefix": "home/${aws:userid}/*"}}, None),
    ("unknown, and no other can match", {"StringLike": {"s3:prefix": "x/${aws:userid}"}}, False),
    ("unknown beside a match", {"StringEquals": {"aws:username": ["${aws:userid}", "ann"]}}, True),
    ("unknown, in a set", {"ForAllValues:StringEquals": {"aws:TagKeys": "${aws:userid}"}}, None),
    ("in a set", {"ForAnyValue:StringEquals": {"aws:TagKeys": "${aws:username}"}}, True),
    ("ARN", {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::1:role/${aws:username}"}}, True),
    ("ARN as a whole", {"ArnEquals": {"aws:PrincipalArn": "${aws:PrincipalArn}"}}, True),
    ("ARN, unknown", {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::1:role/${aws:userid}"}}, None),
    ("ARN, unknown, negated",
     {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::1:user/${aws:userid}"}}, True),
    ("a number has none", {"NumericEquals": {"aws:username": "${aws:username}"}}, None),
    ("a bool has none", {"Bool": {"aws:username": "${aws:username}"}}, None),
]  # fmt: skip


def ruled(*statements: dict[str, Any], version: str | None = "2012-10-17") -> bool:
    """Whether a policy of these statements allows to read ann's object."""
    document: dict[str, Any] = {"Statement": list(statements)}
    if version:
        document["Version"] = version
    return evaluate(document, READ, "arn:aws:s3:::home/ann", CONTEXT).allowed


@pytest.mark.parametrize(
    ("pattern", "resource", "expected"), [pytest.param(*one[1:], id=one[0]) for one in RESOURCES]
)
def test_variables_in_resources(pattern: str, resource: str, expected: bool | None) -> None:
    """A pattern surely matches, surely does not, or may: then it covers nothing and touches."""
    expanded = expand(f"arn:aws:s3:::{pattern}", lowered(CONTEXT))
    whole = f"arn:aws:s3:::{resource}"

    assert (covers(expanded, whole), touches(expanded, whole)) == (
        expected is True,
        expected is not False,
    )


@pytest.mark.parametrize(
    ("condition", "holds"), [pytest.param(*one[1:], id=one[0]) for one in CONDITIONS]
)
def test_variables_in_conditions(condition: dict[str, Any], holds: bool | None) -> None:
    """String and ARN conditions take variables; an unknown one never decides by itself."""
    allow = {"Effect": "Allow", "Action": READ, "Resource": "*"}
    allowed = ruled(allow | {"Condition": condition})
    spared = ruled(allow, allow | {"Effect": "Deny", "Condition": condition})

    assert (allowed, spared) == (holds is True, holds is False)


@pytest.mark.parametrize(
    ("version", "allowed"), [("2012-10-17", True), ("2008-10-17", False), (None, False)]
)
def test_old_policies_have_no_variables(version: str | None, allowed: bool) -> None:
    """Before 2012-10-17, and without a version, a variable is the text that it is written as."""
    by_resource = {
        "Effect": "Allow",
        "Action": READ,
        "Resource": "arn:aws:s3:::home/${aws:username}",
    }
    by_condition = {
        "Effect": "Allow",
        "Action": READ,
        "Resource": "*",
        "Condition": {"StringEquals": {"s3:prefix": "home/${aws:username}/"}},
    }

    assert ruled(by_resource, version=version) is allowed
    assert ruled(by_condition, version=version) is allowed


def test_an_old_policy_matches_the_text_itself() -> None:
    """In an old policy the dollar and the braces are characters like others."""
    pattern = "arn:aws:s3:::${aws:username}"
    document = {
        "Version": "2008-10-17",
        "Statement": {"Effect": "Allow", "Action": READ, "Resource": pattern},
    }

    assert evaluate(document, READ, pattern, CONTEXT).allowed is True


def test_every_key_that_is_not_named_can_be_unknown() -> None:
    """Where all other keys are unknown, a default does not stand in for them."""
    expanded = expand("${aws:username, 'ann'}", {OTHER_KEYS: UNKNOWN})

    assert (covers(expanded, "ann"), touches(expanded, "ann")) == (False, True)


@given(st.text("${}*?':, aws", max_size=16), st.text("${}*?a", max_size=6))
def test_a_value_never_reaches_further_than_itself(pattern: str, value: str) -> None:
    """Whatever a pattern and a value are made of, only the value itself takes its place."""
    expanded = expand("${aws:username}", {"aws:username": value})
    stranger = expand(pattern, {"aws:username": value})

    assert covers(expanded, value) is True
    assert covers(expanded, value + "x") is False
    assert touches(stranger, value) or not covers(stranger, value)
