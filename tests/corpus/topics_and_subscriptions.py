# Origin: awsdocs/aws-doc-sdk-examples, python/example_code/sns/sns_basics.py (Apache-2.0);
# what it does, written anew.
"""Who is told when an alarm fires: topics with their subscriptions, by resources."""

import boto3

sns = boto3.resource("sns")
for topic in sns.topics.all():
    name = topic.arn.rsplit(":", 1)[-1]
    print(name, topic.attributes["SubscriptionsConfirmed"])
    for subscription in topic.subscriptions.all():
        print("  ", subscription.attributes.get("Protocol"), subscription.arn)
