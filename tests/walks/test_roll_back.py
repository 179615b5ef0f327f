"""Real changes on the simulated account: one whose post-check fails is taken back."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import pytest

LOOK = """\
import json, sys
import boto3
from pathlib import Path

ec2 = boto3.client("ec2")
groups = ec2.describe_security_groups()["SecurityGroups"]
rules = sorted(
    (g["GroupName"], p.get("FromPort", 0), json.dumps(p["UserIdGroupPairs"], sort_keys=True))
    for g in groups
    for p in g["IpPermissions"]
)
(group,) = [g for g in groups if g["GroupName"] == "storefront-app"]
shell = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22}
"""
REVOKE = """\
[before] = [p for p in group["IpPermissions"] if p.get("FromPort") == 22]
ec2.revoke_security_group_ingress(GroupId=group["GroupId"], IpPermissions=[before])
"""
RESTORE = """\
[bastion] = [g["GroupId"] for g in groups if g["GroupName"] == "lantern-ops"]
told = {"GroupId": bastion, "Description": "shell from the bastion"}
ec2.authorize_security_group_ingress(
    GroupId=group["GroupId"], IpPermissions=[{**shell, "UserIdGroupPairs": [told]}]
)
after = ec2.describe_security_groups()["SecurityGroups"]
rules = sorted(
    (g["GroupName"], p.get("FromPort", 0), json.dumps(p["UserIdGroupPairs"], sort_keys=True))
    for g in after
    for p in g["IpPermissions"]
)
"""
TELL = 'print(json.dumps(rules))\nPath("out/result.json").write_text(json.dumps({"facts": {}}))\n'
ACTIONS = ["DescribeSecurityGroups", "RevokeSecurityGroupIngress", "AuthorizeSecurityGroupIngress"]
WORLD = ("--aws", "simulated:shop-502", "--kind", "change")


def change(folder: Path, verdict: int) -> list[str | Path]:
    """Return the arguments of a change whose post-check ends with `verdict`."""
    scripts = {
        "revoke.py": LOOK + REVOKE + TELL,
        "restore.py": LOOK + RESTORE + TELL,
        "look.py": LOOK + TELL + f"sys.exit({verdict})\n",
    }
    for name, text in scripts.items():
        (folder / name).write_text(f"{text}# {secrets.token_hex(8)}\n")
    statement = {"Effect": "Allow", "Action": [f"ec2:{one}" for one in ACTIONS], "Resource": "*"}
    policy = folder / "policy.json"
    policy.write_text(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    later = ("--rollback", folder / "restore.py", "--post-check", folder / "look.py")
    return [folder / "revoke.py", "--policy", policy, *later, *WORLD]


def approving(countersign: Any, given: list[str | Path]) -> list[str]:
    """Return the flags that approve every purpose of a change, as `check` prints the digests."""
    checked = json.loads(countersign("check", *given, "--json").out)
    assert set(checked["digests"]) == {"run", "post-check", "roll back"}
    flags = [each for one in checked["digests"].values() for each in ("--approve", one)]
    return [*flags, "--confirm", "lantern-prod", "--override-blockers"]


def printed(ended: Any) -> dict[str, Any]:
    """Return the rules that each run printed, by its purpose."""
    purposes = {one["run"]: one["purpose"] for one in ended.of("run.started")}
    told: dict[str, str] = {}
    for one in ended.of("run.output"):
        told[purposes[one["run"]]] = told.get(purposes[one["run"]], "") + one["text"]
    return {purpose: json.loads(text) for purpose, text in told.items()}


def test_a_change_that_did_not_work_is_taken_back(countersign: Any, tmp_path: Path) -> None:
    """The post-check says no, the roll back runs as its own run, and the world is as before."""
    given = change(tmp_path, verdict=1)

    ended = countersign("run", *given, *approving(countersign, given), "--ui", "json")

    rules = printed(ended)
    assert ended.code == 1, ended.err
    assert list(rules) == ["run", "post-check", "roll back"]
    assert len(rules["post-check"]) == len(rules["run"]) - 1
    assert rules["roll back"] == rules["run"]
    (card,) = ended.of("evidence.added")
    assert card["after"] == [
        "post-check: X2 failed: its script ended with exit code 1",
        "roll back: X3 succeeded",
    ]
    assert ended.facts[-1]["reason"] == "; ".join(card["after"])


@pytest.mark.parametrize("approved", [True, False])
def test_a_change_that_worked_stays(countersign: Any, tmp_path: Path, approved: bool) -> None:
    """Where the post-check agrees nothing is taken back; without its approval it is asked for."""
    given = change(tmp_path, verdict=0)
    flags = approving(countersign, given)

    some = flags if approved else [flags[0], flags[1], *flags[6:]]
    ended = countersign("run", *given, *some, "--ui", "json")

    assert ended.code == (0 if approved else 3), ended.err
    assert [one["purpose"] for one in ended.of("decision.requested")] == ["run", "post-check"]
    assert len(ended.of("run.started")) == (2 if approved else 1)
