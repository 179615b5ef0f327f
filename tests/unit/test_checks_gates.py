"""Gates of one's own: what each kind looks at, and where it speaks."""

from __future__ import annotations

from typing import Any

import pytest

from core.approval.draft import Draft
from core.checks import gates
from core.checks.standards import Gate, GateKind, Standards
from core.checks.subject import subject_of

SCRIPT = b"""\
import boto3
from os import path as p
import json, xml.etree
client = boto3.client("s3")
client.list_buckets()
json.dumps(client.meta.region_name)  # prod-eu
"""
S3 = "arn:aws:s3:::secret-a/*"


def found(
    kind: GateKind, match: str, *, rollback: bytes | None = None, statement: Any = None
) -> list[tuple[str, int | None]]:
    """Return file and line of what one gate finds in the draft above."""
    default = {"Effect": "Allow", "Action": ["s3:List*", "ec2:DescribeVpcs"], "Resource": S3}
    draft = Draft(
        step="S1",
        version=1,
        author="file",
        kind="collect",
        language="python",
        script=SCRIPT,
        requirements=(),
        policy={"Version": "2012-10-17", "Statement": [statement or default]},
        rollback=rollback,
        post_check=None,
        parameters={},
        inputs=(),
    )
    gate = Gate("mine", "warning", "not here", kind, match)
    several = list(gates.check(subject_of(draft, Standards(gates=(gate,)))))
    assert {(one.source, one.rule, one.severity) for one in several} <= {
        ("gates", "mine", "warning")
    }
    return [(one.file, one.line) for one in several]


@pytest.mark.parametrize(
    ("kind", "match", "expected"),
    [
        ("pattern", r"prod-\w+", [("script", 6)]),
        ("pattern", "^import", [("script", 1), ("script", 3)]),
        ("pattern", "nowhere", []),
        ("call", "boto3.client", [("script", 4)]),
        ("call", "client", [("script", 4)]),
        ("call", "list_*", [("script", 5)]),
        ("call", "lient", []),
        ("import", "os", [("script", 2)]),
        ("import", "os.path", [("script", 2)]),
        ("import", "xml", [("script", 3)]),
        ("import", "x", []),
        ("attribute", "region_name", [("script", 6)]),
        ("attribute", "name", []),
        ("action", "s3:ListAllMyBuckets", [("policy", None)]),
        ("action", "s3:*", [("policy", None)]),
        ("action", "*:Describe*", [("policy", None)]),
        ("action", "s3:*Buckets", [("policy", None)]),
        ("action", "rds:*", []),
        ("resource", "arn:aws:s3:::secret-*", [("policy", None)]),
        ("resource", "arn:aws:s3:::open-*", []),
    ],
)
def test_what_a_gate_finds(
    kind: GateKind, match: str, expected: list[tuple[str, int | None]]
) -> None:
    """Each kind looks at its own part of a draft; a wildcard of the policy hides nothing."""
    assert found(kind, match) == expected


def test_every_script_is_looked_at() -> None:
    """A rollback is code like any other; what can't be parsed is text still."""
    assert found("call", "danger", rollback=b"\ndanger()\n") == [("rollback", 2)]
    assert found("pattern", "danger", rollback=b"danger(\n") == [("rollback", 1)]
    assert found("call", "danger", rollback=b"danger(\n") == []


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ({"Effect": "Deny", "Action": "s3:*", "Resource": "*"}, 0),
        ({"Effect": "Allow", "NotAction": "ec2:*", "Resource": "*"}, 1),
        ({"Effect": "Allow", "Action": "*", "Resource": "*"}, 1),
    ],
)
def test_what_a_policy_allows(statement: Any, expected: int) -> None:
    """What is denied is not allowed, and everything is more than what a gate names."""
    assert len(found("action", "s3:GetObject", statement=statement)) == expected


def test_a_gate_does_not_flood() -> None:
    """A gate that fits everywhere says so ten times."""
    assert len(found("pattern", ".", rollback=b"x = 1\n" * 100)) == 6 + 10
