"""Read the health of each target of a load balancer's target groups."""

import collections
import json
from pathlib import Path

import boto3


def is_meant(group):
    """Whether a target group is the one that was asked for, or one behind that balancer."""
    name, balancer = parameters["target_group"], parameters["load_balancer"]
    if name:
        return group["TargetGroupName"] == name or group["TargetGroupArn"].endswith(name)
    balancers = group.get("LoadBalancerArns", [])
    return not balancer or any(each.endswith(balancer) for each in balancers)


def health_in(region):
    """Return each target group that is meant, with its targets."""
    client = boto3.client("elbv2", region_name=region)
    pages = client.get_paginator("describe_target_groups").paginate()
    groups = [group for page in pages for group in page["TargetGroups"] if is_meant(group)]
    return [
        {
            **group,
            "Region": region,
            "Targets": client.describe_target_health(TargetGroupArn=group["TargetGroupArn"])[
                "TargetHealthDescriptions"
            ],
        }
        for group in groups
    ]


def fails(target):
    """Whether a target is in its place and gets no requests all the same."""
    health = target["TargetHealth"]
    return health["State"] == "unhealthy" or health.get("Reason") == "Target.InvalidState"


def failing(group):
    return [target for target in group["Targets"] if fails(target)]


def describe(group):
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
groups = [group for region in regions for group in health_in(region)]
wanted = parameters["target_group"] or parameters["load_balancer"]
if wanted and not groups:
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
facts = {"groups": len(groups)}
if worst and failing(worst):
    facts.update(describe(worst))
else:
    facts["passing"] = len(rows)
result = {
    "facts": facts,
    "tables": {
        "targets": {"columns": ["target group", "target", "port", "state", "reason"], "rows": rows}
    },
    "coverage": [
        {"what": f"targets of {wanted or 'all target groups'} in {region}", "complete": True}
        for region in regions
    ],
}
Path("out/result.json").write_text(json.dumps(result))
for group in groups:
    bad, targets = len(failing(group)), len(group["Targets"])
    print(f"{bad} of {targets} targets of {group['TargetGroupName']} are unhealthy")
