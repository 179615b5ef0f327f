"""Identical reads answered from what was answered a moment ago."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from core.upstream import cached
from core.upstream.cached import MOST_ANSWERS, MOST_BYTES, POLLS, Cached, Record
from sandbox.gateway.shapes import operation_model
from sandbox.job import AwsCall, Response

READ = AwsCall("cloudwatch", "DescribeAlarms", "eu-west-1", {"AlarmNames": ["a"], "MaxRecords": 5})
WRITE = AwsCall("cloudwatch", "DeleteAlarms", "eu-west-1", {"AlarmNames": ["a"]})
SECONDS = 60.0


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = 1000.0

    def __call__(self) -> float:
        return self.time


class Counting:
    """An upstream whose answers are numbered."""

    def __init__(self, **changes: Any) -> None:
        self.sent: list[AwsCall] = []
        self.changes = changes

    def send(self, call: AwsCall) -> Response:
        """Answer with how many calls were sent."""
        self.sent.append(call)
        response = Response(200, {"h": "v"}, str(len(self.sent)).encode(), cost=7)
        return replace(response, **self.changes)


def is_read(call: AwsCall) -> bool:
    """Tell reads from changes as the tiers would."""
    return not call.operation.startswith("Delete")


def made(seconds: float = SECONDS, **changes: Any) -> tuple[Cached, Counting, Clock]:
    """Return an upstream with a record, what is behind it, and its clock."""
    clock, upstream = Clock(), Counting(**changes)
    return Cached(upstream, Record(seconds, clock), is_read), upstream, clock


def test_the_same_read_is_answered_from_the_record() -> None:
    """The second answer is the first one, with its age, and costs nothing."""
    upstream, behind, clock = made()
    first = upstream.send(READ)
    clock.time += 40
    second = upstream.send(READ)

    assert (first.age_ms, first.cost) == (0, 7)
    assert second == replace(first, age_ms=40_000, cost=0)
    assert len(behind.sent) == 1


def test_an_answer_is_never_said_to_be_new() -> None:
    """Within the same millisecond it is still marked as one from the record."""
    upstream, _, _ = made()
    upstream.send(READ)
    assert upstream.send(READ).age_ms == 1


def test_old_answers_do_not_count() -> None:
    """After the set time the call is sent again, and its answer kept for as long."""
    upstream, behind, clock = made()
    upstream.send(READ)
    clock.time += SECONDS
    assert (upstream.send(READ).body, upstream.send(READ).body) == (b"2", b"2")
    assert len(behind.sent) == 2


@pytest.mark.parametrize(
    "change",
    [
        {"service": "rds"},
        {"operation": "DescribeAlarmHistory"},
        {"region": "us-east-1"},
        {"parameters": {"AlarmNames": ["a"]}},
        {"parameters": {"AlarmNames": ["a"], "MaxRecords": 6}},
        {"principal": "arn:aws:sts::111122223333:assumed-role/a/b"},
    ],
    ids=str,
)
def test_another_call_is_another_call(change: dict[str, Any]) -> None:
    """Whatever is different, the answer to it is not the one that is on record."""
    upstream, behind, _ = made()
    upstream.send(READ)
    upstream.send(replace(READ, **change))
    assert len(behind.sent) == 2


def test_the_order_of_parameters_does_not_matter() -> None:
    """Parameters are compared as values."""
    upstream, behind, _ = made()
    upstream.send(READ)
    upstream.send(replace(READ, parameters=dict(reversed(list(READ.parameters.items())))))
    assert len(behind.sent) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"status": 400},
        {"status": 503},
        {"status": 301},
        {"dropped": 1},
        {"stream": iter([b"x"])},
        {"body": b"x" * (cached.MOST_BYTES_OF_ONE + 1)},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_what_is_no_whole_answer_is_not_kept(changes: dict[str, Any]) -> None:
    """Errors, throttling, streams and what is too large are asked for again."""
    upstream, behind, _ = made(**changes)
    upstream.send(READ)
    upstream.send(READ)
    assert len(behind.sent) == 2


def test_nothing_is_kept_for_no_time() -> None:
    """A setting of 0 switches it off."""
    upstream, behind, _ = made(seconds=0)
    upstream.send(READ)
    upstream.send(READ)
    assert len(behind.sent) == 2


def test_a_change_empties_the_record() -> None:
    """After a change reads are sent, until it has had time to be done."""
    upstream, behind, clock = made()
    upstream.send(READ)
    upstream.send(WRITE)
    upstream.send(READ)
    upstream.send(READ)
    assert len(behind.sent) == 4

    clock.time += SECONDS
    upstream.send(READ)
    upstream.send(READ)
    assert len(behind.sent) == 5


def test_a_change_that_fails_empties_the_record_too() -> None:
    """Nobody knows what a change did that broke off."""

    class Breaking(Counting):
        def send(self, call: AwsCall) -> Response:
            if not is_read(call):
                raise ValueError("no answer came")
            return super().send(call)

    behind = Breaking()
    upstream = Cached(behind, Record(SECONDS, Clock()), is_read)
    upstream.send(READ)
    with pytest.raises(ValueError, match="no answer came"):
        upstream.send(WRITE)
    upstream.send(READ)
    assert len(behind.sent) == 2


def test_a_read_that_began_before_a_change_is_not_kept() -> None:
    """An answer that arrives after a change may be from before it."""
    clock = Clock()
    record = Record(SECONDS, clock)

    class Overtaken(Counting):
        def send(self, call: AwsCall) -> Response:
            if len(self.sent) == 0:
                record.clear()
                clock.time += SECONDS
            return super().send(call)

    behind = Overtaken()
    upstream = Cached(behind, record, is_read)
    upstream.send(READ)
    upstream.send(READ)
    assert len(behind.sent) == 2


@pytest.mark.parametrize("name", sorted(POLLS))
def test_polls_always_go_on(name: str) -> None:
    """Whether something is done is asked anew each time; each name is one that AWS has."""
    service, operation = name.split(".")
    upstream, behind, _ = made()
    for _ in range(2):
        upstream.send(AwsCall(service, operation, "eu-west-1", {}))

    assert len(behind.sent) == 2
    assert operation_model(service, operation).name == operation


def test_runs_share_a_record() -> None:
    """What one run was answered another one of the session is answered too."""
    record, behind = Record(SECONDS, Clock()), Counting()
    answers = [Cached(behind, record, is_read).send(READ).body for _ in range(2)]
    assert (answers, len(behind.sent)) == ([b"1", b"1"], 1)


def test_the_record_is_bounded() -> None:
    """The answers that were used least go first, by number and by bytes."""
    upstream, behind, _ = made()
    for number in range(MOST_ANSWERS + 1):
        upstream.send(replace(READ, parameters={"NextToken": str(number)}))
        upstream.send(replace(READ, parameters={"NextToken": "0"}))
    assert len(behind.sent) == MOST_ANSWERS + 1
    upstream.send(replace(READ, parameters={"NextToken": "1"}))
    assert len(behind.sent) == MOST_ANSWERS + 2

    size = MOST_BYTES // 8
    upstream, behind, _ = made(body=b"x" * size)
    for number in [*range(9), 0, 8]:
        upstream.send(replace(READ, parameters={"NextToken": str(number)}))
    assert len(behind.sent) == 10


def test_parameters_that_have_no_canonical_form_are_sent() -> None:
    """What can't be compared is not answered from the record."""
    deep: Any = "x"
    for _ in range(100):
        deep = [deep]
    upstream, behind, _ = made()
    for _ in range(2):
        upstream.send(replace(READ, parameters={"AlarmNames": deep}))
    assert len(behind.sent) == 2


def test_threads_share_a_record() -> None:
    """Many at once read and change; afterwards exactly as much fits as did before."""
    clock = Clock()
    record, size = Record(SECONDS, clock), MOST_BYTES // 8
    upstream = Cached(Counting(), record, is_read)
    storm = [WRITE if number == 100 else replace(READ, region=f"r{number % 7}")
             for number in range(400)]  # fmt: skip
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(upstream.send, storm))
    record.clear()
    clock.time += SECONDS
    large = Counting(body=b"x" * size)
    for number in [*range(8), *range(8)]:
        Cached(large, record, is_read).send(replace(READ, region=f"r{number}"))

    assert len(large.sent) == 8
