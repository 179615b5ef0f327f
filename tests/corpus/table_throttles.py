# Origin: ours.
"""Is a table throttled: its capacity, its alarms' metric, and its scaling limits."""

from datetime import UTC, datetime, timedelta

import boto3

TABLE = "orders"
session = boto3.Session()
dynamodb = session.client("dynamodb")
cloudwatch = session.client("cloudwatch")
scaling = session.client("application-autoscaling")

table = dynamodb.describe_table(TableName=TABLE)["Table"]
print(table["TableStatus"], table["ProvisionedThroughput"]["WriteCapacityUnits"])
end = datetime.now(UTC)
query = {
    "Id": "throttles",
    "MetricStat": {
        "Metric": {
            "Namespace": "AWS/DynamoDB",
            "MetricName": "WriteThrottleEvents",
            "Dimensions": [{"Name": "TableName", "Value": TABLE}],
        },
        "Period": 60,
        "Stat": "Sum",
    },
}
pages = cloudwatch.get_paginator("get_metric_data").paginate(
    MetricDataQueries=[query], StartTime=end - timedelta(hours=3), EndTime=end
)
for page in pages:
    for result in page["MetricDataResults"]:
        print(result["Id"], sum(result["Values"]))
targets = scaling.get_paginator("describe_scalable_targets").paginate(
    ServiceNamespace="dynamodb", ResourceIds=[f"table/{TABLE}"]
)
for target in [one for page in targets for one in page["ScalableTargets"]]:
    print(target["ScalableDimension"], target["MinCapacity"], target["MaxCapacity"])
