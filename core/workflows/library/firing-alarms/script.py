"""List the metric alarms of each region and pick the firing one nearest to the question."""

import json
import re
from datetime import UTC
from pathlib import Path

import boto3


def words(text):
    return set(re.findall(r"[a-z0-9]+", text.lower()))


def alarms_in(region):
    client = boto3.client("cloudwatch", region_name=region)
    pages = client.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"])
    return [{**alarm, "Region": region} for page in pages for alarm in page["MetricAlarms"]]


def describe(alarm):
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


def nearness(alarm):
    """Most words in common with the question first, then those that name a resource behind it."""
    described = describe(alarm)
    said = words(alarm["AlarmName"]) | words(alarm.get("AlarmDescription", ""))
    leads_on = bool(described["target_group"] or described["load_balancer"])
    return -len(asked & said), not leads_on, alarm["AlarmName"]


parameters = json.loads(Path("in/parameters.json").read_text())
asked = words(parameters["question"])
alarms = [alarm for region in parameters["regions"] for alarm in alarms_in(region)]
firing = sorted((each for each in alarms if each["StateValue"] == "ALARM"), key=nearness)

facts = {"alarms": len(alarms), "firing": len(firing)}
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
    "coverage": [
        {"what": f"metric alarms in {region}", "complete": True} for region in parameters["regions"]
    ],
}
Path("out/result.json").write_text(json.dumps(result))
print(f"{len(firing)} of {len(alarms)} alarms fire")
for alarm in map(describe, firing):
    print(f"  {alarm['alarm']} in {alarm['region']} since {alarm['since']}")
