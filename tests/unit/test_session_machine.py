"""Any order of moves, decisions, commands, crashes and limits makes a legal session."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.approval.modes import most
from core.calls import AwsCalled, AwsIntended
from core.canonical import sha256
from core.checks.finding import Finding
from core.codec import parse, write
from core.decide import (
    Ask,
    Consult,
    Distil,
    Done,
    Execute,
    HandOver,
    Identify,
    Move,
    Record,
    Review,
    decide,
)
from core.errors import IllegalEvent
from core.events import (
    AnswerGiven,
    CallerIdentified,
    DecisionMade,
    DecisionRequested,
    DraftGenerated,
    Event,
    EvidenceAdded,
    Fact,
    GapRecorded,
    Goal,
    Mode,
    ModeChanged,
    NoteAdded,
    PlanProposed,
    ResultTaken,
    ReviewFinished,
    RunFinished,
    RunInterrupted,
    RunOutput,
    RunStarted,
    ScriptHanded,
    SessionResumed,
    SessionStarted,
    StopRequested,
    Verb,
)
from core.llm.usage import ModelAnswered
from core.repair import Repairs
from core.session import Session, apply, begin, fold
from sandbox.job import Sha, Tier
from sandbox.limits import Limits

TIERS: st.SearchStrategy[Tier] = st.sampled_from(get_args(Tier))
CALLER = CallerIdentified("aws", "123456789012", "shop", "arn:r", ("eu-west-1",))
MODES = st.sampled_from(get_args(Mode))
TURNED_DOWN: st.SearchStrategy[Verb] = st.sampled_from(["edit", "reject", "skip", "stop"])


class SessionMachine(RuleBasedStateMachine):
    """Plays the engine: each move is answered by an event that could come back, or by a crash."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000
        self.facts: list[Fact] = []
        self.session: Session

    @initialize(
        mode=MODES,
        ceiling=TIERS,
        goal=st.sampled_from(get_args(Goal)),
        repairs=st.sampled_from([Repairs(), Repairs(2, 1, 1)]),
    )
    def start(self, mode: Mode, ceiling: Tier, goal: Goal, repairs: Repairs) -> None:
        event = SessionStarted(
            session="s",
            question="why?",
            goal=goal,
            mode=mode,
            source="recorded:00",
            regions=(),
            ceiling=min(ceiling, most(mode)),
            limits=Limits(),
            most_steps=2,
            most_ms=60_000,
            runtime=Sha("00"),
            identity="somebody",
            version="0",
            repairs=repairs,
            most_cost=500,
        )
        self.facts.append(Fact(1, self.now, event))
        self.session = begin(self.facts[0])

    def append(self, event: Event) -> None:
        fact = Fact(len(self.facts) + 1, self.now, event)
        self.session = apply(self.session, fact)
        self.facts.append(fact)

    @precondition(lambda self: self.session.finished is None)
    @rule(data=st.data())
    def go_on(self, data: st.DataObject) -> None:
        move = decide(self.session, self.now)
        for event in answer(self.session, move, data):
            self.append(event)

    @precondition(lambda self: self.session.finished is None)
    @rule(mode=MODES, ceiling=TIERS, which=st.sampled_from(["stop", "note", "mode"]))
    def command(self, mode: Mode, ceiling: Tier, which: str) -> None:
        commands: dict[str, Event] = {
            "stop": StopRequested("somebody"),
            "note": NoteAdded("somebody", "look at the load balancer"),
            "mode": ModeChanged("somebody", mode, min(ceiling, most(mode))),
        }
        self.append(commands[which])

    @precondition(lambda self: self.session.finished is None)
    @rule()
    def crash_and_resume(self) -> None:
        self.session = fold(read_again(self.facts))
        self.append(SessionResumed("somebody", "0"))

    @rule(ms=st.integers(0, 50_000))
    def time_passes(self, ms: int) -> None:
        self.now += ms

    @invariant()
    def a_run_has_its_approved_request(self) -> None:
        approved: set[tuple[str, str]] = set()
        started: list[str] = []
        for fact in self.facts:
            if isinstance(fact.event, DecisionMade) and fact.event.verb == "approve":
                approved.add((fact.event.request, fact.event.digest))
            if isinstance(fact.event, RunStarted):
                assert (fact.event.request, fact.event.digest) in approved
                started.append(fact.event.request)
        assert len(set(started)) == len(started)

    @invariant()
    def drafts_go_back_within_their_bounds(self) -> None:
        bounds = self.session.started.repairs
        edits = sum(
            isinstance(f.event, DecisionMade) and f.event.verb == "edit" for f in self.facts
        )
        for step in self.session.steps:
            done = step.repaired
            assert done.reviews <= bounds.reviews
            assert done.runs <= bounds.runs
            assert done.rejections <= bounds.rejections
            again = done.reviews + done.runs + done.rejections
            assert len(step.drafts) <= 1 + again + edits

    @invariant()
    def what_became_of_each_intent_is_known_or_counted(self) -> None:
        """A run is short of exactly the calls that were about to be sent and told no more."""
        for step in self.session.steps:
            if step.run:
                told = [
                    f.event
                    for f in self.facts
                    if getattr(f.event, "run", "") == step.run.started.run
                ]
                sent = {event.number for event in told if isinstance(event, AwsIntended)}
                known = {event.number for event in told if isinstance(event, AwsCalled)}
                assert step.run.unsettled == sent - known

    def teardown(self) -> None:
        if self.facts:
            check_prefixes(self.facts)
            check_without_decisions(self.facts)


