# Origin: ours.
"""Changes of one security group, from the trail."""

import json

import boto3

trail = boto3.client("cloudtrail")
pages = trail.get_paginator("lookup_events").paginate(
    LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": "sg-0a1b2c3d"}],
    PaginationConfig={"MaxItems": 200},
)
events = [event for page in pages for event in page["Events"]]
for event in sorted(events, key=lambda one: one["EventTime"], reverse=True):
    if event.get("ReadOnly") == "true":
        continue
    record = json.loads(event["CloudTrailEvent"])
    print(event["EventTime"], event["EventName"], record["userIdentity"].get("arn"))
