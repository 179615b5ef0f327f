# Origin: ours.
"""Which targets behind a load balancer are not healthy."""

import boto3

elb = boto3.client("elbv2")


def groups_of(name):
    balancers = elb.describe_load_balancers(Names=[name])["LoadBalancers"]
    for balancer in balancers:
        pages = elb.get_paginator("describe_target_groups")
        for page in pages.paginate(LoadBalancerArn=balancer["LoadBalancerArn"]):
            yield from page["TargetGroups"]


for group in groups_of("shop"):
    health = elb.describe_target_health(TargetGroupArn=group["TargetGroupArn"])
    for each in health["TargetHealthDescriptions"]:
        state = each["TargetHealth"]
        if state["State"] != "healthy":
            print(group["TargetGroupName"], each["Target"]["Id"], state.get("Reason"))
