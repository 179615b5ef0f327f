"""`countersign check` on its own: worth using by anybody who writes boto3 scripts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

RECORDED = ("--aws", "recorded:checkout-503")
GOOD = '''\
"""Count the virtual networks."""

import boto3
from botocore.exceptions import ClientError

try:
    ec2 = boto3.client("ec2", region_name="eu-west-1")
    print(sum(len(page["Vpcs"]) for page in ec2.get_paginator("describe_vpcs").paginate()))
except ClientError as error:
    print(error)
'''
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "ec2:DescribeVpcs", "Resource": "*"}],
}
LINE = "READ-ONLY · 1 operation · 1 service · 1 region · 0 blockers · 0 warnings · policy exact"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """Return a good script with the policy that it needs."""
    (tmp_path / "policy.json").write_text(json.dumps(POLICY))
    file = tmp_path / "count.py"
    file.write_text(GOOD)
    return file


def given(script: Path) -> tuple[Any, ...]:
    """Return the arguments that every check of it has."""
    return ("check", script, "--policy", script.with_name("policy.json"), *RECORDED)


def test_a_good_script_in_one_line(countersign: Any, script: Path) -> None:
    """The line comes first, the exit code is 0, and the script has not changed by a byte."""
    ended = countersign(*given(script))

    assert (ended.code, ended.err) == (0, "")
    assert ended.out.splitlines()[0] == LINE
    assert script.read_text() == GOOD
    assert json.loads(countersign(*given(script), "--json").out)["summary"] == LINE


def test_a_blocker_is_exit_code_1_and_compared(countersign: Any, script: Path) -> None:
    """What came since an earlier version is told with the lines that brought it."""
    earlier = script.with_name("earlier.py")
    earlier.write_text(GOOD)
    script.write_text(f"{GOOD}eval('1')\n")
    ended = countersign(*given(script), "--diff", earlier)
    told = json.loads(countersign(*given(script), "--diff", earlier, "--json").out)["diff"]

    assert ended.code == 1
    lines = ended.out.splitlines()
    assert "+eval('1')" in lines
    assert any(line.startswith("came: blocker: eval") for line in lines)
    assert {each["rule"] for each in told["came"]} >= {"dynamic", "B307"}
    assert told["went"] == []


def test_settings_decide_what_is_checked(countersign: Any, script: Path) -> None:
    """A gate of one's own speaks, what is left out does not, and the review says so."""
    gate = {"name": "no-vpcs", "severity": "blocker", "message": "not these", "pattern": "vpcs"}
    config = script.with_name("config.yaml")
    config.write_text(json.dumps({"checks": {"gates": [gate], "left_out": ["quality"]}}))
    ended = countersign(*given(script), "--config", config, "--json")

    found = {(one["source"], one["rule"]) for one in json.loads(ended.out)["findings"]}
    assert ended.code == 1
    assert found == {("gates", "no-vpcs"), ("review", "left-out")}


def test_a_bad_gate_is_a_usage_error(countersign: Any, script: Path) -> None:
    """The first mistake ends the command with exit code 2 and the path of the key."""
    config = script.with_name("config.yaml")
    config.write_text(json.dumps({"checks": {"gates": [{"name": "x"}]}}))
    ended = countersign(*given(script), "--config", config)

    assert ended.code == 2
    assert "config.yaml: checks.gates[0].severity: " in ended.err


def test_what_the_settings_never_allow_in_an_account_blocks(
    countersign: Any, script: Path, tmp_path: Path
) -> None:
    """Above the account's ceiling an action blocks; above that of the mode it is a warning."""
    changes = json.loads(json.dumps(POLICY).replace("DescribeVpcs", "DeleteVpc"))
    script.with_name("policy.json").write_text(json.dumps(changes))
    file = tmp_path / "config.yaml"

    def told(*flags: str) -> tuple[int, list[str]]:
        ended = countersign(*given(script), "--json", "--config", file, *flags)
        findings = json.loads(ended.out)["findings"]
        return ended.code, [one["severity"] for one in findings if one["rule"] == "ceiling"]

    file.write_text("mode: guided\n")
    assert told() == (0, [])
    assert told("--mode", "automated") == (0, ["warning"])
    file.write_text("accounts: {shop-prod: {ceiling: 2}}\n")
    assert told() == (1, ["blocker"])
