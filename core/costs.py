"""What AWS charges for a call, estimated before it is sent.

Only calls that are billed for themselves and noticeably are here; requests that cost millionths of
a dollar (S3, KMS, single CloudWatch statistics) count as nothing. Where AWS bills by what a call
reads, its size is not known beforehand and an assumption stands for it, said in the reason. What a
change makes (an instance, a database) costs money for as long as it lives; that is not estimated.

Prices are AWS's list prices for us-east-1 without free tiers, as known in November 2026; the pages
named in `PRICED` have those of today. Other regions cost up to twice as much.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.job import AwsCall, Json

DOLLAR = 1_000_000
"""Micro-dollars."""
_CENT = DOLLAR // 100

GIGABYTES_PER_HOUR = 1
"""Assumed of each log group that Logs Insights looks through."""
MOST_GIGABYTES = 1000
SCANNED_GIGABYTES = 10
"""Assumed of a query over tables whose size is not known."""
METRICS_PER_SEARCH = 100
"""Assumed of a metric expression that finds its metrics itself."""


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a call is likely to cost."""

    micro_dollars: int
    why: str
    """The price, and what was assumed; empty when the call costs nothing worth counting."""


@dataclass(frozen=True, slots=True)
class Price:
    """How an operation is billed."""

    source: str
    """Address of the page that says so."""
    estimate: Callable[[Json], Estimate]


NOTHING = Estimate(0, "")


def estimate(call: AwsCall) -> Estimate:
    """Return what `call` is likely to cost."""
    price = PRICED.get(f"{call.service}.{call.operation}") or PRICED.get(f"{call.service}.*")
    return price.estimate(call.parameters) if price else NOTHING


def dollars(micro_dollars: int) -> str:
    """Return an amount as people read it, with as many digits as it needs: $0.50, $0.010."""
    digits = 2 if micro_dollars % _CENT == 0 else 3 if micro_dollars % (_CENT // 10) == 0 else 6
    return f"${micro_dollars / DOLLAR:.{digits}f}"


def _flat(micro_dollars: int, why: str) -> Callable[[Json], Estimate]:
    return lambda _: Estimate(micro_dollars, why)


def _insights(parameters: Json) -> Estimate:
    groups = sum(
        len(parameters.get(name, ())) for name in ("logGroupNames", "logGroupIdentifiers")
    ) or (1 if parameters.get("logGroupName") else SCANNED_GIGABYTES)
    seconds = _number(parameters.get("endTime")) - _number(parameters.get("startTime"))
    hours = max(1, -(-seconds // 3600))
    gigabytes = min(MOST_GIGABYTES, groups * hours * GIGABYTES_PER_HOUR)
    return Estimate(
        gigabytes * 5_000,
        f"$0.005 per GB scanned; {gigabytes} GB assumed, "
        f"{GIGABYTES_PER_HOUR} for each log group and hour",
    )


def _metric_data(parameters: Json) -> Estimate:
    metrics = sum(_metrics(query) for query in parameters.get("MetricDataQueries", ()))
    return Estimate(10 * metrics, f"$0.01 per 1,000 metrics; {metrics} asked for")


def _metrics(query: Any) -> int:
    if not isinstance(query, Mapping):
        return 1
    expression = str(query.get("Expression", "")).upper()
    if "MetricStat" in query:
        return 1
    return METRICS_PER_SEARCH if "SEARCH" in expression or "SELECT" in expression else 0


def _number(value: Any) -> int:
    return value if isinstance(value, int) else 0


_CLOUDWATCH = "https://aws.amazon.com/cloudwatch/pricing/"
_BEDROCK = "https://aws.amazon.com/bedrock/pricing/"
_UNKNOWN = _flat(5 * _CENT, "the price hangs on the model and its answer; $0.05 assumed")

PRICED: Mapping[str, Price] = {
    "athena.StartQueryExecution": Price(
        "https://aws.amazon.com/athena/pricing/",
        _flat(5_000 * SCANNED_GIGABYTES, f"$5 per TB scanned; {SCANNED_GIGABYTES} GB assumed"),
    ),
    "bedrock-agent-runtime.*": Price(_BEDROCK, _UNKNOWN),
    "bedrock-runtime.*": Price(_BEDROCK, _UNKNOWN),
    "ce.*": Price(
        "https://aws.amazon.com/aws-cost-management/aws-cost-explorer/pricing/",
        _flat(_CENT, "$0.01 per request"),
    ),
    "cloudtrail.StartQuery": Price(
        "https://aws.amazon.com/cloudtrail/pricing/",
        _flat(5_000 * SCANNED_GIGABYTES, f"$0.005 per GB scanned; {SCANNED_GIGABYTES} GB assumed"),
    ),
    "cloudwatch.GetInsightRuleReport": Price(
        _CLOUDWATCH, _flat(10, "$0.01 per 1,000 metrics; 1 asked for")
    ),
    "cloudwatch.GetMetricData": Price(_CLOUDWATCH, _metric_data),
    "cloudwatch.GetMetricWidgetImage": Price(
        _CLOUDWATCH, _flat(200, "$0.02 per 1,000 metrics; 10 assumed")
    ),
    "logs.StartLiveTail": Price(_CLOUDWATCH, _flat(_CENT, "$0.01 per minute; one assumed")),
    "logs.StartQuery": Price(_CLOUDWATCH, _insights),
    "s3.SelectObjectContent": Price(
        "https://aws.amazon.com/s3/pricing/",
        _flat(2_700, "$0.002 per GB scanned and $0.0007 per GB returned; one of each assumed"),
    ),
    "timestream-query.Query": Price(
        "https://aws.amazon.com/timestream/pricing/",
        _flat(_CENT * SCANNED_GIGABYTES, f"$0.01 per GB scanned; {SCANNED_GIGABYTES} GB assumed"),
    ),
}
"""Operation, or "service.*" for all others of a service, to how it is billed."""
