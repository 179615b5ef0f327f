"""Whatever people say, and when: no run without a live decision, and a reason for every other.

A session is played over modes, tiers, purposes, decisions, grants, expiry and crashes, by an engine
and people that also try what they may not. What must hold is told here a second time, over the bare
record, and not by the code that makes it. Each rule has a mutant: it is taken out of the code that
runs, and sessions are played until one of them breaks what is promised.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, get_args

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from core.approval.grants import Grant
from core.approval.house import AccountRules, HouseRules
from core.approval.live import why_not, why_not_decided
from core.approval.modes import MODES, ceiling_of
from core.approval.switching import given, offers, other_mode, revoked
from core.canonical import sha256
from core.checks.finding import Finding
from core.codec import parse, write
from core.decide import Ask, Consult, Distil, Execute, HandOver, Identify, Record, Review, decide
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
    GrantGiven,
    GrantRevoked,
    ModeChanged,
    PlanProposed,
    RequestExpired,
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
from core.session import Session, apply, begin, fold
from sandbox.job import Sha, Tier
from sandbox.limits import Limits
from tests.taking_out import Edit, without

Pick = Callable[[Sequence[Any]], Any]
"""Chooses one of several; by hypothesis, or by a seed."""
PEOPLE = ("ada", "grace")
TIERS = (*get_args(Tier), 1, 2, 4)
SOURCES = ("live", "simulated:00")
TYPED = ("", "shop", "other")
READ_TIERS = (1, 1, 2)
BLOCKERS = (0, 0, 1)
LATE = (0, 0, 0, 25_000)
WAITS = (1_000, 25_000, 25_000, 4_000_000)
ACTIONS = ("ec2:DescribeVpcs", "ec2:Describe*", "logs:GetLogEvents")
POLICIES = [
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": each, "Resource": "*"}]}
    for each in ACTIONS
]
WITHIN = {action: {action} for action in ACTIONS} | {"ec2:DescribeVpcs": set(ACTIONS[:2])}
"""What has to be granted for each action: itself, or the pattern that matches it."""
ACCOUNTS = [
    (),
    (),
    (AccountRules("shop", ceiling=2),),
    (AccountRules("123456789012", modes=("guided", "hybrid")),),
    (AccountRules("shop", modes=("manual",)),),
]
HOUSE: Mapping[str, Sequence[Any]] = {
    "unattended": get_args(Tier)[:3],
    "accounts": ACCOUNTS,
    "rehearse": ("never", "change", "always"),
    "request_ms": (0, 20_000),
    "second_person": (False, True),
    "confirmed": TYPED,
}
RULED = {"human": "ask", "mode": "run", "grant": "run"}


class Player:
    """Plays engine and people over one session; what can't follow raises IllegalEvent."""

    def __init__(self) -> None:
        self.now = 1_000
        self.facts: list[Fact] = []
        self.session: Session

    def begin(self, mode: Any, house: HouseRules, source: str, *, attended: bool) -> None:
        """Start a session, and say who we are."""
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
        """Put an event on record."""
        fact = Fact(len(self.facts) + 1, self.now, event)
        self.session = apply(self.session, fact)
        self.facts.append(fact)

    def go_on(self, pick: Pick, moves: int, late: int) -> None:
        """Make the next moves; people may take so long that nothing they say counts."""
        for _ in range(moves):
            for event in answered(self.session, self.now, pick):
                self.now += late if isinstance(event, DecisionMade) else 0
                self.append(event)
            if self.session.finished:
                return

    def switch(self, mode: Any, typed: str, who: str) -> None:
        """Go on in another mode, where that is allowed."""
        asked, answer = self.session.open_request, other_mode(self.session, mode, typed, who)
        if isinstance(answer, str):
            assert answer
            return
        self.append(answer)
        if asked and asked.rule == "ask":
            assert self.session.open_request == asked, "a change of mode answered a request"

    def grant(self, which: int, uses: int, who: str) -> None:
        """Give one of the grants that are offered."""
        asked, found = self.session.open_request, offers(self.session, self.now)
        if len(found) > which:
            given_uses = 0 if found[which].lasting else uses
            event = given(self.session, replace(found[which], uses=given_uses), who, "plain")
            if isinstance(event, str):
                assert "given before" in event
                return
            self.append(event)
            assert self.session.open_request == asked, "a grant answered a request"

    def revoke(self, number: int, who: str) -> None:
        """End a grant, where it holds."""
        for one in self.session.grants[number - 1 : number]:
            event = revoked(self.session, one.grant.grant, who)
            if not isinstance(event, str):
                self.append(event)

    def crash_or_stop(self, *, stop: bool) -> None:
        """Read the session from its record again, as after a crash; or stop it."""
        self.session = fold(Fact(f.seq, f.at, again(f.event)) for f in self.facts)
        self.append(StopRequested("ada") if stop else SessionResumed("ada", "0", True))

    def wait(self, ms: int) -> None:
        """Let time pass."""
        self.now += ms

    def overstep(self, pick: Pick) -> None:
        """Try what may not be: any decision on the request, or a run that `redeem` lets pass."""
        step = self.session.step
        turn = step.turn if step else None
        if step is None or turn is None:
            return
        request = turn.request
        if pick((True, False)):
            run = RunStarted(
                f"X{self.session.runs + 1}",
                request.request,
                request.purpose,
                request.digest,
                "",
                (),
            )
            event: Event | None = None if why_not(self.session, step, turn) else run
        else:
            event = any_decision(request, pick)
        if event is not None:
            with suppress(IllegalEvent):
                self.append(event)


