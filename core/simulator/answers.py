"""The simulator: one AWS call in, one answer out, true to the world file or refused.

In this order: what the caller lacks the permission for is denied; what the overlay computes from
the world is computed; what the table of listings knows is asked of moto and chosen from; all else
is `SimulatorNotImplemented`, which says that it is a limit of the demo. Its time stands still, and
nothing in it changes but the rules of security groups, so that changes can be tried and taken back:
what is computed afterwards follows from them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any
from uuid import UUID

from core.canonical import digest_of
from core.iam.actions import lookup as action_of
from core.simulator import metrics, seed, trail
from core.simulator.account import MotoAccount, serialize
from core.simulator.listings import LISTINGS, chosen, page, refuse_unknown
from core.simulator.refusals import NOT_IMPLEMENTED, AwsError, NotSimulated
from core.simulator.targets import Targets
from core.simulator.world import Alarm, World
from sandbox.gateway.deny import CBOR, S3, error
from sandbox.gateway.services import service_named
from sandbox.job import AwsCall, Response

Json = Mapping[str, Any]


class Simulator:
    """A world that answers; for one thread."""

    def __init__(self, world: World) -> None:
        """Make the world; raises MachineUnfit when moto is not installed."""
        self._world = world
        self._account = MotoAccount(world.account.id, world.seed)
        self._names = seed.seed(world, self._account)
        answers = {
            self._names.ids["instances", name]: instance.answers
            for name, instance in world.instances.items()
        }
        self._targets = Targets(self._account, answers)
        self._asked = 0
        seed.alarms(world, self._account, self._names, self._firing())

    def answer(self, call: AwsCall) -> Response:
        """Return what AWS would answer to `call`, or why the simulator can't."""
        from botocore.exceptions import ClientError

        dialect = _dialect(call.service)
        try:
            self._check_permitted(call)
            answer = self._answer(call)
        except AwsError as refused:
            return error(dialect, refused.status, refused.code, refused.message)
        except ClientError as refused:
            said = refused.response["Error"]
            return error(dialect, 400, said["Code"], said["Message"])
        except (NotSimulated, NotImplementedError) as missing:
            return error(dialect, 400, NOT_IMPLEMENTED, _limit(call, str(missing)))
        self._asked += 1
        request_id = str(UUID(digest_of([self._world.seed, self._asked])[:32]))
        return serialize(call.service, call.operation, answer, request_id)

    def _answer(self, call: AwsCall) -> Json:
        key = call.service, call.operation
        if key in OVERLAY:
            return OVERLAY[key](self, call)
        listing = LISTINGS.get(key)
        if listing is None:
            raise NotSimulated
        asked = {name: value for name, value in call.parameters.items() if name in listing.asked}
        whole = self._account.ask(call.service, call.operation, call.region, **asked)
        return chosen(listing, whole, call.parameters)

    def _check_permitted(self, call: AwsCall) -> None:
        action = action_of(call.service, call.operation)
        if action.free:
            return
        denied = (each.lower() for each in self._world.caller.denied)
        if any(fnmatchcase(action.name.lower(), each) for each in denied):
            code, status = _DENIALS[_dialect(call.service)]
            raise AwsError(
                code,
                f"User: {self._world.arn} is not authorized to perform: {action.name} because no "
                f"identity-based policy allows the {action.name} action",
                status,
            )

    # -------------------------------------------------------------- what is computed
    def caller_identity(self, call: AwsCall) -> Json:
        """Answer sts:GetCallerIdentity."""
        refuse_unknown(call.parameters, set())
        return {
            "UserId": f"AROA{digest_of(self._world.caller.role)[:17].upper()}:"
            f"{self._world.caller.session}",
            "Account": self._world.account.id,
            "Arn": self._world.arn,
        }

    def target_health(self, call: AwsCall) -> Json:
        """elbv2:DescribeTargetHealth: whether the health checks get through."""
        refuse_unknown(call.parameters, {"TargetGroupArn"})
        found = self._targets.health(call.region, call.parameters["TargetGroupArn"])
        return {"TargetHealthDescriptions": found}

    def alarms(self, call: AwsCall) -> Json:
        """cloudwatch:DescribeAlarms: moto obeys only one of its parameters at a time."""
        asked = call.parameters
        known = {"AlarmNames", "AlarmNamePrefix", "AlarmTypes", "StateValue", "MaxRecords"}
        refuse_unknown(asked, known | {"NextToken"})
        found = self._account.ask("cloudwatch", "DescribeAlarms", call.region)["MetricAlarms"]
        kept = [
            alarm
            for alarm in found
            if ("AlarmNames" not in asked or alarm["AlarmName"] in asked["AlarmNames"])
            and alarm["AlarmName"].startswith(asked.get("AlarmNamePrefix", ""))
            and alarm["StateValue"] == asked.get("StateValue", alarm["StateValue"])
            and "MetricAlarm" in asked.get("AlarmTypes", ["MetricAlarm"])
        ]
        return {"CompositeAlarms": [], **page("MetricAlarms", kept, asked, size=50)}

    def events(self, call: AwsCall) -> Json:
        """Answer cloudtrail:LookupEvents."""
        events = trail.events_of(self._world, self._names, call.region)
        return trail.lookup(events, call.parameters)

    def instance_status(self, call: AwsCall) -> Json:
        """ec2:DescribeInstanceStatus: all checks pass on machines that run."""
        refuse_unknown(call.parameters, {"InstanceIds", "IncludeAllInstances", "MaxResults"})
        asked = {k: v for k, v in call.parameters.items() if k != "MaxResults"}
        whole = self._account.ask("ec2", "DescribeInstanceStatus", call.region, **asked)
        return page("InstanceStatuses", whole["InstanceStatuses"], call.parameters)

    def metric_names(self, call: AwsCall) -> Json:
        """Answer cloudwatch:ListMetrics."""
        return metrics.listed(self._series(call.region), call.parameters)

    def metric_statistics(self, call: AwsCall) -> Json:
        """Answer cloudwatch:GetMetricStatistics."""
        return metrics.statistics(self._series(call.region), call.parameters)

    def metric_data(self, call: AwsCall) -> Json:
        """cloudwatch:GetMetricData, without expressions."""
        return metrics.data(self._series(call.region), call.parameters)

    def rules(self, call: AwsCall) -> Json:
        """Change the ingress rules of a security group, as they are given in full."""
        refuse_unknown(call.parameters, {"GroupId", "IpPermissions"})
        return self._account.ask(call.service, call.operation, call.region, **call.parameters)

    # -------------------------------------------------------------- what it follows from
    def _series(self, region: str) -> list[metrics.Series]:
        return [
            metrics.series(self._world, each, self._names.fill(each.dimensions))
            for each in self._world.metrics
            if each.region == region
        ]

    def _firing(self) -> dict[str, bool]:
        return {name: self._fires(alarm) for name, alarm in self._world.alarms.items()}

    def _fires(self, alarm: Alarm) -> bool:
        if alarm.fires in ("never", "always"):
            return alarm.fires == "always"
        arn = self._names.ids["target_groups", alarm.target_group]
        found = self._targets.health(alarm.region, arn)
        states = {each["TargetHealth"]["State"] for each in found}
        if alarm.fires == "any target unhealthy":
            return "unhealthy" in states
        return "healthy" not in states


