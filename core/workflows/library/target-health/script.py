"""Read the health of each target of a load balancer's target groups."""

import collections
import json
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

Group = dict[str, Any]
Target = dict[str, Any]


def is_meant(group: Group) -> bool:
    """Whether a target group is the one that was asked for, or one behind that balancer."""
    name, balancer = parameters["target_group"], parameters["load_balancer"]
    if name:
        return group["TargetGroupName"] == name or group["TargetGroupArn"].endswith(name)
    balancers = group.get("LoadBalancerArns", [])
    return not balancer or any(each.endswith(balancer) for each in balancers)


def health_in(region: str) -> list[Group]:
    """Return each target group that is meant, with its targets.

    Where AWS refuses there are none, and an error is on record.
    """
    client = boto3.client("elbv2", region_name=region)
    pages = client.get_paginator("describe_target_groups").paginate()
    groups, complete = [], True
    try:
        for group in (each for page in pages for each in page["TargetGroups"] if is_meant(each)):
            health = client.describe_target_health(TargetGroupArn=group["TargetGroupArn"])
            targets = health["TargetHealthDescriptions"]
            groups.append({**group, "Region": region, "Targets": targets})
    except ClientError as error:
        code = error.response["Error"]["Code"]
        errors.append(f"elbv2:{error.operation_name} was refused in {region} with {code}")
        complete = False
    coverage.append(
        {"what": f"targets of {wanted or 'all target groups'} in {region}", "complete": complete}
    )
    return groups


def fails(target: Target) -> bool:
    """Whether a target is in its place and gets no requests all the same."""
    health = target["TargetHealth"]
    return health["State"] == "unhealthy" or health.get("Reason") == "Target.InvalidState"


def failing(group: Group) -> list[Target]:
    """Return the targets of a group that fail."""
    return [target for target in group["Targets"] if fails(target)]


def describe(group: Group) -> dict[str, Any]:
    """Return what is worth telling of a target group, with its most common reason to fail."""
    bad = failing(group)
    reasons = collections.Counter(each["TargetHealth"].get("Reason", "") for each in bad)
    described = {
        "name": group["TargetGroupName"],
        "region": group["Region"],
        "port": group.get("Port"),
        "targets": len(group["Targets"]),
        "unhealthy": len(bad),
        "health_check": f"{group.get('HealthCheckProtocol')} {group.get('HealthCheckPath', '')}",
    }
    if bad:
        reason = reasons.most_common(1)[0][0]
        first = next(each for each in bad if each["TargetHealth"].get("Reason", "") == reason)
        described["reason"] = reason
        described["description"] = first["TargetHealth"].get("Description", "")
    return described


parameters = json.loads(Path("in/parameters.json").read_text())
regions = [parameters["region"]] if parameters["region"] else parameters["regions"]
wanted = parameters["target_group"] or parameters["load_balancer"]
coverage: list[dict[str, Any]] = []
errors: list[str] = []
groups = [group for region in regions for group in health_in(region)]
if wanted and not groups and not errors:
    raise SystemExit(f"there is no target group of {wanted!r} in {', '.join(regions)}")

worst = max(groups, key=lambda group: len(failing(group)), default=None)
rows = [
    [
        group["TargetGroupName"],
        each["Target"]["Id"],
        each["Target"].get("Port"),
        each["TargetHealth"]["State"],
        each["TargetHealth"].get("Reason"),
    ]
    for group in groups
    for each in group["Targets"]
]
facts: dict[str, Any] = {"groups": len(groups)}
if worst and failing(worst):
    facts.update(describe(worst))
elif not errors:
    facts["passing"] = len(rows)
result = {
    "facts": facts,
    "tables": {
        "targets": {"columns": ["target group", "target", "port", "state", "reason"], "rows": rows}
    },
    "coverage": coverage,
    "errors": errors,
}
Path("out/result.json").write_text(json.dumps(result))
for group in groups:
    bad, targets = len(failing(group)), len(group["Targets"])
    print(f"{bad} of {targets} targets of {group['TargetGroupName']} are unhealthy")
for error in errors:
    print(error)
