"""The table of a step: what its review left on record, with what its runs called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from core.approval.redeem import reread
from core.calls import AwsCalled
from core.checks.finding import Call, Review
from core.checks.permissions import observed, permissions, permissions_of, tighter
from core.decide import Consult, decide
from core.engine import describe
from core.errors import IllegalEvent
from core.events import RunFinished, RunInterrupted, RunStarted
from core.planner import adopt
from core.runs import Counted
from core.session import Step
from tui import policy_views, viewing
from tui.permissions import after_run, row_text
from tui.plain import review_text
from tui.widgets.lists import PolicyPane

Maker = Callable[..., Any]
VPCS, SUBNETS, BUCKETS = "ec2:DescribeVpcs", "ec2:DescribeSubnets", "s3:ListAllMyBuckets"
POLICY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": [VPCS, SUBNETS, BUCKETS], "Resource": "*"}],
}
PROPOSED = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": [VPCS, SUBNETS], "Resource": "*"}],
}
DRAFT_SCRIPT = b"print('hello')\n"
REVIEW = Review(
    findings=(),
    calls=(Call("ec2", "DescribeVpcs", 3), Call("ec2", "DescribeSubnets", 5)),
    tier=1,
    missing=(),
    excess=(BUCKETS,),
    proposed=PROPOSED,
)


def policy_of(*actions: str) -> dict[str, Any]:
    """Return a policy that allows these actions."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def called(number: int, operation: str, verdict: str = "allowed", service: str = "ec2") -> Any:
    """Return a call as a run of the first name tells it."""
    names = {"ListBuckets": BUCKETS}
    return AwsCalled(
        run="X1",
        number=number,
        service=service,
        operation=operation,
        region="eu-west-1",
        parameters={},
        verdict=verdict,  # type: ignore[arg-type]  # one of two
        reason="",
        action=names.get(operation, f"{service}:{operation}"),
        tier=1,
        status=200,
        request_id="",
        ms=1,
        response=None,
        headers={},
    )


def asked(story: Maker, **settings: Any) -> Any:
    """Return a story whose draft has the policy and the review above, and is asked about."""
    told = story(**settings).identified().drafted(policy=POLICY).reviewed()
    step = told.session.steps[0]
    review = replace(
        step.review, calls=REVIEW.calls, excess=REVIEW.excess, proposed=dict(REVIEW.proposed)
    )
    told.session = replace(told.session, steps=(replace(step, review=review),))
    told.requested()
    told.decided()
    return told


def running(told: Any, *calls: Any) -> Step:
    """Have the approved request run and make these calls; returns the step."""
    request = told.session.steps[-1].request
    name = f"X{told.session.runs + 1}"
    told.add(RunStarted(name, request.request, request.purpose, request.digest, "replayed", ()))
    for each in calls:
        told.add(replace(each, run=name))
    step: Step = told.session.steps[-1]
    return step


def ended(told: Any) -> Step:
    """End the run; returns the step."""
    told.add(RunFinished(f"X{told.session.runs}", "exited", 0, None, None, {}, ()))
    step: Step = told.session.steps[-1]
    return step


def states(step: Step) -> dict[str, str]:
    """Return the state of each action."""
    return {row.action: row.state for row in permissions_of(step)}


def test_before_a_run_policy_and_code_are_compared(story: Maker) -> None:
    """Nothing was observed, and so nothing is called untaken."""
    step = asked(story).session.steps[0]

    assert observed(step) is None
    assert states(step) == {VPCS: "matched", SUBNETS: "matched", BUCKETS: "not called"}


def test_a_run_is_counted_when_it_has_ended(story: Maker) -> None:
    """While it goes on nobody can say what it does not call."""
    told = asked(story)
    going_on = running(told, called(1, "DescribeVpcs"), called(2, "DescribeVpcs"))

    assert states(going_on)[SUBNETS] == "matched"
    assert states(ended(told)) == {VPCS: "matched", SUBNETS: "not taken", BUCKETS: "not called"}
    assert observed(told.session.steps[0]) == (Counted("ec2", "DescribeVpcs", VPCS, 2),)


def test_what_no_line_shows_is_a_surprise(story: Maker) -> None:
    """What was called is no excess any more, and is told before all that fits."""
    told = asked(story)
    running(told, called(1, "DescribeVpcs", "denied"), called(2, "ListBuckets", service="s3"))
    table = permissions_of(ended(told))

    assert [(row.action, row.state) for row in table] == [
        (VPCS, "denied"),
        (BUCKETS, "surprise"),
        (SUBNETS, "not taken"),
    ]
    assert (table[0].called, table[0].denied, table[0].lines) == (1, 1, (3,))


