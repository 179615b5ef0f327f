# Origin: ours.
"""Failed executions of a state machine with the step that failed."""

import boto3

MACHINE = "arn:aws:states:eu-west-1:123456789012:stateMachine:orders"
states = boto3.client("stepfunctions", region_name="eu-west-1")


def failed():
    pages = states.get_paginator("list_executions").paginate(
        stateMachineArn=MACHINE, statusFilter="FAILED", PaginationConfig={"MaxItems": 20}
    )
    for page in pages:
        yield from page["executions"]


for execution in failed():
    history = states.get_execution_history(
        executionArn=execution["executionArn"], reverseOrder=True, maxResults=5
    )
    for event in history["events"]:
        details = event.get("executionFailedEventDetails")
        if details:
            print(execution["name"], details.get("error"), details.get("cause"))