class ConsentMachine(RuleBasedStateMachine):
    """A player whose every choice is hypothesis's."""

    def __init__(self) -> None:
        super().__init__()
        self.player = Player()

    @property
    def going_on(self) -> bool:
        """The session has not ended."""
        return self.player.session.finished is None

    @initialize(
        mode=st.sampled_from(MODES),
        house=st.builds(
            HouseRules, **{name: st.sampled_from(each) for name, each in HOUSE.items()}
        ),
        source=st.sampled_from(SOURCES),
        attended=st.booleans(),
    )
    def start(self, mode: Any, house: HouseRules, source: str, attended: bool) -> None:
        self.player.begin(mode, house, source, attended=attended)

    @precondition(lambda self: self.going_on)
    @rule(data=st.data(), moves=st.integers(1, 6), late=st.sampled_from(LATE))
    def go_on(self, data: st.DataObject, moves: int, late: int) -> None:
        self.player.go_on(picking(data), moves, late)

    @precondition(lambda self: self.going_on)
    @rule(mode=st.sampled_from(MODES), typed=st.sampled_from(TYPED), who=st.sampled_from(PEOPLE))
    def switch(self, mode: Any, typed: str, who: str) -> None:
        self.player.switch(mode, typed, who)

    @precondition(lambda self: self.going_on)
    @rule(which=st.integers(0, 1), uses=st.integers(0, 1), who=st.sampled_from(PEOPLE))
    def grant(self, which: int, uses: int, who: str) -> None:
        self.player.grant(which, uses, who)

    @precondition(lambda self: self.going_on)
    @rule(number=st.integers(1, 3), who=st.sampled_from(PEOPLE))
    def revoke(self, number: int, who: str) -> None:
        self.player.revoke(number, who)

    @precondition(lambda self: self.going_on)
    @rule(stop=st.sampled_from([False] * 19 + [True]))
    def crash_or_stop(self, stop: bool) -> None:
        self.player.crash_or_stop(stop=stop)

    @precondition(lambda self: self.going_on)
    @rule(data=st.data())
    def overstep(self, data: st.DataObject) -> None:
        self.player.overstep(picking(data))

    @rule(ms=st.sampled_from(WAITS))
    def time_passes(self, ms: int) -> None:
        self.player.wait(ms)

    @invariant()
    def nothing_is_breached(self) -> None:
        assert list(breaches(self.player.facts)) == []


def picking(data: st.DataObject) -> Pick:
    """Return what lets hypothesis choose."""
    return lambda options: data.draw(st.sampled_from(list(options)))


