"""Rules of the policy's fit, each by an offender; and the names of all rules of all checks."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from core.approval.draft import Draft
from core.checks import policy
from core.checks.finding import Finding
from core.checks.subject import subject_of

HOUSE = Path(__file__).parents[2]
HEAD = "import boto3, sys\nlogs = boto3.client('logs')\nsqs = boto3.client('sqs')\n"
EVENTS = "logs.filter_log_events(logGroupName='web')\n"
WEB = "arn:aws:logs:*:*:log-group:web:*"
MAKERS = {
    **dict.fromkeys(("_blocker", "_finding", "_unknown", "_danger", "Remark", "Problem"), 0),
    "Finding": 1,
    "Absent": 3,
}
"""What makes findings, each with the place of the rule among its arguments."""


def allow(*actions: str, on: Any = "*") -> dict[str, Any]:
    """A statement that allows these actions."""
    return {"Effect": "Allow", "Action": list(actions), "Resource": on}


def told(script: str, *statements: dict[str, Any]) -> list[Finding]:
    """What the check says of a script under a policy."""
    draft = Draft(
        step="S1",
        version=1,
        author="file",
        kind="collect",
        language="python",
        script=(HEAD + script).encode(),
        requirements=(),
        policy={"Version": "2012-10-17", "Statement": list(statements)},
        rollback=None,
        post_check=None,
        parameters={},
        inputs=(),
    )
    return list(policy.check(subject_of(draft)))


MANY = [f"arn:aws:s3:::a-bucket-with-a-long-name-{number}/*" for number in range(90)]
QUERY = "logs.start_query(logGroupName='web', startTime=1, endTime=2, queryString='x')\n"
QUEUE = "sqs.get_queue_attributes(QueueUrl=sys.argv[1])\n"
OFFENDERS: list[tuple[str, str, str, dict[str, Any], dict[str, Any], str]] = [
    # rule, severity, script, policy that breaks it, policy that does not, what message or fix says
    ("too-wide", "warning", EVENTS, allow("logs:FilterLogEvents"),
     allow("logs:FilterLogEvents", on=WEB), WEB),
    ("could-limit", "note", QUEUE, allow("sqs:GetQueueAttributes"),
     allow("sqs:GetQueueAttributes", on="arn:aws:sqs:*:*:jobs"), "arn:*:sqs"),
    ("needless", "note", "boto3.client('sts').get_caller_identity()\n",
     allow("STS:GetCallerIdentity"), allow("sts:GetSessionToken"), "asks nobody"),
    ("too-long", "warning", "", allow("s3:PutObject", on=MANY),
     allow("s3:PutObject", on=MANY[:1]), "shorten"),
]  # fmt: skip


@pytest.mark.parametrize("offender", OFFENDERS, ids=[each[0] for each in OFFENDERS])
def test_each_rule_of_the_fit_finds_its_offender(offender: Any) -> None:
    """A policy that breaks a rule is told by it, and the one beside it that keeps it is not."""
    rule, severity, script, broken, kept, says = offender
    [found] = [one for one in told(script, broken) if one.rule == rule]

    assert (found.severity, found.file) == (severity, "policy")
    assert says in f"{found.message} {found.fix}"
    assert [one for one in told(script, kept) if one.rule == rule] == []


def test_a_call_that_aws_bills_is_noted_on_its_line() -> None:
    """What a query costs is told where it stands; a call that costs nothing is not."""
    allowed = allow("logs:StartQuery", "logs:FilterLogEvents", on=WEB)
    [found] = [one for one in told(EVENTS + QUERY, allowed) if one.rule == "price"]

    assert (found.severity, found.file, found.line) == ("note", "script", 5)
    assert "StartQuery: about $" in found.message


def rules() -> Iterator[str]:
    """Yield the rules by which the checks tell findings, as their code names them."""
    for file in (*(HOUSE / "core" / "checks").glob("*.py"), HOUSE / "core" / "iam" / "lint.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            place = MAKERS.get(node.func.id)
            if place is None or len(node.args) <= place:
                continue
            texts = (each for each in ast.walk(node.args[place]) if isinstance(each, ast.Constant))
            yield from (each.value for each in texts if isinstance(each.value, str))
