# Origin: awsdocs/aws-doc-sdk-examples, python/example_code/auto-scaling/action_wrapper.py
# (Apache-2.0); what it does, written anew.
"""What one Auto Scaling group wants, has, and did last."""

import boto3
from botocore.exceptions import ClientError


class Groups:
    """The calls about Auto Scaling groups."""

    def __init__(self, client):
        self.client = client

    def describe(self, name):
        found = self.client.describe_auto_scaling_groups(AutoScalingGroupNames=[name])
        groups = found.get("AutoScalingGroups", [])
        return groups[0] if groups else None

    def activities(self, name):
        pages = self.client.get_paginator("describe_scaling_activities").paginate(
            AutoScalingGroupName=name
        )
        return [activity for page in pages for activity in page["Activities"]]


groups = Groups(boto3.client("autoscaling"))
try:
    group = groups.describe("shop-web")
    if group:
        print(group["DesiredCapacity"], len(group["Instances"]), group["MaxSize"])
        for instance in group["Instances"]:
            print(instance["InstanceId"], instance["LifecycleState"], instance["HealthStatus"])
        for activity in groups.activities("shop-web"):
            print(activity["StartTime"], activity["StatusCode"], activity.get("Cause", ""))
except ClientError as error:
    print(error.response["Error"]["Code"])