def read_again(facts: list[Fact]) -> list[Fact]:
    """Return the facts as they come back from the journal's text."""
    return [Fact(f.seq, f.at, parse(f.event.kind, write(f.event))) for f in facts]


def check_prefixes(facts: list[Fact]) -> None:
    """Each prefix folds to the live session, and what is decided there can be appended."""
    live, again = begin(facts[0]), begin(read_again(facts[:1])[0])
    for length, (fact, read) in enumerate(zip(facts, read_again(facts), strict=True), 1):
        if length > 1:
            live, again = apply(live, fact), apply(again, read)
        assert again == live
        move = decide(again, fact.at)
        if isinstance(move, Record):
            apply(again, Fact(length + 1, fact.at, move.event))


def check_without_decisions(facts: list[Fact]) -> None:
    """Without its decision a request can't have run: the rest does not fold past its run."""
    for place, fact in enumerate(facts):
        if isinstance(fact.event, DecisionMade):
            others = [*facts[:place], *facts[place + 1 :]]
            remaining = [Fact(n, f.at, f.event) for n, f in enumerate(others, 1)]
            check_nothing_runs(remaining, fact.event.request)


def check_nothing_runs(facts: list[Fact], request: str) -> None:
    """Folding and deciding go nowhere near a run of `request`."""
    session = begin(facts[0])
    for fact in facts[1:]:
        assert decide(session, fact.at) != Execute(request)
        try:
            session = apply(session, fact)
        except IllegalEvent:
            return
        started = isinstance(fact.event, RunStarted) and fact.event.request == request
        assert not started, "a run without its decision was accepted"


def answer(session: Session, move: Move, data: st.DataObject) -> list[Event]:
    """Return events that the engine could append for `move`; none = it failed before any."""
    if data.draw(st.integers(0, 9)) == 0:
        return []
    if isinstance(move, Record):
        return [move.event]
    match move:
        case Identify():
            return [CALLER]
        case Consult():
            billed = data.draw(st.lists(st.sampled_from([None, 100]), max_size=2))
            return [*map(_billed, billed), _consulted(session, move, data)]
        case Review():
            return [_reviewed(session, data)]
        case Ask(request) | HandOver(request):
            handed = isinstance(move, HandOver)
            return _brought(request, data) if handed else [_decided(request, data)]
        case Execute():
            return _executed(session, data)
        case Distil():
            return [_card(session)]
        case Done():
            raise AssertionError("a finished session has no moves")


def _decided(request: DecisionRequested, data: st.DataObject) -> Event:
    verb = data.draw(st.sampled_from(get_args(Verb)))
    return DecisionMade(
        request=request.request,
        digest=request.digest,
        verb=verb,
        by="human",
        identity="somebody",
        surface="plain",
        override_blockers=verb == "approve" and request.blockers > 0,
        comment=data.draw(st.sampled_from(["", "too broad"])),
    )


