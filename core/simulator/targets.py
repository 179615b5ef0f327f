"""The health of a target group's targets: what moto knows of the account, put before health.py."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Network
from typing import Any

from core.simulator.account import MotoAccount
from core.simulator.health import End, Target, health


class Targets:
    """Computes target health from instances, security groups and load balancers as they are."""

    def __init__(self, account: MotoAccount, answers: Mapping[str, int]) -> None:
        """`answers` is the HTTP status that each instance gives to health checks, by id."""
        self._account = account
        self._answers = answers

    def health(self, region: str, arn: str) -> list[dict[str, Any]]:
        """Return the TargetHealthDescriptions of a target group; raises ClientError."""
        ask = self._account.ask
        groups = ask("elbv2", "DescribeTargetGroups", region, TargetGroupArns=[arn])
        group = groups["TargetGroups"][0]
        registered = ask("elbv2", "DescribeTargetHealth", region, TargetGroupArn=arn)
        balancers = self._balancers(region, group["LoadBalancerArns"])
        rules = self._security_groups(region)
        port = group["Port"]
        return [
            {
                "Target": each["Target"],
                "HealthCheckPort": str(port),
                "TargetHealth": health(
                    self._target(region, each["Target"]["Id"]), balancers, port, rules
                ),
            }
            for each in registered["TargetHealthDescriptions"]
        ]

    def _target(self, region: str, instance: str) -> Target:
        answer = self._account.ask("ec2", "DescribeInstances", region, InstanceIds=[instance])
        machine = answer["Reservations"][0]["Instances"][0]
        groups = frozenset(each["GroupId"] for each in machine["SecurityGroups"])
        end = End(groups, (IPv4Network(machine["PrivateIpAddress"]),))
        return Target(end, machine["State"]["Name"], self._answers[instance])

    def _balancers(self, region: str, arns: list[str]) -> list[End]:
        if not arns:
            return []
        subnets = self._account.ask("ec2", "DescribeSubnets", region)["Subnets"]
        networks = {each["SubnetId"]: IPv4Network(each["CidrBlock"]) for each in subnets}
        found = self._account.ask("elbv2", "DescribeLoadBalancers", region, LoadBalancerArns=arns)
        return [
            End(
                frozenset(each["SecurityGroups"]),
                tuple(networks[zone["SubnetId"]] for zone in each["AvailabilityZones"]),
            )
            for each in found["LoadBalancers"]
        ]

    def _security_groups(self, region: str) -> dict[str, Any]:
        found = self._account.ask("ec2", "DescribeSecurityGroups", region)["SecurityGroups"]
        return {each["GroupId"]: each for each in found}
