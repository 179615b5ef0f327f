"""The review: every check over a whole draft, sorted, with the facts derived from it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from core.approval.draft import Draft
from core.checks.finding import Call, Finding, Review
from core.checks.review import review
from core.checks.standards import Standards
from core.iam.tiers import tier_of_policy
from sandbox.job import Tier

HASH = " --hash=sha256:" + "a" * 64
SCRIPT = b"""\
import boto3
ec2 = boto3.client("ec2")
ec2.describe_vpcs(VpcIds=["vpc-1"])
boto3.client("logs").get_query_results(queryId="web")
boto3.client("sts").get_caller_identity()
"""
NEEDED = ["ec2:DescribeVpcs", "logs:GetQueryResults"]
LOG_GROUP = "arn:aws:logs:*:*:log-group:web:*"
PROPOSED = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": NEEDED, "Resource": "*"}],
}
HOLDS_TO = Standards(left_out=("code", "quality", "readability"))
"""Whether scripts read well is told elsewhere."""
DRAFT = Draft(
    step="S1",
    version=1,
    author="file",
    kind="collect",
    language="python",
    script=SCRIPT,
    requirements=(),
    policy=PROPOSED,
    rollback=None,
    post_check=None,
    parameters={},
    inputs=(),
)


def allows(*actions: str, **fields: Any) -> dict[str, Any]:
    """A policy that allows these actions."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*", **fields}
    return {"Version": "2012-10-17", "Statement": [statement]}


def both(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """A policy with the statements of two."""
    return {"Statement": [*one["Statement"], *other["Statement"]]}


def reviewed(**fields: Any) -> Review:
    """The review of the draft above with some of its fields changed."""
    found = review(replace(DRAFT, **fields), HOLDS_TO)
    told = tuple(one for one in found.findings if one.rule != "left-out")
    return replace(found, findings=told)


def rules(found: Review) -> list[str]:
    """The findings of a review, such as "blocker policy/never"."""
    return [f"{one.severity} {one.source}/{one.rule}" for one in found.findings]


def test_a_draft_that_fits_has_no_findings() -> None:
    """A script under exactly the policy that it needs leaves nothing to say."""
    assert reviewed() == Review(
        findings=(),
        calls=(
            Call("ec2", "DescribeVpcs", 3),
            Call("logs", "GetQueryResults", 4),
            Call("sts", "GetCallerIdentity", 5),
        ),
        tier=2,
        missing=(),
        excess=(),
        proposed=PROPOSED,
    )


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ({}, ["warning policy/empty"]),
        ({"Version": "2012-10-17", "Statement": []}, ["warning policy/empty"]),
        (allows("logs:getqueryresults"), ["warning policy/missing"]),
        (allows(*NEEDED, "ec2:DescribeSubnets"), ["warning policy/excess"]),
        (allows("ec2:Describe*", "logs:GetQueryResults"), ["warning policy/wildcard"]),
        (allows(*NEEDED, "rds:Describe*"), ["warning policy/excess", "warning policy/wildcard"]),
        (
            allows(*NEEDED, "ec2:DescribeVPC"),
            ["warning policy/excess", "warning policy/unknown-action"],
        ),
        (allows(*NEEDED, "iam:PassRole"), ["warning policy/excess"]),
        (allows(*NEEDED, "sts:GetCallerIdentity"), ["note policy/needless"]),
        (allows("*"), ["blocker policy/never"]),
        (
            allows(*NEEDED, "cloudtrail:StopLogging"),
            ["blocker policy/never", "warning policy/excess"],
        ),
        (allows(*NEEDED, Conditions={}), ["blocker policy/malformed", "warning policy/missing"]),
        ({"Statement": "all"}, ["blocker policy/malformed"]),
        (
            {"Statement": {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}},
            ["blocker policy/not-action"],
        ),
        (
            {"Statement": {"Effect": "Allow", "Action": NEEDED, "NotResource": "arn:aws:s3:::x"}},
            ["blocker policy/not-resource"],
        ),
        (
            {"Statement": [{"Effect": "Deny", "NotAction": "ec2:*", "Resource": "*"}]},
            ["warning policy/missing"],
        ),
    ],
)
def test_policies(policy: dict[str, Any], expected: list[str]) -> None:
    """The form of a policy, its reach, and its fit to the calls are each told."""
    assert list(dict.fromkeys(rules(reviewed(policy=policy)))) == expected