def again(event: Event) -> Event:
    """Return the event as it comes back from the journal's text."""
    return parse(event.kind, write(event))


# ------------------------------------------------------------------ what must hold
def breaches(facts: Sequence[Fact]) -> Iterator[str]:
    """Yield every run without a live decision, and every decision of a rule without its reason."""
    if facts and isinstance(facts[0].event, SessionStarted):
        told = Told(facts[0].event, facts[0].event.mode, facts[0].event.house.confirmed)
        for fact in facts[1:]:
            yield from told.take(fact)


@dataclass(slots=True)
class Asked:
    """A request, with what was known when it was made."""

    event: DecisionRequested
    mode: str
    tier: int
    blockers: int
    draft: DraftGenerated
    author: str
    answers: list[tuple[DecisionMade, int]] = field(default_factory=list)
    ran: bool = False
    good: bool = False


@dataclass(slots=True)
class Told:
    """What a record says so far, read with nothing of the code that made it."""

    started: SessionStarted
    mode: str
    confirmed: str
    work: str = ""
    draft: DraftGenerated | None = None
    author: str = "ada"
    edited_by: str = ""
    review: ReviewFinished | None = None
    requests: dict[str, Asked] = field(default_factory=dict)
    of_draft: list[Asked] = field(default_factory=list)
    """The requests about the latest draft, without those that were asked anew."""
    open: str = ""
    running: Asked | None = None
    grants: dict[str, Grant] = field(default_factory=dict)
    ends: dict[str, str] = field(default_factory=dict)
    uses: dict[str, int] = field(default_factory=dict)
    over: bool = False

    def take(self, fact: Fact) -> Iterator[str]:
        """Take in a fact; yield what it breaks."""
        match fact.event:
            case PlanProposed() as plan:
                self.work, self.author, self.edited_by = plan.work, "ada", ""
            case DraftGenerated() as draft:
                self.draft, self.of_draft = draft, []
                self.author, self.edited_by = self.edited_by or "ada", ""
            case ReviewFinished() as review:
                self.review = review
            case DecisionRequested() as request:
                yield from self.asked(request)
            case DecisionMade() as made:
                yield from self.decided(made, fact.at)
            case RequestExpired() | ResultTaken():
                self.open = ""
            case RunStarted() as run:
                yield from self.ran(run)
            case RunFinished() as ended if self.running:
                self.running.good = ended.code == 0
            case EvidenceAdded() | GapRecorded():
                yield from self.closed()
            case _:
                yield from self.changed(fact.event)

    def changed(self, event: Event) -> Iterator[str]:
        """Take in what is about more than one request."""
        match event:
            case ModeChanged() as changed:
                self.mode, self.confirmed = changed.mode, changed.confirmed
                if not (changed.identity or changed.reason):
                    yield "the mode changed by itself without a reason"
            case GrantGiven(grant=grant):
                self.grants[grant.grant] = grant
            case GrantRevoked() as end:
                self.ends[end.grant] = end.reason
            case StopRequested() | AnswerGiven() | SessionFinished():
                self.over = True

    def asked(self, request: DecisionRequested) -> Iterator[str]:
        """Take in a request."""
        assert self.draft is not None
        assert self.review is not None
        if self.open:
            yield f"{request.request} was made while {self.open} stood open"
        tier: int = self.review.tier
        if request.purpose in ("rehearse", "post-check"):
            tier = 0 if request.purpose == "rehearse" else min(2, tier)
        one = Asked(request, self.mode, tier, self.review.blockers, self.draft, self.author)
        self.requests[request.request] = one
        same = [each for each in self.of_draft if each.event.purpose == request.purpose]
        for each in same:
            self.of_draft.remove(each)
            if each.ran:
                yield f"{request.request} asks for what was done"
        self.of_draft.append(one)
        self.open = request.request if request.rule == "ask" else ""

    def decided(self, made: DecisionMade, at: int) -> Iterator[str]:
        """Take in a decision."""
        self.requests[made.request].answers.append((made, at))
        self.open = "" if made.request == self.open else self.open
        self.edited_by = made.identity if made.verb == "edit" else ""
        if made.by == "grant":
            self.uses[made.grant] = self.uses.get(made.grant, 0) + 1
        if made.by != "human" and not made.comment:
            yield f"{made.request} was decided by {made.by} without a reason"
        self.over = self.over or made.verb == "stop"

    def ran(self, run: RunStarted) -> Iterator[str]:
        """Take in a run: everything that it needs."""
        one = self.requests.get(run.request)
        if one is None or len(one.answers) != 1:
            yield f"{run.run} has {len(one.answers) if one else 0} decisions"
            return
        (made, at) = one.answers[0]
        wrong = self.wrong_of_decision(one, made, at) | self.wrong_of_place(one, made, run)
        if made.by == "grant":
            wrong |= self.wrong_of_grant(one, made, at)
        if made.by == "mode":
            wrong |= self.wrong_of_mode(one)
        yield from (f"{run.run} {name}" for name, broken in wrong.items() if broken)
        one.ran, self.running = True, one

    def wrong_of_decision(self, one: Asked, made: DecisionMade, at: int) -> dict[str, bool]:
        """Return what may be wrong with the decision."""
        expires, human = one.event.expires_at, made.by == "human"
        two = self.started.house.second_person and one.tier >= 4
        careful = human and (one.tier >= 3 or one.blockers > 0)
        return {
            "was not approved": made.verb != "approve",
            "is other than decided": made.digest != one.event.digest,
            "was approved too late": human and bool(expires) and at >= expires,
            "runs over blockers": one.blockers > 0 and not (human and made.override_blockers),
            "had no second stage": careful and made.confirmed not in ("shop", "123456789012"),
            "was decided by the wrong one": RULED[made.by] != one.event.rule,
            "is one person's change": two and made.identity in ("", one.author),
        }

    def wrong_of_place(self, one: Asked, made: DecisionMade, run: RunStarted) -> dict[str, bool]:
        """Return what may be wrong with when, where and in which order it runs."""
        rules = [each for each in self.started.house.accounts if each.account]
        least = min([4, *(each.ceiling for each in rules)])
        by_mode = {"automated": min(2, self.started.house.unattended), "manual": -1}
        allowed = rules[0].modes if rules else MODES
        done = {each.event.purpose: each for each in self.of_draft if each is not one}
        main, check = done.get("run"), done.get("post-check")
        bad = not check.good if check and check.ran else main is not None and not main.good
        later = run.purpose in ("post-check", "roll back")
        roll_back = run.purpose == "roll back"
        typed = self.confirmed in ("shop", "123456789012") or self.started.source != "live"
        return {
            "is other than approved": run.digest != one.event.digest,
            "was approved for something else": run.purpose != one.event.purpose,
            "is above the ceiling": one.tier > min(least, by_mode.get(one.mode, 4)),
            "uses its request again": one.ran,
            "begins after the end": self.over,
            "is in a mode that is not allowed": self.mode not in allowed,
            "goes where nobody typed the account": self.mode == "automated" and not typed,
            "follows no run": later and not (main and main.ran and self.work == "change"),
            "takes back what was not wrong": roll_back and not bad,
            "takes back what nobody looked at": roll_back and check is None,
            "takes back without a person": roll_back and made.by != "human",
            "looks and can change": run.purpose == "post-check" and one.event.ceiling > 2,
            "comes after the roll back": "roll back" in done,
        }

    def wrong_of_mode(self, one: Asked) -> dict[str, bool]:
        """Return what may be wrong with a run that the mode decided."""
        rehearsed = next((e for e in self.of_draft if e.event.purpose == "rehearse"), None)
        failed = rehearsed is not None and rehearsed.ran and not rehearsed.good
        tiers = {"hybrid": 1, "automated": 2}
        unattended = self.started.house.unattended
        return {
            f"goes by itself in {mode} mode": mode not in tiers
            or (one.event.purpose != "rehearse" and one.tier > min(tiers[mode], unattended))
            for mode in {one.mode, self.mode}
        } | {"goes by itself though its rehearsal failed": failed and one.event.purpose == "run"}

    def wrong_of_grant(self, one: Asked, made: DecisionMade, at: int) -> dict[str, bool]:
        """Return what may be wrong with a run that rests on a grant."""
        grant, used = self.grants.get(made.grant), self.uses.get(made.grant, 0)
        if grant is None:
            return {"rests on no grant": True}
        given_actions = {action for each in grant.permissions for action in each.actions}
        wanted = one.draft.policy["Statement"][0]["Action"]
        return {
            "rests on a revoked grant": self.ends.get(made.grant, "used up") != "used up",
            "rests on a grant that is over": at >= grant.expires_at,
            "rests on a used grant": 0 < grant.uses < used,
            "has another purpose than its grant": grant.purpose != one.event.purpose,
            "is higher than its grant": one.tier > min(2, grant.tier),
            "is other code than its grant": grant.code_digest not in (None, one.draft.code_digest),
            "is not covered by its grant": one.event.purpose == "run"
            and not given_actions & WITHIN[wanted],
        }

    def closed(self) -> Iterator[str]:
        """Take in the end of a step: a change that ran was looked at, and taken back if need be."""
        done = {each.event.purpose: each for each in self.of_draft}
        main, check = done.get("run"), done.get("post-check")
        if self.work == "change" and main and main.ran:
            if check is None:
                yield "a change was not looked at"
            elif check.ran and not check.good and "roll back" not in done:
                yield "a change that failed was not offered to be taken back"
        self.of_draft = []


