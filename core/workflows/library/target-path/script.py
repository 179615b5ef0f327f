"""Follow the way of a health check from a load balancer to each target of one target group."""

import ipaddress
import json
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

Described = dict[str, Any]
"""A rule, group, instance or target group as AWS describes it."""

parameters = json.loads(Path("in/parameters.json").read_text())
region = parameters["region"] or parameters["regions"][0]
elb = boto3.client("elbv2", region_name=region)
ec2 = boto3.client("ec2", region_name=region)


def fits(rule: Described, port: int) -> bool:
    """Whether a rule speaks of TCP to this port."""
    if rule["IpProtocol"] == "-1":
        return True
    return rule["IpProtocol"] == "tcp" and rule["FromPort"] <= port <= rule["ToPort"]


def admits(rules: list[Described], port: int, peers: set[str], networks: list[Any]) -> bool:
    """Whether rules let a peer through: by one of its groups, or all its addresses by ranges."""
    rules = [rule for rule in rules if fits(rule, port)]
    if any(pair["GroupId"] in peers for rule in rules for pair in rule.get("UserIdGroupPairs", [])):
        return True
    ranges = [
        ipaddress.ip_network(each["CidrIp"]) for rule in rules for each in rule.get("IpRanges", [])
    ]
    return all(any(each.subnet_of(wide) for wide in ranges) for each in networks)


def obstacle(way: Described, instance: Described, port: int) -> tuple[str, str, str, str] | None:
    """Return what keeps a request from an instance: direction, group, peer, words; or None."""

    def named(ids: set[str]) -> str:
        found = [way["groups"][each] for each in sorted(ids)]
        return ", ".join(f"{each['GroupId']} ({each['GroupName']})" for each in found)

    groups, edge = way["groups"], way["edge"]
    own = {each["GroupId"] for each in instance["SecurityGroups"]}
    address = [ipaddress.ip_network(instance["PrivateIpAddress"])]
    into = [rule for each in own for rule in groups[each]["IpPermissions"]]
    out = [rule for each in edge for rule in groups[each]["IpPermissionsEgress"]]
    between = f"TCP {port} from load balancer {way['balancer']}"
    if not admits(into, port, edge, way["subnets"]):
        words = f"No inbound rule of {named(own)} admits {between}, {named(edge)}"
        return "Ingress", min(own), min(edge), words
    if not admits(out, port, own, address):
        words = f"No outbound rule of {named(edge)} admits {between} to {named(own)}"
        return "Egress", min(edge), min(own), words
    return None


def read_way(group: Described) -> Described:
    """Read the load balancer of a target group, its addresses, and all security groups."""
    arns = group["LoadBalancerArns"]
    balancer = elb.describe_load_balancers(LoadBalancerArns=arns)["LoadBalancers"][0]
    zones = [zone["SubnetId"] for zone in balancer["AvailabilityZones"]]
    subnets = ec2.describe_subnets(SubnetIds=zones)["Subnets"]
    pages = ec2.get_paginator("describe_security_groups").paginate()
    return {
        "balancer": balancer["LoadBalancerName"],
        "edge": set(balancer.get("SecurityGroups", [])),
        "subnets": [ipaddress.ip_network(each["CidrBlock"]) for each in subnets],
        "groups": {each["GroupId"]: each for page in pages for each in page["SecurityGroups"]},
    }


def read_targets(group: Described) -> list[tuple[Described, int]]:
    """Read the instances behind a target group, each with the port that it is asked on."""
    arn = group["TargetGroupArn"]
    health = elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
    ports = {each["Target"]["Id"]: each["Target"]["Port"] for each in health}
    pages = ec2.get_paginator("describe_instances").paginate(InstanceIds=list(ports))
    reservations = [each for page in pages for each in page["Reservations"]]
    instances = [each for reservation in reservations for each in reservation["Instances"]]
    return [(each, ports[each["InstanceId"]]) for each in instances]


def compare(
    group: Described, way: Described, targets: list[tuple[Described, int]]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return facts and table of one target group."""
    rows, seen, stopped = [], [], []
    for instance, port in targets:
        running = instance["State"]["Name"] == "running"
        found = obstacle(way, instance, port) if running else None
        rows.append([instance["InstanceId"], instance["State"]["Name"], port, bool(found)])
        seen += [(*found, port)] if found else []
        stopped += [] if running else [instance["InstanceId"]]
    facts = {
        "target_group": group["TargetGroupName"],
        "load_balancer": way["balancer"],
        "region": region,
        "targets": len(rows),
        "cut_off": len(seen),
        "stopped": len(stopped),
    }
    if seen:
        direction, facts["resource"], peer, facts["finding"], port = seen[0]
        facts["mentions"] = f"{port} {peer}"
        facts["events"] = f"RevokeSecurityGroup{direction} ModifySecurityGroupRules"
    elif stopped:
        facts["finding"] = f"{len(stopped)} of {len(rows)} instances do not run"
        facts["resource"], facts["mentions"] = stopped[0], ""
        facts["events"] = "StopInstances TerminateInstances"
    columns = ["instance", "state", "port", "cut off"]
    return facts, {"targets": {"columns": columns, "rows": rows}}


result = {"facts": {}, "tables": {}, "coverage": [], "errors": []}
try:
    pages = elb.get_paginator("describe_target_groups").paginate()
    groups = [group for page in pages for group in page["TargetGroups"]]
    wanted = [each for each in groups if each["TargetGroupName"] == parameters["target_group"]]
    if wanted and wanted[0].get("LoadBalancerArns"):
        way = read_way(wanted[0])
        result["facts"], result["tables"] = compare(wanted[0], way, read_targets(wanted[0]))
        what = f"security groups between {way['balancer']} and its targets"
        result["coverage"].append({"what": what, "complete": True})
        print(result["facts"].get("finding", "nothing on the way keeps requests from the targets"))
    else:
        said = f"no load balancer is named for target group {parameters['target_group']}"
        result["errors"].append(f"{said}: what lies between them is not known")
        print(said)
except ClientError as error:
    code = error.response["Error"]["Code"]
    where = f"{error.operation_name} was refused with {code}"
    result["errors"].append(f"{where}: what lies between load balancer and targets is not known")
    print(where)
Path("out/result.json").write_text(json.dumps(result))
