"""What a policy allows, case by case; the ones marked unsafe are those where evaluators leak."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.iam import UNKNOWN, evaluate
from core.iam.globs import UNKNOWN_PART

READ = "logs:GetLogEvents"
GROUP = "arn:aws:logs:us-east-1:123456789012:log-group:web:log-stream:a"
OTHER = "arn:aws:logs:us-east-1:123456789012:log-group:pay:log-stream:a"
WEB = "arn:aws:logs:us-east-1:123456789012:log-group:web:*"
OWN = "arn:aws:logs:us-east-1:123456789012:log-group:web:${aws:username}"
PAY = "log-group:pay:log-stream:a"
ALLOW = {"Effect": "Allow", "Action": READ, "Resource": "*"}
DENY = {"Effect": "Deny", "Action": READ, "Resource": "*"}

Policy = dict[str, Any]


def policy(*statements: Any, **more: Any) -> Policy:
    """A policy document with these statements."""
    return {"Version": "2012-10-17", "Statement": list(statements), **more}


def allowed(**fields: Any) -> dict[str, Any]:
    """An Allow of everything, but for these fields."""
    return ALLOW | fields


def allow(**fields: Any) -> Policy:
    """A policy whose only statement is an Allow of everything, but for these fields."""
    return policy(allowed(**fields))


def allow_without(*keys: str, **fields: Any) -> Policy:
    """The same without some of its fields."""
    statement = {"Effect": "Allow", "Action": READ, "Resource": "*", **fields}
    return policy({key: value for key, value in statement.items() if key not in keys})


def guarded(**fields: Any) -> Policy:
    """An Allow of everything, and a Deny of everything but for these fields."""
    return policy(ALLOW, {"Effect": "Deny", "Action": READ, "Resource": "*", **fields})


def guarded_without(*keys: str, **fields: Any) -> Policy:
    """The same without some fields of the Deny."""
    statement = {"Effect": "Deny", "Action": READ, "Resource": "*", **fields}
    return policy(ALLOW, {key: value for key, value in statement.items() if key not in keys})


ACTIONS_AND_RESOURCES: list[tuple[str, Policy, str, str, bool]] = [
    ("the same action", allow(), READ, GROUP, True),
    ("another action", allow(), "logs:FilterLogEvents", GROUP, False),
    ("a list of actions", allow(Action=["ec2:*", READ]), READ, GROUP, True),
    ("everything", allow(Action="*"), READ, GROUP, True),
    ("a star in the name", allow(Action="logs:Get*"), READ, GROUP, True),
    ("a question mark", allow(Action="logs:GetLogEvent?"), READ, GROUP, True),
    ("unsafe: case of an action", guarded(Action="LOGS:getlogevents"), READ, GROUP, False),
    ("case of an allowed action", allow(Action="LOGS:getlogevents"), READ, GROUP, True),
    ("NotAction names another", allow_without("Action", NotAction="ec2:*"), READ, GROUP, True),
    ("NotAction names it", allow_without("Action", NotAction="logs:*"), READ, GROUP, False),
    ("NotAction in a Deny", guarded_without("Action", NotAction="ec2:*"), READ, GROUP, False),
    ("NotAction in a Deny names it", guarded_without("Action", NotAction=READ), READ, GROUP, True),
    ("the same resource", allow(Resource=GROUP), READ, GROUP, True),
    ("another resource", allow(Resource=OTHER), READ, GROUP, False),
    ("a star that ends a segment", allow(Resource=WEB), READ, GROUP, True),
    ("a star inside a segment", allow(Resource=WEB.replace("web:*", "w*b:*")), READ, GROUP, True),
    ("a star does not jump", allow(Resource="arn:aws:logs:us*web:*"), READ, GROUP, False),
    ("unsafe: a dot is a dot", allow(Resource=GROUP.replace("web", "w.b")), READ, GROUP, False),
    ("case of a resource", allow(Resource=GROUP.upper()), READ, GROUP, False),
    ("a list of resources", allow(Resource=[OTHER, GROUP]), READ, GROUP, True),
    ("unsafe: in NotResource", allow_without("Resource", NotResource=WEB), READ, GROUP, False),
    ("NotResource names another", allow_without("Resource", NotResource=WEB), READ, OTHER, True),
    ("NotResource in a Deny", guarded_without("Resource", NotResource=WEB), READ, OTHER, False),
    ("spared by NotResource", guarded_without("Resource", NotResource=WEB), READ, GROUP, True),
    ("no resources in AWS needs *", allow(Resource=WEB), READ, "*", False),
    ("no resources in AWS with *", allow(), READ, "*", True),
    ("an unknown part under a star", allow(Resource=WEB), READ, WEB[:-1] + UNKNOWN_PART, True),
    ("an unknown part elsewhere", allow(Resource=GROUP), READ, WEB[:-1] + UNKNOWN_PART, False),
    ("a Deny bites the unknown", guarded(Resource=GROUP), READ, WEB[:-1] + UNKNOWN_PART, False),
    ("a Deny of another group", guarded(Resource=OTHER), READ, WEB[:-1] + UNKNOWN_PART, True),
    ("a variable allows nothing", allow(Resource=OWN), READ, GROUP, False),
    ("a variable in a Deny bites", guarded(Resource=OWN), READ, GROUP, False),
    ("a doubtful variable in NotResource", allow_without("Resource", NotResource=OWN), READ, GROUP,
     False),
    ("and in that of a Deny", guarded_without("Resource", NotResource=OWN), READ, GROUP, False),
    ("an ARN cut short", allow(Resource="arn:aws:logs"), READ, GROUP, True),
    ("an ARN cut short after its region", allow(Resource="arn:aws:logs:us-east-1"), READ, GROUP,
     True),
    ("an ARN cut short, elsewhere", allow(Resource="arn:aws:logs:eu-west-1"), READ, GROUP, False),
    ("an ARN cut short, of another service", allow(Resource="arn:aws:log"), READ, GROUP, False),
    ("a Deny with an ARN cut short", guarded(Resource="arn:aws:logs:*"), READ, GROUP, False),
    ("NotResource cut short", allow_without("Resource", NotResource="arn:aws:logs"), READ, GROUP,
     False),
    ("two Allows make no third", policy(allowed(Action="s3:*"), allowed(Resource=OTHER)), READ,
     GROUP, False),
    ("the second Allow allows", policy(allowed(Resource=OTHER), allowed(Resource=WEB)), READ,
     GROUP, True),
    ("NotAction spares one of two", policy(ALLOW, allowed(Effect="Deny", Action="ec2:*")), READ,
     GROUP, True),
    ("another partition", allow(Resource=WEB.replace(":aws:", ":aws-cn:")), READ, GROUP, False),
    ("any partition", allow(Resource=WEB.replace(":aws:", ":*:")), READ, GROUP, True),
    ("a question mark for a colon", allow(Resource=WEB.replace(":web", "?web")), READ, GROUP,
     False),
    ("a Deny's question mark for a colon", guarded(Resource=WEB.replace(":web", "?web")), READ,
     GROUP, False),
    ("a resource that is a pattern", allow(Resource=GROUP), READ, WEB, False),
    ("longer than an ARN", allow(), READ, GROUP + "x" * 2048, False),
    ("a Deny wins from behind", policy(ALLOW, DENY), READ, GROUP, False),
    ("a Deny wins from before", policy(DENY, ALLOW), READ, GROUP, False),
    ("one statement without a list", {"Statement": ALLOW}, READ, GROUP, True),
]  # fmt: skip


@pytest.mark.parametrize(
    ("document", "action", "resource", "expected"),
    [pytest.param(*case[1:], id=case[0]) for case in ACTIONS_AND_RESOURCES],
)
def test_actions_and_resources(
    document: Policy, action: str, resource: str, expected: bool
) -> None:
    """Actions and resources match as AWS matches them."""
    assert evaluate(document, action, resource, {}).allowed is expected


MALFORMED: list[tuple[str, Any]] = [
    ("nothing at all", {}),
    ("no statement", policy()),
    ("a document that is a list", [ALLOW]),
    ("statements that are a text", {"Statement": "Allow"}),
    ("a statement that is a text", policy("Allow", ALLOW)),
    ("an unknown key beside the statements", policy(ALLOW, Statements=[])),
    ("a version of the future", policy(ALLOW, Version="2030-01-01")),
    ("a principal", allow(Principal="*")),
    ("a misspelt condition", allow(Conditions={"Bool": {"aws:SecureTransport": "true"}})),
    ("an effect in lower case", allow(Effect="allow")),
    ("no effect", allow_without("Effect")),
    ("no action", allow_without("Action")),
    ("Action and NotAction", allow(NotAction="ec2:*")),
    ("no action in the list", allow(Action=[])),
    ("an action that is a number", allow(Action=[READ, 1])),
    ("an action without a service", allow(Action=[READ, "GetLogEvents"])),
    ("an action with a look-alike letter", allow(Action=["*", "\u212ams:Decrypt"])),
    ("unsafe: no resource", allow_without("Resource")),
    ("Resource and NotResource", allow(NotResource=WEB)),
    ("no resource in the list", allow(Resource=[])),
    ("a resource that is no ARN", allow(Resource=["*", "web"])),
    ("an ARN without a service", allow(Resource=["*", "arn:aws"])),
    ("a sign of ours in a resource", allow(Resource=["*", "arn:aws:s3:::\ufdd0"])),
    ("an unknown part in a resource", allow(Resource=["*", f"arn:aws:s3:::{UNKNOWN_PART}"])),
    ("an action with a blank", guarded(Action="logs: GetLogEvents")),
    ("an action with a variable", guarded(Action="logs:${aws:username}")),
    ("a condition that is a list", allow(Condition=[])),
    ("an operator without keys", allow(Condition={"Bool": {}})),
    ("a Deny without a resource", guarded_without("Resource")),
    ("a Deny without an action", guarded_without("Action")),
    ("a Deny with a misspelt key", guarded(Conditions={})),
    ("a Deny with a resource that is no ARN", guarded(Resource="prod")),
    ("a Deny in lower case", guarded(Effect="deny")),
]


@pytest.mark.parametrize("document", [pytest.param(case[1], id=case[0]) for case in MALFORMED])
def test_what_is_malformed_never_allows(document: Any) -> None:
    """A policy, an Allow or a Deny that AWS would refuse to store leads to a denial."""
    assert evaluate(document, READ, GROUP, {}).allowed is False


def test_a_malformed_allow_leaves_the_others_alone() -> None:
    """Another Allow still allows beside one that can't be understood."""
    document = policy({"Effect": "Allow", "Action": READ}, ALLOW)

    assert evaluate(document, READ, GROUP, {}).allowed is True


