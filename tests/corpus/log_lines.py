# Origin: ours.
"""Lines with an error in the logs of one service, the last hour."""

from datetime import UTC, datetime, timedelta

import boto3

logs = boto3.client("logs")
since = int((datetime.now(UTC) - timedelta(hours=1)).timestamp() * 1000)
asked = {"logGroupName": "/ecs/shop", "filterPattern": "ERROR", "startTime": since}
while True:
    page = logs.filter_log_events(**asked)
    for event in page["events"]:
        when = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
        print(when.isoformat(), event["logStreamName"], event["message"].strip())
    if not page.get("nextToken"):
        break
    asked["nextToken"] = page["nextToken"]
