# Origin: ours.
"""Copy the objects of an incident to where they are kept, with a list of them."""

import json

import boto3

SOURCE, KEPT, PREFIX = "shop-logs", "shop-evidence", "incident/42/"
s3 = boto3.client("s3")
names = []
for page in s3.get_paginator("list_objects_v2").paginate(Bucket=SOURCE, Prefix=PREFIX):
    for each in page.get("Contents", []):
        target = f"kept/{each['Key']}"
        s3.copy_object(Bucket=KEPT, Key=target, CopySource={"Bucket": SOURCE, "Key": each["Key"]})
        names.append({"key": each["Key"], "etag": each["ETag"]})
body = json.dumps(names).encode()
s3.put_object(Bucket=KEPT, Key="kept/list.json", Body=body, ServerSideEncryption="aws:kms")
