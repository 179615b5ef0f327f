"""A second evaluator, naive and written on its own, must agree with ours.

It knows nothing of unknown values: it rules on complete requests only, with regular expressions.
A request with unknowns is completed in every way that a small pool has. Ours may allow only what
the naive one allows in all of them (no wrong allow), and with nothing unknown both are equal.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from datetime import datetime
from ipaddress import ip_address, ip_network
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.iam import UNKNOWN, evaluate
from core.iam.globs import UNKNOWN_PART

Json = dict[str, Any]
ABSENT = None


# ------------------------------------------------------------------ the naive evaluator
def naive(policy: Json, action: str, resource: str, request: Json) -> bool:
    """Rule on a complete request."""
    effects = {
        one["Effect"]
        for one in policy["Statement"]
        if naive_action(one, action)
        and naive_resource(one, resource, request)
        and all(
            naive_condition(operator, key, wanted, request)
            for operator, block in one.get("Condition", {}).items()
            for key, wanted in block.items()
        )
    }
    return effects == {"Allow"}


def naive_action(statement: Json, action: str) -> bool:
    """Whether Action names it, or NotAction does not."""
    key = "Action" if "Action" in statement else "NotAction"
    patterns = listed(statement[key])
    named = any(re.fullmatch(regex(one, ".*", "."), action, re.IGNORECASE) for one in patterns)
    return named is (key == "Action")


def naive_resource(statement: Json, resource: str, request: Json) -> bool:
    """Whether Resource names it, or NotResource does not."""
    key = "Resource" if "Resource" in statement else "NotResource"
    named = any(
        pattern == "*" or re.fullmatch(regex(one, "[^:]*", "[^:]", request), resource) is not None
        for pattern in listed(statement[key])
        for one in [re.sub(r"\*(?=:|$)", "\0", pattern)]
    )
    return named is (key == "Resource")


def regex(pattern: str, star: str, one: str, request: Json | None = None) -> str:
    """Translate a pattern; a variable without a value makes one that nothing matches."""
    parts = re.split(r"(\$\{[^}]*\}|[*?\0])", pattern)
    return "".join(
        {"*": star, "?": one, "\0": ".*"}.get(part) or naive_variable(part, request or {})
        for part in parts
    )


def naive_variable(part: str, request: Json) -> str:
    """The expression for a variable, or for plain text."""
    found = re.fullmatch(r"\$\{([^,]*?)(?:, '(.*)')?\}", part)
    if not found:
        return re.escape(part)
    if found[1] in ("*", "?", "$"):
        return re.escape(found[1])
    value = request.get(found[1], ABSENT)
    value = found[2] if value is ABSENT else value
    return "(?!)" if value is None else re.escape(value)


def naive_condition(operator: str, key: str, wanted: Any, request: Json) -> bool:
    """One operator with one key, as AWS's table of operators describes it."""
    *scope, name = operator.split(":")
    base, exists, _ = name.partition("IfExists")
    value = request.get(key, ABSENT)
    missing = value is ABSENT or value == []
    if base == "Null":
        return missing is (wanted == "true")
    if missing:
        return bool(exists) or scope == ["ForAllValues"] or ("Not" in base and not scope)
    hits = [
        any(naive_compare(base, one, each, request) for one in listed(wanted)) != ("Not" in base)
        for each in listed(value)
    ]
    return False not in hits if scope == ["ForAllValues"] else True in hits


def naive_compare(base: str, wanted: str, actual: str, request: Json) -> bool:
    """Whether one value is the wanted one; `Not` is somebody else's business."""
    kind = base.replace("Not", "")
    if kind in ("StringLike", "ArnLike", "ArnEquals"):
        return re.fullmatch(regex(wanted, ".*", ".", request), actual) is not None
    if kind.startswith("String"):
        text = regex(wanted, r"\*", r"\?", request)
        ignored = re.IGNORECASE if kind.endswith("IgnoreCase") else 0
        return re.fullmatch(text, actual, ignored) is not None
    if kind == "IpAddress":
        return ip_address(actual) in ip_network(wanted)
    if kind == "Bool":
        return actual.lower() == wanted
    read = float if kind.startswith("Numeric") else datetime.fromisoformat
    one: Any = read(actual)
    other: Any = read(wanted)
    order = kind.removeprefix("Numeric").removeprefix("Date")
    answers: dict[str, bool] = {
        "Equals": one == other,
        "LessThan": one < other,
        "LessThanEquals": one <= other,
        "GreaterThan": one > other,
        "GreaterThanEquals": one >= other,
    }
    return answers[order]


