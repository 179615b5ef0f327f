"""A session with fixed times, ids and texts, as a scene for pictures."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from pytest_textual_snapshot import (  # type: ignore[import-untyped]  # it has none
    SVGImageExtension,
)

from core.answer import conclude, fill
from core.approval.draft import Draft
from core.calls import AwsCalled
from core.checks.finding import Call, Finding
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
    RunOutput,
    RunStarted,
    SessionFinished,
    SessionStarted,
)
from core.repair import FOR_MODELS
from core.session import Session, apply, begin
from core.waiting import ScriptHanded
from sandbox.job import Sha, Tier
from sandbox.limits import Limits
from tui.bridge import Bridge
from tui.moments import moment

# The plugin names this `_file_extension`, which syrupy does not read any more.
SVGImageExtension.file_extension = "svg"

EVENING = 1_793_991_600_000
SCRIPT = b'''"""List the metric alarms that fire."""

import json
from pathlib import Path

import boto3

client = boto3.client("cloudwatch", region_name="eu-west-1")
pages = client.get_paginator("describe_alarms").paginate(AlarmTypes=["MetricAlarm"])
alarms = [alarm for page in pages for alarm in page["MetricAlarms"]]
firing = [alarm["AlarmName"] for alarm in alarms if alarm["StateValue"] == "ALARM"]

print(f"{len(firing)} of {len(alarms)} alarms fire")
Path("out/result.json").write_text(json.dumps({"facts": {"firing": len(firing)}}))
'''
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "cloudwatch:DescribeAlarms", "Resource": "*"}],
}
STARTED = SessionStarted(
    session="20261106T210600-a1b2c3",
    question="Why is checkout returning 503s?",
    goal="ask",
    mode="guided",
    source="recorded:" + "0" * 64,
    regions=(),
    ceiling=4,
    limits=Limits(),
    most_steps=3,
    most_ms=600_000,
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
    script=SCRIPT,
    requirements=(),
    policy=POLICY,
    rollback=None,
    post_check=None,
    parameters={"regions": ["eu-west-1"]},
    inputs=(),
)
FINDINGS = (
    Finding("policy", "wide-resource", "warning", 8, "The policy says *", "name the alarms"),
    Finding("ruff", "T201", "note", 13, "print found", ""),
)


PRINTED = "Looking at eu-west-1\nprogress: 1 of 1 regions\n2 of 4 alarms fire\n"
RESULT = json.dumps(
    {
        "facts": {"firing": 2, "alarms": 4},
        "tables": {"firing": {"columns": ["alarm", "since"], "rows": [["front-502", "14:57"]]}},
        "coverage": [{"what": "alarms in eu-west-1", "complete": True}],
    }
).encode()
CALLED: dict[str, Any] = {
    "service": "cloudwatch",
    "operation": "DescribeAlarms",
    "region": "eu-west-1",
    "parameters": {"AlarmTypes": ["MetricAlarm"]},
    "verdict": "allowed",
    "reason": "",
    "action": "cloudwatch:DescribeAlarms",
    "tier": 1,
    "status": 200,
    "request_id": "0b7e",
    "ms": 41,
    "response": None,
    "headers": {},
}


class Told:
    """A bridge that is told facts one by one."""

    def __init__(self, tier: Tier) -> None:
        self.now = EVENING
        self.bridge = Bridge(lambda: EVENING + 192_000)
        self.session: Session | None = None
        self.facts = 0
        self._tier: Tier = tier

    def tell(self, *events: Event) -> Session:
        for event in events:
            self.facts += 1
            self.now += 1_000
            fact = Fact(self.facts, self.now, event)
            self.session = apply(self.session, fact) if self.session else begin(fact)
            self.bridge.session = self.session
            self.bridge.lines.add(fact)
            self.bridge.runs.add(fact)
            if told := moment(fact):
                self.bridge.moments = (*self.bridge.moments, told)
        assert self.session
        return self.session

    def reviewed(self, step: str, findings: tuple[Finding, ...]) -> DecisionRequested:
        plan = PlanProposed(
            step,
            "Which alarms fire",
            "An alarm that fires names the broken part.",
            "collect",
            "firing-alarms",
            {},
        )
        self.tell(plan)
        return self.drafted(replace(DRAFT, step=step), findings)

    def drafted(self, draft: Draft, findings: tuple[Finding, ...]) -> DecisionRequested:
        session = self.tell(
            describe(draft),
            ReviewFinished(
                draft.step,
                draft.version,
                draft.digest(),
                self._tier,
                findings,
                (Call("cloudwatch", "DescribeAlarms", 9),),
                (),
                (),
                {},
            ),
        )
        move = decide(session, self.now)
        assert isinstance(move, Record)
        assert isinstance(move.event, DecisionRequested)
        self.tell(move.event)
        return move.event


def _asked(tier: Tier) -> Bridge:
    told = Told(tier)
    role = "arn:aws:sts::123456789012:assumed-role/on-call-read-only/me"
    caller = CallerIdentified("aws", "123456789012", "shop-prod", role, ("eu-west-1",))
    told.tell(STARTED, caller)
    told.bridge.opened(lambda _: SCRIPT)
    told.bridge.approver.asked = told.reviewed("S1", FINDINGS)
    told.bridge.opened(lambda _: SCRIPT)
    return told.bridge


def _answered() -> Bridge:
    told = Told(1)
    role = "arn:aws:sts::123456789012:assumed-role/on-call-read-only/me"
    told.tell(STARTED, CallerIdentified("aws", "123456789012", "shop-prod", role, ("eu-west-1",)))
    request = told.reviewed("S1", ())
    card = EvidenceAdded(
        "E1", "S1", "X1", "Which alarms fire", {"firing": 2}, (), (), (), (), "", None
    )
    told.tell(
        DecisionMade(request.request, request.digest, "approve", "human", "somebody", "plain"),
        RunStarted("X1", request.request, "run", request.digest, "namespaces", ()),
        RunFinished("X1", "exited", 0, None, None, {}, ()),
        card,
        conclude(
            "likely",
            "The targets of checkout fail their health check.",
            [fill("{firing} alarms fire", card)],
            ["nobody looked at the database"],
        ),
        SessionFinished(0, "answered"),
    )
    told.bridge.opened(lambda _: SCRIPT)
    return told.bridge


def _worked(tier: Tier, *, model: bool = False) -> Bridge:
    """A step that ran, and another, edited by an operator, that waits for its decision."""
    told = Told(tier)
    role = "arn:aws:sts::123456789012:assumed-role/on-call-read-only/me"
    caller = CallerIdentified("aws", "123456789012", "shop-prod", role, ("eu-west-1",))
    told.tell(replace(STARTED, repairs=FOR_MODELS) if model else STARTED, caller)
    first = told.reviewed("S1", FINDINGS)
    result = Sha(hashlib.sha256(RESULT).hexdigest())
    told.tell(
        DecisionMade(first.request, first.digest, "approve", "human", "somebody", "tui"),
        RunStarted("X1", first.request, "run", first.digest, "namespaces", ()),
        *(AwsCalled("X1", number, **CALLED) for number in (1, 2)),
        RunOutput("X1", "stdout", 0, PRINTED, 0),
        RunFinished("X1", "exited", 0, None, result, {}, ()),
        EvidenceAdded(
            "E1", "S1", "X1", "Which alarms fire", {"firing": 2}, (), (), (), (), "", result
        ),
    )
    second = told.reviewed("S2", FINDINGS)
    edited = DRAFT.script.replace(b"alarms fire", b"alarms are on")
    kept = Sha(hashlib.sha256(edited).hexdigest())
    edit = DecisionMade(second.request, second.digest, "edit", "human", "me", "tui", edited=kept)
    told.tell(edit)
    draft = replace(DRAFT, step="S2", version=2, author="operator", script=edited)
    scripts = {Sha(hashlib.sha256(each).hexdigest()): each for each in (SCRIPT, edited)}
    told.bridge.approver.asked = told.drafted(draft, FINDINGS[:1])
    told.bridge.opened(lambda content: scripts[content])
    told.bridge.body = lambda content: RESULT  # type: ignore[method-assign]  # no file lies behind a scene
    return told.bridge


def _handed() -> Bridge:
    """Manual mode: a script lies in a folder, and what it found is waited for."""
    told = Told(1)
    role = "arn:aws:sts::123456789012:assumed-role/on-call-read-only/me"
    caller = CallerIdentified("aws", "123456789012", "shop-prod", role, ("eu-west-1",))
    told.tell(replace(STARTED, mode="manual"), caller)
    told.bridge.opened(lambda _: SCRIPT)
    request = told.reviewed("S1", FINDINGS)
    told.tell(ScriptHanded(request.request, "/data/handed-over/20261106T210600-a1b2c3/R1", {}))
    told.bridge.taker.asked = request
    told.bridge.opened(lambda _: SCRIPT)
    return told.bridge


@pytest.fixture
def handed() -> Callable[[], Bridge]:
    """Return what makes a scene in which a script was handed over."""
    return _handed


@pytest.fixture
def worked() -> Callable[..., Bridge]:
    """Return what makes a scene with a run, a step with two versions, and a request."""
    return _worked


@pytest.fixture
def asked() -> Callable[[Tier], Bridge]:
    """Return what makes a scene in which a draft of some tier waits for its decision."""
    return _asked


@pytest.fixture
def answered() -> Bridge:
    """Return a scene in which the session has ended with an answer."""
    return _answered()
