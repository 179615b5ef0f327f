"""The table of proposed, static and observed as lines: for `check`, and plain mode after a run.

Pure. The lines hold texts of policies and scripts and are not safe to show as they are.
"""

from __future__ import annotations

from collections.abc import Iterator

from core.checks.finding import Finding, Severity
from core.checks.permissions import permissions_of
from core.events import RunFinished, RunInterrupted
from core.iam.compare import Row
from core.session import Step


def row_text(row: Row) -> str:
    """Return a row in words: its state first."""
    return f"{row.state}: {', '.join((row.action, f'tier {row.tier}', *facts(row)))}"


def facts(row: Row) -> Iterator[str]:
    """Yield where the code calls an action, and what a run did with it."""
    if row.lines:
        several = "s" * (len(row.lines) > 1)
        yield f"line{several} {' '.join(map(str, row.lines))}"
    if row.called:
        yield f"called {row.called} time{'s' * (row.called != 1)}"
    if row.denied:
        yield f"{row.denied} denied"


def after_run(event: object, step: Step | None) -> list[str]:
    """Return the table of a step when a run of it has just ended; else nothing."""
    if not isinstance(event, RunFinished | RunInterrupted) or step is None or step.request is None:
        return []
    rows = permissions_of(step)
    head = f"policy, code and {step.request.purpose} of {event.run}"
    return [head, *(f"  {row_text(row)}" for row in rows)] if rows else []


def known_since(step: Step) -> Iterator[Finding]:
    """Yield what has shown of the latest draft since its review, the worst first.

    What was lacking is asked for again when something is to run; a run shows that it was had then.
    """
    if step.lacking and not any(turn.run for turn in step.turns):
        message = f"its packages can't be had here, so nothing of it can run: {step.lacking}"
        fix = "do without them, or see that the index can be reached"
        yield Finding("requirements", "not-built", "warning", None, message, fix, "requirements")
    yield from rehearsed(step)


def rehearsed(step: Step) -> Iterator[Finding]:
    """Yield what the rehearsal of the latest draft showed that its review did not know.

    Nothing once the script itself has run: then the table says what that did.
    """
    turns = [turn for turn in step.turns if turn.run and turn.run.ended]
    if not turns or any(turn.request.purpose != "rehearse" for turn in turns):
        return
    for row in permissions_of(step):
        if row.denied:
            message = f"{row.action} was denied {row.denied} of {row.called} times"
            yield _of_rehearsal("denied", "warning", message)
        elif row.state == "surprise":
            message = f"{row.action} was called, and no line of the code shows it"
            yield _of_rehearsal("surprise", "note", message)


def _of_rehearsal(rule: str, severity: Severity, message: str) -> Finding:
    fix = "a resource that was made up is no reason to widen the policy" if rule == "denied" else ""
    return Finding("rehearsal", rule, severity, None, message, fix, file="policy")
