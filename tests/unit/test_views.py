"""What the screen shows of a session: made from the session alone, and safe to show."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.answer import conclude, fill
from core.approval.draft import Draft
from core.checks.finding import Finding
from core.checks.summary import one_line
from core.events import (
    CallerIdentified,
    PlanProposed,
    RunInterrupted,
    RunStarted,
    StopRequested,
)
from tests.taking_out import without
from tui import drafts, policy_views, viewing
from tui.views import ANSWER, NO_FINDINGS

Maker = Callable[..., Any]
HOSTILE = "a\x1b]52;c;x\x07b\u202ec\u200bd\x9be"


def asked(story: Maker, **review: Any) -> Any:
    """Return a story whose first step waits for a decision."""
    told = story().identified().drafted().reviewed(**review)
    told.requested()
    return told


def test_the_status_names_account_region_role_mode_and_time(story: Maker) -> None:
    """Alias and number, the role by its name, the mode in words, time since the beginning."""
    told = story()
    told.add(
        CallerIdentified(
            "aws", "123456789012", "shop", "arn:aws:sts::1:assumed-role/reader/me", ("eu-west-1",)
        )
    )
    status = viewing.status(told.session, told.session.started_at + 3_725_000)

    assert (
        status.account,
        status.region,
        status.role,
    ) == ("shop 123456789012", "eu-west-1", "reader")
    assert (status.mode, status.cost, status.elapsed) == ("GUIDED", "$0.00", "1:02:05")


@pytest.mark.parametrize(
    ("arn", "name"),
    [
        ("arn:aws:sts::1:assumed-role/reader/me", "reader"),
        ("arn:aws:iam::1:user/path/me", "path"),
        ("arn:aws:iam::1:root", "root"),
        ("arn:role", "role"),
    ],
)
def test_a_caller_has_a_short_name(arn: str, name: str) -> None:
    """The part that people say."""
    assert viewing.role_name(arn) == name


def test_a_step_goes_through_its_states(story: Maker) -> None:
    """Each state has a sign of its own, so that colour is never needed."""
    told = story().identified()
    states = []

    def note() -> None:
        states.append([chip.state for chip in viewing.chips(told.session)])

    told.drafted()
    note()
    told.reviewed()
    told.requested()
    note()
    told.decided()
    note()
    request = told.session.steps[-1].request
    told.add(RunStarted("X1", request.request, "run", request.digest, "replayed", ()))
    note()

    assert states == [["working"], ["asked"], ["working"], ["running"]]


def test_a_finished_step_says_what_came_of_it(story: Maker) -> None:
    """Who approved it, how the script ended, which card it left, and the card's facts."""
    told = asked(story)
    told.decided()
    told.run()
    told.evidence(firing=2)
    plan = viewing.plan(told.session, told.session.steps[0])

    assert plan.outcome == "approved by somebody · ended with exit code 0, 0 AWS calls · E1"
    assert [(row.name, row.value) for row in plan.found] == [("firing", "2")]
    assert [chip.state for chip in viewing.chips(told.session)] == ["done"]


def test_the_plan_says_in_one_line_what_the_draft_would_do(story: Maker) -> None:
    """The same line as on every surface, with the regions that the run may call."""
    told = asked(story)
    step = told.session.steps[0]
    rows = {row.name: row.value for row in viewing.plan(told.session, step).rows}

    assert rows["Review"] == one_line(step.review, ("eu-west-1",))
    assert " · 1 region · " in rows["Review"]


def test_a_question_holds_what_a_yes_binds(story: Maker) -> None:
    """Digest, tier, why it asks, and what stands against it."""
    told = asked(story, tier=3, blockers=2)
    question = viewing.question(told.session, told.session.open_request)

    assert question.digest == told.session.open_request.digest
    assert (question.page, question.second_stage, question.account) == (1, True, "shop")
    assert question.head == "S1 v1 awaits you · tier 3"
    assert question.blockers == ("no", "no")


def test_findings_are_counted_in_words_and_mark_their_lines(story: Maker) -> None:
    """The worst finding of a line is its mark, and the worst stand first."""
    told = asked(story)
    step = told.session.steps[0]
    found = (
        Finding("ruff", "E1", "note", 1, "style", ""),
        Finding("bandit", "B1", "blocker", 1, "shell", "do not"),
        Finding("policy", "P1", "warning", None, "wide", ""),
    )
    step = replace(step, review=replace(step.review, findings=found))

    assert viewing.findings_caption(step) == "1 blocker, 1 warning, 1 note"
    assert viewing.findings_counter(step) == "1B 1W 1N"
    assert [one.severity for one in viewing.findings(step)] == ["blocker", "warning", "note"]
    assert drafts.code(step, told.payload).marks == {1: "blocker"}