def listed(value: Any) -> list[Any]:
    """A value as a list."""
    return value if isinstance(value, list) else [value]


# ------------------------------------------------------------------ what they rule on
ACTIONS = ["logs:GetLogEvents", "logs:StartQuery", "s3:GetObject"]
ACTION_PATTERNS = [*ACTIONS, "*", "logs:*", "LOGS:get*", "s3:GetObjec?", "*:*Query"]
RESOURCES = [
    "arn:aws:s3:::box/ann",
    "arn:aws:s3:::box/bob",
    "arn:aws:s3:::box/*",
    "arn:aws:logs:us-east-1:1:log-group:web",
    "arn:aws:logs:us-east-1:1:log-group:web:log-stream:a",
]
PATTERNS = [
    *RESOURCES,
    "*",
    "arn:aws:s3:::*",
    "arn:aws:s3:::box/${aws:username}",
    "arn:aws:s3:::${aws:username, 'box'}/ann",
    "arn:aws:s3:::box/${*}",
    "arn:aws:s3:::box/a??",
    "arn:aws:logs:*:*:log-group:web:*",
    "arn:aws:logs:*:log-group:w?b",
    "arn:*:*:*:1:*",
]
JUMPING = ["arn:aws:lo*s:us*group:web", "arn:aws:s3:::b*/ann", "arn:aws:logs?us-east-1:1:*"]
"""Patterns on which we are wider in a Deny than AWS is: there, a wildcard may cross colons."""
PARTS = ["", "ann", "*", "web", "x:y", "web:log-stream:a"]
"""What an unknown part of a resource may turn out to be."""
VALUES: dict[str, list[Any]] = {
    "aws:username": [ABSENT, "ann", "bob", "*"],
    "x:text": [ABSENT, "ann", "Ann", "a*"],
    "x:many": [ABSENT, [], ["ann"], ["ann", "bob"]],
    "x:number": [ABSENT, "1", "10"],
    "x:flag": [ABSENT, "true", "false"],
    "x:when": [ABSENT, "2026-11-20T18:12:00Z", "2027-01-01T00:00:00Z"],
    "x:address": [ABSENT, "10.1.2.3", "192.0.2.1", "2001:db8::1"],
    "x:arn": [ABSENT, "arn:aws:iam::1:role/ann", "arn:aws:iam::1:user/bob"],
}
TEXTS = ["ann", "bob", "a*", "*", "A?n", "${aws:username}", "${aws:username, 'ann'}", "${*}"]
STRING = [
    f"String{base}"
    for base in (
        "Equals",
        "NotEquals",
        "EqualsIgnoreCase",
        "NotEqualsIgnoreCase",
        "Like",
        "NotLike",
    )
]
ORDER = ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"]
OPERATORS: dict[str, tuple[list[str], list[str]]] = {
    "aws:username": (STRING, TEXTS[:5]),
    "x:text": (STRING, TEXTS),
    "x:many": ([f"{s}:{one}" for s in ("ForAllValues", "ForAnyValue") for one in STRING], TEXTS),
    "x:number": ([f"Numeric{one}" for one in ORDER], ["1", "5", "10.0"]),
    "x:flag": (["Bool"], ["true", "false"]),
    "x:when": (
        [f"Date{one}" for one in ORDER],
        ["2026-11-20T18:12:00Z", "2026-12-01T01:00:00+01:00"],
    ),
    "x:address": (["IpAddress", "NotIpAddress"], ["10.0.0.0/8", "192.0.2.1", "2001:db8::/32"]),
    "x:arn": (
        ["ArnEquals", "ArnLike", "ArnNotEquals", "ArnNotLike"],
        ["arn:aws:iam::*:role/*", "arn:aws:iam::1:user/bob", "arn:aws:iam::?:role/${aws:username}"],
    ),
}


