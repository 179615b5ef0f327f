# Origin: awsdocs/aws-doc-sdk-examples, python/example_code/iam/iam_basics/account_wrapper.py
# (Apache-2.0); what it does, written anew.
"""Who has keys, and how old they are."""

from datetime import UTC, datetime, timedelta

import boto3

iam = boto3.client("iam")


def users():
    for page in iam.get_paginator("list_users").paginate():
        yield from page["Users"]


def keys_of(name):
    pages = iam.get_paginator("list_access_keys").paginate(UserName=name)
    return [key for page in pages for key in page["AccessKeyMetadata"]]


summary = iam.get_account_summary()["SummaryMap"]
print(summary.get("Users"), summary.get("AccountMFAEnabled"))
limit = datetime.now(UTC) - timedelta(days=90)
for user in users():
    for key in keys_of(user["UserName"]):
        if key["Status"] == "Active" and key["CreateDate"] < limit:
            used = iam.get_access_key_last_used(AccessKeyId=key["AccessKeyId"])
            print(user["Arn"], key["AccessKeyId"], used["AccessKeyLastUsed"].get("ServiceName"))
