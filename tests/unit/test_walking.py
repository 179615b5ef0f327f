"""Where to stand next in a recording: by what is looked for, by time, by text; and nowhere else."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from core.answer import conclude
from core.events import Fact, GapRecorded, RunOutput, RunStarted
from tui.playback import _stops
from tui.walking import next_marked, next_text, place_at


@pytest.fixture
def facts(story: Callable[..., Any]) -> list[Fact]:
    """Return the facts of a session: a step that ran, one that was rejected, an answer."""
    told = story(question="Why?").identified().drafted().reviewed()
    request = told.requested()
    told.now = 61_000
    told.decided()
    told.add(RunStarted("X1", request.request, "run", request.digest, "replayed", ()))
    told.add(RunOutput("X1", "stdout", 0, "hello\n", 0))
    told.add(RunOutput("X1", "stdout", 6, "needle\n", 0))
    found: list[Fact] = told.facts
    found += [Fact(len(found) + 1, 3_700_000, GapRecorded("S1", "nobody looked"))]
    return [*found, Fact(len(found) + 1, 3_701_000, conclude("likely", "x", [], []))]


def kinds(facts: list[Fact], places: list[int | None]) -> list[str]:
    """Return the kind of the event at each place, as the screen names it."""
    stops = _stops(facts)
    return ["none" if one is None else facts[stops[one]].event.kind for one in places]


@pytest.mark.parametrize(
    ("mark", "kind"),
    [("step", "plan.proposed"), ("decision", "decision.made"), ("error", "gap.recorded")],
)
def test_what_is_looked_for_is_found_both_ways(facts: list[Fact], mark: Any, kind: str) -> None:
    """Forward from the start; backward from the end; nothing beyond the last one."""
    stops = _stops(facts)
    first = next_marked(facts, stops, 0, mark, +1)
    last = next_marked(facts, stops, len(stops) - 1, mark, -1)

    assert kinds(facts, [first, last]) == [kind, kind]
    assert next_marked(facts, stops, 0, mark, -1) is None


def test_a_text_is_sought_round_and_round(facts: list[Fact]) -> None:
    """Also in what a run printed, in any case of letters; nothing is found where nothing is."""
    stops = _stops(facts)
    place = next_text(facts, stops, 0, "NEEDLE")

    assert kinds(facts, [place]) == ["run.output"]
    assert next_text(facts, stops, len(stops) - 1, "needle") == place
    assert next_text(facts, stops, 0, "not there") is None


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("00:00:01", "decision.requested"),
        ("+00:00", "decision.requested"),
        ("+01:00", "run.output"),
        ("00:01:01", "run.output"),
        ("01:01:40", "gap.recorded"),
        ("+1:01:40", "answer.given"),
        ("23:59", "answer.given"),
    ],
)
def test_a_time_leads_to_the_last_event_before_it(facts: list[Fact], text: str, kind: str) -> None:
    """A time of day, or since the start."""
    assert kinds(facts, [place_at(facts, _stops(facts), text)]) == [kind]


@pytest.mark.parametrize("text", ["", "soon", "12", "+5", "1:2:3:4"])
def test_what_is_no_time_leads_nowhere(facts: list[Fact], text: str) -> None:
    """One stays where one is."""
    assert place_at(facts, _stops(facts), text) is None