@pytest.mark.parametrize(
    ("policy", "missing", "excess"),
    [
        ({}, NEEDED, []),
        (PROPOSED, [], []),
        (allows("ec2:*"), ["logs:GetQueryResults"], []),
        (allows(*NEEDED, "rds:*", "RDS:*", "ec2:DescribeVpc?"), [], ["rds:*", "RDS:*"]),
        (
            both(allows(*NEEDED), allows("logs:*", Effect="Deny")),
            ["logs:GetQueryResults"],
            [],
        ),
        (
            both(allows(*NEEDED), allows("logs:*", Effect="Deny", Resource=LOG_GROUP)),
            [],
            [],
        ),
        (
            {"Statement": {"Effect": "Allow", "NotAction": "logs:*", "Resource": "*"}},
            ["logs:GetQueryResults"],
            [],
        ),
    ],
)
def test_what_is_missing_and_what_is_excess(
    policy: dict[str, Any], missing: list[str], excess: list[str]
) -> None:
    """Actions that calls need and no Allow names are missing; what no call needs is excess."""
    found = reviewed(policy=policy)

    assert (list(found.missing), list(found.excess)) == (missing, excess)


def test_a_missing_action_names_its_line() -> None:
    """The line that will be denied is told, with what to allow."""
    found = reviewed(policy=allows("logs:GetQueryResults")).findings

    assert found == (
        Finding(
            "policy",
            "missing",
            "warning",
            3,
            "the code calls ec2:DescribeVpcs, which the policy does not allow",
            "allow ec2:DescribeVpcs",
        ),
    )


def test_the_empty_policy_is_answered_with_one() -> None:
    """Without a policy the review proposes the narrowest one, ready to be pasted."""
    found = reviewed(policy={})

    assert found.proposed == PROPOSED
    assert found.findings[0].fix == f"use this policy: {json.dumps(PROPOSED)}"


def test_the_empty_policy_suits_a_script_without_calls() -> None:
    """A script that calls nothing needs nothing."""
    found = reviewed(script=b"print(1)\n", policy={}, kind="analyse")

    assert (found.findings, found.tier) == ((), 0)
    assert found.proposed == {"Version": "2012-10-17", "Statement": []}


def test_an_unknown_action_comes_with_the_nearest_known_one() -> None:
    """A misspelt action is told with the name that was probably meant."""
    found = reviewed(policy=allows(*NEEDED, "ec2:DescribeInstance"))

    assert [one.fix for one in found.findings if one.rule == "unknown-action"] == [
        "did you mean ec2:DescribeInstances?"
    ]


def test_excess_is_only_noted_where_calls_may_be_hidden() -> None:
    """What nothing seems to need may be needed by what could not be seen."""
    hidden = SCRIPT + b"getattr(ec2, input())()\n"
    found = reviewed(script=hidden, policy=allows(*NEEDED, "ec2:DescribeSubnets"))

    assert rules(found) == ["warning aws-calls/cannot-tell", "note policy/excess"]


@pytest.mark.parametrize(
    "policy", [{}, PROPOSED, allows("ec2:Describe*"), allows("*"), allows("ecs:UpdateService"), []]
)
@pytest.mark.parametrize("script", [SCRIPT, b"print(1)\n", b"not Python"])
def test_the_tier_is_that_of_the_policy(policy: Any, script: bytes) -> None:
    """Neither code that calls little nor code that can't be read changes the tier."""
    assert reviewed(policy=policy, script=script).tier == tier_of_policy(policy)[0]


