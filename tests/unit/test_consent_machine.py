"""Whatever people say, and when: no run without a live decision, and a reason for every other.

A session is played over modes, tiers, purposes, decisions, grants, expiry and crashes. What must
hold is told here a second time, over the bare record, and not by the code that makes it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, get_args

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.approval.draft import Kind
from core.approval.house import AccountRules, HouseRules
from core.approval.live import why_not_decided
from core.approval.modes import MODES, ceiling_of
from core.approval.switching import given, offers, other_mode, revoked
from core.canonical import sha256
from core.checks.finding import Finding
from core.codec import parse, write
from core.decide import Ask, Consult, Distil, Execute, HandOver, Identify, Record, Review, decide
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
    GrantGiven,
    GrantRevoked,
    ModeChanged,
    PlanProposed,
    ResultTaken,
    ReviewFinished,
    RunFinished,
    RunInterrupted,
    RunStarted,
    SessionFinished,
    SessionResumed,
    SessionStarted,
    StopRequested,
    Verb,
)
from core.iam import covers
from core.session import Session, apply, begin, fold
from sandbox.job import Sha, Tier
from sandbox.limits import Limits

PEOPLE = st.sampled_from(["ada", "grace"])
TIERS: st.SearchStrategy[Tier] = st.sampled_from((*get_args(Tier), 4))
WORKS: st.SearchStrategy[Kind] = st.sampled_from(["collect", "change"])
POLICIES = [
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": each, "Resource": "*"}]}
    for each in ("ec2:DescribeVpcs", "ec2:Describe*", "logs:GetLogEvents")
]
ACCOUNTS = [
    (),
    (AccountRules("shop", ceiling=2),),
    (AccountRules("123456789012", modes=("guided", "hybrid")),),
    (AccountRules("shop", modes=("manual",)),),
]
HOUSES = st.builds(
    HouseRules,
    unattended=st.sampled_from(get_args(Tier)[:3]),
    accounts=st.sampled_from(ACCOUNTS),
    rehearse=st.sampled_from(["never", "change", "always"]),
    request_ms=st.sampled_from([0, 20_000]),
    second_person=st.booleans(),
    confirmed=st.sampled_from(["", "shop", "other"]),
)
RULED = {"human": "ask", "mode": "run", "grant": "run"}


class ConsentMachine(RuleBasedStateMachine):
    """Plays engine and people; what can't follow would raise IllegalEvent."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1_000
        self.facts: list[Fact] = []
        self.session: Session

    @initialize(
        mode=st.sampled_from(MODES),
        house=HOUSES,
        source=st.sampled_from(["live", "simulated:00"]),
        attended=st.booleans(),
    )
    def start(self, mode: Any, house: HouseRules, source: str, attended: bool) -> None:
        started = SessionStarted(
            session="s",
            question="why?",
            goal="ask",
            mode=mode,
            source=source,
            regions=(),
            ceiling=ceiling_of(mode, house.unattended),
            limits=Limits(),
            most_steps=6,
            most_ms=100_000_000,
            runtime=Sha("00"),
            identity="ada",
            version="0",
            house=house,
            attended=attended,
        )
        self.facts.append(Fact(1, self.now, started))
        self.session = begin(self.facts[0])
        self.append(CallerIdentified("aws", "123456789012", "shop", "arn:r", ("eu-west-1",)))

    def append(self, event: Event) -> None:
        fact = Fact(len(self.facts) + 1, self.now, event)
        self.session = apply(self.session, fact)
        self.facts.append(fact)

    @precondition(lambda self: self.session.finished is None)
    @rule(data=st.data(), moves=st.integers(1, 6), late=st.sampled_from([0, 0, 0, 25_000]))
    def go_on(self, data: st.DataObject, moves: int, late: int) -> None:
        """Make the next moves; people may take so long that nothing they say counts."""
        for _ in range(moves):
            for event in answered(self.session, self.now, data):
                self.now += late if isinstance(event, DecisionMade) else 0
                self.append(event)
            if self.session.finished:
                return

    @precondition(lambda self: self.session.finished is None)
    @rule(mode=st.sampled_from(MODES), typed=st.sampled_from(["", "shop", "other"]), who=PEOPLE)
    def switch(self, mode: Any, typed: str, who: str) -> None:
        asked, answer = self.session.open_request, other_mode(self.session, mode, typed, who)
        if isinstance(answer, str):
            assert answer
            return
        self.append(answer)
        if asked and asked.rule == "ask":
            assert self.session.open_request == asked, "a change of mode answered a request"

    @precondition(lambda self: self.session.finished is None)
    @rule(which=st.integers(0, 1), uses=st.integers(0, 1), who=PEOPLE)
    def grant(self, which: int, uses: int, who: str) -> None:
        asked, found = self.session.open_request, offers(self.session, self.now)
        if len(found) > which:
            event = given(self.session, replace(found[which], uses=uses), who, "plain")
            assert not isinstance(event, str)
            self.append(event)
            assert self.session.open_request == asked, "a grant answered a request"

    @precondition(lambda self: self.session.finished is None)
    @rule(number=st.integers(1, 3), who=PEOPLE)
    def revoke(self, number: int, who: str) -> None:
        event = revoked(self.session, f"G{number}", who)
        if not isinstance(event, str):
            self.append(event)

    @precondition(lambda self: self.session.finished is None)
    @rule(stop=st.sampled_from([False] * 19 + [True]))
    def crash_or_stop(self, stop: bool) -> None:
        self.session = fold(Fact(f.seq, f.at, again(f.event)) for f in self.facts)
        self.append(StopRequested("ada") if stop else SessionResumed("ada", "0", True))

    @rule(ms=st.sampled_from([1_000, 25_000, 25_000, 4_000_000]))
    def time_passes(self, ms: int) -> None:
        self.now += ms

    @invariant()
    def nothing_is_breached(self) -> None:
        assert list(breaches(self.facts)) == []


