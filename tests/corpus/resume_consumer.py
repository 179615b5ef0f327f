# Origin: ours.
"""Enable the mapping that feeds the function again, and publish a note."""

import boto3

functions, sns = (boto3.client(name, region_name="us-east-1") for name in ("lambda", "sns"))
answer = functions.update_event_source_mapping(
    UUID="14e0db71-0000-4000-8000-000000000000", Enabled=True, BatchSize=5
)
print(answer["State"], answer.get("LastProcessingResult"))
note = sns.publish(
    TopicArn="arn:aws:sns:us-east-1:123456789012:on-call", Subject="resumed", Message="by hand"
)
print(note["MessageId"])
