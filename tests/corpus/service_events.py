# Origin: ours.
"""Why tasks of a service stop: its events and its last stopped tasks."""

import boto3

CLUSTER = "shop"
ecs = boto3.client("ecs")
for service in ecs.describe_services(cluster=CLUSTER, services=["checkout"])["services"]:
    print(service["status"], service["runningCount"], service["desiredCount"])
    for event in service["events"][:10]:
        print(event["createdAt"], event["message"])
    definition = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])
    for container in definition["taskDefinition"]["containerDefinitions"]:
        print(container["name"], container.get("memory"), container["image"])
arns = []
for page in ecs.get_paginator("list_tasks").paginate(
    cluster=CLUSTER, serviceName="checkout", desiredStatus="STOPPED"
):
    arns += page["taskArns"]
for start in range(0, len(arns), 100):
    answer = ecs.describe_tasks(cluster=CLUSTER, tasks=arns[start : start + 100])
    for task in answer["tasks"]:
        codes = [one.get("exitCode") for one in task["containers"]]
        print(task["taskArn"], task.get("stoppedReason"), codes)
