# Origin: awsdocs/aws-doc-sdk-examples, python/example_code/s3/s3_basics/bucket_wrapper.py
# (Apache-2.0); what it does, written anew.
"""What lies in a bucket, by resources."""

import boto3
from botocore.exceptions import ClientError


class Bucket:
    """One bucket with what may be asked of it."""

    def __init__(self, bucket):
        self.bucket = bucket

    def objects(self, prefix):
        return list(self.bucket.objects.filter(Prefix=prefix))

    def rules(self):
        try:
            return self.bucket.Lifecycle().rules
        except ClientError as error:
            print(error.response["Error"]["Code"])
            return []


s3 = boto3.resource("s3")
logs = Bucket(s3.Bucket("shop-logs"))
total = 0
for each in logs.objects("web/"):
    total += each.size
    print(each.key, each.size, each.last_modified)
for rule in logs.rules():
    print(rule["Status"], rule.get("Prefix"))
print(total)
