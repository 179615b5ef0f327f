# Origin: awsdocs/aws-doc-sdk-examples, python/example_code/cloudwatch/cloudwatch_basics.py
# (Apache-2.0); what it does, written anew.
"""The statistics of a metric over the last hours, and the alarms on it."""

from datetime import UTC, datetime, timedelta

import boto3

cloudwatch = boto3.client("cloudwatch")
NAMESPACE, NAME = "AWS/ApplicationELB", "HTTPCode_Target_5XX_Count"
end = datetime.now(UTC)
answer = cloudwatch.get_metric_statistics(
    Namespace=NAMESPACE,
    MetricName=NAME,
    Dimensions=[{"Name": "LoadBalancer", "Value": "app/shop/50dc6c495c0c9188"}],
    StartTime=end - timedelta(hours=6),
    EndTime=end,
    Period=300,
    Statistics=["Sum", "Maximum"],
    Unit="Count",
)
for point in sorted(answer["Datapoints"], key=lambda each: each["Timestamp"]):
    print(point["Timestamp"].isoformat(), point["Sum"], point.get("Maximum"))
for alarm in cloudwatch.describe_alarms_for_metric(Namespace=NAMESPACE, MetricName=NAME)[
    "MetricAlarms"
]:
    print(alarm["AlarmName"], alarm["StateValue"], alarm["Threshold"])