def test_a_rehearsal_counts_until_the_script_has_run(story: Maker) -> None:
    """Whoever is asked about the run sees what the rehearsal called; afterwards the run counts."""
    told = asked(story, house=replace(story().session.started.house, rehearse="always"))
    assert running(told, called(1, "DescribeVpcs"), called(2, "DescribeSubnets")).run
    assert told.session.steps[0].purpose == "rehearse"
    assert states(ended(told))[SUBNETS] == "matched"
    told.requested()
    told.decided()
    running(told, called(1, "DescribeVpcs"))

    assert told.session.steps[0].purpose == "run"
    assert states(ended(told))[SUBNETS] == "not taken"


@pytest.mark.parametrize(
    ("found", "action", "state"),
    [
        (replace(REVIEW, missing=(VPCS,)), VPCS, "missing"),
        (replace(REVIEW, unresolved=1), BUCKETS, "unseeable"),
        (replace(REVIEW, proposed={}), VPCS, "matched"),
    ],
)
def test_what_a_review_says_stands_in_the_table(found: Review, action: str, state: str) -> None:
    """What a Deny takes away is missing, hidden calls leave doubt, and old records will do."""
    assert {row.action: row.state for row in permissions(POLICY, found)}[action] == state


def test_plain_mode_tells_the_table_when_a_run_has_ended(story: Maker) -> None:
    """Once for each run, with what it was for, and never before its end."""
    told = asked(story)
    step = running(told, called(1, "DescribeVpcs", "denied"))
    assert after_run(told.facts[-1].event, step) == []
    told.add(RunInterrupted("X1", "lost"))

    assert after_run(told.facts[-1].event, told.session.steps[0]) == [
        "policy, code and run of X1",
        f"  denied: {VPCS}, tier 1, line 3, called 1 time, 1 denied",
        f"  not called: {BUCKETS}, tier 1",
        f"  not taken: {SUBNETS}, tier 1, line 5",
    ]


def test_a_row_in_words() -> None:
    """Several lines and calls are told as several."""
    calls = (*REVIEW.calls, Call("ec2", "DescribeVpcs", 9))
    table = permissions(POLICY, replace(REVIEW, calls=calls))
    (vpcs,) = (one for one in table if one.action == VPCS)
    told = row_text(replace(vpcs, called=2))

    assert told == f"matched: {VPCS}, tier 1, lines 3 9, called 2 times"


def test_the_screen_shows_what_a_run_did_with_the_policy(story: Maker) -> None:
    """A pattern stands for the worst that it reaches; what no Allow names stands first."""
    told = asked(story)
    running(
        told,
        called(1, "DescribeVpcs"),
        called(2, "ListBuckets", service="s3"),
        called(3, "GetObject", "denied", service="s3"),
    )
    policy = policy_views.policy(ended(told))

    shown = [(one.action, one.need, one.called, one.denied) for one in policy.permissions]
    assert shown == [
        ("s3:GetObject", "denied", 1, 1),
        (VPCS, "needed", 1, 0),
        (SUBNETS, "untaken", 0, 0),
        (BUCKETS, "surprise", 1, 0),
    ]
    assert [one.outside for one in policy.permissions] == [True, False, False, False]
    assert policy_views.policy_caption(policy) == "3 allowed, tier 1, 1 denied, 1 surprise"
    assert policy_views.policy_counter(told.session.steps[0]) == "3!"


def test_the_pane_says_what_a_run_did(story: Maker) -> None:
    """Beside each action stand its line, what is odd about it, and how often it was called."""
    told = asked(story)
    running(
        told,
        called(1, "DescribeVpcs"),
        called(2, "DescribeVpcs", "denied"),
        called(3, "ListBuckets", service="s3"),
        called(4, "GetObject", "denied", service="s3"),
    )
    pane = PolicyPane()
    pane._policy = policy_views.policy(ended(told))
    shown = "\n".join(" ".join(str(text).split()) for text, _, _ in pane.rows(100))

    assert shown.splitlines() == [
        "Not allowed, and was called: it was denied",
        "✗ s3:GetObject 2 1 of 1 denied",
        "Allow on * tier",
        f"✗ {VPCS} 1 line 3, 1 of 2 denied",
        f"· {SUBNETS} 1 line 5, not taken",
        f"? {BUCKETS} 1 not in the code, 1 call",
    ]


def test_the_tighter_policy_becomes_the_next_version(story: Maker) -> None:
    """After a rehearsal that called it an action stays, though no line shows it; others go."""
    told = asked(story, house=replace(story().session.started.house, rehearse="always"))
    told_before = tighter(told.session.steps[0])
    running(told, called(1, "DescribeVpcs"), called(2, "ListBuckets", service="s3"))
    step = ended(told)

    assert told_before == policy_of(VPCS, SUBNETS)
    assert tighter(step) is None
    assert step.draft is not None
    wide = replace(step, drafts=(replace(step.draft, policy=policy_of("ec2:*", BUCKETS)),))
    assert tighter(wide) == policy_of(SUBNETS, VPCS, BUCKETS)


