# Origin: ours.
"""Routes and rules around one subnet."""

import boto3

ec2 = boto3.client("ec2")
SUBNET = [{"Name": "association.subnet-id", "Values": ["subnet-0123456789abcdef0"]}]


def listed(operation, key, **parameters):
    """All items of a listing."""
    found = []
    for page in ec2.get_paginator(operation).paginate(**parameters):
        found.extend(page[key])
    return found


for table in listed("describe_route_tables", "RouteTables", Filters=SUBNET):
    for route in table["Routes"]:
        print(route.get("DestinationCidrBlock"), route["State"], route.get("NatGatewayId"))
for acl in listed("describe_network_acls", "NetworkAcls", Filters=SUBNET):
    for entry in acl["Entries"]:
        print(entry["RuleNumber"], entry["RuleAction"], entry.get("CidrBlock"))
gateways = ec2.describe_nat_gateways(NatGatewayIds=["nat-0123456789abcdef0"])
for gateway in gateways["NatGateways"]:
    print(gateway["NatGatewayId"], gateway["State"], gateway.get("FailureMessage"))
