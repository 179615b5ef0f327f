"""Whether a load balancer's health checks reach a target: computed from what there is, pure.

AWS's rules for security groups: the balancer's groups must let the request out, the target's must
let it in, by group or by address; answers need no rule. Network ACLs let everything through, as
they do until somebody changes them (a world file can't).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network, ip_network
from typing import Any

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class End:
    """One end of a connection."""

    groups: frozenset[str]
    networks: tuple[IPv4Network, ...]
    """Where it may be: each of them has to be let through."""


@dataclass(frozen=True, slots=True)
class Target:
    """A registered target."""

    end: End
    state: str
    """Of the instance, such as "running"."""
    answers: int


def health(
    target: Target, balancers: Sequence[End], port: int, groups: Mapping[str, Json]
) -> dict[str, str]:
    """Return a TargetHealth as AWS writes it; `groups` are DescribeSecurityGroups' by id."""
    if not balancers:
        said = "Target group is not configured to receive traffic from the load balancer"
        return _state("unused", "Target.NotInUse", said)
    if target.state != "running":
        return _state("unused", "Target.InvalidState", f"Target is in the {target.state} state")
    if not all(reaches(balancer, target.end, port, groups) for balancer in balancers):
        return _state("unhealthy", "Target.Timeout", "Request timed out")
    if target.answers != 200:  # noqa: PLR2004 - the status that a health check expects
        said = f"Health checks failed with these codes: [{target.answers}]"
        return _state("unhealthy", "Target.ResponseCodeMismatch", said)
    return {"State": "healthy"}


def reaches(source: End, target: End, port: int, groups: Mapping[str, Json]) -> bool:
    """Tell whether TCP from `source` gets to `port` of `target`."""
    out = (rule for each in source.groups for rule in groups[each]["IpPermissionsEgress"])
    into = (rule for each in target.groups for rule in groups[each]["IpPermissions"])
    return admits(out, port, target) and admits(into, port, source)


def admits(rules: Iterable[Json], port: int, peer: End) -> bool:
    """Tell whether rules of one direction let TCP to `port` through for a peer."""
    fitting = [rule for rule in rules if _fits(rule, port)]
    pairs = {pair["GroupId"] for rule in fitting for pair in rule.get("UserIdGroupPairs", ())}
    if pairs & peer.groups:
        return True
    ranges = [ip_network(each["CidrIp"]) for rule in fitting for each in rule.get("IpRanges", ())]
    return bool(peer.networks) and all(
        any(isinstance(wide, IPv4Network) and network.subnet_of(wide) for wide in ranges)
        for network in peer.networks
    )


def _fits(rule: Json, port: int) -> bool:
    protocol = rule["IpProtocol"]
    if protocol == "tcp":
        return int(rule["FromPort"]) <= port <= int(rule["ToPort"])
    return bool(protocol == "-1")


def _state(state: str, reason: str, description: str) -> dict[str, str]:
    return {"State": state, "Reason": reason, "Description": description}
