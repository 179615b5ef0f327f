# Origin: awsdocs/aws-doc-sdk-examples, python/example_code/rds/instance_wrapper.py (Apache-2.0);
# what it does, written anew.
"""How a database is set up, what happened to it, and its snapshots."""

import boto3
from botocore.exceptions import ClientError

rds = boto3.client("rds")


def instance(identity):
    """Return one database, or None where there is none."""
    try:
        found = rds.describe_db_instances(DBInstanceIdentifier=identity)
    except ClientError as error:
        if error.response["Error"]["Code"] == "DBInstanceNotFound":
            return None
        raise
    return found["DBInstances"][0]


orders = instance("orders")
if orders:
    print(orders["DBInstanceStatus"], orders["AllocatedStorage"], orders["MultiAZ"])
    print(orders.get("Endpoint", {}).get("Address"), orders["Engine"])
    for group in orders["DBParameterGroups"]:
        print(group["DBParameterGroupName"], group["ParameterApplyStatus"])
events = rds.get_paginator("describe_events").paginate(
    SourceIdentifier="orders", SourceType="db-instance", Duration=1440
)
for page in events:
    for event in page["Events"]:
        print(event["Date"], event["Message"])
for page in rds.get_paginator("describe_db_snapshots").paginate(DBInstanceIdentifier="orders"):
    for snapshot in page["DBSnapshots"]:
        print(snapshot["DBSnapshotIdentifier"], snapshot["Status"])