CONTEXT = {
    "aws:RequestedRegion": "us-east-1",
    "aws:PrincipalAccount": "123456789012",
    "aws:SecureTransport": True,
    "aws:SourceIp": "10.1.2.3",
    "aws:CurrentTime": "2026-11-20T18:12:00Z",
    "aws:PrincipalArn": "arn:aws:iam::123456789012:role/on-call/ann",
    "aws:ResourceTag/team": UNKNOWN,
    "aws:TagKeys": ["team", "cost"],
}

NEEDS_ONE = "it needs exactly one of Resource and NotResource"
REASONS: list[tuple[Policy, str]] = [
    (policy(ALLOW | {"Sid": "Logs"}), f'statement 1 ("Logs") allows {READ} on {GROUP}'),
    (policy(ALLOW, DENY), f"statement 2 denies {READ} on {GROUP}"),
    (policy(), f"no statement allows {READ}"),
    (
        allow(Resource=OTHER),
        f"statement 1 allows {READ}, but not on {GROUP}: the resource it names is {PAY}",
    ),
    (
        allow(Resource=["arn:aws:s3:::web", WEB.replace("us-east-1", "eu-west-1")]),
        f"statement 1 allows {READ}, but not on {GROUP}: the region it names is eu-west-1",
    ),
    (
        allow(Resource=WEB.replace("123456789012", "111122223333")),
        f"statement 1 allows {READ}, but not on {GROUP}: the account it names is 111122223333",
    ),
    (
        allow(Resource="arn:aws:logs:*log-group:web:*"),
        f"statement 1 allows {READ}, but not on {GROUP}: the region it names is *log-group",
    ),
    (
        allow_without("Resource", NotResource=WEB),
        f"statement 1 allows {READ}, but not on {GROUP}: its NotResource keeps that out",
    ),
    (
        policy(
            allowed(Condition={"Bool": {"x:y": "true"}}),
            allowed(Resource=OTHER),
        ),
        f"statement 1 allows {READ}, but its condition Bool x:y does not hold",
    ),
    (
        policy(
            allowed(Resource=OTHER),
            allowed(Condition={"Bool": {"x:y": "true"}}),
        ),
        f"statement 2 allows {READ}, but its condition Bool x:y does not hold",
    ),
    (
        policy(allowed(Action="s3:*"), allowed(Action=["s3:*", "LOGS:Describe*"])),
        f"no statement allows {READ}; of logs, statement 2 allows LOGS:Describe*",
    ),
    (
        allow(Action=["logs:StartQuery", "logs:Unmask"]),
        f"no statement allows {READ}; of logs, statement 1 allows logs:StartQuery and logs:Unmask",
    ),
    (
        allow(Action=["logs:A", "logs:B", "logs:C", "logs:D", "s3:E"]),
        f"no statement allows {READ}; of logs, statement 1 allows 4 others",
    ),
    (allow(Action="s3:*"), f"no statement allows {READ}"),
    (allow_without("Action", NotAction="logs:*"), f"no statement allows {READ}"),
    (
        allow(Condition={"Bool": {"x:y": "true"}}),
        f"statement 1 allows {READ}, but its condition Bool x:y does not hold",
    ),
    (
        allow(Condition={"Maybe": {"x:y": "true"}}),
        f"statement 1 allows {READ}, but whether its condition Maybe x:y holds can't be told here",
    ),
    (
        guarded(Condition={"Maybe": {"x:y": "true"}}),
        f"statement 2 denies {READ} on {GROUP} (whether Maybe x:y holds can't be told here)",
    ),
    (guarded(Effect="Dany"), "statement 2 can't be understood, so it denies everything"),
    (
        allow_without("Resource"),
        f"statement 1 allows {READ}, but it is malformed: {NEEDS_ONE}",
    ),
    (policy(ALLOW, Version="1"), "the policy is malformed: Version must be '2012-10-17'"),
]


