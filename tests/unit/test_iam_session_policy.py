"""The session policy: small, never wider or narrower than what was approved, and fail closed."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from core.iam import UNKNOWN
from core.iam.document import parse
from core.iam.evaluate import decide
from core.iam.globs import UNKNOWN_PART
from core.iam.session_policy import MOST_CHARACTERS, session_policy
from sandbox.job import Json

BOX = "arn:aws:s3:::box"


def policy(*statements: Any, version: str | None = "2012-10-17") -> dict[str, Any]:
    """A policy document with these statements."""
    return ({"Version": version} if version else {}) | {"Statement": list(statements)}


def allow(action: Any, resource: Any = "*", **more: Any) -> dict[str, Any]:
    """An Allow."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def small(*statements: Any) -> Any:
    """The statements of the session policy of a policy."""
    return json.loads(session_policy(policy(*statements)).text)["Statement"]


IN_REGION = {"StringEquals": {"aws:RequestedRegion": ["us-east-1"]}}
SHORTENED: list[tuple[str, list[dict[str, Any]], Any]] = [
    ("names go", [allow(["s3:GetObject"], [BOX], Sid="Read")], allow("s3:GetObject", BOX)),
    ("twins", [allow("s3:Get*"), allow("s3:Get*", Sid="Again")], allow("s3:Get*")),
    ("actions of one resource", [allow("s3:PutObject", BOX), allow(["s3:GetObject"], BOX)],
     allow(["s3:GetObject", "s3:PutObject"], BOX)),
    ("resources of one action", [allow("s3:GetObject", BOX), allow("s3:GetObject", f"{BOX}2")],
     allow("s3:GetObject", [BOX, f"{BOX}2"])),
    ("both, one after the other", [
        allow("s3:GetObject", BOX), allow("s3:PutObject", BOX),
        allow("s3:GetObject", f"{BOX}2"), allow("s3:PutObject", f"{BOX}2"),
    ], allow(["s3:GetObject", "s3:PutObject"], [BOX, f"{BOX}2"])),
    ("what another action holds", [allow(["s3:GetObject", "s3:Get*", "S3:getobjectacl"])],
     allow("s3:Get*")),
    ("what another resource holds", [allow("s3:GetObject", [f"{BOX}/a", f"{BOX}/*", f"{BOX}/b*"])],
     allow("s3:GetObject", f"{BOX}/*")),
    ("the same in another case", [allow(["s3:GetObject", "S3:GetObject"])], allow("S3:GetObject")),
    ("a condition of one value", [allow("s3:GetObject", Condition=IN_REGION)],
     allow("s3:GetObject",
           Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1"}})),
    ("an ARN cut short", [allow("sqs:*", "arn:aws:sqs")], allow("sqs:*", "arn:aws:sqs:*:*:*")),
]  # fmt: skip
KEPT: list[tuple[str, list[dict[str, Any]]]] = [
    ("effects", [allow("s3:GetObject"), allow("s3:GetObject") | {"Effect": "Deny"}]),
    ("conditions", [allow("s3:A"), allow("s3:B", Condition={"Null": {"s3:prefix": "true"}})]),
    ("neither equal", [allow("s3:GetObject", BOX), allow("s3:PutObject", f"{BOX}2")]),
    ("exceptions", [
        {"Effect": "Deny", "NotAction": "s3:GetObject", "Resource": "*"},
        {"Effect": "Deny", "NotAction": "s3:PutObject", "Resource": "*"}, allow("s3:*"),
    ]),
    ("exceptional resources", [
        {"Effect": "Allow", "Action": "s3:GetObject", "NotResource": BOX},
        {"Effect": "Allow", "Action": "s3:GetObject", "NotResource": f"{BOX}2"},
    ]),
    ("variables", [allow("s3:GetObject", [f"{BOX}/${{aws:username}}", f"{BOX}/*"])]),
    ("a question mark is no star", [allow("s3:GetObject", [f"{BOX}/*/x", f"{BOX}/?"])]),
]  # fmt: skip


@pytest.mark.parametrize(
    ("statements", "expected"), [pytest.param(*case[1:], id=case[0]) for case in SHORTENED]
)
def test_what_says_the_same_is_said_once(statements: list[dict[str, Any]], expected: Any) -> None:
    """Names, twins and what another pattern holds are left out."""
    assert small(*statements) == expected


@pytest.mark.parametrize("statements", [pytest.param(case[1], id=case[0]) for case in KEPT])
def test_what_says_something_else_is_kept(statements: list[dict[str, Any]]) -> None:
    """Nothing is joined that would then mean more, or less."""
    found = small(*statements)
    key = json.dumps
    kept = found if isinstance(found, list) else [found]

    assert sorted(map(key, kept)) == sorted(
        key({name: sorted(v) if isinstance(v, list) else v for name, v in one.items()})
        for one in statements
    )


def test_it_is_ascii_without_blanks() -> None:
    """AWS counts characters and takes none beyond Latin-1."""
    found = session_policy(policy(allow("s3:GetObject", f"{BOX}/\u4e16")))

    assert found.text == (
        '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:GetObject",'
        '"Resource":"arn:aws:s3:::box/\\u4e16"}}'
    )
    assert (found.managed, found.told) == ((), "")


@pytest.mark.parametrize("version", ["2008-10-17", None])
def test_an_old_policy_stays_old(version: str | None) -> None:
    """The version decides whether there are variables, so it is kept, missing or not."""
    found = session_policy(policy(allow("s3:GetObject"), version=version))

    assert json.loads(found.text).get("Version") == version


@pytest.mark.parametrize(
    "document", [{}, policy(), policy({"Effect": "Deny", "Action": "s3:*", "Resource": "*"})]
)
def test_what_allows_nothing_denies_everything(document: Json) -> None:
    """No session policy at all would leave the role all its rights."""
    found = session_policy(document)

    assert json.loads(found.text)["Statement"] == {
        "Effect": "Deny",
        "Action": "*",
        "Resource": "*",
    }


def test_a_long_policy_of_reads_falls_back_to_read_only() -> None:
    """What only reads is held to ReadOnlyAccess by AWS, of the right partition, and says so."""
    found = session_policy(policy(*long("logs:GetLogEvents")), "aws-cn")

    assert (found.text, found.managed) == (
        "",
        ("arn:aws-cn:iam::aws:policy/ReadOnlyAccess",),
    )
    assert found.told.endswith(
        "characters at its shortest, and AWS takes 2048 for a session, so AWS itself holds this "
        "session to ReadOnlyAccess only; the gateway holds it to the approved policy"
    )


def test_a_long_policy_with_changes_is_refused() -> None:
    """ReadOnlyAccess can't take its place, so no session is made, and it says what to shorten."""
    change = allow("ec2:StopInstances", Sid="Stop")

    with pytest.raises(ValueError, match=r'shorten statement 2 \("Stop"\), the longest, or split'):
        session_policy(policy(allow("logs:GetLogEvents"), change | {"Resource": names(50)}))


def test_the_limit_is_exact() -> None:
    """2,048 characters are taken, one more is not."""
    length = len(session_policy(policy(allow("logs:GetLogEvents", f"{BOX}/"))).text)
    fits = f"{BOX}/" + "x" * (MOST_CHARACTERS - length)

    assert len(session_policy(policy(allow("logs:GetLogEvents", fits))).text) == MOST_CHARACTERS
    assert session_policy(policy(allow("logs:GetLogEvents", f"{fits}x"))).text == ""


@pytest.mark.parametrize(
    "document",
    [
        [],
        policy("Allow"),
        policy(allow("s3:GetObject"), {"Effect": "Allow", "Action": "s3:PutObject"}),
        policy(allow("s3:GetObject"), version="2030-01-01"),
    ],
)
def test_a_malformed_policy_makes_no_session(document: Any) -> None:
    """What can't be understood is not handed to AWS."""
    with pytest.raises(ValueError, match="malformed"):
        session_policy(document)


def long(action: str) -> list[dict[str, Any]]:
    """Statements that no shortening makes short."""
    return [allow(action, names(50))]


def names(number: int) -> list[str]:
    """Some ARNs, none of which holds another."""
    return [f"arn:aws:logs:us-east-1:123456789012:log-group:g{n}:*" for n in range(number)]


ACTIONS = ["s3:GetObject", "s3:GetObjectAcl", "s3:PutObject", "logs:GetLogEvents"]
RESOURCES = [BOX, f"{BOX}/ann", f"{BOX}/a:b", f"{BOX}/{UNKNOWN_PART}", "arn:aws:logs:x:1:g:a", "*"]
ACTION_PATTERNS = [*ACTIONS, "s3:*", "S3:get*", "s3:GetObject*", "*", "s3:?etObject", "*:Get*"]
PATTERNS = [
    *RESOURCES[:3],
    "*",
    f"{BOX}*",
    f"{BOX}/*",
    f"{BOX}/???",
    f"{BOX}/a*",
    f"{BOX}/*:b",
    f"{BOX}/a?b",
    f"{BOX}/${{aws:username}}",
    f"{BOX}/${{aws:PrincipalTag/x, 'ann'}}",
    "arn:aws:logs",
    "arn:aws:*:x:1:g:a",
    "arn:aws:lo*:g:*",
]
BLOCKS = [
    {},
    {"StringEquals": {"aws:username": ["ann"]}},
    {"StringEquals": {"aws:username": "ann"}},
    {"StringNotLike": {"aws:username": ["a*", "b*"]}},
    {"Null": {"x:tag": ["true"]}, "Bool": {"x:flag": [True]}},
]
CONTEXTS: list[dict[str, Any]] = [
    {},
    {"aws:username": "ann"},
    {"aws:username": "bob", "x:flag": "true"},
    {"aws:username": UNKNOWN, "x:tag": UNKNOWN},
]


@st.composite
def policies(draw: st.DrawFn) -> dict[str, Any]:
    """A policy of a few statements that have much in common."""
    statements = []
    for _ in range(draw(st.integers(1, 5))):
        statement: dict[str, Any] = {"Effect": draw(st.sampled_from(["Allow", "Allow", "Deny"]))}
        for name, patterns in (("Action", ACTION_PATTERNS), ("Resource", PATTERNS)):
            key = draw(st.sampled_from([name, name, name, f"Not{name}"]))
            statement[key] = draw(st.lists(st.sampled_from(patterns), min_size=1, max_size=3))
        if block := draw(st.sampled_from(BLOCKS)):
            statement["Condition"] = block
        statements.append(statement)
    return policy(*statements, version=draw(st.sampled_from(["2012-10-17", "2008-10-17", None])))


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(policies())
def test_the_session_policy_allows_exactly_what_was_approved(document: dict[str, Any]) -> None:
    """On every action, resource and context of a pool, the short policy rules as the long one."""
    short = json.loads(session_policy(document).text)
    before, after = parse(document), parse(short)

    differing = [
        (action, resource, context)
        for action in ACTIONS
        for resource in RESOURCES
        for context in CONTEXTS
        if decide(before, action, resource, context).allowed
        is not decide(after, action, resource, context).allowed
    ]
    assert differing == []
    assert len(json.dumps(short)) <= len(json.dumps(document)) + 150
