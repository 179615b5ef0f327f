# Origin: ours.
"""Why a stack is stuck: its failed events and what drifted."""

import boto3

cloudformation = boto3.client("cloudformation")
stack = cloudformation.describe_stacks(StackName="shop")["Stacks"][0]
print(stack["StackStatus"], stack.get("StackStatusReason"))
outputs = {each["OutputKey"]: each["OutputValue"] for each in stack.get("Outputs", [])}
print(outputs)
pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName="shop")
for event in (one for page in pages for one in page["StackEvents"]):
    if event["ResourceStatus"].endswith("FAILED"):
        print(event["Timestamp"], event["LogicalResourceId"], event["ResourceStatusReason"])
resources = cloudformation.get_paginator("list_stack_resources").paginate(StackName="shop")
for page in resources:
    for each in page["StackResourceSummaries"]:
        print(each["LogicalResourceId"], each["DriftInformation"]["StackResourceDriftStatus"])
