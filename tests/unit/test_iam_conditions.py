"""Every family of condition operators, case by case: yes, no, and "nobody can tell here"."""

from __future__ import annotations

from typing import Any

import pytest

from core.iam import UNKNOWN, evaluate
from core.iam.conditions import OTHER_KEYS

READ = "logs:GetLogEvents"
ALLOW = {"Effect": "Allow", "Action": READ, "Resource": "*"}
CONTEXT = {
    "aws:RequestedRegion": "us-east-1",
    "aws:PrincipalAccount": "123456789012",
    "aws:SecureTransport": True,
    "aws:SourceIp": "10.1.2.3",
    "aws:CurrentTime": "2026-11-20T18:12:00Z",
    "aws:EpochTime": "1795198320",
    "aws:PrincipalArn": "arn:aws:iam::123456789012:role/on-call/ann",
    "aws:ResourceTag/team": UNKNOWN,
    "aws:TagKeys": ["team", "cost"],
    "s3:max-keys": 10,
    "s3:prefix": "logs/*",
    "x:absent": None,
    "x:blank": "",
    "x:blanks": ["", "team"],
    "x:empty": [],
    "x:numbers": [1, 5],
    "x:six": "2001:db8::7",
    "x:arns": ["arn:aws:sns:us-east-1:1:a", "arn:aws:sqs:us-east-1:1:b"],
    "x:twice": "a",
    "X:Twice": "b",
    "x:binary": "cXVlc3Rpb24=",
    "x:odd": {"a": 1},
    "x:sign": "\ufdd0",
}
Cases = list[tuple[str, dict[str, Any], bool | None]]
"""What it is about, the condition, and whether it holds (None: nobody can tell)."""

REGION, TAGS, KEYS = "aws:RequestedRegion", "aws:ResourceTag/team", "aws:TagKeys"
NOW, IP, ARN = "aws:CurrentTime", "aws:SourceIp", "aws:PrincipalArn"

