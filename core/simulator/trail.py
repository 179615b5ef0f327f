"""cloudtrail:LookupEvents over the events of a world file.

Ninety days back, newest first, at most one attribute, fifty events a page: as AWS does it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from core.canonical import digest_of
from core.simulator.listings import page, refuse_unknown
from core.simulator.refusals import AwsError, NotSimulated
from core.simulator.seed import Names
from core.simulator.world import TrailEvent, World

_DAYS = 90
_PAGE = 50
_KNOWN = {"LookupAttributes", "StartTime", "EndTime", "MaxResults", "NextToken"}

Json = Mapping[str, Any]


def events_of(world: World, names: Names, region: str) -> list[dict[str, Any]]:
    """Return every event of a region as LookupEvents gives it, newest first."""
    made = [
        _event(world, names, number, event)
        for number, event in enumerate(world.events)
        if event.region == region
    ]
    recent = [each for each in made if each["EventTime"] > world.now - timedelta(days=_DAYS)]
    return sorted(recent, key=lambda each: each["EventTime"], reverse=True)


def lookup(events: list[dict[str, Any]], parameters: Json) -> dict[str, Any]:
    """Return the answer to LookupEvents; raises AwsError, NotSimulated."""
    refuse_unknown(parameters, _KNOWN)
    attributes = parameters.get("LookupAttributes", [])
    if len(attributes) > 1:
        raise AwsError("InvalidLookupAttributesException", "at most one lookup attribute")
    if not 1 <= parameters.get("MaxResults", _PAGE) <= _PAGE:
        raise AwsError("InvalidMaxResultsException", f"MaxResults is between 1 and {_PAGE}")
    start, end = _aware(parameters.get("StartTime")), _aware(parameters.get("EndTime"))
    if start and end and start > end:
        raise AwsError("InvalidTimeRangeException", "StartTime is after EndTime")
    found = [
        each
        for each in events
        if (start is None or each["EventTime"] >= start)
        and (end is None or each["EventTime"] <= end)
        and all(_has(each, attribute) for attribute in attributes)
    ]
    return page("Events", found, parameters, size=_PAGE)


def _event(world: World, names: Names, number: int, event: TrailEvent) -> dict[str, Any]:
    identity = _identity(world, event)
    event_id = str(UUID(digest_of([world.seed, number])[:32]))
    when = world.at(event.at)
    record = {
        "eventVersion": "1.11",
        "userIdentity": identity,
        "eventTime": f"{when:%Y-%m-%dT%H:%M:%SZ}",
        "eventSource": event.source,
        "eventName": event.name,
        "awsRegion": event.region,
        "sourceIPAddress": event.source_ip,
        "userAgent": event.agent,
        "requestParameters": names.fill(event.request) or None,
        "responseElements": None if event.read_only else {"_return": True},
        "eventID": event_id,
        "readOnly": event.read_only,
        "eventType": "AwsApiCall",
        "managementEvent": True,
        "recipientAccountId": world.account.id,
        "eventCategory": "Management",
    }
    return {
        "EventId": event_id,
        "EventName": event.name,
        "ReadOnly": str(event.read_only).lower(),
        "EventTime": when,
        "EventSource": event.source,
        "Username": identity["arn"].rpartition("/")[2],
        "Resources": [
            {"ResourceType": each.type, "ResourceName": names.fill(each.name)}
            for each in event.resources
        ],
        "CloudTrailEvent": json.dumps(record, sort_keys=True),
    }


def _identity(world: World, event: TrailEvent) -> dict[str, Any]:
    who, account = world.principals[event.by], world.account
    if who.kind == "user":
        return {
            "type": "IAMUser",
            "arn": f"arn:{account.partition}:iam::{account.id}:user/{event.by}",
            "accountId": account.id,
            "userName": event.by,
        }
    session = who.session or "session"
    role = f"arn:{account.partition}:iam::{account.id}:role/{event.by}"
    return {
        "type": "AssumedRole",
        "arn": f"arn:{account.partition}:sts::{account.id}:assumed-role/{event.by}/{session}",
        "accountId": account.id,
        "sessionContext": {
            "sessionIssuer": {
                "type": "Role",
                "arn": role,
                "accountId": account.id,
                "userName": event.by,
            }
        },
    }


def _has(event: Json, attribute: Json) -> bool:
    key, value = attribute["AttributeKey"], attribute["AttributeValue"]
    if key in ("EventId", "EventName", "EventSource", "Username", "ReadOnly"):
        return bool(event[key] == value)
    if key in ("ResourceName", "ResourceType"):
        return any(each[key] == value for each in event["Resources"])
    raise NotSimulated(f"looking up events by {key}")


def _aware(value: datetime | None) -> datetime | None:
    return value.replace(tzinfo=UTC) if value and value.tzinfo is None else value
