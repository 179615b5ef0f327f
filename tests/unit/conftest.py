"""A session in the making: `story` appends events with sensible fields, one call each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.approval.draft import Draft
from core.canonical import sha256
from core.checks.finding import Finding
from core.decide import Record, decide
from core.engine import describe
from core.events import (
    CallerIdentified,
    DecisionMade,
    DecisionRequested,
    Event,
    EvidenceAdded,
    Fact,
    PlanProposed,
    ReviewFinished,
    RunFinished,
    RunStarted,
    SessionStarted,
    Verb,
)
from core.session import Session, apply, begin
from sandbox.job import Sha, Tier
from sandbox.limits import Limits

STARTED = SessionStarted(
    session="20261120T181203-a1b2c3",
    question="why?",
    goal="ask",
    mode="guided",
    source="recorded:" + "0" * 64,
    regions=(),
    ceiling=4,
    limits=Limits(),
    most_steps=3,
    most_ms=60_000,
    runtime=Sha("f" * 64),
    identity="somebody",
    version="0",
)
DRAFT = Draft(
    step="S1",
    version=1,
    author="workflow",
    kind="collect",
    language="python",
    script=b"print('hello')\n",
    requirements=(),
    policy={"Version": "2012-10-17", "Statement": []},
    rollback=None,
    post_check=None,
    parameters={"regions": ["eu-west-1"]},
    inputs=(),
)


class Story:
    """Facts, the session they make, and the payloads they name."""

    def __init__(self, **settings: Any) -> None:
        self.now = 1_000
        self.payloads: dict[Sha, bytes] = {}
        self.facts = [Fact(1, self.now, replace(STARTED, **settings))]
        self.session: Session = begin(self.facts[0])

    def add(self, event: Event) -> Fact:
        fact = Fact(len(self.facts) + 1, self.now, event)
        self.session = apply(self.session, fact)
        self.facts.append(fact)
        return fact

    def keep(self, body: bytes) -> Sha:
        self.payloads[sha256(body)] = body
        return sha256(body)

    def payload(self, content: Sha) -> bytes:
        return self.payloads[content]

    def identified(self) -> Story:
        self.add(CallerIdentified("aws", "123456789012", "shop", "arn:role", ("eu-west-1",)))
        return self

    def drafted(self, draft: Draft = DRAFT, workflow: str = "", **fields: Any) -> Story:
        name = f"S{len(self.session.steps) + 1}"
        if self.session.step is None:
            self.add(PlanProposed(name, "Look", "to know", "collect", workflow, {}))
        step = self.session.steps[-1]
        version = len(step.drafts) + 1
        made = replace(draft, step=step.plan.step, version=version, **fields)
        for body in (made.script, made.rollback, made.post_check, made.tests):
            if body is not None:
                self.keep(body)
        self.add(describe(made))
        return self

    def reviewed(self, tier: Tier = 1, blockers: int = 0, *, poor: bool = False) -> Story:
        draft = self.session.steps[-1].draft
        assert draft is not None
        findings = (Finding("test", "rule", "blocker", 1, "no", ""),) * blockers
        digest = draft.draft_digest
        self.add(
            ReviewFinished(
                draft.step,
                draft.version,
                digest,
                tier,
                findings,
                (),
                (),
                (),
                {},
                poor,
            )
        )
        return self

    def requested(self) -> DecisionRequested:
        move = decide(self.session, self.now)
        assert isinstance(move, Record)
        assert isinstance(move.event, DecisionRequested)
        if move.keep is not None:
            self.keep(move.keep)
        self.add(move.event)
        return move.event

    def decided(self, verb: Verb = "approve", **fields: Any) -> DecisionMade:
        request = self.session.open_request
        assert request is not None
        given = {"by": "human", "identity": "somebody", "surface": "plain", **fields}
        event = DecisionMade(request=request.request, digest=request.digest, verb=verb, **given)
        self.add(event)
        return event

    def run(self, code: int = 0, result: bytes | None = None) -> Story:
        request = self.session.steps[-1].request
        assert request is not None
        name = f"X{self.session.runs + 1}"
        purpose = request.purpose
        self.add(RunStarted(name, request.request, purpose, request.digest, "replayed", ()))
        kept = None if result is None else self.keep(result)
        self.add(RunFinished(name, "exited", code, None, kept, {}, ()))
        return self

    def evidence(self, **facts: Any) -> EvidenceAdded:
        step, run = self.session.steps[-1], f"X{self.session.runs}"
        ended = step.run.ended if step.run else None
        card = EvidenceAdded(
            card=f"E{len(self.session.cards) + 1}",
            step=step.plan.step,
            run=run,
            title="Look",
            facts=facts,
            tables=(),
            coverage=(),
            warnings=(),
            errors=(),
            text="",
            result=ended.result if isinstance(ended, RunFinished) else None,
        )
        self.add(card)
        return card


@pytest.fixture
def story() -> Callable[..., Story]:
    """Return the maker of stories; keyword arguments are fields of session.started."""
    return Story
