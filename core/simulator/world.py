"""The form of a world: a simulated AWS account (docs/worlds.md). Reading one is in world_file.py.

Times are relative to the world's own epoch, so a world is the same every day, and its hash, which
an approval binds, covers everything in it: what is deployed, what happened, seed and epoch.

It says what there is and what happened, never what AWS answers: answers are computed from it.
"""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from typing import Any, Literal

from core.canonical import digest_of
from sandbox.job import Sha

_AGO = re.compile(r"0|-([0-9]{1,6})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

Fires = Literal["never", "always", "any target unhealthy", "no target healthy"]


def since(ago: str) -> timedelta:
    """Return the time that "-14m" means, zero or negative; raises ValueError."""
    match = _AGO.fullmatch(ago)
    if match is None:
        raise ValueError(f"{ago!r} is not a time such as -90s, -14m, -3h, -12d or 0")
    return -timedelta(**{_UNITS[match[2]]: int(match[1])}) if match[1] else timedelta()


@dataclass(frozen=True, slots=True)
class Account:
    """Whose account it is."""

    id: str
    alias: str
    partition: Literal["aws"] = "aws"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[0-9]{12}", self.id):
            raise ValueError("an account id has twelve digits")


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is asking."""

    role: str
    session: str
    denied: list[str] = field(default_factory=list)
    """IAM actions that the role lacks, with * and ? allowed."""


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody or something that changed the account."""

    kind: Literal["user", "role"]
    session: str = ""
    """Session name of a role."""


@dataclass(frozen=True, slots=True)
class Subnet:
    """A part of a network."""

    cidr: str
    zone: str

    def __post_init__(self) -> None:
        ip_network(self.cidr)


@dataclass(frozen=True, slots=True)
class Network:
    """A VPC."""

    region: str
    cidr: str
    subnets: dict[str, Subnet]
    created: str = "-365d"

    def __post_init__(self) -> None:
        ip_network(self.cidr)
        since(self.created)


@dataclass(frozen=True, slots=True)
class Rule:
    """One permission of a security group."""

    peer: str
    """A security group of this world by name, or a CIDR."""
    protocol: Literal["tcp", "udp", "all"] = "tcp"
    port: int | None = None
    """None = all ports."""
    to_port: int | None = None
    """End of a range that begins at `port`."""
    description: str = ""


def _everything() -> list[Rule]:
    return [Rule(peer="0.0.0.0/0", protocol="all")]


@dataclass(frozen=True, slots=True)
class SecurityGroup:
    """A security group as it stands now."""

    network: str
    description: str
    ingress: list[Rule] = field(default_factory=list)
    egress: list[Rule] = field(default_factory=_everything)
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Instance:
    """A virtual machine."""

    network: str
    subnet: str
    security_groups: list[str]
    launched: str
    type: str = "t3.medium"
    stopped: str = ""
    """When it was stopped; empty = it runs."""
    answers: int = 200
    """HTTP status that it gives to health checks which reach it."""
    tags: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        since(self.launched)
        since(self.stopped or "0")


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """Where a load balancer sends requests."""

    network: str
    port: int
    targets: list[str]
    """Instances by name."""
    path: str = "/"
    """Of the health check."""
    tags: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listener:
    """A port that a load balancer listens on, in plain HTTP."""

    port: int
    forward: str
    """A target group by name."""


@dataclass(frozen=True, slots=True)
class LoadBalancer:
    """An application load balancer."""

    network: str
    subnets: list[str]
    security_groups: list[str]
    listeners: list[Listener]
    scheme: Literal["internet-facing", "internal"] = "internet-facing"
    created: str = "-365d"
    tags: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        since(self.created)


@dataclass(frozen=True, slots=True)
class Alarm:
    """A CloudWatch metric alarm; whether it fires follows from the targets, or is given."""

    region: str
    namespace: str
    metric: str
    fires: Fires
    threshold: int
    dimensions: dict[str, str] = field(default_factory=dict)
    target_group: str = ""
    """Whose targets decide, where `fires` speaks of targets."""
    since: str = "0"
    """When it began to fire, if it does."""
    statistic: Literal["Average", "Maximum", "Minimum", "Sum", "SampleCount"] = "Maximum"
    comparison: Literal[
        "GreaterThanThreshold",
        "GreaterThanOrEqualToThreshold",
        "LessThanThreshold",
        "LessThanOrEqualToThreshold",
    ] = "GreaterThanThreshold"
    period: int = 60
    periods: int = 2
    description: str = ""
    created: str = "-365d"

    def __post_init__(self) -> None:
        since(self.since)
        since(self.created)
        if self.fires not in ("never", "always") and not self.target_group:
            raise ValueError(f"an alarm that fires with {self.fires!r} names its target_group")


@dataclass(frozen=True, slots=True)
class Step:
    """A value of a metric from some time on."""

    at: str
    value: int

    def __post_init__(self) -> None:
        since(self.at)


@dataclass(frozen=True, slots=True)
class Metric:
    """One value a minute, constant between steps; there are no values before the first."""

    region: str
    namespace: str
    metric: str
    values: list[Step]
    """Oldest first."""
    dimensions: dict[str, str] = field(default_factory=dict)
    unit: str = "Count"


@dataclass(frozen=True, slots=True)
class Touched:
    """A resource that an event names."""

    type: str
    """As CloudTrail writes it: AWS::EC2::SecurityGroup."""
    name: str


@dataclass(frozen=True, slots=True)
class TrailEvent:
    """One management event as CloudTrail keeps it."""

    at: str
    region: str
    name: str
    source: str
    """The service: ec2.amazonaws.com."""
    by: str
    """A principal by name."""
    resources: list[Touched] = field(default_factory=list)
    request: dict[str, Any] = field(default_factory=dict)
    """requestParameters, as CloudTrail writes them."""
    read_only: bool = False
    source_ip: str = "198.51.100.7"
    agent: str = "aws-cli/2"

    def __post_init__(self) -> None:
        since(self.at)


@dataclass(frozen=True, slots=True)
class World:
    """A world file as written."""

    title: str
    question: str
    """What an operator who is called would ask."""
    seed: int
    """Makes the ids; the same seed makes the same ones."""
    epoch: str
    """The moment that is now in this world: 2026-01-31T12:00:00Z. Time stands still."""
    account: Account
    caller: Caller
    regions: list[str]
    """Where the caller works; the first is the one by default."""
    networks: dict[str, Network] = field(default_factory=dict)
    security_groups: dict[str, SecurityGroup] = field(default_factory=dict)
    instances: dict[str, Instance] = field(default_factory=dict)
    target_groups: dict[str, TargetGroup] = field(default_factory=dict)
    load_balancers: dict[str, LoadBalancer] = field(default_factory=dict)
    alarms: dict[str, Alarm] = field(default_factory=dict)
    metrics: list[Metric] = field(default_factory=list)
    principals: dict[str, Principal] = field(default_factory=dict)
    events: list[TrailEvent] = field(default_factory=list)

    def __post_init__(self) -> None:
        datetime.strptime(self.epoch, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
        if not self.regions:
            raise ValueError("regions: at least one")

    @property
    def now(self) -> datetime:
        """The epoch."""
        return datetime.fromisoformat(self.epoch)

    def at(self, ago: str) -> datetime:
        """Return the moment that a relative time means here."""
        return self.now + since(ago)

    @property
    def digest(self) -> Sha:
        """Hash of all that is in the world, however the file is laid out."""
        return digest_of({"countersign world": 1, **asdict(self)})

    @property
    def arn(self) -> str:
        """The caller, as sts:GetCallerIdentity tells."""
        account, caller = self.account, self.caller
        return (
            f"arn:{account.partition}:sts::{account.id}:assumed-role/{caller.role}/{caller.session}"
        )
