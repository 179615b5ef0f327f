# Origin: ours.
"""How deep each queue is, and how old its oldest message."""

import boto3

sqs = boto3.client("sqs")
NAMES = ["ApproximateNumberOfMessages", "RedrivePolicy"]
for page in sqs.get_paginator("list_queues").paginate(QueueNamePrefix="orders"):
    for url in page.get("QueueUrls", []):
        found = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=NAMES)
        values = found.get("Attributes", {})
        print(url, values.get("ApproximateNumberOfMessages"), values.get("RedrivePolicy"))
