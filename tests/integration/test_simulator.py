"""The simulator as a process: what it answers, what it refuses, and that it ends with its owner."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jmespath
import pytest
import yaml

from core.errors import MachineUnfit
from core.simulator.answers import OVERLAY
from core.simulator.listings import LISTINGS, Listing
from core.simulator.refusals import NOT_IMPLEMENTED
from core.simulator.world_file import find_world, read_world
from core.upstream.simulated import Simulated
from sandbox.gateway.services import service_named
from sandbox.job import AwsCall, Sha

REGION = "eu-west-1"
SHIPPED = find_world("shop-502")
PARENT = """\
import sys, time
from pathlib import Path
from core.upstream.simulated import Simulated
upstream = Simulated(Path(sys.argv[1]), sys.argv[2])
sys.stdout.write(str(upstream._child.pid))
sys.stdout.flush()
time.sleep(60)
"""

Ask = Callable[..., dict[str, Any]]
FILTERS = [(*key, each) for key, listing in LISTINGS.items() for each in listing.filters]


def asking(upstream: Simulated) -> Ask:
    """Return a function that makes a call and parses its answer as botocore does."""
    from botocore.parsers import create_parser

    def ask(service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        response = upstream.send(AwsCall(service, operation, REGION, parameters))
        known = service_named(service)
        answer: dict[str, Any] = create_parser(known.protocol).parse(
            {
                "status_code": response.status,
                "headers": dict(response.headers),
                "body": response.body,
            },
            known.operation(operation).output_shape,
        )
        return answer

    return ask


def opened(path: Path) -> Simulated:
    """Return the simulator of a world file."""
    return Simulated(path, read_world(path).digest)


def items(listing: Listing, answer: dict[str, Any]) -> list[Any]:
    """Return what an answer lists, out of its groups."""
    found: list[Any] = answer[listing.items]
    return [item for each in found for item in each[listing.inside]] if listing.inside else found


def texts(value: Any) -> list[str]:
    """Return what a path found as a list."""
    return [value] if isinstance(value, str) else value or []


@pytest.fixture(scope="module")
def upstream() -> Iterator[Simulated]:
    """Return the simulator of the world that ships."""
    made = opened(SHIPPED)
    yield made
    made.close()


@pytest.fixture(scope="module")
def ask(upstream: Simulated) -> Ask:
    """Return a function that asks it."""
    return asking(upstream)


@pytest.fixture
def other(tmp_path: Path) -> Iterator[Callable[..., Ask]]:
    """Return a function that simulates a changed copy and returns how to ask it."""
    made: list[Simulated] = []

    def other(**changes: Any) -> Ask:
        world = {**yaml.safe_load(SHIPPED.read_text(encoding="utf-8")), **changes}
        path = tmp_path / "other.yaml"
        path.write_text(yaml.safe_dump(world), encoding="utf-8")
        made.append(opened(path))
        return asking(made[-1])

    yield other
    for each in made:
        each.close()


def everything(ask: Ask) -> str:
    """Return all that can be listed without parameters, as one text."""
    listed = [
        ask(*key)
        for key, listing in LISTINGS.items()
        if not listing.asked and key != ("cloudtrail", "LookupEvents")
    ]
    for answer in listed:
        del answer["ResponseMetadata"]
    return json.dumps([*listed, ask("cloudtrail", "LookupEvents")["Events"]], default=str)


# ------------------------------------------------------------------ what is answered
@pytest.mark.parametrize(("service", "operation", "name"), FILTERS)
def test_each_filter_works(ask: Ask, service: str, operation: str, name: str) -> None:
    """A value that something has finds it and nothing else; a value that nothing has, nothing."""
    listing = LISTINGS[service, operation]
    whole = items(listing, ask(service, operation))
    having = [(item, texts(jmespath.search(listing.filters[name], item))) for item in whole]
    wanted = next(values[0] for _, values in having if values)
    expected = [item for item, values in having if wanted in values]

    def filtered(value: str) -> list[Any]:
        given = [{"Name": name, "Values": [value]}]
        return items(listing, ask(service, operation, Filters=given))

    assert filtered(wanted) == expected
    assert filtered("nothing-has-this") == []


@pytest.mark.parametrize(
    ("service", "operation", "parameter"),
    [(*key, each) for key, listing in LISTINGS.items() for each in listing.ids],
)
def test_each_id_works(ask: Ask, service: str, operation: str, parameter: str) -> None:
    """An id finds what has it; the id of nothing is an error."""
    listing = LISTINGS[service, operation]
    ids = listing.ids[parameter]
    whole = items(listing, ask(service, operation))
    found = jmespath.search(ids.key, whole[-1])
    wanted = texts(found)[0]

    def named(value: str) -> dict[str, Any]:
        given = [value] if isinstance(found, str) else value
        return ask(service, operation, **{parameter: given})

    chosen = items(listing, named(wanted))
    refused = named(f"{wanted[:-3]}000")

    assert whole[-1] in chosen
    assert len(chosen) < len(whole)
    assert refused["Error"]["Code"] == ids.code


def test_what_moto_answers_itself_is_right(ask: Ask) -> None:
    """Listeners, rules and tags belong to the load balancer that they are asked of."""
    balancers = ask("elbv2", "DescribeLoadBalancers")["LoadBalancers"]

    for each in balancers:
        arn = each["LoadBalancerArn"]
        (listener,) = ask("elbv2", "DescribeListeners", LoadBalancerArn=arn)["Listeners"]
        (rule,) = ask("elbv2", "DescribeRules", ListenerArn=listener["ListenerArn"])["Rules"]
        (tags,) = ask("elbv2", "DescribeTags", ResourceArns=[arn])["TagDescriptions"]
        assert listener["LoadBalancerArn"] == arn
        assert rule["Actions"][0]["Type"] == "forward"
        assert {tag["Key"]: tag["Value"] for tag in tags["Tags"]}["Name"] == each[
            "LoadBalancerName"
        ]


def test_the_caller_is_the_one_of_the_world(ask: Ask) -> None:
    """sts:GetCallerIdentity names account and role as `caller.identified` does."""
    world = read_world(SHIPPED)

    identity = ask("sts", "GetCallerIdentity")

    assert (identity["Account"], identity["Arn"]) == (world.account.id, world.arn)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, 4),
        ({"StateValue": "ALARM"}, 2),
        ({"StateValue": "ALARM", "AlarmNamePrefix": "shop-front-5"}, 1),
        ({"AlarmNames": ["catalogue-1-cpu", "nothing"]}, 1),
        ({"AlarmTypes": ["CompositeAlarm"]}, 0),
        ({"MaxRecords": 3}, 3),
    ],
)
def test_alarms_obey_all_parameters(ask: Ask, parameters: dict[str, Any], expected: int) -> None:
    """Together, where moto would obey the first that it finds."""
    assert len(ask("cloudwatch", "DescribeAlarms", **parameters)["MetricAlarms"]) == expected


def test_events_are_looked_up(ask: Ask) -> None:
    """By one attribute and by time, newest first, page by page."""

    def names(**parameters: Any) -> list[str]:
        answer = ask("cloudtrail", "LookupEvents", **parameters)
        return [event["EventName"] for event in answer["Events"]]

    def by(key: str, value: str) -> dict[str, Any]:
        return {"LookupAttributes": [{"AttributeKey": key, "AttributeValue": value}]}

    events = ask("cloudtrail", "LookupEvents")["Events"]
    times = [event["EventTime"] for event in events]
    assert times == sorted(times, reverse=True)
    assert names(**by("EventName", "CreateTags")) == ["CreateTags"]
    assert names(**by("Username", "catalogue-release")) == []
    assert len(names(**by("Username", "jonas.weber"))) == 2
    assert len(names(**by("ResourceName", events[1]["Resources"][0]["ResourceName"]))) == 3
    assert names(StartTime=times[0]) == [events[0]["EventName"]]
    assert len(names(EndTime=times[1])) == len(events) - 1
    assert names(MaxResults=1) == [events[0]["EventName"]]
    assert names(MaxResults=1, NextToken="1") == [events[1]["EventName"]]


# ------------------------------------------------------------------ what is refused
@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("ec2", "DescribeImages", {}),
        ("ec2", "DescribeInstances", {"Filters": [{"Name": "architecture", "Values": ["arm64"]}]}),
        ("ec2", "StopInstances", {"InstanceIds": ["i-00000000000000000"]}),
        ("cloudwatch", "DescribeAlarmHistory", {}),
        ("cloudwatch", "DescribeAlarms", {"ActionPrefix": "arn"}),
        ("cloudtrail", "DescribeTrails", {}),
        ("autoscaling", "DescribeScalingActivities", {}),
        ("ecs", "ListClusters", {}),
        ("logs", "FilterLogEvents", {"logGroupName": "x", "filterPattern": "?A ?B"}),
        ("rds", "DescribeDBInstances", {}),
    ],
)
def test_what_it_can_not_tell_is_refused_in_the_services_words(
    ask: Ask, service: str, operation: str, parameters: dict[str, Any]
) -> None:
    """An error with a code of its own, which nobody takes for an answer about the account."""
    answer = ask(service, operation, **parameters)

    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert answer["Error"]["Code"] == NOT_IMPLEMENTED
    assert "says nothing about the account" in answer["Error"]["Message"]


def test_the_table_has_two_changes() -> None:
    """A rule of a security group can be put and taken back; all else that is answered reads."""
    verbs = ("Describe", "Get", "List", "Lookup")
    answered = (*LISTINGS, *OVERLAY)

    assert [name for _, name in answered if not name.startswith(verbs)] == [
        "AuthorizeSecurityGroupIngress",
        "RevokeSecurityGroupIngress",
    ]


@pytest.mark.parametrize(
    ("service", "operation", "code", "status"),
    [
        ("cloudtrail", "LookupEvents", "AccessDeniedException", 400),
        ("ec2", "DescribeInstances", "UnauthorizedOperation", 403),
        ("elbv2", "DescribeTags", "AccessDenied", 403),
    ],
)
def test_a_missing_permission_is_refused_as_aws_does(
    other: Callable[..., Ask], service: str, operation: str, code: str, status: int
) -> None:
    """With the code of the service's protocol, the caller and the action."""
    denied = ["cloudtrail:Lookup*", "ec2:describeinstances", "elasticloadbalancing:DescribeTags"]
    ask = other(caller={"role": "r", "session": "s", "denied": denied})
    parameters = {"ResourceArns": ["arn"]} if operation == "DescribeTags" else {}

    answer = ask(service, operation, **parameters)

    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    assert "assumed-role/r/s is not authorized to perform" in answer["Error"]["Message"]
    assert ask("ec2", "DescribeSubnets")["Subnets"]


