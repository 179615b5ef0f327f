"""One execution as a session knows it: how it began and ended, and counters of what it did.

What it printed and called stays in the journal, between two numbers that are kept here.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from core.calls import AwsCalled, AwsIntended
from core.events import RunFinished, RunInterrupted, RunStarted


@dataclass(frozen=True, slots=True)
class Counted:
    """The calls of one operation, as the gateway saw them."""

    service: str
    """Empty where requests could not be read as calls."""
    operation: str
    action: str
    """IAM action by which they were judged."""
    called: int = 0
    denied: int = 0

    def plus(self, other: Counted) -> Counted:
        """Return both together."""
        return replace(self, called=self.called + other.called, denied=self.denied + other.denied)


@dataclass(frozen=True, slots=True)
class Run:
    """One execution, begun or ended."""

    started: RunStarted
    ended: RunFinished | RunInterrupted | None = None
    output_events: int = 0
    calls: int = 0
    denied: int = 0
    counted: tuple[Counted, ...] = ()
    """The same by operation, in the order of their first calls."""
    unsettled: frozenset[int] = frozenset()
    """Numbers of the calls whose intent is on record and whose outcome is not: once the run has
    ended, nobody knows whether they were made."""
    first_seq: int = 0
    last_seq: int = 0
    """The run's bulk events lie between these two in the journal."""

    def printed(self) -> Run:
        """Return the run after a stretch of output."""
        return replace(self, output_events=self.output_events + 1)

    def intended(self, event: AwsIntended) -> Run:
        """Return the run after the intent of a call."""
        return replace(self, unsettled=self.unsettled | {event.number})

    def called(self, event: AwsCalled) -> Run:
        """Return the run after a call."""
        denied = int(event.verdict == "denied")
        one = Counted(event.service, event.operation, event.action, 1, denied)
        return replace(
            self,
            calls=self.calls + 1,
            denied=self.denied + denied,
            counted=together((*self.counted, one)),
            unsettled=self.unsettled - {event.number},
        )


def together(counted: Iterable[Counted]) -> tuple[Counted, ...]:
    """Return counts with those of the same operation and action added up."""
    found: dict[tuple[str, str, str], Counted] = {}
    for one in counted:
        key = (one.service, one.operation, one.action)
        found[key] = found[key].plus(one) if key in found else one
    return tuple(found.values())


def unknown_calls(run: Run) -> str:
    """Return what to say of the calls of an ended run that may have been made, or nothing."""
    if not run.unsettled:
        return ""
    several = len(run.unsettled)
    return f"{several} call{'s' * (several > 1)} of tier 3 or more with an unknown outcome"
