# Origin: ours.
"""Findings of the last image scans, the worst first."""

import boto3

ORDER = ["CRITICAL", "HIGH", "MEDIUM", "LOW"]
ecr = boto3.client("ecr")
images = ecr.get_paginator("describe_images").paginate(repositoryName="shop")
details = [image for page in images for image in page["imageDetails"]]
newest = max(details, key=lambda image: image["imagePushedAt"])
print(newest["imageDigest"], newest.get("imageTags", []))
scans = ecr.get_paginator("describe_image_scan_findings").paginate(
    repositoryName="shop", imageId={"imageDigest": newest["imageDigest"]}
)
findings = []
for page in scans:
    findings += page["imageScanFindings"].get("findings", [])
findings.sort(key=lambda one: ORDER.index(one["severity"]) if one["severity"] in ORDER else 9)
for finding in findings[:20]:
    print(finding["severity"], finding["name"], finding.get("uri"))
