"""What the simulator can truthfully list, and by which parameters it can be asked: one table.

moto ignores many a parameter without a word, and an answer that is wider or narrower than what was
asked is a wrong one. So moto is asked for everything and the choosing is done here, by parameters
that stand in this table; a parameter or a filter that does not is refused. docs/worlds.md lists it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from core.simulator.refusals import AwsError, NotSimulated

_SIZES = ("MaxResults", "PageSize", "MaxRecords")
_TOKENS = ("NextToken", "Marker")
_TAGS = "Tags"


@dataclass(frozen=True, slots=True)
class Ids:
    """A parameter that names items; one that does not exist is an error."""

    key: str
    """JMESPath in an item."""
    code: str
    """AWS's error code for an unknown one; empty = none is told."""


@dataclass(frozen=True, slots=True)
class Listing:
    """A read operation whose answer is one list."""

    items: str
    """Key of the list in the answer."""
    inside: str = ""
    """Key of the list in each item, where AWS groups what is listed."""
    ids: Mapping[str, Ids] = field(default_factory=dict)
    filters: Mapping[str, str] = field(default_factory=dict)
    """Name of a filter to JMESPath in an item."""
    asked: frozenset[str] = frozenset()
    """Parameters that moto answers rightly itself."""
    more: str = "NextToken"
    """Key of the token for the next page."""


def _ec2(items: str, parameter: str, key: str, code: str, **filters: str) -> Listing:
    own = {name.replace("_", "-"): path for name, path in filters.items()}
    return Listing(items, ids={parameter: Ids(key, code)}, filters=own)


LISTINGS: Mapping[tuple[str, str], Listing] = {
    ("ec2", "DescribeVpcs"): _ec2(
        "Vpcs", "VpcIds", "VpcId", "InvalidVpcID.NotFound", vpc_id="VpcId", cidr="CidrBlock"
    ),
    ("ec2", "DescribeSubnets"): _ec2(
        "Subnets",
        "SubnetIds",
        "SubnetId",
        "InvalidSubnetID.NotFound",
        subnet_id="SubnetId",
        vpc_id="VpcId",
        availability_zone="AvailabilityZone",
        cidr_block="CidrBlock",
    ),
    ("ec2", "DescribeSecurityGroups"): Listing(
        "SecurityGroups",
        ids={"GroupIds": Ids("GroupId", "InvalidGroup.NotFound")},
        filters={
            "group-id": "GroupId",
            "group-name": "GroupName",
            "vpc-id": "VpcId",
            "ip-permission.group-id": "IpPermissions[].UserIdGroupPairs[].GroupId",
            "ip-permission.cidr": "IpPermissions[].IpRanges[].CidrIp",
            "egress.ip-permission.cidr": "IpPermissionsEgress[].IpRanges[].CidrIp",
        },
    ),
    ("ec2", "DescribeSecurityGroupRules"): Listing(
        "SecurityGroupRules",
        ids={
            "SecurityGroupRuleIds": Ids(
                "SecurityGroupRuleId", "InvalidSecurityGroupRuleId.NotFound"
            )
        },
        filters={"group-id": "GroupId", "security-group-rule-id": "SecurityGroupRuleId"},
    ),
    ("ec2", "DescribeNetworkInterfaces"): Listing(
        "NetworkInterfaces",
        ids={
            "NetworkInterfaceIds": Ids("NetworkInterfaceId", "InvalidNetworkInterfaceID.NotFound")
        },
        filters={
            "network-interface-id": "NetworkInterfaceId",
            "group-id": "Groups[].GroupId",
            "vpc-id": "VpcId",
            "subnet-id": "SubnetId",
            "attachment.instance-id": "Attachment.InstanceId",
            "private-ip-address": "PrivateIpAddress",
        },
    ),
    ("ec2", "DescribeRouteTables"): _ec2(
        "RouteTables",
        "RouteTableIds",
        "RouteTableId",
        "InvalidRouteTableID.NotFound",
        vpc_id="VpcId",
        route_table_id="RouteTableId",
    ),
    ("ec2", "DescribeNetworkAcls"): _ec2(
        "NetworkAcls",
        "NetworkAclIds",
        "NetworkAclId",
        "InvalidNetworkAclID.NotFound",
        vpc_id="VpcId",
        network_acl_id="NetworkAclId",
    ),
    ("ec2", "DescribeInstances"): Listing(
        "Reservations",
        inside="Instances",
        ids={"InstanceIds": Ids("InstanceId", "InvalidInstanceID.NotFound")},
        filters={
            "instance-id": "InstanceId",
            "instance-state-name": "State.Name",
            "instance-type": "InstanceType",
            "vpc-id": "VpcId",
            "subnet-id": "SubnetId",
            "availability-zone": "Placement.AvailabilityZone",
            "private-ip-address": "PrivateIpAddress",
            "instance.group-id": "SecurityGroups[].GroupId",
            "instance.group-name": "SecurityGroups[].GroupName",
            "network-interface.group-id": "NetworkInterfaces[].Groups[].GroupId",
        },
    ),
    ("elbv2", "DescribeLoadBalancers"): Listing(
        "LoadBalancers",
        ids={
            "LoadBalancerArns": Ids("LoadBalancerArn", "LoadBalancerNotFound"),
            "Names": Ids("LoadBalancerName", "LoadBalancerNotFound"),
        },
        more="NextMarker",
    ),
    ("elbv2", "DescribeTargetGroups"): Listing(
        "TargetGroups",
        ids={
            "TargetGroupArns": Ids("TargetGroupArn", "TargetGroupNotFound"),
            "Names": Ids("TargetGroupName", "TargetGroupNotFound"),
            "LoadBalancerArn": Ids("LoadBalancerArns[]", "LoadBalancerNotFound"),
        },
        more="NextMarker",
    ),
    ("elbv2", "DescribeListeners"): Listing(
        "Listeners", asked=frozenset({"LoadBalancerArn", "ListenerArns"}), more="NextMarker"
    ),
    ("elbv2", "DescribeRules"): Listing(
        "Rules", asked=frozenset({"ListenerArn", "RuleArns"}), more="NextMarker"
    ),
    ("elbv2", "DescribeTags"): Listing("TagDescriptions", asked=frozenset({"ResourceArns"})),
}