# ------------------------------------------------------------------ what may come back
def answered(session: Session, now: int, pick: Pick) -> list[Event]:
    """Return events that could follow the next move; none = it failed before any."""
    move = decide(session, now)
    if isinstance(move, Record):
        return [move.event]
    match move:
        case Ask(request):
            return decided(session, request, pick)
        case HandOver(request):
            brought = ResultTaken(request.request, request.digest, "ada", "plain", None, Sha("00"))
            return [brought]
        case Execute():
            return ran(session, pick)
        case Distil(step):
            return [card(session, step)]
        case Review():
            return [reviewed(session, pick)]
        case Consult():
            return [consulted(session, move, pick)]
        case Identify():
            raise AssertionError("the caller is known")
    return []


def decided(session: Session, request: DecisionRequested, pick: Pick) -> list[Event]:
    """Return what a person says; what the program would not take for an answer is none."""
    made = DecisionMade(
        request=request.request,
        digest=request.digest,
        verb=pick((*get_args(Verb), "approve", "approve", "approve")),
        by="human",
        identity=pick(PEOPLE),
        surface="plain",
        override_blockers=request.blockers > 0,
        confirmed=pick(("shop", "shop", "")),
        comment=pick(("", "why")),
    )
    step = session.step
    assert step is not None
    return [] if why_not_decided(session, step, request, made) else [made]


