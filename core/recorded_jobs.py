"""The jobs of a recorded session, and a workshop where they are told again instead of being run.

With it a session can be worked again without running anything: the same drafts get the same output,
calls and results. A run without an end is left out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.approval.draft import Draft
from core.approval.redeem import Countersigned
from core.calls import AwsCalled, AwsIntended
from core.events import DraftGenerated, Fact, RunFinished, RunOutput
from sandbox.environments import environment_digest
from sandbox.job import (
    AwsCall,
    Called,
    Finished,
    Intended,
    JobEvent,
    JobResult,
    Output,
    Response,
    Sandbox,
    Sha,
    Shape,
    Verdict,
)
from sandbox.limits import Limits

Payload = Callable[[Sha], bytes]


def recorded_jobs(facts: Iterable[Fact], payload: Payload) -> dict[Sha, list[JobEvent]]:
    """Return the events of each finished job by the digest of its script."""
    jobs: dict[Sha, list[JobEvent]] = {}
    script, events = Sha(""), list[JobEvent]()
    for fact in facts:
        match fact.event:
            case DraftGenerated():
                script, events = fact.event.script, []
            case RunOutput():
                events.append(_output(fact.event))
            case AwsIntended():
                events.append(_intended(fact.event))
            case AwsCalled():
                events.append(_called(fact.event, payload))
            case RunFinished():
                jobs[script] = [*events, _finished(fact.event, payload)]
            case _:
                pass
    return jobs


def _output(event: RunOutput) -> Output:
    return Output(event.stream, event.offset, event.text.encode(), event.dropped)


def _intended(event: AwsIntended) -> Intended:
    verdict = Verdict(
        allowed=True,
        reason=event.reason,
        tier=event.tier,
        action=event.action,
        durable_first=True,
    )
    return Intended(event.number, _call(event), verdict, go=_send_nothing)


def _send_nothing() -> None:
    """Let go of a call that was made when it was recorded."""


def _call(event: AwsIntended | AwsCalled) -> AwsCall:
    return AwsCall(event.service, event.operation, event.region, event.parameters, event.principal)


def _called(event: AwsCalled, payload: Payload) -> Called:
    allowed = event.verdict == "allowed"
    response = None
    if event.response is not None:
        response = Response(
            status=event.status,
            headers=event.headers,
            body=payload(event.response),
            dropped=event.dropped,
            age_ms=event.age_ms,
            cost=event.cost,
        )
    return Called(
        number=event.number,
        call=_call(event) if event.service else None,
        verdict=Verdict(allowed, event.reason, event.tier, event.action),
        status=event.status,
        request_id=event.request_id,
        ms=event.ms,
        response=response,
        cost=0 if response else event.cost,
    )


def _finished(event: RunFinished, payload: Payload) -> Finished:
    return Finished(
        JobResult(
            outcome=event.outcome,
            code=event.code,
            limit=event.limit,
            result=payload(event.result) if event.result else None,
            artifacts={name: payload(content) for name, content in event.artifacts.items()},
            problems=event.problems,
        )
    )


@dataclass(frozen=True, slots=True)
class ReplayingWorkshop:
    """`core.engine.Workshop` that runs nothing, so that it sees whatever runtime was approved."""

    sandbox: Sandbox
    aws: bool = True

    def prepare(self, draft: Draft, limits: Limits, services: Sequence[str]) -> None:
        """Do nothing: there is nothing to get ready."""

    async def lacking(self, requirements: Sequence[str]) -> str:
        """Return nothing: nothing is fetched."""
        del requirements
        return ""

    async def ready_for(self, ready: Countersigned) -> tuple[Sandbox, Shape]:
        """Return the sandbox and the shape that was approved."""
        terms = ready.terms
        seen = environment_digest(terms.runtime, ready.draft.requirements)
        return self.sandbox, Shape("python", Path("/"), seen, terms.limits, self.aws)