@pytest.mark.parametrize(("document", "reason"), REASONS)
def test_reasons_name_the_nearest_statement(document: Policy, reason: str) -> None:
    """The reason says which statement decided, or which came nearest and what was missing."""
    assert evaluate(document, READ, GROUP, {}).reason == reason


_LEAVES = st.sampled_from(
    ["Allow", "Deny", READ, "*", "logs:*", GROUP, WEB, "true", "2012-10-17", "", 0, 1, True, None]
)
_KEYS = st.sampled_from(
    [
        "Version",
        "Statement",
        "Effect",
        "Action",
        "NotAction",
        "Resource",
        "NotResource",
        "Condition",
    ]
)
_JSON = st.recursive(
    _LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=5),
    max_leaves=20,
)


def test_a_call_without_resources_says_what_it_needs() -> None:
    """Where AWS knows no resources, the reason says that only a star will do."""
    assert evaluate(allow(Resource=WEB), READ, "*", {}).reason == (
        f"statement 1 allows {READ}, but not on *: it names resources, and this call needs "
        'Resource "*"'
    )


@pytest.mark.parametrize(
    ("resource", "shown"),
    [
        (WEB[:-1] + UNKNOWN_PART, f"{WEB}: the resource it names is log-group:web:log-stream:a"),
        (UNKNOWN_PART, f"*: the nearest that it names is {GROUP}"),
    ],
)
def test_an_unknown_resource_is_told_as_a_star(resource: str, shown: str) -> None:
    """What is not known of a resource is shown as AWS would write it, beside the nearest ARN."""
    assert evaluate(allow(Resource=GROUP), READ, resource, {}).reason == (
        f"statement 1 allows {READ}, but not on {shown}"
    )