def chosen(
    listing: Listing, answer: Mapping[str, Any], parameters: Mapping[str, Any]
) -> dict[str, Any]:
    """Return what `parameters` ask for of a whole answer; raises AwsError, NotSimulated."""
    known = {*listing.asked, *listing.ids, *_SIZES, *_TOKENS}
    if listing.filters:
        known.add("Filters")
    refuse_unknown(parameters, known | {"DryRun"})
    if parameters.get("DryRun"):
        raise NotSimulated("DryRun")
    items = answer[listing.items]
    for name, ids in listing.ids.items():
        if name in parameters:
            items = _kept(listing, items, _by_ids(ids, _listed(parameters[name])), ids.key)
    for each in parameters.get("Filters", ()):
        items = _kept(listing, items, *_by_filter(listing, each))
    return page(listing.items, items, parameters, listing.more)


def refuse_unknown(parameters: Mapping[str, Any], known: set[str]) -> None:
    """Raise NotSimulated when a parameter is not among those that have an effect."""
    if unknown := sorted(set(parameters) - known):
        raise NotSimulated(f"the parameter {unknown[0]}")


def page(
    key: str,
    items: Sequence[Any],
    parameters: Mapping[str, Any],
    more: str = "NextToken",
    size: int = 1000,
) -> dict[str, Any]:
    """Return one page of an answer, with the token of the next when there is one."""
    size = next((parameters[name] for name in _SIZES if name in parameters), size)
    token = next((parameters[name] for name in _TOKENS if name in parameters), "0")
    if not token.isdecimal() or size < 1:
        raise AwsError("ValidationError", "the token or the size of the page is not valid")
    start = int(token)
    rest = {more: str(start + size)} if start + size < len(items) else {}
    return {key: list(items[start : start + size]), **rest}


class _Unknown(set[str]):
    """Ids that were asked for and have not been seen yet, with their error."""

    code = ""


def _by_ids(ids: Ids, wanted: list[str]) -> _Unknown:
    asked = _Unknown(wanted)
    asked.code = ids.code
    return asked


def _by_filter(listing: Listing, given: Mapping[str, Any]) -> tuple[list[str], str]:
    """Return the patterns and the path of one filter; a list of patterns is no set of ids."""
    name, values = given.get("Name", ""), given.get("Values", [])
    if name == "tag-key":
        return values, f"{_TAGS}[].Key"
    if name.startswith("tag:"):
        quoted = name.removeprefix("tag:").replace("\\", "\\\\").replace("'", "\\'")
        return values, f"{_TAGS}[?Key=='{quoted}'].Value"
    if name not in listing.filters:
        raise NotSimulated(f"the filter {name!r}")
    return values, listing.filters[name]


def _kept(listing: Listing, items: list[Any], wanted: _Unknown | list[str], path: str) -> list[Any]:
    found: set[str] = set()

    def fits(item: Any) -> bool:
        values = _listed(_at(path, item))
        if isinstance(wanted, set):
            found.update(values)
            return bool(wanted & set(values))
        return any(fnmatchcase(value, _glob(each)) for value in values for each in wanted)

    if inside := listing.inside:
        inner = [{**each, inside: list(filter(fits, each[inside]))} for each in items]
        items = [each for each in inner if each[inside]]
    else:
        items = list(filter(fits, items))
    if isinstance(wanted, set) and wanted.code and (missing := sorted(wanted - found)):
        raise AwsError(wanted.code, f"{missing[0]} does not exist")
    return items


def _glob(pattern: str) -> str:
    """Return a filter's value as fnmatch takes it: AWS knows * and ? only."""
    return pattern.replace("[", "[[]")


def _at(path: str, item: Any) -> Any:
    import jmespath

    return jmespath.search(path, item)


def _listed(value: Any) -> list[str]:
    if value is None:
        return []
    return [str(each) for each in value] if isinstance(value, list) else [str(value)]
