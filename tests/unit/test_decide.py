"""`decide`, case by case: what comes next, and how a session ends."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from core.approval.draft import PREFIX, Draft, approval_digest
from core.calls import AwsIntended
from core.canonical import sha256
from core.decide import (
    Ask,
    Consult,
    Distil,
    Done,
    Execute,
    Identify,
    Record,
    Review,
    busy_ms,
    decide,
)
from core.errors import IllegalEvent
from core.events import (
    AnswerGiven,
    DecisionMade,
    DecisionRequested,
    GapRecorded,
    LimitReached,
    ModeChanged,
    RunInterrupted,
    RunStarted,
    SessionFinished,
    StopRequested,
)
from core.llm.usage import ModelAnswered
from core.repair import FOR_MODELS, Repairs


def next_event(story: Any) -> Any:
    """Return the event that follows by itself from a story."""
    move = decide(story.session, story.now)
    assert isinstance(move, Record)
    return move.event


def test_a_step_goes_from_plan_to_evidence(story: Any) -> None:
    """The moves of one step in guided mode, in order."""
    made = story()
    moves = [decide(made.session, made.now)]
    made.identified()
    moves.append(decide(made.session, made.now))
    made.drafted()
    moves.append(decide(made.session, made.now))
    made.reviewed()
    request = made.requested()
    moves.append(decide(made.session, made.now))
    made.decided()
    moves.append(decide(made.session, made.now))
    made.run()
    moves.append(decide(made.session, made.now))
    made.evidence(n=1)
    moves.append(decide(made.session, made.now))

    plan = Consult("plan")
    assert moves == [
        Identify(),
        plan,
        Review("S1"),
        Ask(request),
        Execute("R1"),
        Distil("S1"),
        plan,
    ]


def test_a_request_is_bound_to_the_digest_of_its_terms(story: Any) -> None:
    """The digest is that of the draft under the session's terms, and its preimage is kept."""
    made = story().identified().drafted().reviewed()
    draft = made.session.steps[0].draft

    request = made.requested()

    assert request.digest == approval_digest(made.session.terms(4).preimage(draft.draft_digest))
    assert request.digest == sha256(PREFIX + made.payload(request.preimage))


def test_automated_mode_decides_by_its_rule(story: Any) -> None:
    """Within the ceiling the mode approves, above it the mode rejects and a gap is recorded."""
    low = story(mode="automated", ceiling=2).identified().drafted().reviewed(tier=2)
    low.requested()
    high = story(mode="automated", ceiling=2).identified().drafted().reviewed(tier=3)
    high.requested()

    approved, rejected = next_event(low), next_event(high)
    high.add(rejected)

    assert (approved.verb, approved.by) == ("approve", "mode")
    assert (rejected.verb, rejected.by) == ("reject", "mode")
    assert "above this session's ceiling" in next_event(high).reason


def test_a_refused_change_ends_an_automated_session(story: Any) -> None:
    """Automated mode concludes with exit code 4 when a change was wanted."""
    made = story(mode="automated", ceiling=2).identified().drafted().reviewed(tier=4)
    made.requested()
    made.add(next_event(made))

    assert decide(made.session, made.now) == Consult("conclude")
    made.add(AnswerGiven("inconclusive", "", (), ()))
    assert next_event(made).exit_code == 4


def test_a_change_of_mode_answers_no_open_request(story: Any) -> None:
    """A request raised in guided mode still asks after the switch to automated."""
    made = story().identified().drafted().reviewed()
    request = made.requested()
    made.add(ModeChanged("somebody", "automated", 2))

    assert decide(made.session, made.now) == Ask(request)


@pytest.mark.parametrize("decided", [False, True])
def test_what_automated_mode_would_run_is_asked_after_the_switch_to_guided(
    story: Any, decided: bool
) -> None:
    """A decision that the old mode made, or was about to make, is not carried into guided mode."""
    made = story(mode="automated", ceiling=2).identified().drafted().reviewed()
    made.requested()
    if decided:
        made.add(next_event(made))
    made.add(ModeChanged("somebody", "guided", 4))

    request = made.requested()

    assert (request.request, request.rule, request.ceiling) == ("R2", "ask", 4)
    assert decide(made.session, made.now) == Ask(request)


def test_an_edit_makes_the_next_version(story: Any) -> None:
    """After `edit` the operator's script is adopted, reviewed, and asked about anew."""
    made = story().identified().drafted().reviewed()
    made.requested()
    made.decided("edit", edited=made.keep(b"pass\n"))

    assert decide(made.session, made.now) == Consult("adopt", "S1")
    made.drafted()
    assert decide(made.session, made.now) == Review("S1")
    made.reviewed()
    assert made.requested().request == "R2"