def again(event: Event) -> Event:
    """Return the event as it comes back from the journal's text."""
    return parse(event.kind, write(event))


# ------------------------------------------------------------------ what must hold
def breaches(facts: list[Fact]) -> Iterator[str]:
    """Yield every run without a live decision, and every decision of a rule without its reason."""
    started = facts[0].event if facts else None
    for place, fact in enumerate(facts):
        event, before = fact.event, facts[:place]
        if isinstance(event, RunStarted) and isinstance(started, SessionStarted):
            yield from breaches_of_run(event, before, started)
        if isinstance(event, DecisionMade) and event.by != "human" and not event.comment:
            yield f"{event.request} was decided by {event.by} without a reason"
        if isinstance(event, ModeChanged) and not (event.identity or event.reason):
            yield "the mode changed by itself without a reason"


def breaches_of_run(run: RunStarted, before: list[Fact], started: SessionStarted) -> Iterator[str]:
    """Yield what is missing for a run, from the record before it."""
    asked = {f.event.request: f for f in before if isinstance(f.event, DecisionRequested)}
    made = [f for f in before if isinstance(f.event, DecisionMade)]
    runs = [f for f in before if isinstance(f.event, RunStarted)]
    answers = [f for f in made if getattr(f.event, "request", "") == run.request]
    if run.request not in asked or len(answers) != 1:
        yield f"{run.run} has {len(answers)} decisions"
        return
    request, decision, at = asked[run.request].event, answers[0].event, answers[0].at
    assert isinstance(request, DecisionRequested)
    assert isinstance(decision, DecisionMade)
    late = bool(request.expires_at) and at >= request.expires_at and decision.by == "human"
    changes = started.house.second_person and request.tier >= 4
    ends = (StopRequested, AnswerGiven, SessionFinished)
    wrong = {
        "was not approved": decision.verb != "approve",
        "is other than approved": not request.digest == decision.digest == run.digest,
        "was approved for something else": request.purpose != run.purpose,
        "was approved too late": late,
        "runs over blockers": request.blockers > 0 and not decision.override_blockers,
        "had no second stage": request.second_stage and decision.confirmed != "shop",
        "is above the ceiling": request.tier > request.ceiling,
        "was decided by the wrong one": RULED[decision.by] != request.rule,
        "is one person's change": changes and decision.identity in ("", author(request, before)),
        "uses its request again": run.request in {getattr(f.event, "request", "") for f in runs},
        "begins after the end": any(isinstance(f.event, ends) for f in before),
    }
    yield from (f"{run.run} {name}" for name, broken in wrong.items() if broken)
    if decision.by == "grant":
        yield from breaches_of_grant(run, decision, before, at, request)


def breaches_of_grant(
    run: RunStarted,
    decision: DecisionMade,
    before: list[Fact],
    at: int,
    request: DecisionRequested,
) -> Iterator[str]:
    """Yield what is wrong with a run that rests on a grant."""
    grants = [f.event.grant for f in before if isinstance(f.event, GrantGiven)]
    grant = next((one for one in grants if one.grant == decision.grant), None)
    drafts = [f.event for f in before if isinstance(f.event, DraftGenerated)]
    if grant is None:
        yield f"{run.run} rests on no grant"
        return
    ends = [f.event for f in before if isinstance(f.event, GrantRevoked)]
    if any(one.grant == grant.grant and one.reason != "used up" for one in ends):
        yield f"{run.run} rests on a grant that was revoked"
    uses = [f for f in before if getattr(f.event, "grant", "") == grant.grant]
    used = sum(isinstance(f.event, DecisionMade) for f in uses)
    if at >= grant.expires_at or (grant.uses and used > grant.uses):
        yield f"{run.run} rests on a grant that is over"
    if grant.purpose != request.purpose or request.tier > min(2, grant.tier):
        yield f"{run.run} is more than its grant"
    if request.purpose == "run" and not covers(grant, drafts[-1].policy):
        yield f"{run.run} is not covered by its grant"


