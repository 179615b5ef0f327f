"""A change is on record before it is made: from the approval to the simulated account."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

CHANGES = """\
import boto3
from botocore.exceptions import ClientError
client = boto3.client("cloudwatch")
for name in ("one", "two"):
    try:
        client.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="a drill")
    except ClientError as error:
        print(error.response["Error"]["Code"])
client.describe_alarms()
"""
WORLD = ("--aws", "simulated:shop-502")


def test_each_change_has_its_intent_on_record_first(countersign: Any, tmp_path: Path) -> None:
    """Guided mode, approved with the account's alias: two changes, two intents, each before."""
    script = tmp_path / "changes.py"
    script.write_text(CHANGES)
    statement = {
        "Effect": "Allow",
        "Action": ["cloudwatch:SetAlarmState", "cloudwatch:DescribeAlarms"],
        "Resource": "*",
    }
    policy = tmp_path / "policy.json"
    policy.write_text(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
    given = (script, "--policy", policy, *WORLD)
    checked = json.loads(countersign("check", *given, "--json").out)
    approval = ("--approve", checked["digest"], "--confirm", "lantern-prod")

    ended = countersign("run", *given, *approval, "--ui", "json")

    assert ended.code == 0
    calls = [fact for fact in ended.facts if fact["kind"].startswith("aws.")]
    told = [(fact["kind"], fact["operation"], fact["number"]) for fact in calls]
    assert told == [
        ("aws.intended", "SetAlarmState", 1),
        ("aws.called", "SetAlarmState", 1),
        ("aws.intended", "SetAlarmState", 2),
        ("aws.called", "SetAlarmState", 2),
        ("aws.called", "DescribeAlarms", 3),
    ]
    assert calls[0]["parameters"] == calls[1]["parameters"]
    assert {fact["principal"] for fact in calls} == {"operator"}
    assert countersign("verify", countersign.sessions()[-1]).code == 0