def any_decision(request: DecisionRequested, pick: Pick) -> DecisionMade:
    """Return a decision as no program of ours makes it."""
    return DecisionMade(
        request=request.request,
        digest=pick((*[request.digest] * 4, sha256(b"other"))),
        verb=pick(("approve", "approve", "skip")),
        by=pick(("human", "human", "human", "mode", "grant")),
        identity=pick((*PEOPLE, "")),
        surface="plain",
        override_blockers=pick((True, False)),
        confirmed=pick(("shop", "shop", "")),
        comment="so it is",
        grant=pick((request.grant, "G1")),
    )


def ran(session: Session, pick: Pick) -> list[Event]:
    """Return a run with its end, or without one; none where `redeem` would refuse it."""
    step = session.step
    assert step is not None
    assert step.turn is not None
    if why_not(session, step, step.turn):
        return []
    asked, run = step.turn.request, f"X{session.runs + 1}"
    started = RunStarted(run, asked.request, asked.purpose, asked.digest, "replayed", ())
    ended = RunFinished(run, "exited", pick((0, 1)), None, None, {}, ())
    lost = RunInterrupted(run, "the launcher died")
    events: list[Event] = pick(([started, ended], [started, ended], [started, lost], [started], []))
    return events


def card(session: Session, step: str) -> Event:
    """Return the card of a step."""
    main = session.step.turn_to("run") if session.step else None
    hand = main is not None and main.taken is not None
    name = f"E{len(session.cards) + 1}"
    return EvidenceAdded(name, step, "", "look", {}, (), (), (), (), "", None, by_hand=hand)


