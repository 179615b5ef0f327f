# Origin: awsdocs/aws-doc-sdk-examples, python/example_code/sqs/message_wrapper.py (Apache-2.0);
# what it does, written anew.
"""Look at the messages of a dead-letter queue and say how many wait."""

import boto3

sqs = boto3.resource("sqs")
queue = sqs.get_queue_by_name(QueueName="orders-dead")
print(queue.attributes["ApproximateNumberOfMessages"])
received = queue.receive_messages(
    MessageAttributeNames=["All"], MaxNumberOfMessages=10, WaitTimeSeconds=5, VisibilityTimeout=1
)
for message in received:
    print(message.message_id, message.body[:80])
for source in queue.dead_letter_source_queues.all():
    print(source.url)
