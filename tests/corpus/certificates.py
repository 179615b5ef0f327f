# Origin: ours.
"""Certificates that run out within a month, in several regions at once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import boto3

REGIONS = ("us-east-1", "eu-west-1", "ap-southeast-2")


def expiring(region):
    """Return the certificates of a region that end soon."""
    acm = boto3.client("acm", region_name=region)
    soon, found = datetime.now(UTC) + timedelta(days=30), []
    for page in acm.get_paginator("list_certificates").paginate(CertificateStatuses=["ISSUED"]):
        for each in page["CertificateSummaryList"]:
            certificate = acm.describe_certificate(CertificateArn=each["CertificateArn"])
            details = certificate["Certificate"]
            if details["NotAfter"] < soon:
                found.append((region, details["DomainName"], details["RenewalEligibility"]))
    return found


with ThreadPoolExecutor(len(REGIONS)) as pool:
    for rows in pool.map(expiring, REGIONS):
        for row in rows:
            print(*row)
