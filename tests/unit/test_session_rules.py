"""Each rule of the fold: an event that can't follow is refused, by the rule that forbids it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.approval.redeem import redeem
from core.canonical import sha256
from core.codec import parse
from core.errors import IllegalEvent, NotCountersigned
from core.events import (
    AnswerGiven,
    CallerIdentified,
    Event,
    EvidenceAdded,
    Fact,
    GapRecorded,
    LimitReached,
    ModeChanged,
    PlanProposed,
    RunFinished,
    RunOutput,
    RunStarted,
    SessionFinished,
    SessionStarted,
)
from core.session import apply, begin, fold

CALLER = CallerIdentified("aws", "1", "", "arn:role", ("eu-west-1",))
PLAN = PlanProposed("S1", "Look", "to know", "collect", "", {})
ANSWER = AnswerGiven("likely", "because", (), ())
END = SessionFinished(0, "answered")
OTHER = sha256(b"other")
Case = tuple[str, Callable[[Any], Any], Callable[[Any], Event], str]


def started(story: Any) -> Any:
    """Nothing but session.started."""
    return story()


def identified(story: Any) -> Any:
    """We know who we are."""
    return story().identified()


def drafted(story: Any) -> Any:
    """A step has its first draft."""
    return identified(story).drafted()


def reviewed(story: Any) -> Any:
    """The draft was reviewed."""
    return drafted(story).reviewed()


def requested(story: Any) -> Any:
    """A decision is asked for."""
    made = reviewed(story)
    made.requested()
    return made


def approved(story: Any) -> Any:
    """A person approved."""
    made = requested(story)
    made.decided()
    return made


def rejected(story: Any) -> Any:
    """A person rejected."""
    made = requested(story)
    made.decided("reject", comment="no")
    return made


def running(story: Any) -> Any:
    """The script runs."""
    made = approved(story)
    made.add(run_started(made))
    return made


def ran(story: Any) -> Any:
    """The script has run."""
    return approved(story).run()


def answered(story: Any) -> Any:
    """The answer was given."""
    made = identified(story)
    made.add(ANSWER)
    return made


def limited(story: Any) -> Any:
    """A limit was reached."""
    made = identified(story)
    made.add(LimitReached("steps", "all"))
    return made


def run_started(made: Any, **changes: Any) -> RunStarted:
    """The run.started that would be right, but for `changes`."""
    request = made.session.step.request
    event = RunStarted("X1", request.request, "run", request.digest, "replayed", ())
    return replace(event, **changes)


def right_request(made: Any, **changes: Any) -> Event:
    """The decision.requested that would be right, but for `changes`."""
    from core.decide import Record, decide

    move = decide(made.session, made.now)
    assert isinstance(move, Record)
    return replace(move.event, **changes)


def card(**changes: Any) -> EvidenceAdded:
    """The evidence.added that would be right, but for `changes`."""
    event = EvidenceAdded("E1", "S1", "X1", "Look", {}, (), (), (), (), "", None)
    return replace(event, **changes)


def again(name: str, **changes: Any) -> Callable[[Any], Event]:
    """The latest draft or review once more, but for `changes`."""
    return lambda made: replace(getattr(made.session.step, name), **changes)


CASES: list[Case] = [
    ("caller", identified, lambda _: CALLER, "the caller is known"),
    ("plan", started, lambda _: PLAN, "the caller is not known"),
    ("plan", drafted, lambda _: replace(PLAN, step="S2"), "a step or answer stands"),
    ("plan", answered, lambda _: PLAN, "a step or answer stands"),
    ("plan", identified, lambda _: replace(PLAN, step="S2"), "number is wrong"),
    ("draft", drafted, again("draft", version=3), "version's number is wrong"),
    ("draft", drafted, again("draft", version=2), "was not sent back"),
    ("draft", approved, again("draft", version=2), "was not sent back"),
    ("draft", drafted, again("draft", step="S2"), "S2 is not open"),
    ("review", reviewed, again("review"), "no draft waits for a review"),
    ("request", reviewed, lambda m: right_request(m, request="R2"), "number is wrong"),
    ("request", reviewed, lambda m: right_request(m, version=2), "another version"),
    ("request", reviewed, lambda m: right_request(m, tier=0), "the rule is another"),
    ("request", reviewed, lambda m: right_request(m, rule="run"), "the rule is another"),
    ("request", reviewed, lambda m: right_request(m, ceiling=5), "the rule is another"),
    ("request", reviewed, lambda m: right_request(m, blockers=1), "the rule is another"),
    ("request", requested, again("request", request="R2"), "nothing to decide"),
    ("run", requested, run_started, "nothing was decided"),
    ("run", ran, lambda m: run_started(m, run="X2"), "its request was used"),
    ("run", approved, lambda m: run_started(m, request="R2"), "the request is another"),
    ("run", rejected, run_started, "was not approved"),
    ("run", approved, lambda m: run_started(m, digest=OTHER), "another digest was approved"),
    ("run", approved, lambda m: run_started(m, run="X2"), "number is wrong"),
    ("output", ran, lambda _: RunOutput("X1", "stdout", 0, "", 0), "does not run"),
    ("output", running, lambda _: RunOutput("X2", "stdout", 0, "", 0), "does not run"),
    ("end", ran, lambda _: RunFinished("X1", "exited", 0, None, None, {}, ()), "does not run"),
    ("evidence", approved, lambda _: card(), "no run of this step has finished"),
    ("evidence", running, lambda _: card(), "no run of this step has finished"),
    ("evidence", ran, lambda _: card(card="E2"), "number is wrong"),
    ("gap", running, lambda _: GapRecorded("S1", "no"), "a run goes on"),
    ("gap", identified, lambda _: GapRecorded("S1", "no"), "S1 is not open"),
    ("answer", answered, lambda _: ANSWER, "not the time"),
    ("answer", running, lambda _: ANSWER, "not the time"),
    ("limit", limited, lambda _: LimitReached("steps", "all"), "before"),
    ("finish", running, lambda _: END, "a run goes on"),
]


@pytest.mark.parametrize(("name", "state", "event", "why"), CASES)
def test_an_event_that_can_not_follow_is_refused(
    story: Any, name: str, state: Any, event: Any, why: str
) -> None:
    """The fold names the rule, and the session stays as it was."""
    made = state(story)
    before = made.session

    with pytest.raises(IllegalEvent, match=why):
        made.add(event(made))
    assert made.session == before, name


def test_a_review_of_another_draft_is_refused(story: Any) -> None:
    """A review speaks about the digest of the draft that stands."""
    made = drafted(story)
    event = replace(reviewed(story).session.step.review, draft_digest=OTHER)

    with pytest.raises(IllegalEvent, match="another draft"):
        made.add(event)


def test_numbers_have_no_gaps(story: Any) -> None:
    """A fact that is missing or told twice is found by its number."""
    made = identified(story)

    for number in (2, 4):
        with pytest.raises(IllegalEvent, match="expected number 3"):
            apply(made.session, Fact(number, 0, ANSWER))


def test_a_session_begins_with_its_start_and_once(story: Any) -> None:
    """Nothing comes before session.started, and it does not come twice."""
    with pytest.raises(IllegalEvent, match="begins with"):
        begin(Fact(1, 0, ANSWER))
    made = started(story)
    with pytest.raises(IllegalEvent, match="can't follow"):
        made.add(made.session.started)
    with pytest.raises(IllegalEvent, match="no events"):
        fold([])


def test_no_session_has_a_ceiling_above_its_mode(story: Any) -> None:
    """Unattended sessions never reach tier 3, however the file came to say so."""
    with pytest.raises(IllegalEvent, match="has that ceiling"):
        story(mode="automated", ceiling=3)
    with pytest.raises(IllegalEvent, match="has that ceiling"):
        started(story).add(ModeChanged("somebody", "automated", 3))


def test_terms_need_a_target(story: Any) -> None:
    """Before we know who we are nothing can be bound."""
    with pytest.raises(IllegalEvent, match="before the caller is identified"):
        started(story).session.terms(4)


def test_a_draft_that_is_not_the_reviewed_one_is_not_redeemed(story: Any) -> None:
    """Fields of the draft on record that changed after the review show in its digest."""
    made = approved(story)
    step = made.session.step
    other = replace(step.draft, parameters={"regions": ["us-east-1"]})
    session = replace(made.session, steps=(replace(step, drafts=(other,)),))

    with pytest.raises(NotCountersigned, match="not the one that was reviewed"):
        redeem(session, "R1", made.payload, {}, "AKIACOUNTERSIGN00001")


@pytest.mark.parametrize(
    ("kind", "text", "why"),
    [
        ("never.heard", "{}", "unknown kind"),
        ("session.finished", '{"exit_code": "0", "reason": "x"}', "exit_code"),
        ("session.finished", '{"exit_code": 0}', "reason"),
        ("session.finished", '{"exit_code": 0, "reason": "x", "more": 1}', "more"),
        ("session.finished", "[", "session.finished"),
    ],
)
def test_text_that_is_no_event_is_refused(kind: str, text: str, why: str) -> None:
    """Unknown kinds and fields, missing fields and wrong types never fold."""
    with pytest.raises(IllegalEvent, match=why):
        parse(kind, text)


def test_every_kind_is_handled(story: Any) -> None:
    """No kind of the union is forgotten by the fold."""
    from core.events import KINDS
    from core.session import _HANDLERS

    assert set(_HANDLERS) == set(KINDS) - {SessionStarted.kind}
