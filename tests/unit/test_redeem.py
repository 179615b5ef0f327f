"""`redeem` is the only maker of a runnable thing, and refuses everything but the approved bytes."""

from __future__ import annotations

import ast
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from core.approval.draft import Target
from core.approval.redeem import Countersigned, redeem
from core.approval.spec import Allowance, read_spec
from core.errors import NotCountersigned
from core.session import Session

ROOT = Path(__file__).parents[2]
KEY = "AKIACOUNTERSIGN00001"


def countersigned(story: Any, session: Session | None = None) -> Countersigned:
    """Redeem R1 of a story."""
    return redeem(session or story.session, "R1", story.payload, {"path": "/x.db"}, KEY)


def approved(story: Any, **settings: Any) -> Any:
    """Return a story whose first request a person approved."""
    made = story(**settings).identified().drafted().reviewed()
    made.requested()
    made.decided("approve")
    return made


def test_an_approved_request_becomes_runnable_with_its_own_bytes(story: Any) -> None:
    """What comes out is the approved digest, the approved script and a checked specification."""
    made = approved(story)

    ready = countersigned(made)

    assert ready.digest == made.session.steps[0].request.digest
    assert ready.draft.script == b"print('hello')\n"
    assert read_spec(ready.spec).digest == ready.digest


def test_the_gateway_is_told_what_is_left(story: Any) -> None:
    """Cache and AWS budget are those of the session, less what its calls have cost so far."""
    made = approved(story)
    started = replace(made.session.started, cache_ms=60_000, most_aws_cost=30_000)
    for spent, left in ((0, 30_000), (10_000, 20_000), (40_000, 0)):
        session = replace(made.session, started=started, aws_cost=spent)
        told = read_spec(countersigned(made, session).spec).allowance

        assert told == Allowance(cache_ms=60_000, aws_budget=30_000, aws_left=left)


def test_a_request_without_decision_is_refused(story: Any) -> None:
    """Nothing runs before a decision."""
    made = story().identified().drafted().reviewed()
    made.requested()

    with pytest.raises(NotCountersigned, match="was not decided"):
        countersigned(made)


@pytest.mark.parametrize("verb", ["edit", "reject", "skip", "stop"])
def test_any_other_verb_is_refused(story: Any, verb: str) -> None:
    """Only `approve` makes something runnable."""
    made = story().identified().drafted().reviewed()
    made.requested()
    made.decided(verb)

    with pytest.raises(NotCountersigned):
        countersigned(made)


def test_a_request_that_ran_is_refused(story: Any) -> None:
    """A request works once: after its run it is used."""
    made = approved(story).run()

    with pytest.raises(NotCountersigned, match="was used for X1"):
        countersigned(made)


def test_another_request_is_refused(story: Any) -> None:
    """The name of a request that does not stand opens nothing."""
    made = approved(story)

    with pytest.raises(NotCountersigned, match="R2 is not the request"):
        redeem(made.session, "R2", made.payload, {}, KEY)


def test_one_changed_byte_of_the_script_is_refused(story: Any) -> None:
    """The bytes are hashed again when they are read: a changed store does not run."""
    made = approved(story)
    name = made.session.steps[0].draft.script
    made.payloads[name] = b"print('hellO')\n"

    with pytest.raises(NotCountersigned, match="do not match their hash"):
        countersigned(made)


@pytest.mark.parametrize("field", [each.name for each in fields(Target) if each.name != "alias"])
def test_a_changed_target_is_refused(story: Any, field: str) -> None:
    """Another account, role, partition, source or region is not what was approved."""
    made = approved(story)
    other = ("us-east-1",) if field == "regions" else "other"
    target = replace(made.session.target, **{field: other})

    with pytest.raises(NotCountersigned, match="not what its digest says"):
        countersigned(made, replace(made.session, target=target))


@pytest.mark.parametrize("field", ["limits", "runtime"])
def test_changed_limits_or_runtime_are_refused(story: Any, field: str) -> None:
    """The terms of a run are part of what was approved."""
    made = approved(story)
    started = made.session.started
    other = replace(started.limits, wall_ms=1) if field == "limits" else "0" * 64
    session = replace(made.session, started=replace(started, **{field: other}))

    with pytest.raises(NotCountersigned, match="not what its digest says"):
        countersigned(made, session)


@pytest.mark.parametrize("field", ["stopping", "answer", "finished"])
def test_a_session_at_its_end_runs_nothing(story: Any, field: str) -> None:
    """After a stop, an answer or the end an approval is worth nothing."""
    made = approved(story)

    with pytest.raises(NotCountersigned, match="come to its end"):
        countersigned(made, replace(made.session, **{field: True}))


def test_blockers_that_nobody_overrode_are_refused(story: Any) -> None:
    """A decision that does not say so never runs over a blocker."""
    made = story().identified().drafted().reviewed(blockers=1)
    made.requested()
    made.decided("approve", override_blockers=True, confirmed="shop")
    step = made.session.steps[0]
    silent = step.with_turn(decision=replace(step.decision, override_blockers=False))

    with pytest.raises(NotCountersigned, match="nobody overrode"):
        countersigned(made, replace(made.session, steps=(silent,)))


def test_the_mode_can_not_approve_what_asks_for_a_person(story: Any) -> None:
    """A decision signed by the mode is only good where the rule was to run."""
    made = approved(story)
    step = made.session.steps[0]
    forged = step.with_turn(decision=replace(step.decision, by="mode"))

    with pytest.raises(NotCountersigned, match="needs a person"):
        countersigned(made, replace(made.session, steps=(forged,)))


def test_countersigned_is_made_in_one_place() -> None:
    """No module but core/approval/redeem.py calls the constructor, once."""
    makers = [
        str(path.relative_to(ROOT))
        for folder in ("core", "tui", "sandbox")
        for path in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Countersigned"
    ]

    assert makers == ["core/approval/redeem.py"]