def reviewed(session: Session, pick: Pick) -> Event:
    """Return a review of whatever tier, with or without blockers."""
    draft = session.step.draft if session.step else None
    assert draft is not None
    found = (Finding("t", "r", "blocker", 1, "no", ""),) * pick(BLOCKERS)
    tier = pick(TIERS) if draft.work == "change" else pick(READ_TIERS)
    return ReviewFinished(
        draft.step, draft.version, draft.draft_digest, tier, found, (), (), (), {}
    )


def consulted(session: Session, move: Consult, pick: Pick) -> Event:
    """Return what a planner says."""
    if move.role == "conclude":
        return AnswerGiven("inconclusive", "", (), ())
    if move.role == "plan":
        name = f"S{len(session.steps) + 1}"
        return PlanProposed(name, "look", "to know", pick(("collect", "change")), "", {})
    step = session.step
    assert step is not None
    if pick(range(10)) == 9:
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
        policy=pick((*POLICIES, POLICIES[0], POLICIES[0])),
        rollback=Sha("01") if change else None,
        post_check=Sha("02") if change else None,
        parameters={},
        inputs={},
        code_digest=pick((digest, Sha("0a" * 32))),
        draft_digest=digest,
    )


ConsentMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=50)
TestConsentMachine = ConsentMachine.TestCase


# ------------------------------------------------------------------ mutants
WALKS = 240
"""Sessions that dice play, after the told ones; a mutant that lives through all is not caught."""
STEP = "ggggggg"
"""Plan, draft, review, request, decision, run, card."""
TOLD = (
    f"{STEP}{STEP}{STEP}",
    f"ggggGggggggggRgg{STEP}",  # revoked between the decision by the grant and its run
    f"ggggGgggRgg{STEP}",  # revoked before the next request
    f"ggggGggggg2g{STEP}",  # the next draft is of a higher tier
    f"ggggLggg{STEP}",  # the next draft is other code
    f"ggggUggg{STEP}{STEP}",  # used up by the next draft
    f"ggggGggg{STEP}t{STEP}",  # expired after the next draft
    "gggggSoo",  # stopped between the decision and the run
    "ggggdgg",  # a yes to another digest
    "ggBggngg",  # a yes that does not say that it overrides blockers
    "gg4ggcgg",  # a yes without the account, to a change
)
"""Sessions as letters, in each of which people and chance do what is usual but for one thing."""


def played(seed: int) -> Sequence[Fact]:
    """Return the record of a session that a seed plays, the same every time."""
    dice = random.Random(seed)
    player = Player()

    def pick(options: Sequence[Any]) -> Any:
        """Choose; in every second session more often what is usual, which stands first."""
        usual = seed % 2 and dice.random() < 0.6
        return options[0] if usual else dice.choice(options)

    house = HouseRules(**{name: pick(each) for name, each in HOUSE.items()})
    player.begin(pick(MODES), house, pick(SOURCES), attended=pick((False, True)))
    go_on = lambda: player.go_on(pick, pick((1, 1, 1, 3)), pick(LATE))  # noqa: E731
    acts: list[Callable[[], None]] = [
        go_on,
        lambda: player.switch(pick(MODES), pick(TYPED), pick(PEOPLE)),
        lambda: player.grant(pick((0, 0, 1)), pick((0, 1)), pick(PEOPLE)),
        lambda: player.revoke(pick((1, 2)), pick(PEOPLE)),
        lambda: player.overstep(pick),
        lambda: player.crash_or_stop(stop=not pick((1, 1, 0))),
        lambda: player.wait(pick(WAITS)),
    ]
    # Each session has a taste of its own: some things happen in it often, others hardly ever.
    acts += [act for act in acts for _ in range(dice.choice((0, 0, 2, 6)))] + [go_on] * 8
    for _ in range(80):
        if player.session.finished:
            break
        dice.choice(acts)()
    return player.facts


