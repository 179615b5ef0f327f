"""A session as plain text: pure functions from facts to lines, for pipes, dumb terminals and CI.

Nothing that came from AWS, a script or a file reaches the terminal but through `safe_text`.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from functools import singledispatch
from itertools import zip_longest
from textwrap import indent

from core.answer import spell
from core.approval.draft import Draft
from core.approval.grants import printed
from core.approval.modes import TIER_NAMES, promise
from core.calls import AwsCalled, AwsIntended
from core.checks.finding import Finding
from core.checks.permissions import permissions_of
from core.checks.summary import one_line
from core.events import (
    AnswerGiven,
    CallerIdentified,
    DecisionMade,
    DecisionRequested,
    DraftGenerated,
    Event,
    EvidenceAdded,
    Fact,
    GapRecorded,
    GrantGiven,
    GrantRevoked,
    LimitReached,
    ModeChanged,
    NoteAdded,
    NoteAnswered,
    PackagesMissing,
    PlanProposed,
    RequestExpired,
    ResultTaken,
    ReviewFinished,
    RunFinished,
    RunInterrupted,
    RunOutput,
    RunStarted,
    ScriptHanded,
    SessionFinished,
    SessionResumed,
    SessionStarted,
    StopRequested,
    Table,
)
from core.llm.usage import ModelAnswered, dollars
from core.safe_text import safe_line, safe_text
from core.session import Session
from tui.drafts import bound, shown
from tui.permissions import known_since, row_text

_SHOWN_OF_DIGEST = 12


def clock_time(at: int) -> str:
    """Return a time of day in UTC, as it stands at the head of each line."""
    return f"{datetime.fromtimestamp(at / 1000, UTC):%H:%M:%S}"


def timestamp(at: int) -> str:
    """Return milliseconds since the epoch as ISO 8601 in UTC."""
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%dT%H:%M:%S}.{at % 1000:03d}Z"


def fact_text(fact: Fact) -> str:
    """Return what a fact says, one or more lines; empty when it says nothing to people."""
    lines = describe(fact.event)
    if not lines:
        return ""
    head, *rest = (safe_text(line, newlines=False) for line in lines)
    return "\n".join([f"{clock_time(fact.at)}  {head}", *(f"          {line}" for line in rest)])


def review_text(draft: Draft, session: Session) -> str:
    """Return everything that a decision is about: what the digest binds, plan, and findings.

    Only the headings that are made here begin with dashes: all else is numbered or indented.
    """
    step = session.step
    if step is None or step.review is None:
        return ""
    scripts = [(f"script, version {draft.version}, by {draft.author}", draft.script)]
    scripts += [
        (name, body)
        for name, body in (
            ("rollback", draft.rollback),
            ("post-check", draft.post_check),
            ("tests", draft.tests),
        )
        if body is not None
    ]
    findings = (*step.review.findings, *known_since(step))
    found = "\n".join(finding_text(each) for each in findings)
    table = "\n".join(f"  {safe_line(row_text(row))}" for row in permissions_of(step))
    parts = [
        f"--- plan: {safe_line(step.plan.title)}",
        indent(safe_text(step.plan.why), "  "),
        "--- what is approved",
        *(indent(f"{row.name}: {row.value}", "  ") for row in bound(session, step)),
        *(f"--- {name}\n{_numbered(shown(body))}" for name, body in scripts),
        f"--- parameters\n{safe_text(_pretty(draft.parameters))}",
        f"--- IAM policy\n{safe_text(_pretty(draft.policy))}",
        f"--- policy, code and runs\n{table or '  nothing is called'}",
        f"--- findings\n{found or 'none'}",
    ]
    return "\n".join(parts)


def finding_text(finding: Finding) -> str:
    """Return a finding in one line."""
    place = f"{finding.place}: " if finding.place else ""
    fix = f" ({finding.fix})" if finding.fix else ""
    return safe_line(
        f"{finding.severity}: {place}{finding.message}{fix} [{finding.source} {finding.rule}]"
    )


@singledispatch
def describe(event: Event) -> list[str]:
    """Return an event as unsafe lines; the first stands beside the time."""
    return [event.kind]


@describe.register
def _(event: SessionStarted) -> list[str]:
    minutes = event.most_ms // 60_000
    meant = promise(event.mode, event.ceiling, event.house.unattended)
    return [
        f"session {event.session}: {event.question}",
        f"{event.mode} mode, {event.source}",
        f"{meant}; at most {event.most_steps} steps, {minutes} minutes of work",
    ]


@describe.register
def _(event: CallerIdentified) -> list[str]:
    name = f"{event.alias} " if event.alias else ""
    return [f"account {name}{event.account} as {event.role} in {', '.join(event.regions)}"]


@describe.register
def _(event: ModelAnswered) -> list[str]:
    tokens = event.input_tokens + event.cache_read_tokens + event.cache_written_tokens
    price = "cost unknown" if event.cost is None else dollars(event.cost)
    used = f"{tokens} tokens in, {event.output_tokens} out, {event.ms / 1000:.1f} s, {price}"
    return [f"{event.model} answered ({event.role}): {used}"]


@describe.register
def _(event: PlanProposed) -> list[str]:
    return [f"{event.step} {event.title}", event.why]


@describe.register
def _(event: DraftGenerated) -> list[str]:
    return [f"{event.step} draft {event.version} by {event.author}: {_short(event.draft_digest)}"]


@describe.register
def _(event: ReviewFinished) -> list[str]:
    calls = ", ".join(f"{call.service}.{call.operation}" for call in event.calls) or "none"
    tier = f"tier {event.tier}, {TIER_NAMES[event.tier]}; calls: {calls}"
    return [
        f"{event.step} reviewed: {one_line(event)}",
        tier,
        *(finding_text(finding) for finding in event.findings),
    ]


@describe.register
def _(event: DecisionRequested) -> list[str]:
    return [
        f"{event.request} asks about digest {event.digest}",
        "because " + "; ".join(event.asks_because),
    ]


@describe.register
def _(event: DecisionMade) -> list[str]:
    who = f"{event.decider} ({event.surface})" if event.by == "human" else event.decider
    comment = f": {event.comment}" if event.comment else ""
    over = ", over its blockers" if event.override_blockers else ""
    return [f"{event.request} {event.verb} by {who}{over}{comment}"]


@describe.register
def _(event: RunStarted) -> list[str]:
    lacking = f"; lacking: {', '.join(event.degraded)}" if event.degraded else ""
    return [f"{event.run} {event.purpose} of {_short(event.digest)} in {event.engine}{lacking}"]


@describe.register
def _(event: RunOutput) -> list[str]:
    if not event.text:
        return [f"| ... {event.dropped} bytes of {event.stream} dropped ..."]
    return [f"| {line}" for line in event.text.splitlines()]


@describe.register
def _(event: AwsIntended) -> list[str]:
    what = f"{event.service}.{event.operation} in {event.region}"
    return [f"{event.run} #{event.number} {what}: is being sent, tier {event.tier}"]


@describe.register
def _(event: AwsCalled) -> list[str]:
    what = f"{event.service}.{event.operation} in {event.region}" if event.service else "request"
    if event.verdict == "denied":
        return [f"{event.run} #{event.number} {what}: denied: {event.reason}"]
    cached = f", cached, {event.age_ms // 1000} s old" if event.age_ms else ""
    cost = f", about {dollars(event.cost)}" if event.cost else ""
    return [f"{event.run} #{event.number} {what}: {event.status}, {event.ms} ms{cached}{cost}"]


@describe.register
def _(event: RunFinished) -> list[str]:
    if event.outcome == "exited":
        end = f"exit code {event.code}"
    else:
        end = f"{event.outcome} {event.limit or event.code or ''}".strip()
    return [f"{event.run} ended: {end}", *event.problems]


@describe.register
def _(event: RunInterrupted) -> list[str]:
    return [f"{event.run} interrupted: {event.reason}"]


@describe.register
def _(event: EvidenceAdded) -> list[str]:
    lines = [f"{event.card} {event.title}"]
    lines += [f"{name}: {spell(value)}" for name, value in event.facts.items()]
    for table in event.tables:
        lines += _table(table)
    lines += [f"covered: {each}" for each in event.coverage]
    lines += [f"warning: {each}" for each in event.warnings]
    lines += [f"error: {each}" for each in event.errors]
    return lines


@describe.register
def _(event: GapRecorded) -> list[str]:
    return [f"gap: {event.reason}"]


@describe.register
def _(event: AnswerGiven) -> list[str]:
    lines = [f"ANSWER ({event.status}): {event.cause or 'nothing could be concluded'}"]
    for claim in event.claims:
        cards = ", ".join(dict.fromkeys(each.card for each in claim.evidence))
        lines.append(f"- {claim.text} [{cards}]")
    return lines + [f"gap: {gap}" for gap in event.gaps]


@describe.register
def _(event: LimitReached) -> list[str]:
    return [f"limit reached: {event.detail}"]


@describe.register
def _(event: StopRequested) -> list[str]:
    return [f"{event.identity} stops the session"]


@describe.register
def _(event: NoteAdded) -> list[str]:
    return [f"{'asked' if event.question else 'note'} by {event.identity}: {event.text}"]


@describe.register
def _(event: NoteAnswered) -> list[str]:
    if event.problem:
        return [f"no answer: {event.problem}"]
    return f"the planner answers: {event.text}".splitlines()


@describe.register
def _(event: PackagesMissing) -> list[str]:
    draft = f"{event.step} version {event.version}"
    return [f"{draft} can't run: its packages can't be had: {event.reason}"]


@describe.register
def _(event: ModeChanged) -> list[str]:
    who = event.identity or "the session"
    why = f": {event.reason}" if event.reason else ""
    return [f"{who} switches to {event.mode} mode, up to tier {event.ceiling}{why}"]


@describe.register
def _(event: RequestExpired) -> list[str]:
    return [f"{event.request} has expired: nothing was decided, and it is asked anew"]


@describe.register
def _(event: ScriptHanded) -> list[str]:
    return [f"{event.request} is handed over in {event.folder}"]


@describe.register
def _(event: ResultTaken) -> list[str]:
    return [f"{event.request}: {event.identity} brought back what it found, by hand"]


@describe.register
def _(event: GrantGiven) -> list[str]:
    before = f" in session {event.carried}" if event.carried else ""
    return [f"{event.identity} grants{before}", *printed(event.grant)]


@describe.register
def _(event: GrantRevoked) -> list[str]:
    return [f"{event.grant} holds no more: {event.reason}"]


@describe.register
def _(event: SessionResumed) -> list[str]:
    return [f"resumed by {event.identity}"]


@describe.register
def _(event: SessionFinished) -> list[str]:
    return [f"finished: {event.reason} (exit code {event.exit_code})"]


def of_rows(shown: int, total: int) -> str:
    """Return how many rows are shown, of how many: "40 of 1212 rows", "3 rows", "1 row"."""
    rows = "row" if total == 1 else "rows"
    return f"{total} {rows}" if shown == total else f"{shown} of {total} {rows}"


def _table(table: Table) -> list[str]:
    shown = of_rows(len(table.rows), table.total_rows)
    rows = [list(table.columns), *([spell(cell) for cell in row] for row in table.rows)]
    columns = list(zip_longest(*rows, fillvalue=""))  # a file that was made up may hold uneven rows
    widths = [max(map(len, column)) for column in columns]
    lines = [
        "  "
        + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in zip(*columns, strict=True)
    ]
    return [f"{table.name} ({shown})", *lines]


def _numbered(script: str) -> str:
    return "\n".join(f"{number:4}  {line}" for number, line in enumerate(script.split("\n"), 1))


def _pretty(value: object) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True)


def _short(digest: str) -> str:
    return digest[:_SHOWN_OF_DIGEST]
