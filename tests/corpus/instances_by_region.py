# Origin: ours.
"""Stopped instances in every region that is asked for."""

import json
from pathlib import Path

import boto3

parameters = json.loads(Path("in/parameters.json").read_text())


def stopped(region):
    ec2 = boto3.client("ec2", region_name=region)
    pages = ec2.get_paginator("describe_instances").paginate(
        Filters=[{"Name": "instance-state-name", "Values": ["stopped"]}]
    )
    for page in pages:
        for reservation in page["Reservations"]:
            for instance in reservation["Instances"]:
                yield {**instance, "Region": region}


rows = []
for region in parameters["regions"]:
    for instance in stopped(region):
        tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}
        rows.append(
            [
                instance["InstanceId"],
                instance["Region"],
                tags.get("Name", ""),
                instance["StateReason"]["Message"],
            ]
        )
rows.sort(key=lambda row: row[1])
table = {"columns": ["instance", "region", "name", "why"], "rows": rows}
Path("out/result.json").write_text(json.dumps({"facts": {}, "tables": {"stopped": table}}))
