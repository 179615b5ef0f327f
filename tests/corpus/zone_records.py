# Origin: ours.
"""Where a name points to, and whether its health check passes."""

import boto3

route53 = boto3.client("route53")
zones = route53.list_hosted_zones_by_name(DNSName="shop.example", MaxItems="1")["HostedZones"]
for zone in zones:
    pages = route53.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone["Id"])
    for record in (one for page in pages for one in page["ResourceRecordSets"]):
        values = [value["Value"] for value in record.get("ResourceRecords", [])]
        alias = record.get("AliasTarget", {}).get("DNSName")
        print(record["Name"], record["Type"], record.get("TTL"), values or alias)
        if "HealthCheckId" in record:
            status = route53.get_health_check_status(HealthCheckId=record["HealthCheckId"])
            for seen in status["HealthCheckObservations"]:
                print("  ", seen["Region"], seen["StatusReport"]["Status"])
