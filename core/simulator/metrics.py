"""CloudWatch metrics computed from the steps of a world file: one value a minute, no noise.

What moto gets wrong silently (expressions, percentiles, units) is refused instead.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from core.simulator.listings import page, refuse_unknown
from core.simulator.refusals import AwsError, NotSimulated
from core.simulator.world import Metric, World

_MINUTE = 60
_MOST_POINTS = 1440
_STATISTICS = ("Average", "Maximum", "Minimum", "SampleCount", "Sum")

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Series:
    """A metric with the times at which its value changes."""

    namespace: str
    name: str
    dimensions: frozenset[tuple[str, str]]
    unit: str
    steps: tuple[tuple[datetime, int], ...]
    until: datetime


def series(world: World, metric: Metric, dimensions: Mapping[str, str]) -> Series:
    """Return a metric of a world, its dimensions filled in."""
    steps = sorted((world.at(step.at), step.value) for step in metric.values)
    return Series(
        metric.namespace,
        metric.metric,
        frozenset(dimensions.items()),
        metric.unit,
        tuple(steps),
        world.now,
    )


def listed(known: Sequence[Series], asked: Json) -> dict[str, Any]:
    """Return the answer to ListMetrics."""
    refuse_unknown(asked, {"Namespace", "MetricName", "Dimensions", "NextToken"})
    wanted = asked.get("Dimensions", [])
    found = [
        {
            "Namespace": each.namespace,
            "MetricName": each.name,
            "Dimensions": [{"Name": key, "Value": value} for key, value in sorted(each.dimensions)],
        }
        for each in known
        if each.namespace == asked.get("Namespace", each.namespace)
        and each.name == asked.get("MetricName", each.name)
        and all(_has(each, dimension) for dimension in wanted)
    ]
    return page("Metrics", found, asked, size=500)


def statistics(known: Sequence[Series], asked: Json) -> dict[str, Any]:
    """Return the answer to GetMetricStatistics."""
    refuse_unknown(
        asked,
        {"Namespace", "MetricName", "Dimensions", "StartTime", "EndTime", "Period", "Statistics"},
    )
    found = _find(known, asked)
    wanted = asked["Statistics"]
    points = [
        {"Timestamp": at, "Unit": found.unit, **{name: values[name] for name in wanted}}
        for at, values in _points(found, asked)
    ]
    if len(points) > _MOST_POINTS:
        raise AwsError("InvalidParameterCombination", f"more than {_MOST_POINTS} datapoints")
    return {"Label": asked["MetricName"], "Datapoints": points}


def data(known: Sequence[Series], asked: Json) -> dict[str, Any]:
    """Return the answer to GetMetricData; expressions are refused."""
    refuse_unknown(asked, {"MetricDataQueries", "StartTime", "EndTime", "ScanBy"})
    window = {name: asked[name] for name in ("StartTime", "EndTime")}
    newest_first = asked.get("ScanBy", "TimestampDescending") == "TimestampDescending"
    return {
        "MetricDataResults": [
            _result(known, query, window, newest_first)
            for query in asked["MetricDataQueries"]
            if query.get("ReturnData", True)
        ]
    }


def _result(
    known: Sequence[Series], query: Json, window: Json, newest_first: bool
) -> dict[str, Any]:
    refuse_unknown(query, {"Id", "MetricStat", "Label", "ReturnData"})
    refuse_unknown(query["MetricStat"], {"Metric", "Period", "Stat"})
    metric, stat = query["MetricStat"]["Metric"], query["MetricStat"]["Stat"]
    if stat not in _STATISTICS:
        raise NotSimulated(f"the statistic {stat}")
    found = _find(known, metric)
    points = list(_points(found, {**window, **query["MetricStat"]}))
    ordered = points[::-1] if newest_first else points
    return {
        "Id": query["Id"],
        "Label": query.get("Label", metric["MetricName"]),
        "Timestamps": [at for at, _ in ordered],
        "Values": [values[stat] for _, values in ordered],
        "StatusCode": "Complete",
    }


def _find(known: Sequence[Series], asked: Json) -> Series:
    """Return the series with exactly these dimensions; raises NotSimulated when there is none.

    A metric that the world does not tell of is not known to be without values.
    """
    dimensions = frozenset((each["Name"], each["Value"]) for each in asked.get("Dimensions", ()))
    for each in known:
        if (each.namespace, each.name, each.dimensions) == (
            asked["Namespace"],
            asked["MetricName"],
            dimensions,
        ):
            return each
    raise NotSimulated(f"the metric {asked['Namespace']}/{asked['MetricName']} of these dimensions")


def _points(found: Series, asked: Json) -> Iterator[tuple[datetime, dict[str, float]]]:
    """Yield start and statistics of each period that has values, oldest first."""
    start, end = _aware(asked["StartTime"]), min(_aware(asked["EndTime"]), found.until)
    period = int(asked["Period"])
    if period < _MINUTE or period % _MINUTE:
        raise NotSimulated("a period that is not whole minutes")
    at = datetime.fromtimestamp(start.timestamp() // period * period, UTC)
    while at < end and (end - at) / timedelta(seconds=period) <= _MOST_POINTS * 100:
        minutes = (at + timedelta(minutes=each) for each in range(period // _MINUTE))
        values = [value for each in minutes if (value := _value(found, each)) is not None]
        if values:
            yield at, _numbers(values)
        at += timedelta(seconds=period)


def _numbers(values: list[int]) -> dict[str, float]:
    return {
        "Average": sum(values) / len(values),
        "Maximum": float(max(values)),
        "Minimum": float(min(values)),
        "SampleCount": float(len(values)),
        "Sum": float(sum(values)),
    }


def _value(found: Series, at: datetime) -> int | None:
    if at >= found.until:
        return None
    return next((value for since, value in reversed(found.steps) if since <= at), None)


def _has(each: Series, dimension: Json) -> bool:
    return any(
        key == dimension["Name"] and value == dimension.get("Value", value)
        for key, value in each.dimensions
    )


def _aware(value: datetime) -> datetime:
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value
