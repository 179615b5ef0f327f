"""What a session records of the AWS calls of its runs; a part of core/events.py (docs/events.md).

A call that may change something, or hands out secrets, is recorded twice: what is about to be sent
(`aws.intended`, a turning event: the gateway sends nothing before it is on disk), and what came of
it (`aws.called`, bulk). When the second is missing nobody knows whether the call was made.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from sandbox.job import OPERATOR, Sha, Tier


@dataclass(frozen=True, slots=True)
class AwsIntended:
    """An allowed call of tier 3 or more that is about to be sent, redacted."""

    kind: ClassVar = "aws.intended"
    run: str
    number: int
    """As in the `aws.called` that says what came of it."""
    service: str
    operation: str
    region: str
    parameters: dict[str, Any]
    reason: str
    action: str
    tier: Tier
    principal: str


@dataclass(frozen=True, slots=True)
class AwsCalled:
    """One AWS call as the gateway judged and answered it, redacted. Bulk."""

    kind: ClassVar = "aws.called"
    run: str
    number: int
    service: str
    """botocore client name; empty when the request could not be identified."""
    operation: str
    region: str
    parameters: dict[str, Any]
    verdict: Literal["allowed", "denied"]
    reason: str
    action: str
    tier: Tier
    status: int
    request_id: str
    ms: int
    response: Sha | None
    headers: dict[str, str]
    principal: str = OPERATOR
    """In whose name: operator, or the ARN of an identity that the run got credentials of."""
    age_ms: int = 0
    """How old an answer from the record was; 0 = it was just given."""
    cost: int = 0
    """What AWS charges for the call, estimated, in micro-dollars."""
    dropped: int = 0
    """Bytes of the answer that the script got and `response` does not hold."""