@pytest.mark.parametrize(("verb", "did"), [("reject", "rejected"), ("skip", "skipped")])
def test_what_a_person_turns_down_becomes_a_gap(story: Any, verb: str, did: str) -> None:
    """The gap names the step, who and why."""
    made = story().identified().drafted().reviewed()
    made.requested()
    made.decided(verb, comment="too broad")

    assert next_event(made) == GapRecorded("S1", f"Look: {did} by somebody: too broad")


def test_a_run_without_an_end_is_interrupted_and_not_repeated(story: Any) -> None:
    """After a crash in mid-run the run is closed as unknown, and its step as a gap."""
    made = story().identified().drafted().reviewed()
    request = made.requested()
    made.decided()
    made.add(RunStarted("X1", "R1", "run", request.digest, "replayed", ()))

    interrupted = next_event(made)
    made.add(interrupted)

    assert isinstance(interrupted, RunInterrupted)
    assert isinstance(next_event(made), GapRecorded)


def test_calls_that_may_have_been_made_are_counted(story: Any) -> None:
    """A run that broke off between an intent and its call: the gap says how many there are."""
    made = story().identified().drafted().reviewed()
    request = made.requested()
    made.decided()
    made.add(RunStarted("X1", "R1", "run", request.digest, "replayed", ()))
    intended = AwsIntended(
        run="X1",
        number=1,
        service="cloudwatch",
        operation="SetAlarmState",
        region="eu-west-1",
        parameters={},
        reason="",
        action="cloudwatch:SetAlarmState",
        tier=4,
        principal="operator",
    )
    made.add(intended)
    made.add(replace(intended, number=2))
    made.add(next_event(made))

    gap = next_event(made)

    assert isinstance(gap, GapRecorded)
    assert gap.reason.endswith("; 2 calls of tier 3 or more with an unknown outcome")


def test_a_used_up_budget_concludes(story: Any) -> None:
    """At the limit of steps the planner is asked once to conclude, and the code is 5."""
    made = story(most_steps=1).identified().drafted().reviewed()
    made.requested()
    made.decided()
    made.run()
    made.evidence(n=1)

    limit = next_event(made)
    made.add(limit)

    assert limit == LimitReached("steps", "1 steps were taken")
    assert decide(made.session, made.now) == Consult("conclude")
    made.add(AnswerGiven("inconclusive", "", (), ()))
    assert next_event(made).exit_code == 5


def test_waiting_for_a_person_costs_nothing(story: Any) -> None:
    """Time between request and decision does not count against the budget, before or after."""
    made = story().identified().drafted().reviewed()
    made.now += 5_000
    made.requested()
    made.now += 3_600_000

    waiting = busy_ms(made.session, made.now)
    made.decided()

    assert (waiting, busy_ms(made.session, made.now)) == (5_000, 5_000)


@pytest.mark.parametrize(("code", "expected"), [(0, 0), (1, 1), (3, 1)])
def test_a_run_of_one_script_ends_with_its_success(story: Any, code: int, expected: int) -> None:
    """`run` ends right after its step: 0 when the script did, else 1."""
    made = story(goal="run").identified().drafted().reviewed()
    made.requested()
    made.decided()
    made.run(code)
    made.evidence()

    assert next_event(made).exit_code == expected


def test_a_stop_concludes_and_ends_with_130(story: Any) -> None:
    """A person's stop brings the answer from what there is."""
    made = story().identified()
    made.add(StopRequested("somebody"))

    assert decide(made.session, made.now) == Consult("conclude")
    made.add(AnswerGiven("inconclusive", "", (), ()))
    assert next_event(made).exit_code == 130


def test_a_finished_session_is_done(story: Any) -> None:
    """After the end nothing is decided and nothing can be appended."""
    made = story().identified()
    made.add(SessionFinished(0, "answered"))

    assert decide(made.session, made.now) == Done(0)
    with pytest.raises(IllegalEvent, match="has ended"):
        made.add(StopRequested("somebody"))


def test_a_forged_decision_of_the_mode_does_not_fold(story: Any) -> None:
    """A file in which the mode approves what asked a person is refused."""
    made = story().identified().drafted().reviewed()
    request = made.requested()
    forged = DecisionMade("R1", request.digest, "approve", "mode", "", "none")

    with pytest.raises(IllegalEvent, match="does not decide that"):
        made.add(forged)


def test_a_decision_on_another_digest_does_not_fold(story: Any) -> None:
    """A decision speaks about the digest of the open request or not at all."""
    made = story().identified().drafted().reviewed()
    made.requested()

    with pytest.raises(IllegalEvent, match="another digest"):
        made.add(DecisionMade("R1", sha256(b"other"), "approve", "human", "me", "plain"))