OVERLAY: Mapping[tuple[str, str], Callable[[Simulator, AwsCall], Json]] = {
    ("cloudtrail", "LookupEvents"): Simulator.events,
    ("cloudwatch", "DescribeAlarms"): Simulator.alarms,
    ("cloudwatch", "GetMetricData"): Simulator.metric_data,
    ("cloudwatch", "GetMetricStatistics"): Simulator.metric_statistics,
    ("cloudwatch", "ListMetrics"): Simulator.metric_names,
    ("ec2", "AuthorizeSecurityGroupIngress"): Simulator.rules,
    ("ec2", "DescribeInstanceStatus"): Simulator.instance_status,
    ("ec2", "RevokeSecurityGroupIngress"): Simulator.rules,
    ("elbv2", "DescribeTargetHealth"): Simulator.target_health,
    ("sts", "GetCallerIdentity"): Simulator.caller_identity,
}
"""Operations that are answered from the world, by service and name."""

_DENIALS = {
    "query": ("AccessDenied", 403),
    "ec2": ("UnauthorizedOperation", 403),
    "json": ("AccessDeniedException", 400),
    "rest-json": ("AccessDeniedException", 403),
    "rest-xml": ("AccessDenied", 403),
    S3: ("AccessDenied", 403),
    CBOR: ("AccessDeniedException", 400),
}


def _dialect(service: str) -> str:
    """Return how a service writes its errors, by the words of `sandbox.gateway.deny`."""
    return S3 if service == "s3" else service_named(service).protocol


def _limit(call: AwsCall, what: str) -> str:
    named = f"{call.service}.{call.operation}"
    return (
        f"the simulator does not answer {named}{f' with {what}' if what else ''}: "
        "a limit of the demo, which says nothing about the account"
    )