@pytest.mark.parametrize(
    ("requirements", "expected"),
    [
        ((), []),
        (("rich==13.7.1" + HASH,), []),
        (("Rich==13.7.1" + HASH + HASH, "ruamel.yaml[jinja2]==0.18.6+x" + HASH), []),
        (("rich",), ["unlocked"]),
        (("rich==13.7.1",), ["unlocked"]),
        (("rich>=13" + HASH,), ["unlocked"]),
        (("rich==13.7.1" + HASH[:-1],), ["unlocked"]),
        (("rich @ https://example.org/rich.whl" + HASH,), ["unlocked"]),
        (("--index-url https://example.org",), ["unlocked"]),
        (("rich==13.7.1" + HASH + "\nmore==1",), ["unlocked"]),
        (("rich==13.7.1" + HASH, "richer==1" + HASH), ["not-allowed"]),
        (("Python_DateUtil==2.9.0" + HASH,), ["in-runtime"]),
        (("a", "b==1" + HASH), ["not-allowed", "unlocked"]),
    ],
)
def test_requirements(requirements: tuple[str, ...], expected: list[str]) -> None:
    """Requirements must be locked, on the list, and none of the runtime's own packages."""
    draft = replace(DRAFT, requirements=requirements)

    found = review(draft, replace(HOLDS_TO, allowed=("python-dateutil", "rich", "ruamel-yaml")))
    assert [one.rule for one in found.blockers] == expected


def test_without_a_list_no_package_is_allowed() -> None:
    """Whoever forgets to hand the settings over allows nothing; the blocker names the package."""
    (blocker,) = reviewed(requirements=("Rich==13.7.1" + HASH,)).blockers

    assert blocker.message.startswith("rich is not among the packages that scripts may use, and ")
    assert blocker.message.endswith("whether there is such a package was not looked up")
    assert "requirements.allowed" in blocker.fix


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({}, ["no-post-check", "no-rollback"]),
        ({"rollback": b"print(1)\n"}, ["no-post-check"]),
        ({"rollback": b"", "post_check": b""}, ["no-post-check", "no-rollback"]),
        ({"rollback": b"print(1)\n", "post_check": b"print(1)\n"}, []),
    ],
)
def test_a_change_brings_its_way_back(fields: dict[str, Any], expected: list[str]) -> None:
    """A change without rollback or post-check is blocked; other kinds need neither."""
    found = reviewed(kind="change", **fields)

    assert [one.rule for one in found.blockers] == expected


def test_rollback_and_post_check_are_read_too() -> None:
    """Their mistakes are told as theirs, and their calls need permission as well."""
    found = reviewed(
        kind="change",
        rollback=b"import boto3\nboto3.client('ec2').reboot_instances(InstanceIds=['i-1'])\n",
        post_check=b"x = = 1\n",
    )

    assert found.missing == ("ec2:RebootInstances",)
    assert [(one.rule, one.file, one.line, one.message) for one in found.findings] == [
        ("invalid", "post-check", 1, "not valid Python: invalid syntax"),
        (
            "missing",
            "policy",
            None,
            "the code calls ec2:RebootInstances, which the policy does not allow",
        ),
    ]
    assert all(call.operation != "RebootInstances" for call in found.calls)


def test_a_scripts_own_tests_are_read_too() -> None:
    """They are held to what scripts are held to, may import the script, and need no permission."""
    tests = b"""\
import os

import boto3
from script import ec2


def test_it() -> None:
    os.kill(1, 9)
    boto3.client("rds").describe_db_instances(DBInstanceIdentifier="a")
    assert ec2
"""
    draft = replace(DRAFT, tests=tests)
    found = review(draft, replace(HOLDS_TO, left_out=("quality", "readability")))

    told = [(one.source, one.rule, one.file, one.line) for one in found.findings[:-2]]
    assert told == [("code", "process", "tests", 8), ("policy", "tests-call", "tests", 9)]
    assert (found.missing, found.excess, len(found.calls)) == ((), (), 3)
    scripted = replace(draft, script=tests, tests=None)
    named = [(one.source, one.rule) for one in review(scripted, HOLDS_TO).findings]
    assert ("requirements", "missing") in named


