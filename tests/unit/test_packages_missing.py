"""That a draft's packages can't be had joins what is known of it, and changes no decision."""

from __future__ import annotations

from typing import Any

from core.approval.house import HouseRules
from core.approval.redeem import reread
from core.events import PackagesMissing
from tui.plain import review_text
from tui.viewing import findings

WHY = "there is no six 2.0 \x1b[2J with this hash"


def test_it_joins_the_findings_of_its_draft(story: Any) -> None:
    """Whoever is asked sees it behind the review's findings, as text that can't act."""
    made = story().identified().drafted().reviewed()
    request = made.requested()
    made.add(PackagesMissing("S1", 1, WHY))
    step = made.session.step
    (shown,) = findings(step)

    assert (shown.severity, shown.rule) == ("warning", "requirements not-built")
    assert "there is no six 2.0 ␛[2J with this hash" in shown.text
    assert "[requirements not-built]" in review_text(reread(step.draft, made.payload), made.session)
    assert made.session.open_request == request


def test_it_is_about_one_version(story: Any) -> None:
    """What comes too late, for an earlier version or another step, is on record and no more."""
    made = story().identified().drafted().reviewed()
    made.add(PackagesMissing("S1", 2, WHY))
    made.add(PackagesMissing("S2", 1, WHY))
    assert findings(made.session.step) == ()

    made.add(PackagesMissing("S1", 1, WHY))
    made.requested()
    made.decided("edit", edited=made.keep(b"print(2)\n"))
    made.drafted().reviewed()
    assert findings(made.session.step) == ()


def test_a_run_shows_that_they_were_had_after_all(story: Any) -> None:
    """It is said until something of the draft has run; a yes is no run yet."""
    made = story().identified().drafted().reviewed()
    made.requested()
    made.add(PackagesMissing("S1", 1, WHY))
    made.decided()
    assert [one.rule for one in findings(made.session.step)] == ["requirements not-built"]

    made.run()
    assert findings(made.session.step) == ()


def test_a_rehearsal_shows_it_as_well(story: Any) -> None:
    """The script itself asks with the packages that its rehearsal had."""
    made = story(house=HouseRules(rehearse="always")).identified().drafted().reviewed()
    made.requested()
    made.add(PackagesMissing("S1", 1, WHY))
    made.decided()
    made.run()
    assert made.requested().purpose == "run"
    assert findings(made.session.step) == ()