# ------------------------------------------------------------------ drafts that go back
WRITTEN = Draft(
    step="S1",
    version=1,
    author="model",
    kind="collect",
    language="python",
    script=b"print('hello')\n",
    requirements=(),
    policy={"Version": "2012-10-17", "Statement": []},
    rollback=None,
    post_check=None,
    parameters={},
    inputs=(),
)


def test_blocking_findings_go_back_before_anybody_is_asked(story: Any) -> None:
    """A model's draft with blockers is mended as often as the session allows, then asked about."""
    made = story(repairs=Repairs(reviews=2)).identified()
    moves = []
    for _ in range(3):
        made.drafted(WRITTEN).reviewed(blockers=1)
        moves.append(decide(made.session, made.now))

    assert moves[:2] == [Consult("repair", "S1")] * 2
    assert made.requested().version == 3


def test_a_poor_draft_goes_back_at_most_five_times(story: Any) -> None:
    """More remarks on quality than the settings allow send a model's draft back as blockers do."""
    made = story(repairs=FOR_MODELS).identified()
    sent_back = 0
    while True:
        made.drafted(WRITTEN).reviewed(poor=True)
        if decide(made.session, made.now) != Consult("repair", "S1"):
            break
        sent_back += 1

    assert sent_back == 5
    assert made.requested().blockers == 0


def test_a_poor_draft_of_a_person_stands(story: Any) -> None:
    """What nobody but its author should rewrite is only remarked upon."""
    made = story(repairs=FOR_MODELS).identified()
    made.drafted(replace(WRITTEN, author="operator")).reviewed(poor=True)

    assert made.requested().version == 1


def test_a_failed_run_goes_back_with_a_new_request(story: Any) -> None:
    """A failing script gets a next version that is reviewed and decided anew, within the bound."""
    made = story(repairs=Repairs(runs=1)).identified()
    requests = []
    for _ in range(2):
        made.drafted(WRITTEN).reviewed()
        requests.append(made.requested().request)
        made.decided()
        made.run(code=1)
        if len(requests) == 1:
            assert decide(made.session, made.now) == Consult("repair", "S1")

    assert requests == ["R1", "R2"]
    assert made.session.runs == 2
    assert decide(made.session, made.now) == Distil("S1")


@pytest.mark.parametrize(
    ("bound", "comment", "expected"),
    [(1, "only eu-west-1", Consult("repair", "S1")), (1, "", None), (0, "only eu-west-1", None)],
)
def test_a_reject_with_a_reason_goes_back(
    story: Any, bound: int, comment: str, expected: Consult | None
) -> None:
    """A reason is feedback as long as the bound allows; without one the step is given up."""
    made = story(repairs=Repairs(rejections=bound)).identified().drafted(WRITTEN).reviewed()
    made.requested()
    made.decided("reject", comment=comment)

    move = decide(made.session, made.now)

    assert move == expected if expected else isinstance(next_event(made), GapRecorded)


def test_what_an_operator_wrote_is_not_rewritten(story: Any) -> None:
    """An edited draft with blockers is put to a person, whatever the bounds say."""
    made = story(repairs=FOR_MODELS).identified().drafted(WRITTEN).reviewed()
    made.requested()
    made.decided("edit", edited=made.keep(b"pass\n"))
    made.drafted(replace(WRITTEN, author="operator")).reviewed(blockers=1)

    assert isinstance(made.requested(), DecisionRequested)


def test_a_planner_that_can_not_mend_is_never_asked_to(story: Any) -> None:
    """With the bounds of a session of workflows nothing goes back."""
    made = story().identified().drafted(WRITTEN).reviewed(blockers=1)
    made.requested()
    made.decided(override_blockers=True)
    made.run(code=1)

    assert decide(made.session, made.now) == Distil("S1")


def test_a_next_version_that_nobody_sent_for_does_not_fold(story: Any) -> None:
    """A second version over the bound is refused, as from a file that was changed."""
    made = story(repairs=Repairs(reviews=1)).identified().drafted(WRITTEN).reviewed(blockers=1)
    made.drafted(WRITTEN).reviewed(blockers=1)

    with pytest.raises(IllegalEvent, match="not sent back"):
        made.drafted(WRITTEN)


def test_the_cost_of_models_ends_a_session(story: Any) -> None:
    """At the limit the planner is asked to conclude; what has no known price is counted apart."""
    made = story(most_cost=1_500_000).identified()
    for cost in (1_000_000, None, 499_999):
        made.add(ModelAnswered("plan", "m", 1, 1, 0, 0, cost, 1, 1, ""))
    before = decide(made.session, made.now)
    made.add(ModelAnswered("plan", "m", 1, 1, 0, 0, 1, 1, 1, ""))

    assert before == Consult("plan")
    assert (made.session.model_cost, made.session.unpriced) == (1_500_000, 1)
    assert next_event(made) == LimitReached("cost", "the models have cost $1.50")