def test_a_call_of_the_tests_is_told() -> None:
    """A rehearsal takes it for one of the script; what needs no permission counts nowhere."""
    tests = b"""\
import boto3

boto3.client("sts").get_caller_identity()
boto3.client("ec2").describe_vpcs(VpcIds=["vpc-1"])
"""
    (told,) = (one for one in review(replace(DRAFT, tests=tests), HOLDS_TO).findings if one.line)

    assert (told.severity, told.file, told.line) == ("warning", "tests", 4)
    assert told.message.startswith("the tests call ec2:DescribeVpcs, and a rehearsal counts it")
    assert all(one.rule != "tests-call" for one in reviewed(post_check=tests).findings)


def test_tests_change_nothing_that_is_said_of_the_policy() -> None:
    """What tests hide is told at its line; the script's calls are as well known as without them."""
    draft = replace(DRAFT, policy=allows(*NEEDED, "s3:ListBucket"))
    tests = b'import boto3\n\n\ndef test_it(name):\n    getattr(boto3.client("ec2"), name)()\n'
    alone, tested = (review(replace(draft, tests=each), HOLDS_TO) for each in (None, tests))
    about = [[one for one in each.findings if one.source == "policy"] for each in (alone, tested)]

    assert [(one.rule, one.severity) for one in about[0]][:1] == [("excess", "warning")]
    assert about[1] == about[0]
    assert (alone.unresolved, tested.unresolved) == (0, 0)
    assert [one.file for one in tested.findings if one.rule == "cannot-tell"] == ["tests"]


def test_a_package_for_the_tests_alone_is_not_required() -> None:
    """It would go along with every run: it is told, and a missing one is not to be added."""
    draft = replace(DRAFT, tests=b"import rich\n\nrich.print()\n")
    lines = (LOCKED["rich"], LOCKED["numpy"])
    script = replace(draft, script=b"import numpy\n")
    told = [
        (one.rule, one.message, one.fix)
        for each in (draft, replace(script, requirements=lines))
        for one in review(each, replace(HOLDS_TO, allowed=("rich", "numpy"))).findings
        if one.source == "requirements" and one.severity != "note"
    ]

    assert told == [
        ("missing", "rich is imported, and no requirement brings it", "do without it"),
        ("unused", "rich is required, and only the tests import it", "leave it out"),
    ]


def test_findings_are_sorted() -> None:
    """Blockers come first, then warnings, then notes, each by line."""
    script = b"getattr(a, b)\nexec(a)\nimport boto3\nboto3.client('ec2').describe_x()\n"
    found = reviewed(
        script=script.replace(b"\n\xe2", b"\n# \xe2"), policy=allows("ec2:RunInstances")
    )

    got = [(one.severity, one.line or 0) for one in found.findings]
    ranks = ["blocker", "warning", "note"]
    assert got == sorted(got, key=lambda each: (ranks.index(each[0]), each[1]))
    assert {each[0] for each in got} == set(ranks)
    assert {("blocker", 4), ("warning", 2)} <= set(got)


def test_the_review_never_changes_with_the_order_of_a_policy() -> None:
    """Missing actions and the proposal come in one order, whatever that of the calls."""
    lines = SCRIPT.splitlines(keepends=True)
    turned = b"".join([*lines[:2], lines[3], lines[2]])

    assert reviewed(script=turned, policy={}).proposed == PROPOSED


@pytest.mark.parametrize(("policy", "tier"), [(PROPOSED, 2), ({}, 0)])
def test_the_review_as_json(policy: dict[str, Any], tier: Tier) -> None:
    """The keys are those that `check --json` promises, and everything in it is JSON."""
    found = reviewed(policy=policy).to_json()

    assert json.loads(json.dumps(found)) == found
    assert {key: type(value) for key, value in found.items()} == {
        "tier": int,
        "poor": bool,
        "unresolved": int,
        "findings": list,
        "calls": list,
        "policy": dict,
    }
    assert found["tier"] == tier
    assert found["calls"][0] == {"service": "ec2", "operation": "DescribeVpcs", "line": 3}
    assert set(found["policy"]) == {"missing", "excess", "proposed"}


def test_a_finding_as_json() -> None:
    """A finding has exactly the fields of the contract."""
    found = reviewed(policy={}).to_json()["findings"]

    fields = {"source", "rule", "severity", "line", "message", "fix", "file"}
    assert [set(one) for one in found] == [fields]


