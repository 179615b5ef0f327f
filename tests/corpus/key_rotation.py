# Origin: ours.
"""Keys that are disabled or are about to be deleted."""

from dataclasses import dataclass
from typing import Any

import boto3


@dataclass
class Keys:
    """The keys of one region."""

    kms: Any
    region: str

    def all(self):
        for page in self.kms.get_paginator("list_keys").paginate():
            for key in page["Keys"]:
                yield self.kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]

    def trouble(self):
        return [key for key in self.all() if key["KeyState"] != "Enabled"]


for region in ["us-east-1", "eu-central-1"]:
    keys = Keys(boto3.client("kms", region_name=region), region)
    for key in keys.trouble():
        print(region, key["KeyId"], key["KeyState"], key.get("DeletionDate"))
