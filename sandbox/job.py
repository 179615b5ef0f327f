"""The values and ports of the bottom floor: what a job is, what it gives back, who takes part.

A `Job` is bytes and limits; nothing here knows sessions, policies or models. `Sandbox` runs one job
behind walls, `Gateway` answers its AWS calls from outside the walls. Each port has two real
implementations or more: `Bubblewrap`, `Namespaces` and `Replayed` (which runs nothing) for
`Sandbox`; the gateway process over its `Upstream` for `Gateway`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from socket import socket
from typing import Any, Literal, NewType, Protocol

from sandbox.limits import Limits

Json = Mapping[str, Any]
"""A parsed JSON object."""
Sha = NewType("Sha", str)
"""A SHA-256 as 64 lower-case hexadecimal digits."""
Language = Literal["python"]
"""Node.js is designed for and not built yet."""
Tier = Literal[0, 1, 2, 3, 4, 5]
Outcome = Literal["exited", "killed", "limit", "lost"]


# ------------------------------------------------------------------ the job
@dataclass(frozen=True, slots=True)
class Shape:
    """All that must be known of a job before its walls can be put up."""

    language: Language
    environment: Path
    """Root folder of the sealed runtime (see `sandbox.runtime`)."""
    environment_digest: Sha
    limits: Limits
    aws: bool
    """Whether the job may reach a gateway at all."""


@dataclass(frozen=True, slots=True)
class Job:
    """One script with everything it sees."""

    run: str
    """The run's id, unique in its session; appears in no path that the script could guess."""
    shape: Shape
    script: bytes
    script_digest: Sha
    """SHA-256 of `script`; the sandbox hashes again and refuses another."""
    parameters: bytes
    """Becomes /job/in/parameters.json."""
    inputs: Mapping[str, bytes]
    """Name in /job/in/ (such as "E1.json") to content."""
    variables: Mapping[str, str]
    """The whole environment of the script, besides what the engine itself sets."""


@dataclass(frozen=True, slots=True)
class JobResult:
    """How the job ended; made only when its whole process tree is dead."""

    outcome: Outcome
    """exited: by itself, see `code`; killed: by a signal, `code` is minus its number;
    limit: see `limit`; lost: the launcher died and took the answer with it."""
    code: int | None
    limit: str | None
    """Field name of the limit in `Limits` that ended the run."""
    result: bytes | None
    """Content of /job/out/result.json, unparsed; None when there was none."""
    artifacts: Mapping[str, bytes]
    """Other plain files of /job/out by relative path, its parts divided by "/"."""
    problems: tuple[str, ...] = ()
    """What could not be taken out, a sentence each."""


# ------------------------------------------------------------------ an AWS call
OPERATOR = "operator"
"""The principal of calls that are made with the credentials which the session was started with."""


SCRIPT_SECRET = "not-a-secret-the-gateway-signs-anew"  # noqa: S105 - as it says
"""What scripts sign with, whatever their run: it opens nothing, and is no secret."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """Keys that sign requests. They stay in the gateway process, and are in no representation."""

    access_key: str
    secret_key: str = field(repr=False)
    token: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class AwsCall:
    """One AWS call as the gateway understood it: judged and sent instead of the script's bytes."""

    service: str
    """botocore client name, such as "cloudwatch"."""
    operation: str
    """Operation name of botocore's model, such as "DescribeAlarms"."""
    region: str
    parameters: Json
    principal: str = OPERATOR
    """In whose name: OPERATOR, or the ARN of an identity that this run got credentials of."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the approved policy says of a call."""

    allowed: bool
    reason: str
    """One sentence an operator can act on."""
    tier: Tier
    action: str
    """IAM action, such as "cloudwatch:DescribeAlarms"."""
    durable_first: bool = False
    """The intent must be on disk before the call is sent (tier 3 and up)."""


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP answer of an upstream, and what the gateway knows of it."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    stream: Iterator[bytes] | None = None
    """What follows `body`, where an answer is not held in memory: read once, by whoever hands the
    answer over, and closed (`close()`, where it has one) however that ends. Raises OSError when it
    breaks off."""
    dropped: int = 0
    """Bytes that were handed over and are not kept in `body`; only of answers that are recorded."""
    age_ms: int = 0
    """How old an answer from the record is; 0 = it was just given."""
    cost: int = 0
    """What AWS charges for the call, estimated, in micro-dollars."""
    sensitive: tuple[str, ...] = ()
    """Texts in the call or the answer that must not be stored or shown: secrets by their shape."""