def test_no_findings_is_said_in_words(story: Maker) -> None:
    """An empty pane would be no answer."""
    assert viewing.findings_caption(asked(story).session.steps[0]) == NO_FINDINGS
    assert viewing.findings_caption(story().identified().drafted().session.steps[0]) == (
        "not reviewed yet"
    )


def test_the_policy_names_each_action_with_its_tier(story: Maker) -> None:
    """Statements in any of IAM's spellings; what has no tier of its own counts as unknown."""
    told = asked(story)
    step = told.session.steps[0]
    statements = [
        {"Effect": "Allow", "Action": ["ec2:DescribeInstances"], "Resource": "*"},
        {"Effect": "Allow", "NotAction": "iam:*", "NotResource": ["arn:aws:s3:::b"]},
        {"Effect": "Deny", "Action": "s3:GetObject", "Resource": ["arn:aws:s3:::b/*"]},
    ]
    draft = replace(step.draft, policy={"Version": "2012-10-17", "Statement": statements})
    policy = policy_views.policy(replace(step, drafts=(draft,)))

    assert [(one.effect, one.action, one.tier, one.resource) for one in policy.permissions] == [
        ("Allow", "ec2:DescribeInstances", 1, "*"),
        ("Allow", "all but iam:*", None, "not arn:aws:s3:::b"),
        ("Deny", "s3:GetObject", None, "arn:aws:s3:::b/*"),
    ]
    assert policy_views.policy_caption(policy) == "2 allowed, tier ?"
    assert '"NotAction": "iam:*"' in policy.document


def test_an_answer_names_the_values_it_rests_on(story: Maker) -> None:
    """Each claim with card, fact and value; the last page is the answer's."""
    told = asked(story)
    told.decided()
    told.run()
    card = told.evidence(firing=2)
    told.add(conclude("likely", "full", [fill("{firing} fire", card)], ["unseen"]))
    answer = viewing.answer(told.session)
    assert answer is not None

    assert answer.claims[0].evidence == ("E1 firing = 2",)
    assert (answer.status, answer.cause, answer.gaps) == ("likely", "full", ("unseen",))
    assert viewing.latest_page(told.session) == ANSWER


def test_every_part_of_a_view_is_made_safe(story: Maker) -> None:
    """A hostile title, reason, alias, script and finding come out visible, not acting."""
    told = story()
    told.add(CallerIdentified("aws", "1", HOSTILE, f"arn:role/{HOSTILE}", (HOSTILE,)))
    told.add(PlanProposed("S1", HOSTILE, HOSTILE, "collect", HOSTILE, {HOSTILE: [HOSTILE]}))
    draft = Draft(
        step="S1",
        version=1,
        author="file",
        kind="collect",
        language="python",
        script=HOSTILE.encode(),
        requirements=(),
        policy={
            "Statement": {
                "Effect": HOSTILE,
                "Action": HOSTILE,
                "Resource": HOSTILE,
                "Condition": {HOSTILE: {HOSTILE: HOSTILE}},
            }
        },
        rollback=None,
        post_check=None,
        parameters={HOSTILE: {HOSTILE: HOSTILE}},
        inputs=(),
    )
    told.drafted(draft)
    step = told.session.steps[0]
    policy = policy_views.policy(step)
    everything = repr(
        [
            str(viewing.status(told.session, 0)).splitlines(),
            viewing.chips(told.session)[0].title,
            viewing.plan(told.session, step).title,
            [row.name + row.value for row in viewing.plan(told.session, step).rows],
            [one.effect + one.action + one.resource + one.condition for one in policy.permissions],
            policy.document,
            drafts.code(step, told.payload).text,
        ]
    )

    assert "␛" in everything
    assert not any(each in everything for each in ("\\x1b", "\\u202e", "\\u200b", "\\x9b"))


def test_a_run_is_called_dead_only_when_that_is_on_record(story: Maker) -> None:
    """Stopping is a wish; stopped is a fact, and waits for the end of the run, by one rule."""
    told = asked(story)
    told.decided()
    request = told.session.steps[-1].request
    told.add(RunStarted("X1", request.request, "run", request.digest, "replayed", ()))
    told.add(StopRequested("somebody"))
    before = viewing.work(told.session)
    with without(("tui.viewing:_stopping", ("if run := session.open_run:", "if False:"))):
        assert viewing.work(told.session) != before
    told.add(RunInterrupted("X1", "stopped by a person"))

    assert before == "Stopping: X1 is being ended"
    assert viewing.work(told.session).startswith("Stopped: X1 is dead (confirmed)")