def test_taking_rights_away_is_an_edit_of_the_policy_alone(story: Maker) -> None:
    """Script and author stay, the version is the next one, and it is reviewed anew."""
    told = story().identified().drafted(policy=POLICY, author="model").reviewed()
    told.requested()
    told.decided("edit", policy=policy_of(VPCS))
    draft = adopt(told.session.steps[0], told.payload)

    assert decide(told.session, told.now) == Consult("adopt", "S1")
    assert (draft.version, draft.author, draft.script) == (2, "model", DRAFT_SCRIPT)
    assert draft.policy == policy_of(VPCS)
    told.add(describe(draft))
    assert told.session.steps[0].review is None


def test_whoever_widens_a_policy_is_its_author(story: Maker) -> None:
    """A policy that allows more is the operator's own; no other answer carries a policy."""
    told = story().identified().drafted(policy=POLICY, author="model").reviewed()
    told.requested()
    with pytest.raises(IllegalEvent, match="only an edit"):
        told.decided("approve", policy=policy_of(VPCS))
    with pytest.raises(IllegalEvent, match="only an edit"):
        told.decided("approve", requirements=())
    told.decided("edit", policy=policy_of(VPCS, "ec2:RunInstances"))
    draft = adopt(told.session.steps[0], told.payload)

    assert (draft.author, draft.policy) == ("operator", policy_of(VPCS, "ec2:RunInstances"))


def test_packages_that_an_operator_names_are_the_operators(story: Maker) -> None:
    """The next version has these packages, and nothing else of it is another."""
    told = story().identified().drafted(policy=POLICY, author="model").reviewed()
    told.requested()
    told.decided("edit", requirements=("six==1.17.0 --hash=sha256:" + "0" * 64,))
    draft = adopt(told.session.steps[0], told.payload)

    assert draft.requirements == ("six==1.17.0 --hash=sha256:" + "0" * 64,)
    assert (draft.author, draft.script, draft.policy) == ("operator", DRAFT_SCRIPT, POLICY)


def test_parameters_and_what_stands_beside_the_script_are_the_operators(story: Maker) -> None:
    """The next version has them; one that is empty is none, and no other answer carries any."""
    told = story().identified().drafted(policy=POLICY, author="model").reviewed()
    told.requested()
    undo = told.keep(b"undo()\n")
    for lone in ({"parameters": {"hours": 2}}, {"beside": {"rollback": undo}}):
        with pytest.raises(IllegalEvent, match="only an edit"):
            told.decided("approve", **lone)
    with pytest.raises(IllegalEvent, match="no such part"):
        told.decided("edit", beside={"script": undo})
    told.decided(
        "edit", parameters={"hours": 2}, beside={"rollback": undo, "tests": told.keep(b"")}
    )
    draft = adopt(told.session.steps[0], told.payload)

    assert (draft.parameters, draft.rollback, draft.tests) == ({"hours": 2}, b"undo()\n", None)
    assert (draft.author, draft.script, draft.policy) == ("operator", DRAFT_SCRIPT, POLICY)


def test_what_a_rehearsal_showed_is_told_with_the_request(story: Maker) -> None:
    """Denied calls and such that no line shows stand among the findings until the script runs."""
    told = asked(story, house=replace(story().session.started.house, rehearse="always"))
    assert viewing.findings(told.session.steps[0]) == ()
    running(
        told,
        called(1, "DescribeVpcs", "denied"),
        called(2, "DescribeVpcs"),
        called(3, "ListBuckets", service="s3"),
    )
    found = viewing.findings(ended(told))

    assert [(one.severity, one.rule) for one in found] == [
        ("warning", "rehearsal denied"),
        ("note", "rehearsal surprise"),
    ]
    assert f"{VPCS} was denied 1 of 2 times" in found[0].text
    draft = reread(told.session.steps[0].draft, told.payload)
    text = review_text(draft, told.session)
    assert f"--- policy, code and runs\n  denied: {VPCS}, tier 1, line 3, called 2 times" in text
    assert "[rehearsal surprise]" in text
    told.requested()
    told.decided()
    running(told)
    assert viewing.findings(ended(told)) == ()


def test_the_table_is_made_anew_only_for_what_is_new(story: Maker) -> None:
    """Output changes nothing in it, so it is kept; the end of a run does."""
    told = asked(story)
    before = policy_views.policy(told.session.steps[0])
    step = running(told, called(1, "DescribeVpcs"))

    assert policy_views.policy(step) is before
    assert policy_views.policy(ended(told)) != before


@pytest.mark.parametrize(
    "proposed",
    [{"Statement": [{"Effect": "Allow"}]}, {"Statement": 5}, {"Statement": [[]]}, {"x": None}],
)
def test_a_record_that_proposes_nonsense_is_still_shown(proposed: dict[str, Any]) -> None:
    """A file from elsewhere can hold anything as a policy; the calls are told without it."""
    told = permissions(POLICY, replace(REVIEW, proposed=proposed))
    assert {row.action for row in told} == {VPCS, SUBNETS, BUCKETS}