# ------------------------------------------------------------------ what a run tells
@dataclass(frozen=True, slots=True)
class Output:
    """A stretch of what the script printed, coalesced (50 ms or 64 KiB)."""

    stream: Literal["stdout", "stderr"]
    offset: int
    """Bytes of this stream before `data`, dropped ones included."""
    data: bytes
    dropped: int
    """Bytes dropped so far because of `Limits.output_bytes`."""


@dataclass(frozen=True, slots=True)
class Called:
    """One AWS call that the gateway has answered; whoever stores it redacts it first."""

    number: int
    """1, 2, 3, ... within the run."""
    call: AwsCall | None
    """None when the request could not be identified."""
    verdict: Verdict
    status: int
    request_id: str
    ms: int
    response: Response | None
    """What the upstream answered; None when nothing was sent."""
    sensitive: tuple[str, ...] = ()
    """Texts in a call without an answer that must not be stored or shown; others are named by
    their answer."""
    cost: int = 0
    """What AWS may charge for a call without an answer; that of others stands in their answer."""


@dataclass(frozen=True, slots=True)
class Intended:
    """A call of tier 3 or more that is allowed and waits until its intent is on disk."""

    number: int
    """As in the `Called` that follows it."""
    call: AwsCall
    verdict: Verdict
    go: Callable[[], None] = field(compare=False, repr=False)
    """Lets the call be sent; without it, it never is. May be called once, in the event loop."""
    sensitive: tuple[str, ...] = ()
    """Texts in the call that must not be stored or shown, as in `Response`."""


@dataclass(frozen=True, slots=True)
class Finished:
    """Exactly one, last, and only when the whole process tree is dead."""

    result: JobResult


GatewayEvent = Called | Intended
JobEvent = Output | Called | Intended | Finished


# ------------------------------------------------------------------ ports
class Gateway(Protocol):
    """The engine's handle on the gateway process."""

    def attach(
        self, run: str, spec: bytes, listener: socket
    ) -> AbstractAsyncContextManager[AsyncIterator[GatewayEvent]]:
        """Have the calls that arrive on `listener` judged by `spec`; takes ownership of `listener`.

        Leaving the block closes the listener and every connection of the run, and returns when the
        gateway has confirmed it. The iterator ends after that. Raises GatewayLost.
        """
        ...


class Sandbox(Protocol):
    """Runs jobs behind walls, each behind its own; used from one event loop."""

    engine: str
    """Name of the engine, such as "namespaces"."""
    degraded: tuple[str, ...]
    """What this machine lacks that is allowed to be lacking; shown in the session."""

    def prepare(self, shape: Shape, services: Sequence[str] = ()) -> None:
        """Put up the walls for the next job of this shape ahead of time: a hint, never an error.

        `services` are botocore client names whose models the job will likely want. They are loaded
        at once, with whatever package beside boto3 that tries to help: name none where the
        environment holds packages of others.
        """
        ...

    def run(
        self, job: Job, gateway: Gateway | None, spec: bytes
    ) -> AbstractAsyncContextManager[AsyncIterator[JobEvent]]:
        """Run `job`; leaving the block, however it is left, means that its process tree is dead.

        `gateway` is None exactly when `job.shape.aws` is False. Raises LaunchFailed, GatewayLost.
        """
        ...

    def close(self) -> None:
        """End what was prepared and never used; runs that go on are not touched."""
        ...


class Authorize(Protocol):
    """Judges a call: synchronous, pure, no I/O, never raises."""

    def __call__(self, call: AwsCall) -> Verdict: ...


class Upstream(Protocol):
    """Where a judged call goes: live, simulated, recorded, rehearsal.

    Or one of these with something around it: what keeps secrets back, answers again from what was
    answered, guards the bill.
    """

    def send(self, call: AwsCall) -> Response:
        """Issue a new request made from `call`, in its principal's name; return the raw answer.

        Errors of the service come back as a Response. Raises ValueError, with a reason for the
        operator, when nothing was sent or no answer came.
        """
        ...
