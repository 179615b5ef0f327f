"""The computing parts of the simulator: health of targets, choosing from lists, metrics."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Network
from typing import Any

import pytest

from core.simulator import metrics
from core.simulator.health import End, Target, health
from core.simulator.listings import LISTINGS, chosen
from core.simulator.refusals import AwsError, NotSimulated

BALANCER = End(frozenset({"sg-edge"}), (IPv4Network("10.0.0.0/24"), IPv4Network("10.0.1.0/24")))
APP = End(frozenset({"sg-app"}), (IPv4Network("10.0.9.9/32"),))
ALL = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}


def rule(first: int, last: int, *, group: str = "", cidrs: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a permission for TCP."""
    pairs = [{"GroupId": group}] if group else []
    ranges = [{"CidrIp": each} for each in cidrs]
    return {
        "IpProtocol": "tcp",
        "FromPort": first,
        "ToPort": last,
        "UserIdGroupPairs": pairs,
        "IpRanges": ranges,
    }


def state(ingress: list[Any], egress: list[Any], target: Target | None = None) -> str:
    """Return what becomes of a target on port 8080 between these rules."""
    groups = {
        "sg-edge": {"IpPermissions": [], "IpPermissionsEgress": egress},
        "sg-app": {"IpPermissions": ingress, "IpPermissionsEgress": [ALL]},
    }
    found = health(target or Target(APP, "running", 200), [BALANCER], 8080, groups)
    return found.get("Reason", found["State"])


@pytest.mark.parametrize(
    ("ingress", "egress", "expected"),
    [
        ([rule(8080, 8080, group="sg-edge")], [ALL], "healthy"),
        ([ALL], [ALL], "healthy"),
        ([rule(8000, 9000, cidrs=("10.0.0.0/23",))], [ALL], "healthy"),
        ([rule(1, 65535, cidrs=("10.0.0.0/24", "10.0.1.0/24"))], [ALL], "healthy"),
        ([rule(8080, 8080, cidrs=("10.0.0.0/24",))], [ALL], "Target.Timeout"),
        ([], [ALL], "Target.Timeout"),
        ([rule(8081, 9000, group="sg-edge")], [ALL], "Target.Timeout"),
        ([rule(8080, 8080, group="sg-other")], [ALL], "Target.Timeout"),
        ([{**rule(8080, 8080, group="sg-edge"), "IpProtocol": "udp"}], [ALL], "Target.Timeout"),
        ([ALL], [], "Target.Timeout"),
        ([ALL], [rule(8080, 8080, group="sg-app")], "healthy"),
        ([ALL], [rule(8080, 8080, cidrs=("10.0.9.0/24",))], "healthy"),
        ([ALL], [rule(443, 443, group="sg-app")], "Target.Timeout"),
    ],
)
def test_health_follows_from_the_rules(
    ingress: list[Any], egress: list[Any], expected: str
) -> None:
    """A health check needs a rule out and a rule in, by group or by all its addresses."""
    assert state(ingress, egress) == expected


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (Target(APP, "stopped", 200), "Target.InvalidState"),
        (Target(APP, "running", 500), "Target.ResponseCodeMismatch"),
    ],
)
def test_health_follows_from_the_machine(target: Target, expected: str) -> None:
    """A machine that does not run, or answers otherwise, fails even when it is reached."""
    assert state([ALL], [ALL], target) == expected


# ------------------------------------------------------------------ choosing
GROUPS = {
    "SecurityGroups": [
        {"GroupId": "sg-1", "GroupName": "web", "VpcId": "vpc-1", "IpPermissions": []},
        {
            "GroupId": "sg-2",
            "GroupName": "web[2]",
            "VpcId": "vpc-1",
            "IpPermissions": [{"UserIdGroupPairs": [{"GroupId": "sg-1"}]}],
            "Tags": [{"Key": "owner's", "Value": "me"}],
        },
        {"GroupId": "sg-3", "GroupName": "data", "VpcId": "vpc-2", "IpPermissions": []},
    ]
}


def kept(**parameters: Any) -> str:
    """Return the last characters of the groups that are chosen."""
    listing = LISTINGS["ec2", "DescribeSecurityGroups"]
    answer = chosen(listing, GROUPS, parameters)
    return "".join(each["GroupId"][-1] for each in answer["SecurityGroups"])


def where(name: str, *values: str) -> dict[str, Any]:
    """Return the parameter of one filter."""
    return {"Filters": [{"Name": name, "Values": list(values)}]}