def told(letters: str) -> Sequence[Fact]:
    """Return the record of a session that is told by letters; g makes the next move."""
    player, tiers, blockers = Player(), [1], [0]

    def usual(options: Sequence[Any]) -> Any:
        if options in (READ_TIERS, BLOCKERS):
            return tiers[-1] if options == READ_TIERS else blockers[-1]
        return options[0]

    def yes(**fields: Any) -> None:
        request = player.session.open_request
        if request is not None:
            said = {"confirmed": "shop", "override_blockers": True, **fields}
            made = DecisionMade(request.request, request.digest, "approve", "human", "ada", "plain")
            with suppress(IllegalEvent):
                player.append(replace(made, **said))

    acts: Mapping[str, Callable[[], None]] = {
        "g": lambda: player.go_on(usual, 1, 0),
        "G": lambda: player.grant(0, 0, "ada"),
        "L": lambda: player.grant(1, 0, "ada"),
        "U": lambda: player.grant(0, 1, "ada"),
        "R": lambda: player.revoke(1, "ada"),
        "S": lambda: player.crash_or_stop(stop=True),
        "o": lambda: player.overstep(usual),
        "t": lambda: player.wait(WAITS[-1]),
        "2": lambda: tiers.append(2),
        "4": lambda: tiers.append(4),
        "B": lambda: blockers.append(1),
        "d": lambda: yes(digest=sha256(b"other")),
        "n": lambda: yes(override_blockers=False),
        "c": lambda: yes(confirmed=""),
    }
    player.begin("guided", HouseRules(), SOURCES[0], attended=True)
    for letter in letters:
        if player.session.finished is None:
            acts[letter]()
    return player.facts


def caught(walks: int) -> str:
    """Return what the first of many sessions breaks, or nothing."""
    sessions: list[Callable[[], Sequence[Fact]]] = [partial(told, each) for each in TOLD]
    sessions += [partial(played, seed) for seed in range(walks)]
    for session in sessions:
        try:
            found = next(breaches(session()), "")
        except (IllegalEvent, AssertionError) as error:
            found = f"{type(error).__name__}: {error}"
        if found:
            return found
    return ""


