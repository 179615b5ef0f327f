"""What calls are estimated to cost, and the budget that they are held to."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from core.approval.redeem import allowance_of
from core.approval.spec import Allowance
from core.calls import AwsCalled
from core.costs import NOTHING, PRICED, Estimate, dollars, estimate
from core.events import Event, RunStarted
from core.journal.store import Journal
from core.log import Log
from core.observing import Observer
from core.redact import Redactor
from core.upstream.cached import Cached, Record
from core.upstream.guarded import Guarded, Purse
from sandbox.errors import Unanswered
from sandbox.gateway.frames import read_called, write_called
from sandbox.gateway.run import Request, Run, RunPorts
from sandbox.gateway.shapes import operation_model
from sandbox.job import OPERATOR, AwsCall, Called, Response, Verdict

ASKING_FOR_COSTS = Request(
    "POST",
    "http://ce.us-east-1.amazonaws.com/",
    (
        ("host", "ce.us-east-1.amazonaws.com"),
        ("content-type", "application/x-amz-json-1.1"),
        ("x-amz-target", "AWSInsightsIndexService.GetCostAndUsage"),
        (
            "authorization",
            "AWS4-HMAC-SHA256 Credential=AKIDRUN/20260131/us-east-1/ce/aws4_request, "
            "SignedHeaders=host, Signature=" + "0" * 64,
        ),
    ),
    b'{"TimePeriod": {"Start": "2026-01-01", "End": "2026-01-31"}, "Granularity": "DAILY", '
    b'"Metrics": ["UnblendedCost"]}',
)
STAT = {"Id": "a", "MetricStat": {"Metric": {"MetricName": "CPU"}, "Period": 60, "Stat": "Sum"}}


def call(name: str, **parameters: Any) -> AwsCall:
    """Return a call of an operation."""
    service, operation = name.split(".")
    return AwsCall(service, operation, "eu-west-1", parameters)


class Upstream:
    """Counts what reaches it."""

    def __init__(self, fails: bool = False) -> None:
        self.sent = 0
        self.fails = fails

    def send(self, _: AwsCall) -> Response:
        """Answer, or break off."""
        self.sent += 1
        if self.fails:
            raise ValueError("no answer came")
        return Response(200, {}, b"{}")


@pytest.mark.parametrize(
    ("name", "parameters", "micro_dollars"),
    [
        ("ce.GetCostAndUsage", {}, 10_000),
        ("ce.GetAnomalies", {}, 10_000),
        ("cloudwatch.GetMetricData", {"MetricDataQueries": [STAT]}, 10),
        ("cloudwatch.GetMetricData", {"MetricDataQueries": [STAT] * 500}, 5_000),
        ("cloudwatch.GetMetricData",
         {"MetricDataQueries": [STAT, {"Id": "e", "Expression": "a * 2"}]}, 10),
        ("cloudwatch.GetMetricData",
         {"MetricDataQueries": [{"Id": "e", "Expression": "SEARCH('{AWS/EC2} CPU', 'Sum')"}]},
         1_000),
        ("cloudwatch.GetMetricData", {}, 0),
        ("logs.StartQuery", {"logGroupName": "a", "startTime": 0, "endTime": 3600}, 5_000),
        ("logs.StartQuery", {"logGroupName": "a", "startTime": 0, "endTime": 3601}, 10_000),
        ("logs.StartQuery", {"logGroupNames": ["a", "b"], "startTime": 0, "endTime": 86_400},
         240_000),
        ("logs.StartQuery", {"logGroupIdentifiers": ["a"], "startTime": 10, "endTime": 0}, 5_000),
        ("logs.StartQuery", {"startTime": 0, "endTime": 3600}, 50_000),
        ("logs.StartQuery", {"logGroupName": "a", "startTime": 0, "endTime": 10**10}, 5_000_000),
        ("athena.StartQueryExecution", {"QueryString": "select 1"}, 50_000),
        ("bedrock-runtime.Converse", {}, 50_000),
        ("s3.SelectObjectContent", {}, 2_700),
        ("logs.FilterLogEvents", {"logGroupName": "a"}, 0),
        ("cloudwatch.DescribeAlarms", {}, 0),
        ("s3.ListObjectsV2", {"Bucket": "b"}, 0),
        ("ec2.DescribeInstances", {}, 0),
    ],
)  # fmt: skip
def test_what_a_call_costs(name: str, parameters: dict[str, Any], micro_dollars: int) -> None:
    """List prices, with the assumptions that the page states where a size is not known."""
    expected = estimate(call(name, **parameters))

    assert expected.micro_dollars == micro_dollars
    assert bool(expected.why) == (expected is not NOTHING)


@pytest.mark.parametrize("name", sorted(PRICED))
def test_every_price_is_of_something(name: str) -> None:
    """Each priced operation exists, costs something, and says where its price is published."""
    service, operation = name.split(".")
    if operation != "*":
        assert operation_model(service, operation).name == operation
    assert PRICED[name].source.startswith("https://aws.amazon.com/")
    assert PRICED[name].source.endswith("/pricing/")
    assert estimate(call(name, MetricDataQueries=[STAT])).micro_dollars > 0


@pytest.mark.parametrize(
    ("micro_dollars", "written"),
    [(0, "$0.00"), (500_000, "$0.50"), (10_000, "$0.01"), (5_000, "$0.005"), (10, "$0.000010"),
     (1_234_567, "$1.234567"), (100_000_000, "$100.00")],
)  # fmt: skip
def test_amounts_are_written_with_the_digits_they_need(micro_dollars: int, written: str) -> None:
    """No amount is rounded to nothing."""
    assert written == dollars(micro_dollars)


# ------------------------------------------------------------------ the budget
def test_a_call_within_the_budget_is_sent_with_its_cost() -> None:
    """The answer says what the call cost; what costs nothing takes nothing."""
    purse = Purse(left=25_000, budget=1_000_000)
    upstream = Guarded(Upstream(), purse, estimate)

    assert upstream.send(call("ce.GetCostAndUsage")).cost == 10_000
    assert upstream.send(call("ec2.DescribeInstances")).cost == 0
    assert purse.left == 15_000


def test_a_call_beyond_the_budget_is_not_sent() -> None:
    """The refusal says what the call would cost, what is left, and which setting decides."""
    behind = Upstream()
    upstream = Guarded(behind, Purse(left=5_000, budget=500_000), estimate)
    with pytest.raises(ValueError, match="estimated") as refused:
        upstream.send(call("ce.GetCostAndUsage"))

    assert str(refused.value) == (
        "estimated $0.01 for ce.GetCostAndUsage ($0.01 per request); $0.005 of the session's AWS "
        "budget of $0.50 is left (budget.aws_cents)"
    )
    assert behind.sent == 0


def test_no_budget_is_no_call_that_costs_anything() -> None:
    """With 0 what is free goes on."""
    behind = Upstream()
    upstream = Guarded(behind, Purse(0, 0), estimate)
    upstream.send(call("ec2.DescribeInstances"))
    with pytest.raises(ValueError, match=r"\$0\.00 of the session's AWS budget of \$0\.00"):
        upstream.send(call("cloudwatch.GetMetricData", MetricDataQueries=[STAT]))

    assert behind.sent == 1


def test_a_call_without_an_answer_is_counted() -> None:
    """AWS may have billed it, and the error says how much."""
    purse = Purse(20_000, 20_000)
    with pytest.raises(Unanswered, match="no answer came") as broken:
        Guarded(Upstream(fails=True), purse, estimate).send(call("ce.GetCostAndUsage"))

    assert (purse.left, broken.value.cost) == (10_000, 10_000)


def test_an_answer_from_the_record_costs_nothing() -> None:
    """With the record outside of the guard the same question is paid for once."""
    purse = Purse(10_000, 10_000)
    upstream = Cached(Guarded(Upstream(), purse, estimate), Record(60), lambda _: True)
    costs = [upstream.send(call("ce.GetCostAndUsage")).cost for _ in range(3)]

    assert (costs, purse.left) == ([10_000, 0, 0], 0)


def test_threads_share_a_purse() -> None:
    """However many spend at once, no more is spent than there is."""
    behind = Upstream()
    upstream = Guarded(behind, Purse(50, 100), lambda _: Estimate(1, "a test"))

    def attempt(_: int) -> bool:
        try:
            upstream.send(call("ce.GetCostAndUsage"))
        except ValueError:
            return False
        return True

    with ThreadPoolExecutor(8) as threads:
        sent = sum(threads.map(attempt, range(400)))

    assert (sent, behind.sent) == (50, 50)


# ------------------------------------------------------------------ the session
def test_a_session_counts_what_its_calls_cost(story: Any) -> None:
    """The costs of all runs add up, and the next run is told what is left."""
    made = story(most_aws_cost=50_000, cache_ms=1000).identified().drafted().reviewed()
    made.requested()
    decision = made.decided("approve")
    made.add(RunStarted("X1", decision.request, "run", decision.digest, "replayed", ()))
    for number, cost in enumerate((10_000, 0, 25_000), 1):
        made.add(called(number, cost))

    assert made.session.aws_cost == 35_000
    assert allowance_of(made.session) == Allowance(1000, aws_budget=50_000, aws_left=15_000)


def test_a_call_without_an_answer_is_on_record_with_its_cost(tmp_path: Path) -> None:
    """From the guard over the gateway's frame to the event: what was taken is what is counted."""
    told: list[Called] = []
    purse = Purse(20_000, 20_000)
    ports = RunPorts(
        authorize=lambda _: Verdict(True, "statement 1 allows it", 2, "ce:GetCostAndUsage"),
        upstream=Guarded(Upstream(fails=True), purse, estimate),
        principal_of=lambda _: OPERATOR,
        aws_calls=10,
        aws_bytes=1000,
    )
    with Run(ports, told.append, lambda *_: None).answer(ASKING_FOR_COSTS) as answer:
        assert b"not sent: no answer came" in answer.body
    (event,) = asyncio.run(recorded(tmp_path / "s.db", read_called(write_called(told[0]))))

    assert isinstance(event, AwsCalled)
    assert (event.verdict, event.response, event.cost) == ("denied", None, 10_000)
    assert purse.left == 20_000 - event.cost


async def recorded(path: Path, *happened: Called) -> list[Event]:
    """Return the events of what a run told."""

    async def happening() -> AsyncIterator[Called]:
        for each in happened:
            yield each

    with Journal.create(path, "a-session") as journal:
        log = Log(journal, lambda: 1)
        try:
            observed = Observer(Redactor(key=b"k" * 32), log).observe("X1", happening())
            return [event async for event in observed]
        finally:
            log.close()


def called(number: int, cost: int) -> AwsCalled:
    """Return the record of a call."""
    return AwsCalled(
        run="X1",
        number=number,
        service="ce",
        operation="GetCostAndUsage",
        region="us-east-1",
        parameters={},
        verdict="allowed",
        reason="statement 1 allows it",
        action="ce:GetCostAndUsage",
        tier=2,
        status=200,
        request_id="",
        ms=1,
        response=None,
        headers={},
        cost=cost,
    )
