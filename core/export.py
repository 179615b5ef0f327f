"""A session's answer as a document to hand on: Markdown for people, JSON for machines.

Made from the session alone, so it holds nothing that the journal does not: what was taken out there
is not here. Texts are made visible and, in Markdown, escaped: nothing from AWS, a script or a model
can become a link, a picture or a heading of the report.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from core.answer import spell
from core.events import AnswerGiven, EvidenceAdded, Table
from core.safe_text import safe_line, safe_text
from core.session import Session, Step

_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~&-])")
_NOT_YET = "There is no answer yet."


def as_json(session: Session) -> str:
    """Return everything the answer rests on as one JSON object, ASCII only."""
    answer, target = session.answer, session.target
    document: dict[str, Any] = {
        "session": session.id,
        "question": session.started.question,
        "source": session.started.source,
        "mode": session.mode,
        "started_at": session.started_at,
        "last_at": session.last_at,
        "account": target.account if target else None,
        "alias": target.alias if target else None,
        "role": target.role if target else None,
        "status": answer.status if answer else None,
        "cause": answer.cause if answer else None,
        "claims": [asdict(claim) for claim in answer.claims] if answer else [],
        "gaps": list(answer.gaps) if answer else [gap.reason for gap in session.gaps],
        "steps": [_step_document(step) for step in session.steps],
        "evidence": [asdict(card) for card in session.cards],
        "notes": [asdict(note) for note in session.notes],
    }
    return json.dumps(document, indent=2) + "\n"


def as_markdown(session: Session) -> str:
    """Return a report: what was asked, what was found, on what it rests, and what is open."""
    return "\n".join([*_head(session), *_answer(session.answer), *_evidence(session), ""])


def _head(session: Session) -> Iterator[str]:
    target = session.target
    yield f"# {_line(session.started.question)}"
    yield ""
    yield f"- Session: {_line(session.id)}"
    if target:
        yield f"- Account: {_line(f'{target.alias} {target.account}'.strip())}"
        yield f"- Role: {_line(target.role)}"
    yield f"- Source: {_line(session.started.source)}"
    yield f"- From {_moment(session.started_at)} to {_moment(session.last_at)}, {session.mode} mode"


def _answer(answer: AnswerGiven | None) -> Iterator[str]:
    yield from ("", "## Answer", "")
    if answer is None:
        yield _NOT_YET
        return
    yield f"**{answer.status}**: {_line(answer.cause or 'nothing could be concluded')}"
    if answer.claims:
        yield ""
    for claim in answer.claims:
        cards = ", ".join(dict.fromkeys(each.card for each in claim.evidence))
        yield f"- {_line(claim.text)} ({_line(cards)})"
    if answer.gaps:
        yield from ("", "## What stays unknown", "")
        yield from (f"- {_line(gap)}" for gap in answer.gaps)


def _evidence(session: Session) -> Iterator[str]:
    yield from ("", "## Steps and evidence")
    cards = {card.step: card for card in session.cards}
    for step in session.steps:
        yield from ("", f"### {_line(step.plan.step)} {_line(step.plan.title)}", "")
        yield _line(step.plan.why)
        yield ""
        yield from (f"- {_line(each)}" for each in _story(step))
        if card := cards.get(step.plan.step):
            yield from _card(card)


def _story(step: Step) -> Iterator[str]:
    if step.decision:
        who = "the mode" if step.decision.by == "mode" else step.decision.identity
        comment = f": {step.decision.comment}" if step.decision.comment else ""
        yield f"{step.decision.verb} by {who}, digest {step.decision.digest}{comment}"
    if step.run:
        yield f"{step.run.started.run}: {step.run.calls} AWS calls, {step.run.denied} denied"


def _card(card: EvidenceAdded) -> Iterator[str]:
    for name, value in card.facts.items():
        yield f"- {_line(card.card)} {_line(name)}: {_line(spell(value))}"
    for kind, remarks in (("covered", card.coverage), ("warning", card.warnings)):
        yield from (f"- {kind}: {_line(each)}" for each in remarks)
    yield from (f"- error: {_line(each)}" for each in card.errors)
    for table in card.tables:
        yield from _table(table)


def _table(table: Table) -> Iterator[str]:
    yield from ("", f"{_line(table.name)}: {len(table.rows)} of {table.total_rows} rows", "")
    width = len(table.columns)
    if not width:
        return
    yield _row([_line(each) for each in table.columns])
    yield _row(["---"] * width)
    for row in table.rows:
        yield _row([_line(spell(cell)) for cell in row])


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _step_document(step: Step) -> dict[str, Any]:
    return {
        "step": step.plan.step,
        "title": step.plan.title,
        "why": step.plan.why,
        "decision": asdict(step.decision) if step.decision else None,
        "run": step.run.started.run if step.run else None,
        "calls": step.run.calls if step.run else 0,
        "denied": step.run.denied if step.run else 0,
    }


def _line(text: str) -> str:
    """Return a text as one line that Markdown takes for nothing but text."""
    return _SPECIAL.sub(r"\\\1", safe_text(safe_line(text, 10_000), newlines=False))


def _moment(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y\\-%m\\-%d %H:%M:%S} UTC"
