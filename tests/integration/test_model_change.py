"""A model's change on the simulated account: looked at by its post-check, and taken back."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from core.approval.approvers import Decision
from core.events import DraftGenerated, EvidenceAdded, ReviewFinished, RunOutput, RunStarted
from core.repair import Repairs
from tests.working import by_model, of, worked

HEAD = '''\
"""%s"""

import json
import sys
from pathlib import Path
from typing import Any

import boto3

SHELL = 22


def groups_named(ec2: Any, name: str) -> list[dict[str, Any]]:
    """Return the security groups with a name, of all pages."""
    pages = ec2.get_paginator("describe_security_groups").paginate(
        Filters=[{"Name": "group-name", "Values": [name]}]
    )
    return [group for page in pages for group in page["SecurityGroups"]]


def rules_of(group: dict[str, Any]) -> list[str]:
    """Return what a group lets in, as texts in order."""
    allowed = group["IpPermissions"]
    return sorted(f"{each['FromPort']} {len(each['UserIdGroupPairs'])}" for each in allowed)


def main() -> None:
    """Do what the first line says, and tell how the rules are then."""
    parameters = json.loads(Path("in/parameters.json").read_text(encoding="utf-8"))
    ec2 = boto3.client("ec2", region_name=parameters["regions"][0])
'''
TAIL = """\
    rules = rules_of(groups_named(ec2, parameters["group"])[0])
    print(json.dumps(rules))
    result = {"facts": {"rules": len(rules)}}
    Path("out/result.json").write_text(json.dumps(result), encoding="utf-8")
%s

if __name__ == "__main__":
    main()
"""
REVOKE = """\
    group = groups_named(ec2, parameters["group"])[0]
    wrong = [each for each in group["IpPermissions"] if each["FromPort"] == SHELL]
    if wrong:
        ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=wrong)
"""
RESTORE = """\
    group = groups_named(ec2, parameters["group"])[0]
    peer = groups_named(ec2, parameters["peer"])[0]["GroupId"]
    if not any(each["FromPort"] == SHELL for each in group["IpPermissions"]):
        ec2.authorize_security_group_ingress(
            GroupId=group["GroupId"],
            IpPermissions=[
                {
                    "IpProtocol": "tcp",
                    "FromPort": SHELL,
                    "ToPort": SHELL,
                    "UserIdGroupPairs": [{"GroupId": peer}],
                }
            ],
        )
"""
ACTIONS = ["DescribeSecurityGroups", "RevokeSecurityGroupIngress", "AuthorizeSecurityGroupIngress"]
STEP: dict[str, Any] = {
    "title": "Close the shell port",
    "why": "the engineer asked for it",
    "work": "change",
    "task": "revoke the ingress rule for port 22",
    "parameters": [
        {"name": "group", "value": "storefront-app"},
        {"name": "peer", "value": "lantern-ops"},
    ],
    "inputs": [],
}
PLAN: dict[str, Any] = {"hypotheses": [], "step": STEP, "answer": None}
END: dict[str, Any] = {"status": "inconclusive", "cause": "", "claims": [], "gaps": []}


def script(title: str, body: str, last: str = "") -> str:
    """Return a whole script."""
    return HEAD % title + body + TAIL % last


def code() -> dict[str, Any]:
    """Return what a coder says of the change; its post-check is never content."""
    wrong = "    if len(rules) >= 0:\n        sys.exit(1)\n"
    return {
        "script": script("Close the shell port of a group.", REVOKE),
        "allow": [
            {"actions": [f"ec2:{one}" for one in ACTIONS], "resources": ["*"], "conditions": []}
        ],
        "requirements": [],
        "rollback": script("Open the shell port of a group again.", RESTORE),
        "post_check": script("Tell whether the shell port is closed.", "", wrong),
    }


ASKED = "close the shell port"
YES = Decision("approve", confirmed="lantern-prod")


@pytest.mark.timeout(180)
def test_a_change_of_a_model_is_taken_back(home: Path) -> None:
    """It has no blocker; its post-check says no, and the world is as it was before."""
    answers = [PLAN, code(), {"hypotheses": [], "step": None, "answer": END}]

    planner = by_model(answers, Repairs(reviews=1))
    facts = asyncio.run(worked(home, ASKED, planner, [YES] * 3, rehearse="never"))

    found = [one for each in of(facts, ReviewFinished) for one in each.findings]
    assert [one.message for one in found if one.severity == "blocker"] == []
    runs = {each.run: each.purpose for each in of(facts, RunStarted)}
    assert list(runs.values()) == ["run", "post-check", "roll back"]
    printed = {runs[each.run]: json.loads(each.text) for each in of(facts, RunOutput)}
    assert "22 1" not in printed["run"]
    assert printed["post-check"] == printed["run"]
    assert printed["roll back"] == sorted([*printed["run"], "22 1"])
    (card,) = of(facts, EvidenceAdded)
    assert card.after[-1] == "roll back: X3 succeeded"
    assert "did not work" in card.errors[0]


def test_a_change_without_its_way_back_is_blocked(home: Path) -> None:
    """Asked once for what it lacks, the model still brings none: the review blocks each version."""
    bare = {**code(), "rollback": None, "post_check": None}
    answers = [PLAN, *[bare] * 4, {"hypotheses": [], "step": None, "answer": END}]

    planner = by_model(answers, Repairs(reviews=1))
    facts = asyncio.run(worked(home, ASKED, planner, [Decision("skip")], rehearse="never"))

    for each in of(facts, ReviewFinished):
        assert {one.rule for one in each.findings} >= {"no-rollback", "no-post-check"}
    assert [each.version for each in of(facts, DraftGenerated)] == [1, 2]
    assert of(facts, RunStarted) == []
