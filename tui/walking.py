"""Where to stand next in a recording: the next step, decision or error, a time, a text. Pure.

A place is one turning event with the bulk events that follow it; all of them count.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal

from core.calls import AwsCalled
from core.events import (
    AnswerGiven,
    DecisionMade,
    EvidenceAdded,
    Fact,
    GapRecorded,
    LimitReached,
    PlanProposed,
    RunFinished,
    RunInterrupted,
)
from tui.plain import fact_text

Mark = Literal["step", "decision", "error"]
_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?", re.ASCII)
_SINCE = re.compile(r"\+(?:(\d+):)?(\d{1,3}):(\d{2})", re.ASCII)


def is_marked(fact: Fact, mark: Mark) -> bool:
    """Tell whether a fact is what somebody looks for."""
    event = fact.event
    match mark:
        case "step":
            return isinstance(event, PlanProposed | AnswerGiven)
        case "decision":
            return isinstance(event, DecisionMade)
        case "error":
            return _is_error(fact)


def next_marked(
    facts: Sequence[Fact], stops: Sequence[int], at: int, mark: Mark, by: int
) -> int | None:
    """Return the nearest place after `at`, or before it, that holds what is looked for."""
    return _nearest(facts, stops, at, by, lambda fact: is_marked(fact, mark))


def next_text(facts: Sequence[Fact], stops: Sequence[int], at: int, text: str) -> int | None:
    """Return the next place that says `text`, in any case of letters; from the start again."""
    wanted = text.lower()

    def says(fact: Fact) -> bool:
        return wanted in fact_text(fact).lower() or wanted in fact.event.kind

    found = _nearest(facts, stops, at, +1, says)
    return found if found is not None else _nearest(facts, stops, -1, +1, says)


def place_at(facts: Sequence[Fact], stops: Sequence[int], text: str) -> int | None:
    """Return the last place not after a time: HH:MM[:SS] in UTC, or +[H:]MM:SS since the start.

    None when the text is no time. A time of day is of the first day that holds it.
    """
    start = facts[0].at
    since, clock = _SINCE.fullmatch(text.strip()), _CLOCK.fullmatch(text.strip())
    if since:
        hours, minutes, seconds = (int(part or 0) for part in since.groups())
        moment = start + ((hours * 60 + minutes) * 60 + seconds) * 1000
    elif clock:
        moment = _of_day(start, *(int(part or 0) for part in clock.groups()))
    else:
        return None
    found = [place for place, last in enumerate(stops) if _first(facts, stops, place).at <= moment]
    return found[-1] if found else 0


def _of_day(start: int, hours: int, minutes: int, seconds: int) -> int:
    begun = datetime.fromtimestamp(start / 1000, UTC)
    day = begun.replace(hour=0, minute=0, second=0, microsecond=0)
    moment = day + timedelta(hours=hours, minutes=minutes, seconds=seconds + 1)
    if moment <= begun:
        moment += timedelta(days=1)
    return int(moment.timestamp() * 1000) - 1


def _first(facts: Sequence[Fact], stops: Sequence[int], place: int) -> Fact:
    return facts[stops[place - 1] + 1 if place else 0]


def _nearest(
    facts: Sequence[Fact],
    stops: Sequence[int],
    at: int,
    by: int,
    wanted: Callable[[Fact], bool],
) -> int | None:
    places = range(at + 1, len(stops)) if by > 0 else range(at - 1, -1, -1)
    return next((place for place in places if any(map(wanted, _at(facts, stops, place)))), None)


def _at(facts: Sequence[Fact], stops: Sequence[int], place: int) -> Iterator[Fact]:
    yield from facts[stops[place - 1] + 1 if place else 0 : stops[place] + 1]


def _is_error(fact: Fact) -> bool:
    match fact.event:
        case RunFinished(outcome=outcome, code=code):
            return outcome != "exited" or bool(code)
        case AwsCalled(verdict=verdict, status=status):
            return verdict == "denied" or (status or 0) >= 400  # noqa: PLR2004 (HTTP's)
        case EvidenceAdded(errors=errors):
            return bool(errors)
    return isinstance(fact.event, RunInterrupted | GapRecorded | LimitReached)