# ------------------------------------------------------------------ the same, and only that world
def test_the_same_world_is_the_same_everywhere(ask: Ask, other: Callable[..., Ask]) -> None:
    """Two processes give the same ids, addresses and times; another seed gives other ids."""
    shipped = everything(ask)

    assert everything(other()) == shipped
    assert everything(other(seed=503)) != shipped


def test_times_are_those_of_the_world(ask: Ask) -> None:
    """Nothing was made at the time of this test."""
    told = everything(ask)
    named = [{"Name": "tag:Name", "Values": ["storefront-1"]}]
    (reservation,) = ask("ec2", "DescribeInstances", Filters=named)["Reservations"]

    assert str(reservation["Instances"][0]["LaunchTime"]) == "2026-11-08 15:08:00+00:00"
    assert "2026-11-20 19" not in told


def test_another_world_than_the_approved_one_does_not_start() -> None:
    """The hash is computed again in the child."""
    with pytest.raises(MachineUnfit, match="not the approved one"):
        Simulated(SHIPPED, Sha("0" * 64))


def test_a_world_that_aws_would_not_allow_does_not_start(other: Callable[..., Ask]) -> None:
    """A subnet outside its network is said by AWS's own check."""
    networks = yaml.safe_load(SHIPPED.read_text(encoding="utf-8"))["networks"]
    networks["lantern"]["subnets"]["edge-a"]["cidr"] = "192.168.0.0/24"

    with pytest.raises(MachineUnfit, match="AWS would not allow this"):
        other(networks=networks)


# ------------------------------------------------------------------ the process
def test_it_ends_with_whoever_started_it() -> None:
    """Killing its owner closes the only socket, and the simulator is gone."""
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(SHIPPED), read_world(SHIPPED).digest],
        stdout=subprocess.PIPE,
    )
    assert parent.stdout is not None
    child = Path("/proc", parent.stdout.read(1).decode() + _rest(parent.stdout))
    assert child.exists()

    parent.kill()
    parent.communicate()

    for _ in range(100):
        if not child.exists() or "State:\tZ" in (child / "status").read_text():
            break
        subprocess.run(["sleep", "0.1"], check=True)
    assert not child.exists() or "State:\tZ" in (child / "status").read_text()


def test_a_simulator_that_ended_answers_nothing() -> None:
    """The gateway says that the call was not sent, which is no answer about the account."""
    upstream = opened(SHIPPED)
    upstream.close()

    with pytest.raises(ValueError, match="has ended"):
        asking(upstream)("sts", "GetCallerIdentity")


def _rest(stream: Any) -> str:
    digits: bytes = stream.read1(16)
    return digits.decode()
