# Origin: awsdocs/aws-doc-sdk-examples, python/example_code/s3/file_transfer/file_transfer.py
# (Apache-2.0); what it does, written anew.
"""Copy yesterday's reports into the job's folder, several parts at once."""

from pathlib import Path

import boto3
from boto3.s3.transfer import TransferConfig

MEGABYTE = 1024 * 1024
BUCKET = "shop-reports"
s3 = boto3.client("s3")
settings = TransferConfig(multipart_threshold=8 * MEGABYTE, max_concurrency=4)
pages = s3.get_paginator("list_objects_v2").paginate(Bucket=BUCKET, Prefix="daily/")
for page in pages:
    for each in page.get("Contents", []):
        name = Path(each["Key"]).name
        if each["Size"]:
            s3.download_file(BUCKET, each["Key"], f"out/{name}", Config=settings)
            print(name, each["Size"], each["LastModified"])