def both(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Return the parameter of two filters."""
    return {"Filters": [*one["Filters"], *other["Filters"]]}


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({}, "123"),
        ({"GroupIds": ["sg-3", "sg-1"]}, "13"),
        (where("vpc-id", "vpc-1"), "12"),
        (where("vpc-id", "vpc-1", "vpc-2"), "123"),
        (where("group-name", "web*"), "12"),
        (where("group-name", "w?b"), "1"),
        (where("group-name", "web[2]"), "2"),
        (where("group-name", "WEB"), ""),
        (where("ip-permission.group-id", "sg-1"), "2"),
        (where("tag:owner's", "m*"), "2"),
        (where("tag-key", "owner*"), "2"),
        ({"GroupIds": ["sg-1"], **where("vpc-id", "vpc-2")}, ""),
        (both(where("vpc-id", "vpc-1"), where("group-name", "web")), "1"),
        ({"MaxResults": 2}, "12"),
        ({"MaxResults": 2, "NextToken": "2"}, "3"),
        ({"DryRun": False}, "123"),
    ],
)
def test_a_list_is_chosen_from(parameters: dict[str, Any], expected: str) -> None:
    """Ids, filters (any of the values, all of the filters) and pages do what they do at AWS."""
    assert kept(**parameters) == expected


def test_a_page_names_the_next() -> None:
    """The token is there exactly when there is more."""
    listing = LISTINGS["ec2", "DescribeSecurityGroups"]

    assert chosen(listing, GROUPS, {"MaxResults": 2})["NextToken"] == "2"
    assert "NextToken" not in chosen(listing, GROUPS, {"MaxResults": 3})


def test_an_unknown_id_is_an_error_of_aws() -> None:
    """As AWS answers it, with its code."""
    with pytest.raises(AwsError) as refused:
        kept(GroupIds=["sg-1", "sg-9"])

    assert refused.value.code == "InvalidGroup.NotFound"


@pytest.mark.parametrize(
    "parameters", [{"GroupNames": ["web"]}, where("owner-id", "1"), {"DryRun": True}]
)
def test_what_would_be_ignored_is_refused(parameters: dict[str, Any]) -> None:
    """A parameter or filter without an effect never gets a wrong answer."""
    with pytest.raises(NotSimulated):
        kept(**parameters)


# ------------------------------------------------------------------ metrics
NOON = datetime(2026, 1, 31, 12, tzinfo=UTC)
COUNT = metrics.Series(
    "N",
    "M",
    frozenset({("D", "v")}),
    "Count",
    ((NOON - timedelta(minutes=10), 0), (NOON - timedelta(minutes=3), 4)),
    NOON,
)
ASKED = {
    "Namespace": "N",
    "MetricName": "M",
    "Dimensions": [{"Name": "D", "Value": "v"}],
    "StartTime": NOON - timedelta(minutes=20),
    "EndTime": NOON + timedelta(minutes=20),
    "Period": 300,
}


def test_statistics_follow_from_the_steps() -> None:
    """One value a minute between the first step and now, in aligned periods."""
    answer = metrics.statistics([COUNT], {**ASKED, "Statistics": ["Sum", "Maximum", "SampleCount"]})

    points = [(each["Sum"], each["Maximum"], each["SampleCount"]) for each in answer["Datapoints"]]
    assert points == [(0, 0, 5), (12, 4, 5)]
    assert answer["Datapoints"][1]["Timestamp"] == NOON - timedelta(minutes=5)


def test_metric_data_says_the_same() -> None:
    """GetMetricData has the newest first, and returns what it is asked to return."""
    stat = {"Metric": {k: ASKED[k] for k in ("Namespace", "MetricName", "Dimensions")}}
    query = {"Id": "a", "MetricStat": {**stat, "Period": 300, "Stat": "Sum"}}
    window = {"StartTime": ASKED["StartTime"], "EndTime": ASKED["EndTime"]}
    hidden = {**query, "Id": "b", "ReturnData": False}

    (result,) = metrics.data([COUNT], {**window, "MetricDataQueries": [query, hidden]})[
        "MetricDataResults"
    ]

    assert (result["Id"], result["Values"]) == ("a", [12.0, 0.0])


@pytest.mark.parametrize(
    "change",
    [
        {"MetricName": "Other"},
        {"Dimensions": []},
        {"Period": 30},
        {"Unit": "Bytes"},
        {"ExtendedStatistics": ["p99"]},
    ],
)
def test_metrics_that_are_not_known_are_refused(change: dict[str, Any]) -> None:
    """No data is never said of a metric that the world does not tell of."""
    with pytest.raises(NotSimulated):
        metrics.statistics([COUNT], {**ASKED, "Statistics": ["Sum"], **change})
