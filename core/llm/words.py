"""What a session is, in the words that models are told: pure, from what changes least to most.

The planner sees evidence cards; the coder sees the planner's task and the names of things, never
what AWS said, but for the end of a failed script's error output. Whatever was not written by us or
by the operator stands between the session's fence marks, as JSON on one line.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from core.approval.draft import Draft
from core.approval.modes import TIER_NAMES
from core.decide import describe_end
from core.events import EvidenceAdded, RunFinished
from core.session import Session, Step

MOST_CARD = 12_000
"""Characters of a card; rows and long texts go first."""
_SIZES = ((40, 2000), (20, 1000), (10, 400), (3, 200), (0, 100))
"""Rows of a table and characters of a text, tried in order."""


def for_planner(session: Session, fence: str) -> list[str]:
    """Return the texts for `plan` and `conclude`: the case, each card, and where things stand."""
    cards = [card_text(card, fence) for card in session.cards]
    return [_case(session), *cards, _standing(session)]


def for_question(session: Session, draft: Draft | None, question: str, fence: str) -> list[str]:
    """Return the texts for `explain`: what the planner is told, the draft, and what is asked."""
    texts = for_planner(session, fence)
    if draft:
        parts = {
            "script": _text(draft.script),
            **{name: _text(body) for name, body in _later(draft)},
            "parameters": json.dumps(dict(draft.parameters), sort_keys=True),
            "packages": _packages(draft),
            "policy": json.dumps(draft.policy, sort_keys=True),
            "review": why_findings(session.steps[-1]),
        }
        shown = (fenced(text, fence, name) for name, text in parts.items())
        head = f"Step {draft.step}, version {draft.version}, by {draft.author}:"
        texts.append("\n".join([head, *shown]))
    return [*texts, f"The engineer on call asks: {question}"]


def for_coder(session: Session, step: Step, packages: Sequence[str]) -> list[str]:
    """Return the text for `generate`: the step, with names instead of values."""
    wanted = step.plan.parameters
    lines = [
        _place(session),
        f"Step: {step.plan.title}",
        f"Work: {step.plan.work}",
        f"Task: {wanted.get('task', '')}",
        f"Parameters: {', '.join(sorted(wanted.get('given', {}))) or 'none'}, and regions",
        f"Packages: {', '.join(packages) or 'none'}",
        *(f"Input in/{card.card}.json: {_names(card)}" for card in inputs_of(session, step)),
    ]
    return ["\n".join(lines)]


def for_repair(
    session: Session, step: Step, packages: Sequence[str], draft: Draft, why: str
) -> list[str]:
    """Return the texts for `repair`: the step, its latest draft, and what is wrong with it."""
    allow = json.dumps(draft.policy, sort_keys=True)
    lines = [
        f"Version {draft.version} of the script:\n{_code(draft.script)}",
        *(f"Its {name}:\n{_code(body)}" for name, body in _later(draft)),
        f"Its policy: {allow}",
        f"Its packages: {_packages(draft)}",
    ]
    return [*for_coder(session, step, packages), "\n".join(lines), f"Sent back because {why}"]


def _later(draft: Draft) -> list[tuple[str, bytes]]:
    """Return what a draft brings besides its script, by the names of the form."""
    several = (
        ("rollback", draft.rollback),
        ("post_check", draft.post_check),
        ("tests", draft.tests),
    )
    return [(name, body) for name, body in several if body is not None]


def _packages(draft: Draft) -> str:
    return ", ".join(line.split(" ")[0] for line in draft.requirements) or "none"


def _code(script: bytes) -> str:
    return f"```python\n{_text(script)}```"


def _text(script: bytes) -> str:
    return script.decode("utf-8", errors="replace")


def why_findings(step: Step) -> str:
    """Return what a review holds against a draft, the worst first."""
    findings = step.review.findings if step.review else ()
    lines = (
        f"- {each.severity}{f', {each.place}' if each.place else ''}: {each.message}"
        f"{f' ({each.fix})' if each.fix else ''}"
        for each in findings
    )
    return "\n".join(["the review found:", *lines])


def why_failed(step: Step, complaint: str, fence: str) -> str:
    """Return how a run ended, with the end of its error output."""
    ended = step.run.ended if step.run else None
    end = describe_end(ended) if isinstance(ended, RunFinished) else "did not finish"
    return f"the script {end}. The end of its error output:\n{fenced(complaint, fence, 'stderr')}"


def why_rejected(step: Step) -> str:
    """Return what the person who rejected a draft said."""
    return f"the engineer on call rejected it: {step.decision.comment if step.decision else ''}"


def card_text(card: EvidenceAdded, fence: str) -> str:
    """Return a card as a model reads it; pointers of claims lead into exactly this object."""
    document: dict[str, Any] = {}
    for rows, characters in _SIZES:
        document = _clipped(card, rows, characters)
        if len(json.dumps(document, ensure_ascii=False)) <= MOST_CARD:
            break
    return fenced(document, fence, card.card)


def fenced(value: Any, fence: str, name: str) -> str:
    """Return untrusted text as one line of JSON between the marks of this session."""
    return f"<{fence} {name}>\n{json.dumps(value, ensure_ascii=False)}\n</{fence}>"


def inputs_of(session: Session, step: Step) -> list[EvidenceAdded]:
    """Return the cards whose whole results a step reads."""
    wanted = step.plan.parameters.get("inputs", [])
    return [card for card in session.cards if card.card in wanted and card.result is not None]


def _case(session: Session) -> str:
    ceiling = session.ceiling
    return "\n".join(
        [
            f"Question of the engineer on call: {session.started.question}",
            _place(session),
            f"Highest tier that may run here: {ceiling}, {TIER_NAMES[ceiling]}.",
        ]
    )


def _place(session: Session) -> str:
    target = session.target
    regions = ", ".join(target.regions) if target else ""
    return f"AWS account {target.account if target else 'unknown'}, regions: {regions or 'unknown'}"


def _standing(session: Session) -> str:
    started = session.started
    lines = [f"Time: {datetime.fromtimestamp(session.last_at / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"]
    lines += [
        f"{each.plan.step} {each.plan.title}: {_fate(session, each)}" for each in session.steps
    ]
    if session.steps:
        weighed = session.steps[-1].plan.parameters.get("hypotheses", [])
        lines += [f"Hypothesis ({each['state']}): {each['text']}" for each in weighed]
    lines += [f"Note of the engineer on call: {note.text}" for note in session.notes]
    lines += [f"The engineer on call, approving {each}" for each in session.comments]
    lines.append(f"Steps left: {started.most_steps - len(session.steps)}")
    if session.limit:
        lines.append(f"A limit was reached: {session.limit.detail}")
    return "\n".join(lines)


def _fate(session: Session, step: Step) -> str:
    made = [card.card for card in session.cards if card.step == step.plan.step]
    gaps = [gap.reason for gap in session.gaps if gap.step == step.plan.step]
    return ", ".join([*(f"see {card}" for card in made), *gaps]) or "not done"


def _names(card: EvidenceAdded) -> str:
    facts = ", ".join(card.facts) or "none"
    tables = ", ".join(f"{table.name} ({', '.join(table.columns)})" for table in card.tables)
    return f"facts: {facts}; tables: {tables or 'none'}"


def _clipped(card: EvidenceAdded, rows: int, characters: int) -> dict[str, Any]:
    document = asdict(card)
    for unused in ("run", "result"):
        del document[unused]
    for table in document["tables"]:
        table["rows"] = table["rows"][:rows]
    clipped: dict[str, Any] = _cut(document, characters)
    return clipped


def _cut(value: Any, characters: int) -> Any:
    if isinstance(value, str):
        return value if len(value) <= characters else f"{value[:characters]} ... (cut)"
    if isinstance(value, dict):
        return {key: _cut(item, characters) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_cut(item, characters) for item in value]
    return value
