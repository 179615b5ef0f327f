# Origin: ours.
"""Nodes of the cache with their parameter group and their events."""

import boto3

cache = boto3.client("elasticache")
groups = cache.describe_replication_groups(ReplicationGroupId="carts")["ReplicationGroups"]
for group in groups:
    print(group["Status"], group["AutomaticFailover"])
    for part in group["NodeGroups"]:
        members = part.get("NodeGroupMembers", [])
        print(part["NodeGroupId"], [member["CacheClusterId"] for member in members])
events = cache.get_paginator("describe_events").paginate(
    SourceType="replication-group", SourceIdentifier="carts", Duration=720
)
for page in events:
    for event in page["Events"]:
        print(event["Date"], event["Message"])
