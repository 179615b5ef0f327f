"""Makes in an account what a world file says there is; each thing at its own time.

In the order of names, since the order in a file means nothing and ids come from a sequence.
Returns the ids that came out, since the file knows things by name only. What a caller could read
and the file does not say (addresses, ids) follows from the seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from core.canonical import digest_of
from core.simulator.account import MotoAccount
from core.simulator.world import Alarm, Instance, LoadBalancer, Rule, SecurityGroup, World
from core.simulator.world_file import is_cidr, references

_PROTOCOLS = {"all": "-1"}


@dataclass(slots=True)
class Names:
    """What the things of a world are called in its account."""

    ids: dict[tuple[str, str], str] = field(default_factory=dict)
    """(section, name) to id or ARN."""
    subnets: dict[tuple[str, str], str] = field(default_factory=dict)
    """(network, subnet) to id."""

    def fill(self, value: Any) -> Any:
        """Return a value with each ${section.name} replaced by its id."""
        if isinstance(value, str):
            for text, kind, name in references(value):
                found = self.ids[kind, name]
                value = value.replace(text, _suffix(found) if text.endswith(".suffix}") else found)
            return value
        if isinstance(value, Mapping):
            return {key: self.fill(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.fill(item) for item in value]
        return value


def seed(world: World, account: MotoAccount) -> Names:
    """Make the world in an empty account and stop the clock at the epoch."""
    made = _Seeding(world, account)
    made.networks()
    made.security_groups()
    made.instances()
    made.target_groups()
    made.load_balancers()
    made.stop_instances()
    account.now = _naive(world, "0")
    return made.names


class _Seeding:
    def __init__(self, world: World, account: MotoAccount) -> None:
        self._world = world
        self._account = account
        self.names = Names()

    def networks(self) -> None:
        for name, network in sorted(self._world.networks.items()):
            self._at(network.created)
            made = self._ec2(name, "CreateVpc", CidrBlock=network.cidr, **_tagged("vpc", name, {}))
            self.names.ids["networks", name] = made["Vpc"]["VpcId"]
            for part, subnet in sorted(network.subnets.items()):
                answer = self._ec2(
                    name,
                    "CreateSubnet",
                    VpcId=made["Vpc"]["VpcId"],
                    CidrBlock=subnet.cidr,
                    AvailabilityZone=subnet.zone,
                    **_tagged("subnet", f"{name}-{part}", {}),
                )
                self.names.subnets[name, part] = answer["Subnet"]["SubnetId"]

    def security_groups(self) -> None:
        for name, group in sorted(self._world.security_groups.items()):
            self._at(self._world.networks[group.network].created)
            made = self._ec2(
                group.network,
                "CreateSecurityGroup",
                GroupName=name,
                Description=group.description,
                VpcId=self.names.ids["networks", group.network],
                **_tagged("security-group", name, group.tags),
            )
            self.names.ids["security_groups", name] = made["GroupId"]
        for name, group in sorted(self._world.security_groups.items()):
            self._rules(self.names.ids["security_groups", name], group)

    def _rules(self, made: str, group: SecurityGroup) -> None:
        everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        self._ec2(
            group.network, "RevokeSecurityGroupEgress", GroupId=made, IpPermissions=[everything]
        )
        for operation, rules in (
            ("AuthorizeSecurityGroupIngress", group.ingress),
            ("AuthorizeSecurityGroupEgress", group.egress),
        ):
            if rules:
                permissions = [self._permission(rule) for rule in rules]
                self._ec2(group.network, operation, GroupId=made, IpPermissions=permissions)

    def _permission(self, rule: Rule) -> dict[str, Any]:
        noted = {"Description": rule.description} if rule.description else {}
        permission: dict[str, Any] = {"IpProtocol": _PROTOCOLS.get(rule.protocol, rule.protocol)}
        if rule.protocol != "all":
            first, last = (0, 65535) if rule.port is None else (rule.port, rule.port)
            permission |= {"FromPort": first, "ToPort": rule.to_port or last}
        if is_cidr(rule.peer):
            return {**permission, "IpRanges": [{"CidrIp": rule.peer, **noted}]}
        peer = self.names.ids["security_groups", rule.peer]
        return {**permission, "UserIdGroupPairs": [{"GroupId": peer, **noted}]}

    def instances(self) -> None:
        for name, instance in sorted(self._world.instances.items()):
            self._at(instance.launched)
            made = self._ec2(instance.network, "RunInstances", **self._machine(name, instance))
            found = made["Instances"][0]["InstanceId"]
            self.names.ids["instances", name] = found

    def _machine(self, name: str, instance: Instance) -> dict[str, Any]:
        return {
            "ImageId": "ami-12c6146b",  # one that moto knows
            "InstanceType": instance.type,
            "MinCount": 1,
            "MaxCount": 1,
            # botocore would make up another one each time, and it is shown.
            "ClientToken": digest_of([self._world.seed, name])[:32],
            "SubnetId": self.names.subnets[instance.network, instance.subnet],
            "SecurityGroupIds": self._groups(instance.security_groups),
            **_tagged("instance", name, instance.tags),
        }

    def stop_instances(self) -> None:
        """Stop what does not run, which only now may be: targets are registered running."""
        for name, instance in sorted(self._world.instances.items()):
            if instance.stopped:
                self._at(instance.stopped)
                found = [self.names.ids["instances", name]]
                self._ec2(instance.network, "StopInstances", InstanceIds=found)

    def target_groups(self) -> None:
        for name, group in sorted(self._world.target_groups.items()):
            self._at(self._world.networks[group.network].created)
            made = self._elb(
                group.network,
                "CreateTargetGroup",
                Name=name,
                Protocol="HTTP",
                Port=group.port,
                VpcId=self.names.ids["networks", group.network],
                HealthCheckPath=group.path,
                TargetType="instance",
                Tags=_tags(name, group.tags),
            )
            arn = made["TargetGroups"][0]["TargetGroupArn"]
            self.names.ids["target_groups", name] = arn
            targets = [{"Id": self.names.ids["instances", each]} for each in group.targets]
            if targets:
                self._elb(group.network, "RegisterTargets", TargetGroupArn=arn, Targets=targets)

    def load_balancers(self) -> None:
        for name, balancer in sorted(self._world.load_balancers.items()):
            self._at(balancer.created)
            made = self._elb(balancer.network, "CreateLoadBalancer", **self._lb(name, balancer))
            arn = made["LoadBalancers"][0]["LoadBalancerArn"]
            self.names.ids["load_balancers", name] = arn
            for listener in balancer.listeners:
                target = self.names.ids["target_groups", listener.forward]
                self._elb(
                    balancer.network,
                    "CreateListener",
                    LoadBalancerArn=arn,
                    Protocol="HTTP",
                    Port=listener.port,
                    DefaultActions=[{"Type": "forward", "TargetGroupArn": target}],
                )

    def _lb(self, name: str, balancer: LoadBalancer) -> dict[str, Any]:
        return {
            "Name": name,
            "Type": "application",
            "Scheme": balancer.scheme,
            "Subnets": [self.names.subnets[balancer.network, each] for each in balancer.subnets],
            "SecurityGroups": self._groups(balancer.security_groups),
            "Tags": _tags(name, balancer.tags),
        }

    def _groups(self, names: list[str]) -> list[str]:
        return [self.names.ids["security_groups", each] for each in names]

    def _at(self, ago: str) -> None:
        self._account.now = _naive(self._world, ago)

    def _ec2(self, network: str, operation: str, **parameters: Any) -> dict[str, Any]:
        return self._ask("ec2", network, operation, parameters)

    def _elb(self, network: str, operation: str, **parameters: Any) -> dict[str, Any]:
        return self._ask("elbv2", network, operation, parameters)

    def _ask(
        self, service: str, network: str, operation: str, parameters: dict[str, Any]
    ) -> dict[str, Any]:
        region = self._world.networks[network].region
        return self._account.ask(service, operation, region, **parameters)


def alarms(world: World, account: MotoAccount, names: Names, firing: Mapping[str, bool]) -> None:
    """Make the alarms in the state that follows from the rest of the world."""
    for name, alarm in sorted(world.alarms.items()):
        account.now = _naive(world, alarm.created)
        dimensions = sorted(names.fill(alarm.dimensions).items())
        account.ask(
            "cloudwatch",
            "PutMetricAlarm",
            alarm.region,
            AlarmName=name,
            AlarmDescription=alarm.description,
            Namespace=alarm.namespace,
            MetricName=alarm.metric,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions],
            Statistic=alarm.statistic,
            ComparisonOperator=alarm.comparison,
            Threshold=float(alarm.threshold),
            Period=alarm.period,
            EvaluationPeriods=alarm.periods,
        )
        fires = firing[name]
        account.now = _naive(world, alarm.since if fires else alarm.created)
        account.ask(
            "cloudwatch",
            "SetAlarmState",
            alarm.region,
            AlarmName=name,
            StateValue="ALARM" if fires else "OK",
            StateReason=" ".join(_reason(alarm, fires=fires)),
        )
    account.now = _naive(world, "0")


def _reason(alarm: Alarm, *, fires: bool) -> Iterator[str]:
    if alarm.periods == 1:
        yield "Threshold Crossed: 1 datapoint was"
    else:
        yield f"Threshold Crossed: {alarm.periods} out of the last {alarm.periods} datapoints were"
    if not fires:
        yield "not"
    yield "less than" if alarm.comparison.startswith("Less") else "greater than"
    if "OrEqual" in alarm.comparison:
        yield "or equal to"
    yield f"the threshold ({float(alarm.threshold)})."


def _naive(world: World, ago: str) -> Any:
    return world.at(ago).replace(tzinfo=None)


def _suffix(arn: str) -> str:
    """Return what CloudWatch writes for a load balancer or a target group."""
    last = arn.rpartition(":")[2]
    return last.removeprefix("loadbalancer/")


def _tags(name: str, tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": tags[key]} for key in sorted(tags)] + [
        {"Key": "Name", "Value": name}
    ]


def _tagged(kind: str, name: str, tags: Mapping[str, str]) -> dict[str, Any]:
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": _tags(name, tags)}]}
