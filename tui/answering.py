"""What the answer's page shows: the claims, and for each the evidence it rests on.

Pure, and safe to show, as tui/viewing.py. A claim's own facts are marked among those of its card,
so that a sentence can be held against what it was made from.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.answer import spell
from core.events import Claim, EvidenceAdded, Table
from core.safe_text import safe_line, safe_text
from core.session import Session
from tui import viewing
from tui.folding import fitted
from tui.moments import Moment, since
from tui.plain import of_rows
from tui.views import Answer, Row

_MARK = "→ "
_MOST_OF_A_CELL = 40


@dataclass(frozen=True, slots=True)
class Proof:
    """What stands behind one claim."""

    title: str
    rows: tuple[Row, ...]
    """Facts of the cards; those that the claim names are marked."""
    lines: tuple[str, ...]
    """Tables, what was covered, warnings, and what was printed."""


@dataclass(frozen=True, slots=True)
class AnswerPage:
    """The answer, and behind each of its claims a proof."""

    answer: Answer
    proofs: tuple[Proof, ...]
    timeline: tuple[Row, ...]


def answer_page(session: Session, moments: Sequence[Moment]) -> AnswerPage | None:
    """Return the page of an answer; None while there is none."""
    answer, given = viewing.answer(session), session.answer
    if answer is None or given is None:
        return None
    return AnswerPage(
        answer=answer,
        proofs=tuple(_proof(session, claim) for claim in given.claims),
        timeline=tuple(
            Row(since(each.at, session.started_at), safe_line(each.text)) for each in moments
        ),
    )


def _proof(session: Session, claim: Claim) -> Proof:
    named = {(each.card, each.pointer) for each in claim.evidence}
    cards = [card for card in session.cards if card.card in {card for card, _ in named}]
    return Proof(
        title=safe_line("; ".join(f"{card.card} {card.title}" for card in cards)),
        rows=tuple(row for card in cards for row in _facts(card, named)),
        lines=tuple(safe_text(line) for card in cards for line in _rest(card)),
    )


def _facts(card: EvidenceAdded, named: set[tuple[str, str]]) -> Iterator[Row]:
    for name, value in card.facts.items():
        pointer = "/facts/" + name.replace("~", "~0").replace("/", "~1")
        mark = _MARK if (card.card, pointer) in named else "  "
        yield Row(safe_line(f"{mark}{name}"), safe_text(spell(value)))


def _rest(card: EvidenceAdded) -> Iterator[str]:
    for table in card.tables:
        yield from table_lines(table)
    yield from (f"covered: {each}" for each in card.coverage)
    yield from (f"warning: {each}" for each in card.warnings)
    yield from (f"error: {each}" for each in card.errors)
    yield f"run {card.run} · step {card.step}"


def table_lines(table: Table) -> Iterator[str]:
    """Yield the head of a table, in columns; unsafe."""
    yield f"{table.name} ({of_rows(len(table.rows), table.total_rows)})"
    rows = [list(table.columns), *([spell(cell) for cell in row] for row in table.rows)]
    columns = max((len(row) for row in rows), default=0)
    cells = [[*row, *([""] * (columns - len(row)))] for row in rows]
    widths = [min(_MOST_OF_A_CELL, max(len(row[n]) for row in cells)) for n in range(columns)]
    for row in cells:
        shown = (fitted(cell, size) for cell, size in zip(row, widths, strict=True))
        yield "  " + "  ".join(shown).rstrip()