NO_WHY: Callable[..., Any] = lambda *_: ""  # noqa: E731  (its code takes the place of another)
NO_RULE: Callable[..., Any] = lambda *_: None  # noqa: E731
YES: Callable[..., Any] = lambda *_: True  # noqa: E731
NO: Callable[..., Any] = lambda *_: False  # noqa: E731
LIVE, FOLD, RULES, GRANTS = "core.approval.live:", "core.deciding:", "core.approval.modes:", ""
GRANTS = "core.approval.grants:"
NOT_ENDED = (f"{LIVE}_by_its_grant", ('standing.ended not in ("", "used up")', "False"))
MUTANTS: Mapping[str, Sequence[Edit]] = {
    "approved": [(f"{LIVE}_approved", NO_WHY)],
    "same digest": [
        (f"{LIVE}_same_digest", NO_WHY),
        (f"{FOLD}decision_made", ("request.digest == event.digest", "True")),
    ],
    "in time": [(f"{LIVE}_in_time", NO_WHY), (f"{FOLD}_too_late", NO)],
    "by its rule": [(f"{LIVE}_by_its_rule", NO_WHY), (f"{FOLD}_check_by_whom", NO_RULE)],
    "over blockers": [
        (f"{LIVE}_over_blockers", NO_WHY),
        (f"{FOLD}decision_made", ("event.override_blockers", "True")),
    ],
    "second stage": [(f"{LIVE}_second_stage", NO_WHY)],
    "second person": [(f"{LIVE}_second_person", NO_WHY)],
    "once": [(f"{LIVE}_once", NO_WHY)],
    "going on": [(f"{LIVE}_going_on", NO_WHY)],
    "what rests on a revoked grant is asked": [
        NOT_ENDED,
        (f"{FOLD}grant_revoked", ("not rests or", "True or")),
    ],
    "a revoked grant answers nothing": [
        NOT_ENDED,
        (f"{GRANTS}Standing.holds", ("not self.ended and", "")),
        (f"{FOLD}decision_requested", ("not one.ended and", "")),
    ],
    "a grant expires": [
        (f"{GRANTS}Standing.over", ("now >= self.grant.expires_at", "False")),
        (f"{LIVE}_by_its_grant", ("turn.decided_at >= standing.grant.expires_at", "False")),
    ],
    "a grant is used up": [(f"{GRANTS}Standing.over", ("self.grant.uses and", "False and"))],
    "a grant covers all of a policy": [("core.iam.containment:covers", YES)],
    "a grant is for one code": [
        (f"{GRANTS}fits", ("grant.code_digest not in (None, code_digest)", "False")),
    ],
    "a grant is for one purpose": [(f"{GRANTS}fits", ("grant.purpose != purpose or", ""))],
    "a grant is for its tier": [(f"{GRANTS}fits", ("tier <= grant.tier and", ""))],
    "deny, then ask, then allow": [
        (f"{RULES}rule", (".values():", ".values().__reversed__():")),
    ],
    "never, and above the ceiling": [
        (f"{RULES}_never", NO_RULE),
        (f"{RULES}_above_the_ceiling", NO_RULE),
    ],
    "blocked": [(f"{RULES}_blocked", NO_RULE), (f"{RULES}_blocked_unattended", NO_RULE)],
    "two stages": [(f"{RULES}_two_stages", NO_RULE)],
    "rehearsed badly": [
        (f"{RULES}_rehearsed_badly", NO_RULE),
        (f"{RULES}_rehearsed_badly_unattended", NO_RULE),
    ],
    "rolled back": [(f"{RULES}_rolled_back", NO_RULE)],
    "by the table": [(f"{RULES}_by_the_table", ("and case.tier <= case.unattended", ""))],
    "by hand": [
        (f"{RULES}_by_hand", NO_RULE),
        (f"{RULES}_by_the_table", ('outcome == "ask" or', "True or")),
    ],
    "the account's ceiling": [
        (f"{RULES}ceiling_of", ("min(most(mode), account,", "min(most(mode),")),
        ("core.session:_caller_identified", ("min(session.ceiling, changed.account.ceiling)", "4")),
    ],
    "the account's modes, and its name typed": [("core.state:Session.why_not", NO_WHY)],
    "another mode decides anew": [
        (
            f"{FOLD}mode_changed",
            ("return with_step(changed, step.without_turn())", "return changed"),
        ),
    ],
    "another mode answers no request": [
        (f"{FOLD}mode_changed", ('or turn.request.rule == "ask"', "")),
    ],
    "a post-check follows": [("core.step:_after_change", ("if check is None", "if False"))],
    "a post-check follows a run": [
        ("core.step:_after_change", ("main is None or main.run is None or", "")),
    ],
    "a post-check only reads": [(f"{RULES}ceiling_for", ("min(ceiling, READS_ONLY)", "ceiling"))],
    "a failed post-check offers the roll back": [
        ("core.step:_after_change", ("return None if good or", "return None if True or")),
    ],
    "a good post-check offers none": [
        ("core.step:_after_change", ("return None if good or", "return None if")),
    ],
    "a decision of a rule says why": [
        ("core.decide:_decided_by_rule", ('"; ".join(request.asks_because)', '""')),
    ],
}


def test_nothing_is_breached_in_the_sessions_that_mutants_are_tried_on() -> None:
    """With every rule in its place none of these sessions breaks anything."""
    assert caught(WALKS) == ""


@pytest.mark.parametrize("name", MUTANTS)
def test_a_rule_that_is_taken_out_is_missed(name: str) -> None:
    """Without the rule one of the sessions breaks what is promised."""
    with ExitStack() as stack:
        for edit in MUTANTS[name]:
            stack.enter_context(without(edit))
        found = caught(WALKS)

    assert found