@st.composite
def conditions(draw: st.DrawFn) -> Json:
    """One operator with one key and one or two values."""
    key = draw(st.sampled_from(sorted(OPERATORS)))
    operators, texts = OPERATORS[key]
    if draw(st.integers(0, 7)) == 0:
        return {"Null": {key: draw(st.sampled_from(["true", "false"]))}}
    operator = draw(st.sampled_from(operators)) + draw(st.sampled_from(["", "", "IfExists"]))
    wanted = draw(st.lists(st.sampled_from(texts), min_size=1, max_size=2, unique=True))
    return {operator: {key: wanted if len(wanted) > 1 else wanted[0]}}


@st.composite
def policies(draw: st.DrawFn, patterns: list[str]) -> Json:
    """A few statements, most of them with a condition or two."""
    statements = []
    for _ in range(draw(st.integers(1, 4))):
        some = st.lists(st.sampled_from(patterns), min_size=1, max_size=2)
        statement: Json = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"]))}
        inverted = draw(st.sampled_from(["", "", "", "Not"]))
        statement[f"{inverted}Action"] = draw(st.sampled_from(ACTION_PATTERNS))
        inverted = draw(st.sampled_from(["", "", "", "Not"]))
        statement[f"{inverted}Resource"] = draw(some)
        for condition in draw(st.lists(conditions(), max_size=2)):
            statement.setdefault("Condition", {}).update(condition)
        statements.append(statement)
    return {"Version": "2012-10-17", "Statement": statements}


REQUESTS = st.fixed_dictionaries({key: st.sampled_from(values) for key, values in VALUES.items()})
DOUBTFUL = st.builds(
    lambda request, unknown: request | dict.fromkeys(unknown, UNKNOWN),
    REQUESTS,
    st.sets(st.sampled_from(sorted(VALUES)), max_size=3),
)
CUT = [one.replace(part, UNKNOWN_PART) for one in RESOURCES for part in ("web", "ann", "box/", "1")]


def completions(request: Json, resource: str) -> Iterator[tuple[Json, str]]:
    """Every complete request that one with unknowns could be."""
    unknown = [key for key, value in request.items() if value is UNKNOWN]
    parts = PARTS if UNKNOWN_PART in resource else [""]
    for *values, part in itertools.product(*(VALUES[key] for key in unknown), parts):
        whole = {**request, **dict(zip(unknown, values, strict=True))}
        yield whole, resource.replace(UNKNOWN_PART, part)


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(policies(PATTERNS), st.sampled_from(ACTIONS), st.sampled_from(RESOURCES), REQUESTS)
def test_with_everything_known_both_agree(
    policy: Json, action: str, resource: str, request: Json
) -> None:
    """Two evaluators that were written apart rule alike on every complete request.

    Every variable has a value: without one AWS matches nothing, and ours lets a Deny bite.
    """
    request = request | {"aws:username": request["aws:username"] or "ann"}
    ours = evaluate(policy, action, resource, request)

    assert ours.allowed is naive(policy, action, resource, request), ours.reason


@settings(max_examples=600, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    policies([*PATTERNS, *JUMPING]),
    st.sampled_from(ACTIONS),
    st.sampled_from([*RESOURCES, *CUT]),
    DOUBTFUL,
)
def test_what_is_allowed_is_allowed_whatever_the_unknown_is(
    policy: Json, action: str, resource: str, request: Json
) -> None:
    """Ours allows nothing that the naive one would deny for some value of what is not known."""
    ours = evaluate(policy, action, resource, request)

    if ours.allowed:
        for whole, arn in completions(request, resource):
            assert naive(policy, action, arn, whole), f"{ours.reason}: {arn} {whole}"


def test_the_second_opinion_sees_what_a_wildcard_evaluator_misses() -> None:
    """The naive evaluator itself is held to a few truths, so that two wrongs make no right."""
    allow = {"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::box/${aws:username}"}
    deny = {"Effect": "Deny", "NotAction": "s3:Get*", "Resource": "*"}
    policy = {"Statement": [allow, deny]}

    assert naive(policy, "s3:GetObject", "arn:aws:s3:::box/ann", {"aws:username": "ann"})
    assert not naive(policy, "s3:GetObject", "arn:aws:s3:::box/bob", {"aws:username": "*"})
    assert not naive(policy, "s3:PutObject", "arn:aws:s3:::box/ann", {"aws:username": "ann"})
    assert not naive(policy, "s3:GetObject", "arn:aws:s3:::box/ann", {})