def _brought(request: DecisionRequested, data: st.DataObject) -> list[Event]:
    handed = ScriptHanded(request.request, "/somewhere", {})
    taken = ResultTaken(request.request, request.digest, "somebody", "plain", None, Sha("00"))
    verb = data.draw(TURNED_DOWN)
    turned_down = DecisionMade(request.request, request.digest, verb, "human", "me", "plain")
    answers: list[list[Event]] = [[handed, taken], [taken], [handed], [turned_down]]
    return data.draw(st.sampled_from(answers))


def _billed(cost: int | None) -> Event:
    return ModelAnswered("plan", "some-model", 1, 2, 3, 4, cost, 5, 1, "")


def _consulted(session: Session, move: Consult, data: st.DataObject) -> Event:
    if move.role == "conclude" or (move.role == "plan" and data.draw(st.booleans())):
        return AnswerGiven("likely", "because", (), ())
    if move.role == "plan":
        name = f"S{len(session.steps) + 1}"
        return PlanProposed(name, "look", "to know", "collect", "w", {})
    if data.draw(st.integers(0, 9)) == 0 and session.step:
        return GapRecorded(session.step.plan.step, "no usable draft")
    step = session.step
    assert step is not None
    digest = sha256(f"{step.plan.step}/{len(step.drafts)}".encode())
    return DraftGenerated(
        step=step.plan.step,
        version=len(step.drafts) + 1,
        author=data.draw(st.sampled_from(["model", "workflow"])),
        work="collect",
        language="python",
        script=Sha("00"),
        requirements=(),
        policy={},
        rollback=None,
        post_check=None,
        parameters={},
        inputs={},
        code_digest=digest,
        draft_digest=digest,
    )


def _reviewed(session: Session, data: st.DataObject) -> Event:
    step = session.step
    assert step is not None
    assert step.draft is not None
    blockers = data.draw(st.integers(0, 1))
    findings = (Finding("test", "rule", "blocker", 1, "no", ""),) * blockers
    tier = data.draw(TIERS)
    draft = step.draft
    return ReviewFinished(
        draft.step, draft.version, draft.draft_digest, tier, findings, (), (), (), {}
    )


def _executed(session: Session, data: st.DataObject) -> list[Event]:
    step, run = session.step, f"X{session.runs + 1}"
    assert step is not None
    assert step.request is not None
    events: list[Event] = [
        RunStarted(
            run, step.request.request, step.request.purpose, step.request.digest, "replayed", ()
        ),
        RunOutput(run, "stdout", 0, "hello\n", 0),
        *_changes(run, data.draw(st.lists(st.sampled_from(["sent", "answered"]), max_size=3))),
        RunFinished(run, "exited", data.draw(st.integers(0, 1)), None, None, {}, ()),
    ]
    interrupted: list[Event] = [events[0], RunInterrupted(run, "the launcher died")]
    return data.draw(st.sampled_from([events, events[:-1], events[:2], events[:1], interrupted]))


def _changes(run: str, calls: list[str]) -> list[Event]:
    """Return what is told of calls that need an intent; of those only sent nothing more is."""
    told: list[Event] = []
    for number, how in enumerate(calls, 1):
        told.append(_intended(run, number))
        if how == "answered":
            told.append(_called(run, number))
    return told


def _intended(run: str, number: int) -> Event:
    return AwsIntended(
        run=run,
        number=number,
        service="cloudwatch",
        operation="SetAlarmState",
        region="eu-west-1",
        parameters={"AlarmName": "p99"},
        reason="statement 1 allows it",
        action="cloudwatch:SetAlarmState",
        tier=4,
        principal="operator",
    )


def _called(run: str, number: int) -> Event:
    return AwsCalled(
        run=run,
        number=number,
        service="cloudwatch",
        operation="SetAlarmState",
        region="eu-west-1",
        parameters={"AlarmName": "p99"},
        verdict="allowed",
        reason="statement 1 allows it",
        action="cloudwatch:SetAlarmState",
        tier=4,
        status=200,
        request_id="R-1",
        ms=3,
        response=None,
        headers={},
    )


def _card(session: Session) -> Event:
    step = session.step
    assert step is not None
    name = f"E{len(session.cards) + 1}"
    main = step.turn_to("run")
    hand = main is not None and main.taken is not None
    card = EvidenceAdded(name, step.plan.step, "X1", "look", {"n": 1}, (), (), (), (), "", None)
    return replace(card, by_hand=hand)


SessionMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=50)
TestSessionMachine = SessionMachine.TestCase