def author(request: DecisionRequested, before: list[Fact]) -> str:
    """Return who wants a request to run: who made the draft's latest edit, else who began."""
    drafts = [(n, f.event) for n, f in enumerate(before) if isinstance(f.event, DraftGenerated)]
    place, _ = [each for each in drafts if each[1].step == request.step][-1]
    made = [f.event for f in before[:place] if isinstance(f.event, DecisionMade)]
    edited = made and made[-1].verb == "edit" and drafts[-1][1].version > 1
    return made[-1].identity if edited else "ada"


# ------------------------------------------------------------------ what may come back
def answered(session: Session, now: int, data: st.DataObject) -> list[Event]:
    """Return events that could follow the next move; none = it failed before any."""
    move = decide(session, now)
    if isinstance(move, Record):
        return [move.event]
    match move:
        case Ask(request):
            return decided(session, request, data)
        case HandOver(request):
            brought = ResultTaken(request.request, request.digest, "ada", "plain", None, Sha("00"))
            return [brought]
        case Execute(request):
            return ran(session, request, data)
        case Distil(step):
            return [card(session, step)]
        case Review():
            return [reviewed(session, data)]
        case Consult():
            return [consulted(session, move, data)]
        case Identify():
            raise AssertionError("the caller is known")
    return []


def decided(session: Session, request: DecisionRequested, data: st.DataObject) -> list[Event]:
    """Return what a person says; what the program would not take for an answer is none."""
    verb = data.draw(st.sampled_from((*get_args(Verb), "approve", "approve")))
    made = DecisionMade(
        request=request.request,
        digest=request.digest,
        verb=verb,
        by="human",
        identity=data.draw(PEOPLE),
        surface="plain",
        override_blockers=request.blockers > 0,
        confirmed=data.draw(st.sampled_from(["shop", "shop", ""])),
        comment=data.draw(st.sampled_from(["", "why"])),
    )
    step = session.step
    assert step is not None
    return [] if why_not_decided(session, step, request, made) else [made]


def ran(session: Session, request: str, data: st.DataObject) -> list[Event]:
    """Return a run with its end, or without one."""
    asked = session.open_request or (session.step.request if session.step else None)
    assert asked is not None
    assert asked.request == request
    run = f"X{session.runs + 1}"
    started = RunStarted(run, request, asked.purpose, asked.digest, "replayed", ())
    ended = RunFinished(run, "exited", data.draw(st.integers(0, 1)), None, None, {}, ())
    lost = RunInterrupted(run, "the launcher died")
    return data.draw(st.sampled_from([[started, ended], [started, lost], [started], []]))


def card(session: Session, step: str) -> Event:
    """Return the card of a step."""
    main = session.step.turn_to("run") if session.step else None
    hand = main is not None and main.taken is not None
    name = f"E{len(session.cards) + 1}"
    return EvidenceAdded(name, step, "", "look", {}, (), (), (), (), "", None, by_hand=hand)


def reviewed(session: Session, data: st.DataObject) -> Event:
    """Return a review of whatever tier, with or without blockers."""
    draft = session.step.draft if session.step else None
    assert draft is not None
    found = (Finding("t", "r", "blocker", 1, "no", ""),) * data.draw(st.sampled_from([0, 0, 0, 1]))
    tier = data.draw(TIERS) if draft.work == "change" else 1
    return ReviewFinished(
        draft.step, draft.version, draft.draft_digest, tier, found, (), (), (), {}
    )


def consulted(session: Session, move: Consult, data: st.DataObject) -> Event:
    """Return what a planner says."""
    if move.role == "conclude":
        return AnswerGiven("inconclusive", "", (), ())
    if move.role == "plan":
        work = data.draw(WORKS)
        name = f"S{len(session.steps) + 1}"
        return PlanProposed(name, "look", "to know", work, "", {})
    step = session.step
    assert step is not None
    if data.draw(st.integers(0, 9)) == 0:
        return GapRecorded(step.plan.step, "no usable draft")
    digest = sha256(f"{step.plan.step}/{len(step.drafts)}".encode())
    change = step.plan.work == "change"
    return DraftGenerated(
        step=step.plan.step,
        version=len(step.drafts) + 1,
        author="operator" if move.role == "adopt" else "workflow",
        work=step.plan.work,
        language="python",
        script=Sha("00"),
        requirements=(),
        policy=data.draw(st.sampled_from(POLICIES)),
        rollback=Sha("01") if change else None,
        post_check=Sha("02") if change else None,
        parameters={},
        inputs={},
        code_digest=digest,
        draft_digest=digest,
    )


ConsentMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=50)
TestConsentMachine = ConsentMachine.TestCase
