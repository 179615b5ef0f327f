"""List the metric alarms of each region and pick the firing one nearest to the question."""

import json
import re
from datetime import UTC
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

Alarm = dict[str, Any]


def words(text: str) -> set[str]:
    """Return the words and numbers of a text, lower case."""
    return set(re.findall(r"[a-z0-9]+", text.lower()))


def alarms_in(region: str) -> list[Alarm]:
    """Return the metric alarms of a region, none and an error on record where AWS refuses."""
    client = boto3.client("cloudwatch", region_name=region)
    pages = client.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"])
    try:
        found = [{**alarm, "Region": region} for page in pages for alarm in page["MetricAlarms"]]
    except ClientError as error:
        code = error.response["Error"]["Code"]
        errors.append(f"cloudwatch:DescribeAlarms was refused in {region} with {code}")
        return []
    coverage.append({"what": f"metric alarms in {region}", "complete": True})
    return found


def describe(alarm: Alarm) -> dict[str, Any]:
    """Return what is worth telling of an alarm, with the resource that it watches."""
    dimensions = {each["Name"]: each["Value"] for each in alarm.get("Dimensions", [])}
    since = alarm["StateUpdatedTimestamp"].astimezone(UTC)
    return {
        "alarm": alarm["AlarmName"],
        "region": alarm["Region"],
        "metric": f"{alarm.get('Namespace', '')}/{alarm.get('MetricName', '')}",
        "since": since.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "reason": alarm.get("StateReason", ""),
        "target_group": dimensions.get("TargetGroup"),
        "load_balancer": dimensions.get("LoadBalancer"),
    }


def nearness(alarm: Alarm) -> tuple[int, bool, str]:
    """Most words in common with the question first, then those that name a resource behind it."""
    described = describe(alarm)
    said = words(alarm["AlarmName"]) | words(alarm.get("AlarmDescription", ""))
    leads_on = bool(described["target_group"] or described["load_balancer"])
    return -len(asked & said), not leads_on, alarm["AlarmName"]


parameters = json.loads(Path("in/parameters.json").read_text())
asked = words(parameters["question"])
coverage: list[dict[str, Any]] = []
errors: list[str] = []
alarms = [alarm for region in parameters["regions"] for alarm in alarms_in(region)]
firing = sorted((each for each in alarms if each["StateValue"] == "ALARM"), key=nearness)

facts = {"alarms": len(alarms), "firing": len(firing)} if coverage else {}
if firing:
    facts.update(describe(firing[0]))
result = {
    "facts": facts,
    "tables": {
        "firing alarms": {
            "columns": ["alarm", "region", "since"],
            "rows": [
                [each["alarm"], each["region"], each["since"]] for each in map(describe, firing)
            ],
        }
    },
    "coverage": coverage,
    "errors": errors,
}
Path("out/result.json").write_text(json.dumps(result))
if coverage:
    print(f"{len(firing)} of {len(alarms)} alarms fire")
for each in map(describe, firing):
    print(f"  {each['alarm']} in {each['region']} since {each['since']}")
for error in errors:
    print(f"  {error}")