@pytest.mark.parametrize(
    ("statements", "said"),
    [
        (allows("ec2:DescribeInstancez")["Statement"] * 201, "201 statements, more than 200"),
        (allows(*["ec2:DescribeInstances"] * 4_000)["Statement"], "larger than 64 KiB"),
    ],
)
def test_a_policy_that_nobody_can_read_is_not_expanded(
    statements: list[dict[str, Any]], said: str
) -> None:
    """One blocker says so; what the policy allows counts as never, since it was not looked at."""
    found = reviewed(policy={"Version": "2012-10-17", "Statement": statements})

    about_policy = [one for one in found.findings if one.source == "policy"]
    assert [(one.severity, said in one.message) for one in about_policy] == [("blocker", True)]
    assert found.tier == 5


LOCKED = {
    name: f"{name}==1{HASH}" for name in ("openpyxl", "et-xmlfile", "pandas", "rich", "numpy")
}


@pytest.mark.parametrize(
    ("names", "imports", "expected"),
    [
        (("openpyxl", "et-xmlfile"), "openpyxl", []),
        (("openpyxl", "numpy"), "openpyxl", ["unused"]),
        (("pandas", "openpyxl", "et-xmlfile"), "pandas", []),
        (("rich", "numpy"), "rich", []),
        (("rich",), "", ["unused"]),
        ((), "rich.console", ["missing"]),
        ((), "PIL.Image, docx", ["missing", "missing"]),
        (("numpy",), "numpy, yaml", ["missing"]),
        ((), "dateutil.parser, jmespath, json, six", []),
    ],
)
def test_requirements_against_imports(
    names: tuple[str, ...], imports: str, expected: list[str]
) -> None:
    """What is imported must be required, what is required imported, as far as that can be known."""
    script = f"import {imports}\n".encode() if imports else b""
    draft = replace(DRAFT, script=script, requirements=tuple(LOCKED[each] for each in names))
    found = review(draft, replace(HOLDS_TO, allowed=tuple(LOCKED))).findings

    about = [one for one in found if one.source == "requirements" and one.severity != "note"]
    assert [one.rule for one in about] == expected


def test_what_was_not_looked_up_is_said() -> None:
    """A review asks no index: a locked package may not exist, which shows when it is fetched."""
    lines = (LOCKED["rich"], LOCKED["numpy"])
    draft = replace(DRAFT, script=b"import rich, numpy\n", requirements=lines)
    found = review(draft, replace(HOLDS_TO, allowed=("rich", "numpy"))).findings
    (note,) = (one for one in found if one.source == "requirements")

    assert (note.rule, note.severity) == ("not-looked-up", "note")
    assert "rich==1, numpy==1 with these hashes" in note.message
    assert all(one.rule != "not-looked-up" for one in reviewed().findings)


def test_a_missing_package_is_told_by_its_own_name() -> None:
    """A module and its package are often called differently."""
    found = review(replace(DRAFT, script=b"import yaml\n"), Standards(allowed=("pyyaml",)))

    (missing,) = [one for one in found.findings if one.rule == "missing" and one.fix[:3] == "req"]
    assert (missing.severity, missing.file, missing.fix) == (
        "blocker",
        "requirements",
        "require pyyaml",
    )


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("reqeusts", "requests"),
        ("request", "requests"),
        ("pandass", "pandas"),
        ("boto33", "boto3"),
        ("python-dateutill", "python-dateutil"),
        ("pythondateutil", "python-dateutil"),
        ("typing-extentions", "typing-extensions"),
        ("six2", ""),
        ("weatherlib", ""),
    ],
)
def test_a_name_that_looks_like_a_known_one(name: str, near: str) -> None:
    """A package that is called nearly like a well-known one is told as that."""
    (blocker,) = [
        one
        for one in reviewed(requirements=(f"{name}==1{HASH}",)).blockers
        if one.source == "requirements"
    ]

    assert blocker.rule == ("look-alike" if near else "not-allowed")
    assert near in blocker.fix