STRINGS: Cases = [
    ("equal", {"StringEquals": {REGION: "us-east-1"}}, True),
    ("one of several", {"StringEquals": {REGION: ["eu-west-1", "us-east-1"]}}, True),
    ("not equal", {"StringEquals": {REGION: "eu-west-1"}}, False),
    ("case of the key", {"StringEquals": {"AWS:requestedregion": "us-east-1"}}, True),
    ("case of the value", {"StringEquals": {REGION: "US-EAST-1"}}, False),
    ("case ignored", {"StringEqualsIgnoreCase": {REGION: "US-EAST-1"}}, True),
    ("case ignored, other", {"StringEqualsIgnoreCase": {REGION: "US-EAST-2"}}, False),
    ("case ignored, negated", {"StringNotEqualsIgnoreCase": {REGION: "US-EAST-1"}}, False),
    ("case ignored, a look-alike", {"StringEqualsIgnoreCase": {REGION: "\u212a"}}, None),
    ("NotEquals", {"StringNotEquals": {REGION: "eu-west-1"}}, True),
    ("NotEquals any", {"StringNotEquals": {REGION: ["x", "us-east-1"]}}, False),
    ("Like", {"StringLike": {REGION: "us-*-?"}}, True),
    ("Like runs over colons", {"StringLike": {ARN: "arn*ann"}}, True),
    ("Like a dot", {"StringLike": {REGION: "us.east.1"}}, False),
    ("Like something", {"StringLike": {"x:blank": "?*"}}, False),
    ("Like anything", {"StringLike": {"x:blank": "*"}}, True),
    ("NotLike", {"StringNotLike": {REGION: "us-*"}}, False),
    ("Equals knows no star", {"StringEquals": {REGION: "us-*"}}, False),
    ("Equals a star", {"StringEquals": {"s3:prefix": "logs/*"}}, True),
    ("both keys", {"StringEquals": {REGION: "us-east-1", "x:none": "a"}}, False),
    ("both operators", {
        "StringEquals": {REGION: "us-east-1"}, "Bool": {"aws:SecureTransport": "false"},
    }, False),
    ("a boolean as text", {"StringEquals": {"aws:SecureTransport": "true"}}, True),
    ("a number as text", {"StringEquals": {"s3:max-keys": "10"}}, True),
]  # fmt: skip
MISSING: Cases = [
    ("unsafe: missing key", {"StringEquals": {"x:none": "a"}}, False),
    ("missing key, named", {"StringEquals": {"x:absent": "a"}}, False),
    ("missing key, Like anything", {"StringLike": {"x:none": "*"}}, False),
    ("missing key, negated", {"StringNotEquals": {"x:none": "a"}}, True),
    ("missing key, NotLike", {"StringNotLike": {"x:none": "*"}}, True),
    ("missing key, number", {"NumericLessThan": {"x:none": "1"}}, False),
    ("missing key, number negated", {"NumericNotEquals": {"x:none": "1"}}, True),
    ("missing key, date", {"DateGreaterThan": {"x:none": "2020-01-01"}}, False),
    ("missing key, bool", {"Bool": {"x:none": "false"}}, False),
    ("missing key, binary", {"BinaryEquals": {"x:none": "cXVl"}}, False),
    ("missing key, address", {"IpAddress": {"x:none": "0.0.0.0/0"}}, False),
    ("missing key, NotIpAddress", {"NotIpAddress": {"x:none": "0.0.0.0/0"}}, True),
    ("missing key, ARN", {"ArnLike": {"x:none": "arn:*:*:*:*:*"}}, False),
    ("missing key, ARN negated", {"ArnNotLike": {"x:none": "arn:*:*:*:*:*"}}, True),
    ("IfExists, missing", {"StringEqualsIfExists": {"x:none": "a"}}, True),
    ("IfExists, present", {"StringEqualsIfExists": {REGION: "x"}}, False),
    ("IfExists, present and equal", {"StringEqualsIfExists": {REGION: "us-east-1"}}, True),
    ("IfExists, negated", {"StringNotEqualsIfExists": {"x:none": "a"}}, True),
    ("IfExists, negated and equal", {"StringNotEqualsIfExists": {REGION: "us-east-1"}}, False),
    ("IfExists, Bool", {"BoolIfExists": {"x:none": "true"}}, True),
    ("IfExists, Numeric", {"NumericLessThanIfExists": {"s3:max-keys": "5"}}, False),
    ("IfExists, Date", {"DateLessThanIfExists": {"x:none": "2020-01-01"}}, True),
    ("IfExists, IpAddress", {"IpAddressIfExists": {IP: "192.0.2.0/24"}}, False),
    ("IfExists, Arn", {"ArnLikeIfExists": {"x:none": "arn:aws:iam::1:role/a"}}, True),
    ("IfExists, Binary", {"BinaryEqualsIfExists": {"x:none": "cXVl"}}, True),
    ("IfExists, unknown", {"StringEqualsIfExists": {TAGS: "web"}}, None),
    ("Null, absent", {"Null": {"x:none": "true"}}, True),
    ("Null, present", {"Null": {IP: "true"}}, False),
    ("Null, must be present", {"Null": {IP: False}}, True),
    ("Null, of no values", {"Null": {"x:empty": "false"}}, False),
    ("Null, of a blank", {"Null": {"x:blank": "false"}}, None),
    ("Null, neither", {"Null": {IP: "perhaps"}}, None),
    ("Null, both", {"Null": {IP: ["true", "false"]}}, None),
    ("Null of the unknown", {"Null": {TAGS: "false"}}, None),
    ("Null has no IfExists", {"NullIfExists": {"x:none": "true"}}, None),
    ("Null has no set", {"ForAllValues:Null": {"x:none": "true"}}, None),
]
NUMBERS: Cases = [
    ("equal", {"NumericEquals": {"s3:max-keys": "10"}}, True),
    ("equal as fraction", {"NumericEquals": {"s3:max-keys": "10.0"}}, True),
    ("equal, one of several", {"NumericEquals": {"s3:max-keys": [9, 10]}}, True),
    ("not equal", {"NumericNotEquals": {"s3:max-keys": "10"}}, False),
    ("not equal to either", {"NumericNotEquals": {"s3:max-keys": [9, 11]}}, True),
    ("less", {"NumericLessThan": {"s3:max-keys": 10}}, False),
    ("less or equal", {"NumericLessThanEquals": {"s3:max-keys": "10"}}, True),
    ("greater", {"NumericGreaterThan": {"s3:max-keys": "9.5"}}, True),
    ("greater, not as text", {"NumericGreaterThan": {"s3:max-keys": "9"}}, True),
    ("greater or equal", {"NumericGreaterThanEquals": {"s3:max-keys": "11"}}, False),
    ("below zero", {"NumericGreaterThan": {"s3:max-keys": "-1"}}, True),
    ("a text", {"NumericEquals": {"s3:max-keys": "ten"}}, None),
    ("a text in the request", {"NumericNotEquals": {REGION: "10"}}, None),
    ("a text beside a number", {"NumericEquals": {"s3:max-keys": ["10", "ten"]}}, None),
    ("an exponent", {"NumericEquals": {"s3:max-keys": "1e1"}}, None),
    ("digits of another script", {"NumericEquals": {"s3:max-keys": "\u0661\u0660"}}, None),
]
DATES: Cases = [
    ("before", {"DateLessThan": {NOW: "2027-01-01T00:00:00Z"}}, True),
    ("after", {"DateGreaterThan": {NOW: "2027-01-01T00:00:00Z"}}, False),
    ("at or before", {"DateLessThanEquals": {NOW: "2026-11-20T18:12:00Z"}}, True),
    ("at or after", {"DateGreaterThanEquals": {NOW: "2026-11-20T18:12:01Z"}}, False),
    ("equal in another zone", {"DateEquals": {NOW: "2026-11-20T19:12:00+01:00"}}, True),
    ("not equal", {"DateNotEquals": {NOW: "2026-11-20T18:12:00Z"}}, False),
    ("a day", {"DateGreaterThan": {NOW: "2026-11-20"}}, True),
    ("to the minute", {"DateEquals": {NOW: "2026-11-20T18:12Z"}}, True),
    ("seconds in the policy", {"DateEquals": {NOW: "1795198320"}}, True),
    ("seconds in the request", {"DateEquals": {"aws:EpochTime": "2026-11-20T18:12:00Z"}}, True),
    ("seconds, as numbers", {"NumericGreaterThan": {"aws:EpochTime": "1795198319"}}, True),
    ("the beginning", {"DateGreaterThan": {NOW: "0"}}, True),
    ("unsafe: a year, not seconds", {"DateGreaterThan": {NOW: "2027"}}, None),
    ("unsafe: a day, not seconds", {"DateGreaterThan": {NOW: 20270101}}, None),
    ("no zone", {"DateLessThan": {NOW: "2027-01-01T00:00:00"}}, None),
    ("a week", {"DateLessThan": {NOW: "2027-W01-1"}}, None),
    ("no such day", {"DateLessThan": {NOW: "2027-02-30"}}, None),
    ("no date", {"DateLessThan": {NOW: "tomorrow"}}, None),
    ("beyond all years", {"DateLessThan": {NOW: "9" * 30}}, None),
]
OTHERS: Cases = [
    ("bool", {"Bool": {"aws:SecureTransport": "true"}}, True),
    ("bool as bool", {"Bool": {"aws:SecureTransport": False}}, False),
    ("bool in capitals", {"Bool": {"aws:SecureTransport": "True"}}, True),
    ("bool and text", {"Bool": {"aws:SecureTransport": "yes"}}, None),
    ("bool of a text", {"Bool": {REGION: "true"}}, None),
    ("binary", {"BinaryEquals": {"x:binary": "cXVlc3Rpb24="}}, True),
    ("another binary", {"BinaryEquals": {"x:binary": "cXVlcw=="}}, False),
    ("no binary", {"BinaryEquals": {"x:binary": "?"}}, None),
    ("address", {"IpAddress": {IP: ["192.0.2.0/24", "10.0.0.0/8"]}}, True),
    ("address itself", {"IpAddress": {IP: "10.1.2.3"}}, True),
    ("address beside", {"IpAddress": {IP: "10.1.2.4/32"}}, False),
    ("address with bits of a host", {"IpAddress": {IP: "10.9.9.9/8"}}, True),
    ("not address", {"NotIpAddress": {IP: "10.0.0.0/8"}}, False),
    ("not address, elsewhere", {"NotIpAddress": {IP: "192.0.2.0/24"}}, True),
    ("address of six", {"IpAddress": {"x:six": "2001:DB8::/32"}}, True),
    ("address of six elsewhere", {"IpAddress": {"x:six": "2001:db9::/32"}}, False),
    ("address of four in six", {"IpAddress": {IP: "2001:db8::/32"}}, False),
    ("no address", {"IpAddress": {IP: "home"}}, None),
    ("no address beside one", {"NotIpAddress": {IP: ["192.0.2.0/24", "home"]}}, None),
    ("a mask", {"IpAddress": {IP: "10.0.0.0/255.0.0.0"}}, None),
    ("ARN", {"ArnLike": {ARN: "arn:aws:iam::*:role/on-call/*"}}, True),
    ("ARN, equal", {"ArnEquals": {ARN: "arn:aws:iam::123456789012:role/on-call/ann"}}, True),
    ("ARN, equal knows stars", {"ArnEquals": {ARN: "arn:aws:iam::*:role/*"}}, True),
    ("ARN, a question mark", {"ArnLike": {ARN: "arn:aws:iam::??????789012:role/*"}}, True),
    ("ARN, other part", {"ArnLike": {ARN: "arn:aws:iam::*:user/*"}}, False),
    ("ARN, case", {"ArnLike": {ARN: "arn:aws:iam::*:ROLE/*"}}, False),
    ("ARN, a star stays in its part", {"ArnLike": {ARN: "arn:*:role/on-call/ann:*:*:*"}}, False),
    ("ARN, too few parts", {"ArnEquals": {ARN: "arn:*:role/on-call/ann"}}, None),
    ("ARN, negated", {"ArnNotLike": {ARN: "arn:aws:iam::*:role/on-call/*"}}, False),
    ("ARN, not equal", {"ArnNotEquals": {ARN: "arn:aws:iam::*:user/*"}}, True),
    ("ARN and text", {"ArnNotLike": {REGION: "arn:aws:iam::*:user/*"}}, None),
]
SETS: Cases = [
    ("all values", {"ForAllValues:StringEquals": {KEYS: ["team", "cost", "x"]}}, True),
    ("not all values", {"ForAllValues:StringEquals": {KEYS: ["team"]}}, False),
    ("all of nothing", {"ForAllValues:StringEquals": {"x:none": "a"}}, True),
    ("all of an empty list", {"ForAllValues:StringEquals": {"x:empty": "a"}}, True),
    ("all of one", {"ForAllValues:StringEquals": {REGION: ["us-east-1", "x"]}}, True),
    ("all of a blank", {"ForAllValues:StringEquals": {"x:blank": "a"}}, None),
    ("all of blanks", {"ForAllValues:StringEquals": {"x:blanks": "a"}}, None),
    ("all values, negated", {"ForAllValues:StringNotEquals": {KEYS: ["x"]}}, True),
    ("not all values, negated", {"ForAllValues:StringNotEquals": {KEYS: ["team"]}}, False),
    ("all of nothing, negated", {"ForAllValues:StringNotEquals": {"x:none": "a"}}, True),
    ("all of the unknown", {"ForAllValues:StringEquals": {TAGS: "a"}}, None),
    ("all and there", {
        "ForAllValues:StringEquals": {"x:none": "a"}, "Null": {"x:none": "false"},
    }, False),
    ("all numbers", {"ForAllValues:NumericLessThan": {"x:numbers": "6"}}, True),
    ("not all numbers", {"ForAllValues:NumericLessThan": {"x:numbers": "5"}}, False),
    ("all ARNs", {"ForAllValues:ArnLike": {"x:arns": "arn:aws:s?s:*:*:*"}}, True),
    ("any value", {"ForAnyValue:StringLike": {KEYS: ["co*"]}}, True),
    ("any value, none", {"ForAnyValue:StringEquals": {KEYS: "x"}}, False),
    ("any of nothing", {"ForAnyValue:StringEquals": {"x:none": "a"}}, False),
    ("any of nothing, negated", {"ForAnyValue:StringNotEquals": {"x:none": "a"}}, False),
    ("any of nothing, IfExists", {"ForAnyValue:StringEqualsIfExists": {"x:none": "a"}}, True),
    ("any of an empty list", {"ForAnyValue:StringEquals": {"x:empty": "a"}}, False),
    ("any of blanks, negated", {"ForAnyValue:StringNotEquals": {"x:blanks": "a"}}, None),
    ("any value, negated", {"ForAnyValue:StringNotEquals": {KEYS: ["team"]}}, True),
    ("any but both", {"ForAnyValue:StringNotEquals": {KEYS: ["team", "cost"]}}, False),
    ("any ARN", {"ForAnyValue:ArnLike": {"x:arns": "arn:aws:sqs:*:*:*"}}, True),
    ("any with a text", {"ForAnyValue:NumericEquals": {"x:numbers": ["1", "one"]}}, None),
    ("several values without a set", {"StringEquals": {KEYS: "team"}}, None),
    ("several, negated", {"StringNotEquals": {KEYS: "x"}}, None),
    ("an empty list without a set", {"StringEquals": {"x:empty": "a"}}, False),
    ("an unknown set", {"ForMostValues:StringEquals": {KEYS: "team"}}, None),
    ("a set in lower case", {"forallvalues:StringEquals": {KEYS: ["team", "cost"]}}, None),
]  # fmt: skip
DOUBTS: Cases = [
    ("unknown value", {"StringEquals": {TAGS: "web"}}, None),
    ("unknown value, negated", {"StringNotEquals": {TAGS: "web"}}, None),
    ("unknown value, Like anything", {"StringLike": {TAGS: "*"}}, None),
    ("unsafe: unknown operator", {"StringMatches": {REGION: "us-east-1"}}, None),
    ("operator in lower case", {"stringequals": {REGION: "us-east-1"}}, None),
    ("Bool has no Not", {"NotBool": {"aws:SecureTransport": "false"}}, None),
    ("no values", {"StringEquals": {REGION: []}}, None),
    ("no values, negated", {"StringNotEquals": {REGION: []}}, None),
    ("an object as value", {"StringEquals": {REGION: {"in": "us"}}}, None),
    ("an object in the request", {"StringNotEquals": {"x:odd": "a"}}, None),
    ("null as value", {"StringEquals": {REGION: None}}, None),
    ("an operator without keys", {"StringEquals": {}}, None),
    ("a key in two spellings", {"StringEquals": {"x:twice": "b"}}, None),
    ("a sign of ours in the request", {"StringLike": {"x:sign": "*"}}, None),
    ("a sign of ours in the policy", {"StringLike": {REGION: "us-\ufdd0"}}, None),
    ("a no outweighs a doubt", {"StringEquals": {TAGS: "web", REGION: "eu-west-1"}}, False),
    ("a doubt outweighs a yes", {"StringEquals": {TAGS: "web", REGION: "us-east-1"}}, None),
    ("no condition", {}, True),
]
FAMILIES = {
    "strings": STRINGS,
    "missing": MISSING,
    "numbers": NUMBERS,
    "dates": DATES,
    "others": OTHERS,
    "sets": SETS,
    "doubts": DOUBTS,
}


