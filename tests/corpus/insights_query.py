# Origin: ours.
"""Count errors by minute with Logs Insights."""

import time

import boto3

QUERY = "filter @message like /ERROR/ | stats count(*) by bin(1m)"
logs = boto3.client("logs")
now = int(time.time())
started = logs.start_query(
    logGroupNames=["/ecs/shop", "/ecs/cart"],
    startTime=now - 3600,
    endTime=now,
    queryString=QUERY,
    limit=1000,
)
for _ in range(60):
    found = logs.get_query_results(queryId=started["queryId"])
    if found["status"] not in ("Scheduled", "Running"):
        break
    time.sleep(1)
print(found["status"], found["statistics"]["bytesScanned"])
for row in found["results"]:
    print({cell["field"]: cell["value"] for cell in row})
