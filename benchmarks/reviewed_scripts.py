"""Twenty scripts of about a hundred lines over ten services, as models write them.

Two of each service: the one lists and counts in each region, the other also looks for what changed.
They differ in their operations and names, so that no review can know the next one's script.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from core.approval.draft import Draft


class Listing(NamedTuple):
    """What is listed: a service, its method, the key of its answer, and an item's name."""

    service: str
    method: str
    key: str
    name: str
    action: str


LISTINGS = (
    Listing("ec2", "describe_vpcs", "Vpcs", "VpcId", "ec2:DescribeVpcs"),
    Listing("elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerName",
            "elasticloadbalancing:DescribeLoadBalancers"),
    Listing("rds", "describe_db_instances", "DBInstances", "DBInstanceIdentifier",
            "rds:DescribeDBInstances"),
    Listing("lambda", "list_functions", "Functions", "FunctionName", "lambda:ListFunctions"),
    Listing("logs", "describe_log_groups", "logGroups", "logGroupName", "logs:DescribeLogGroups"),
    Listing("cloudwatch", "describe_alarms", "MetricAlarms", "AlarmName",
            "cloudwatch:DescribeAlarms"),
    Listing("iam", "list_roles", "Roles", "RoleName", "iam:ListRoles"),
    Listing("sns", "list_topics", "Topics", "TopicArn", "sns:ListTopics"),
    Listing("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups",
            "AutoScalingGroupName", "autoscaling:DescribeAutoScalingGroups"),
    Listing("cloudformation", "describe_stacks", "Stacks", "StackName",
            "cloudformation:DescribeStacks"),
)  # fmt: skip
_LISTING = '''\
"""List what {service} has in each region and count it by the beginning of its name."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError

MOST_{upper} = 2_000
MOST_ROWS_{number} = 200
PARAMETERS = json.loads(Path("in/parameters.json").read_text())


def items_in(region: str) -> list[dict[str, Any]]:
    """Return everything of one region, up to the bound."""
    client = boto3.client("{service}", region_name=region)
    pages = client.get_paginator("{method}").paginate(
        PaginationConfig={{"MaxItems": MOST_{upper}}}
    )
    return [{{**item, "Region": region}} for page in pages for item in page["{key}"]]


def name_of(item: dict[str, Any]) -> str:
    """Return what people call it."""
    return str(item.get("{name}", "unknown"))


def beginning(name: str) -> str:
    """Return what comes before the first hyphen."""
    return name.partition("-")[0].lower()


def spelled(value: Any) -> str:
    """Return a value as a table holds it."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def read_all(regions: list[str]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return what there is in all regions, and what was refused."""
    found: list[dict[str, Any]] = []
    errors: list[str] = []
    for region in regions:
        try:
            found += items_in(region)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            errors.append(f"{{error.operation_name}} in {{region}} was refused with {{code}}")
    return found, errors


def table(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the rows that a card shows."""
    rows = [[name_of(item), item["Region"], len(item)] for item in found]
    rows.sort(key=lambda row: (row[1], row[0]))
    return {{
        "columns": ["name", "region", "fields"],
        "rows": rows[:MOST_ROWS_{number}],
        "total_rows": len(rows),
    }}


def result_of(found: list[dict[str, Any]], errors: list[str]) -> dict[str, Any]:
    """Return what is written for evidence."""
    counted = Counter(beginning(name_of(item)) for item in found)
    most = counted.most_common(1)
    facts: dict[str, Any] = {{"items": len(found), "beginnings": len(counted)}}
    if most:
        facts["most common"], facts["of these"] = most[0]
    return {{
        "facts": facts,
        "tables": {{"{service} items": table(found)}},
        "coverage": [
            {{"what": f"{service} in {{region}}", "complete": not errors, "note": ""}}
            for region in PARAMETERS["regions"]
        ],
        "warnings": [],
        "errors": errors,
    }}


items, refused = read_all(PARAMETERS["regions"])
result = result_of(items, refused)
{more}Path("out/result.json").write_text(json.dumps(result, default=spelled))
print(f"{{len(items)}} found in {{len(PARAMETERS['regions'])}} regions, {{len(refused)}} refused")
'''
_CHANGES = """\
try:
    trail = boto3.client("cloudtrail", region_name=PARAMETERS["regions"][0])
    events = trail.lookup_events(
        LookupAttributes=[{"AttributeKey": "EventSource", "AttributeValue": "SERVICE"}],
        MaxResults=20,
    )["Events"]
    result["facts"]["latest change"] = events[0]["EventName"] if events else None
except ClientError as error:
    result["errors"].append(f"{error.operation_name} was refused")
"""


def drafts() -> Iterator[Draft]:
    """Yield twenty drafts, each with the policy that it needs."""
    for more in ("", _CHANGES):
        for number, each in enumerate(LISTINGS):
            text = _LISTING.format(
                number=number,
                upper=each.service.upper(),
                more=more.replace("SERVICE", f"{each.service}.amazonaws.com"),
                **each._asdict(),
            )
            actions = [each.action, *(["cloudtrail:LookupEvents"] if more else [])]
            yield _draft(text, sorted(actions))


def _draft(text: str, actions: list[str]) -> Draft:
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    return Draft(
        step="S1",
        version=1,
        author="model",
        kind="collect",
        language="python",
        script=text.encode(),
        requirements=(),
        policy={"Version": "2012-10-17", "Statement": [statement]},
        rollback=None,
        post_check=None,
        parameters={},
        inputs=(),
    )