def ruled(context: dict[str, Any], *statements: dict[str, Any]) -> bool:
    """Whether a policy of these statements allows the read."""
    document = {"Version": "2012-10-17", "Statement": list(statements)}
    return evaluate(document, READ, "*", context).allowed


@pytest.mark.parametrize(
    ("condition", "holds"),
    [
        pytest.param(condition, holds, id=f"{family}: {what}")
        for family, cases in FAMILIES.items()
        for what, condition, holds in cases
    ],
)
def test_conditions(condition: dict[str, Any], holds: bool | None) -> None:
    """An Allow needs a condition that surely holds; a Deny bites unless it surely does not."""
    allowed = ruled(CONTEXT, ALLOW | {"Condition": condition})
    spared = ruled(CONTEXT, ALLOW, ALLOW | {"Effect": "Deny", "Condition": condition})

    assert (allowed, spared) == (holds is True, holds is False)


@pytest.mark.parametrize("operator", ["StringEquals", "StringNotEquals", "Null"])
def test_a_context_can_leave_every_other_key_unknown(operator: str) -> None:
    """With OTHER_KEYS unknown, a key that is not named is unknown and not absent."""
    condition = {operator: {"x:none": "true"}}

    assert ruled({OTHER_KEYS: UNKNOWN}, ALLOW | {"Condition": condition}) is False


def test_a_key_can_be_absent_beside_unknown_ones() -> None:
    """A key that is None is absent also where every key that is not named is unknown."""
    context = {"s3:prefix": None, OTHER_KEYS: UNKNOWN}

    assert ruled(context, ALLOW | {"Condition": {"Null": {"s3:prefix": "true"}}}) is True
