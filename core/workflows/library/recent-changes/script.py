"""Ask CloudTrail who changed one resource, and pick the change that fits what was found."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

Event = dict[str, Any]
Change = dict[str, Any]

BEFORE, AFTER = timedelta(days=1), timedelta(minutes=5)
MOST_EVENTS = 500

parameters = json.loads(Path("in/parameters.json").read_text())
region = parameters["region"] or parameters["regions"][0]
resource = parameters["resource"]


def window() -> dict[str, datetime]:
    """Return the time in which to look: around the onset, or as far back as CloudTrail goes."""
    if not parameters["since"]:
        return {}
    onset = datetime.fromisoformat(parameters["since"])
    return {"StartTime": onset - BEFORE, "EndTime": onset + AFTER}


def events() -> tuple[list[Event], bool]:
    """Return the changes of the resource, newest first, and whether these are all."""
    client = boto3.client("cloudtrail", region_name=region)
    pages = client.get_paginator("lookup_events").paginate(
        LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": resource}],
        PaginationConfig={"MaxItems": MOST_EVENTS},
        **window(),
    )
    found = [event for page in pages for event in page["Events"]]
    return [each for each in found if each.get("ReadOnly") != "true"], len(found) < MOST_EVENTS


def describe(event: Event) -> Change:
    """Return who changed what, when and from where, as CloudTrail recorded it."""
    record = json.loads(event["CloudTrailEvent"])
    identity = record.get("userIdentity", {})
    when = event["EventTime"].astimezone(UTC)
    return {
        "change": event["EventName"],
        "who": identity.get("arn") or event.get("Username", ""),
        "when": when.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "agent": record.get("userAgent", ""),
        "address": record.get("sourceIPAddress", ""),
        "event_id": event["EventId"],
        "parameters": record.get("requestParameters"),
        "failed": record.get("errorCode", ""),
    }


def leaves(value: Any) -> set[str]:
    """Return every single value in a change's parameters, as texts."""
    if isinstance(value, dict):
        return set().union(*map(leaves, value.values()))
    if isinstance(value, list):
        return set().union(*map(leaves, value))
    return {str(value)}


def nearness(change: Change) -> int:
    """How many of the things that were found missing a change mentions."""
    return len(leaves(change["parameters"]) & set(mentions))


events_wanted, mentions = parameters["events"].split(), parameters["mentions"].split()
result = {"facts": {"resource": resource}, "tables": {}, "coverage": [], "errors": []}
try:
    found, complete = events()
    changes = [each for each in map(describe, found) if not each["failed"]]
    fitting = [each for each in changes if not events_wanted or each["change"] in events_wanted]
    best = max(fitting, key=nearness, default=None)
    result["facts"]["changes"] = len(changes)
    if best and (nearness(best) or not mentions or len(fitting) == 1):
        kept = ("change", "who", "when", "agent", "address", "event_id")
        result["facts"].update({name: best[name] for name in kept})
    result["tables"]["changes"] = {
        "columns": ["when", "change", "who"],
        "rows": [[each["when"], each["change"], each["who"]] for each in changes],
    }
    named = "change" in result["facts"]
    result["coverage"].append(
        {
            "what": f"CloudTrail's events on {resource}",
            "complete": complete and named,
            "note": "" if named else "none of them is the change that was looked for",
        }
    )
    for each in changes:
        print(f"{each['when']}  {each['change']}  {each['who']}")
except ClientError as error:
    said = error.response["Error"]
    where = f"cloudtrail:{error.operation_name} was refused with {said['Code']}"
    result["errors"].append(f"{where}: who changed {resource}, and when, is not known")
    print(where)
Path("out/result.json").write_text(json.dumps(result))