@given(_JSON, st.sampled_from([GROUP, "*", UNKNOWN_PART, ""]))
def test_any_json_is_ruled_on(document: Any, resource: str) -> None:
    """Whatever stands where a policy should, there is a ruling with a reason and no exception."""
    assert evaluate(document, READ, resource, CONTEXT).reason != ""


@given(_JSON)
def test_a_deny_of_everything_always_wins(extra: Any) -> None:
    """No statement beside it gets around a Deny of everything."""
    everything = {"Effect": "Deny", "Action": "*", "Resource": "*"}

    assert evaluate(policy(extra, everything, ALLOW), READ, GROUP, {}).allowed is False


@given(_JSON, _JSON)
def test_more_denies_never_allow_more(extra: Any, condition: Any) -> None:
    """Adding a Deny to a policy turns no denial into a permission."""
    deny = {"Effect": "Deny", "Action": "logs:*", "Resource": WEB, "Condition": condition}
    before = evaluate(policy(extra), READ, GROUP, CONTEXT).allowed
    after = evaluate(policy(extra, deny), READ, GROUP, CONTEXT).allowed

    assert not after or before


def test_the_last_of_many_statements_counts() -> None:
    """A policy is read to its end."""
    document = policy(*[ALLOW | {"Action": "ec2:*"}] * 199, ALLOW)

    assert evaluate(document, READ, GROUP, {}).reason == f"statement 200 allows {READ} on {GROUP}"
