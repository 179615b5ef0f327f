# Origin: ours.
"""What each service cost on the last days."""

from collections import defaultdict
from datetime import date, timedelta

import boto3

ce = boto3.client("ce", region_name="us-east-1")
end = date.today()
start = end - timedelta(days=7)
asked = {
    "TimePeriod": {"Start": start.isoformat(), "End": end.isoformat()},
    "Granularity": "DAILY",
    "Metrics": ["UnblendedCost"],
    "GroupBy": [{"Type": "DIMENSION", "Key": "SERVICE"}],
}
costs = defaultdict(float)
while True:
    answer = ce.get_cost_and_usage(**asked)
    for day in answer["ResultsByTime"]:
        for group in day["Groups"]:
            costs[group["Keys"][0]] += float(group["Metrics"]["UnblendedCost"]["Amount"])
    token = answer.get("NextPageToken")
    if token is None:
        break
    asked["NextPageToken"] = token
for name, amount in sorted(costs.items(), key=lambda pair: -pair[1]):
    print(f"{amount:10.2f} {name}")
