"""From what a script left behind to an evidence card.

`read_result` is the edge where a script's result.json is validated (docs/result.md): strict types,
unknown keys refused, sizes capped. The script is not trusted: a result that does not fit becomes an
error on the card, never an exception, and a card says how much of a table it shows.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from core.decide import aftermath, describe_end
from core.errors import ResultUnreadable
from core.events import EvidenceAdded, ResultTaken, RunFinished, Scalar, Table
from core.session import Session, Step
from core.strict import reader
from sandbox.job import Sha

MOST_FACTS = 200
MOST_TABLES = 20
MOST_ROWS_ON_CARD = 40
MOST_TEXT = 2_000
"""Characters of one text in a result, and of the printed output on a card."""
MOST_LAST_WORDS = 300
"""Characters of the line with which a failing script ended."""


@dataclass(frozen=True, slots=True)
class ResultTable:
    """One table of a result, whole."""

    columns: list[str]
    rows: list[list[Scalar]]
    total_rows: int | None = None
    """How many rows there are when `rows` holds only some; never less than that."""


@dataclass(frozen=True, slots=True)
class Coverage:
    """What was looked at, and whether all of it."""

    what: str
    complete: bool
    note: str = ""


@dataclass(frozen=True, slots=True)
class Result:
    """A parsed result.json."""

    facts: dict[str, Scalar] = field(default_factory=dict)
    tables: dict[str, ResultTable] = field(default_factory=dict)
    coverage: list[Coverage] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    continue_with: dict[str, Any] | None = None


def read_result(body: bytes) -> Result:
    """Parse and check a result.json; raises ResultUnreadable naming the first mistake."""
    from pydantic import ValidationError

    try:
        form = reader(Result, str_max_length=MOST_TEXT, allow_inf_nan=False)
        result: Result = form.validate_json(body)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = "/".join(str(part) for part in first["loc"]) or "the document"
        raise ResultUnreadable(f"result.json: {place}: {first['msg']}") from error
    _check_sizes(result)
    return result


def distil(
    session: Session,
    step: Step,
    ended: RunFinished,
    result: bytes | None,
    *,
    printed: str,
    complaint: str,
) -> EvidenceAdded:
    """Return the card of a finished run; whatever is wrong with it stands in `errors`.

    `printed` is the head of its stdout, `complaint` the end of its stderr.
    """
    parsed, errors = _parsed(result)
    if ended.outcome != "exited" or ended.code:
        errors = [f"the script {describe_end(ended)}{_last_words(complaint)}", *errors]
    check = step.turn_to("post-check")
    if check and check.run and not check.succeeded:
        errors.append(f"{check.run.started.run}: the post-check says that the change did not work")
    card = _card(session, step, parsed, printed)
    problems = (*errors, *parsed.errors, *ended.problems)
    return replace(card, run=ended.run, errors=problems, result=ended.result, after=aftermath(step))


def by_hand(
    session: Session, step: Step, taken: ResultTaken, payload: Callable[[Sha], bytes]
) -> EvidenceAdded:
    """Return the card of what a person brought back; it says that nobody saw it happen."""
    parsed, errors = _parsed(payload(taken.result) if taken.result else None)
    text = payload(taken.text).decode("utf-8", errors="replace") if taken.text else ""
    card = _card(session, step, parsed, text)
    warning = f"by hand: brought back by {taken.identity}, and not seen by countersign"
    return replace(
        card,
        warnings=(warning, *card.warnings),
        errors=(*errors, *parsed.errors),
        result=taken.result,
        by_hand=True,
    )


def _parsed(result: bytes | None) -> tuple[Result, list[str]]:
    """Return a result, or an empty one and what is wrong with it."""
    if result is None:
        return Result(), []
    try:
        return read_result(result), []
    except ResultUnreadable as error:
        return Result(), [str(error)]


def _last_words(complaint: str) -> str:
    """Return the last line of a traceback, to follow how the script ended; empty without one."""
    lines = complaint.strip().splitlines()
    return f": {lines[-1].strip()[:MOST_LAST_WORDS]}" if lines else ""


def _card(session: Session, step: Step, parsed: Result, printed: str) -> EvidenceAdded:
    return EvidenceAdded(
        card=f"E{len(session.cards) + 1}",
        step=step.plan.step,
        run="",
        title=step.plan.title,
        facts=dict(sorted(parsed.facts.items())),
        tables=tuple(_head(name, table) for name, table in sorted(parsed.tables.items())),
        coverage=tuple(_sentence(each) for each in parsed.coverage),
        warnings=tuple(parsed.warnings),
        errors=(),
        text=printed[:MOST_TEXT],
        result=None,
    )


def _check_sizes(result: Result) -> None:
    if len(result.facts) > MOST_FACTS:
        raise ResultUnreadable(f"result.json: facts: more than {MOST_FACTS}")
    if len(result.tables) > MOST_TABLES:
        raise ResultUnreadable(f"result.json: tables: more than {MOST_TABLES}")
    for name, table in result.tables.items():
        if any(len(row) != len(table.columns) for row in table.rows):
            raise ResultUnreadable(f"result.json: tables/{name}: a row is not as long as columns")
        if table.total_rows is not None and table.total_rows < len(table.rows):
            raise ResultUnreadable(f"result.json: tables/{name}: total_rows is below its rows")


def _head(name: str, table: ResultTable) -> Table:
    total = len(table.rows) if table.total_rows is None else table.total_rows
    rows = tuple(tuple(row) for row in table.rows[:MOST_ROWS_ON_CARD])
    return Table(name, tuple(table.columns), rows, total)


def _sentence(coverage: Coverage) -> str:
    done = "complete" if coverage.complete else "incomplete"
    return f"{coverage.what}: {done}{f' ({coverage.note})' if coverage.note else ''}"
