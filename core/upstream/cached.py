"""The upstream that answers identical reads from what it was answered a moment ago.

Identical is what has the same service, operation, region, parameters and principal. Only whole
answers of success are kept, bounded in number and bytes. A call that is no read empties the record
before and after it is sent, and for as long as answers would have been kept nothing is answered
from it: what was just changed is looked at until it has changed. Calls that ask whether something
is done (`POLLS`) always go on.

Trade-off: a script that waits for a change that somebody else makes sees it later by as much.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from threading import Lock

from core.errors import NotCanonical
from core.upstream.same_call import Key, key_of
from sandbox.job import AwsCall, Response, Upstream

MOST_ANSWERS = 1000
MOST_BYTES = 64 * 1024 * 1024
MOST_BYTES_OF_ONE = 8 * 1024 * 1024

POLLS = frozenset(
    {
        *("athena.BatchGetQueryExecution", "athena.GetQueryExecution", "athena.GetQueryResults"),
        *("athena.GetQueryRuntimeStatistics",),
        *("cloudformation.DescribeChangeSet", "cloudformation.DescribeStackDriftDetectionStatus"),
        *("cloudtrail.DescribeQuery", "cloudtrail.GetQueryResults", "cloudtrail.ListQueries"),
        *("codebuild.BatchGetBuilds", "codepipeline.GetPipelineExecution"),
        *("dynamodb.DescribeEndpoints", "timestream-query.DescribeEndpoints"),
        *("timestream-write.DescribeEndpoints",),
        *("iam.GenerateCredentialReport", "iam.GetCredentialReport"),
        *("iam.GetServiceLastAccessedDetails",),
        *("logs.DescribeQueries", "logs.GetLogEvents", "logs.GetQueryResults"),
        *("redshift-data.DescribeStatement", "redshift-data.GetStatementResult"),
        *("ssm.DescribeAutomationExecutions", "ssm.GetAutomationExecution"),
        *("ssm.GetCommandInvocation", "ssm.ListCommandInvocations", "ssm.ListCommands"),
        *("stepfunctions.DescribeExecution", "stepfunctions.GetExecutionHistory"),
    }
)
"""Reads that mean something else each time they are made."""

_SUCCESS = range(200, 300)

CallKey = tuple[Key, str]


@dataclass(frozen=True, slots=True)
class _Answer:
    response: Response
    at: float


class Record:
    """What was answered a moment ago; the runs of a session share it, and so may threads."""

    def __init__(self, seconds: float, now: Callable[[], float] = time.monotonic) -> None:
        """`seconds` is how long an answer counts; with 0 nothing is ever kept."""
        self._seconds = seconds
        self._now = now
        self._lock = Lock()
        self._answers: OrderedDict[CallKey, _Answer] = OrderedDict()
        self._bytes = 0
        self._changed = 0
        self._changed_at = float("-inf")

    def find(self, key: CallKey) -> Response | None:
        """Return what was answered, with its age; None when that is too long ago, or never was."""
        with self._lock:
            answer = self._answers.get(key)
            if answer is None:
                return None
            age = self._now() - answer.at
            if age >= self._seconds:
                self._drop(key)
                return None
            self._answers.move_to_end(key)
        return replace(answer.response, age_ms=max(1, round(age * 1000)), cost=0)

    def moment(self) -> int:
        """Return a mark for `keep`: what is answered to a read that begins now."""
        return self._changed

    def keep(self, key: CallKey, response: Response, moment: int) -> None:
        """Keep an answer, unless something was changed since the read began, or just before."""
        size = len(response.body)
        with self._lock:
            fresh = self._changed != moment or self._now() - self._changed_at < self._seconds
            if fresh or self._seconds <= 0 or size > MOST_BYTES_OF_ONE:
                return
            if key in self._answers:
                self._drop(key)
            self._answers[key] = _Answer(response, self._now())
            self._bytes += size
            while len(self._answers) > MOST_ANSWERS or self._bytes > MOST_BYTES:
                self._drop(next(iter(self._answers)))

    def clear(self) -> None:
        """Forget everything: something is changed."""
        with self._lock:
            self._answers.clear()
            self._bytes = 0
            self._changed += 1
            self._changed_at = self._now()

    def _drop(self, key: CallKey) -> None:
        self._bytes -= len(self._answers.pop(key).response.body)


class Cached:
    """Answers reads from a record where it can; threads may share it."""

    def __init__(
        self, upstream: Upstream, record: Record, is_read: Callable[[AwsCall], bool]
    ) -> None:
        """`is_read` tells calls that change nothing and hold no credentials (tier 2 at most)."""
        self._upstream = upstream
        self._record = record
        self._is_read = is_read

    def send(self, call: AwsCall) -> Response:
        """Return an answer, `age_ms` old if it is from the record; raises ValueError."""
        if not self._is_read(call):
            return self._change(call)
        key = _key(call)
        if key is None:
            return self._upstream.send(call)
        found = self._record.find(key)
        if found is not None:
            return found
        moment = self._record.moment()
        response = self._upstream.send(call)
        if response.status in _SUCCESS and response.stream is None and not response.dropped:
            self._record.keep(key, response, moment)
        return response

    def _change(self, call: AwsCall) -> Response:
        self._record.clear()
        try:
            return self._upstream.send(call)
        finally:
            self._record.clear()


def _key(call: AwsCall) -> CallKey | None:
    """Return what makes calls identical; None for one that is never answered from the record."""
    if f"{call.service}.{call.operation}" in POLLS:
        return None
    try:
        return (
            key_of(call.service, call.operation, call.region, call.parameters),
            call.principal,
        )
    except NotCanonical:
        return None
