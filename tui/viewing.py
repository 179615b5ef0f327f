"""From a session to what the screen shows of it: pure functions, one for each part of the screen.

Everything that came from AWS, a script, a model or a file passes `safe_text` here, so that no
widget can forget it.

Does not: decide anything, or know whether a key works now (tui/situation.py does).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import chain
from typing import Any

from core.answer import spell
from core.approval.modes import TIER_NAMES
from core.checks.finding import SEVERITIES, Finding
from core.checks.summary import one_line
from core.decide import describe_end
from core.events import (
    AnswerGiven,
    DecisionRequested,
    EvidenceAdded,
    Pointer,
    RunFinished,
    RunInterrupted,
    Verb,
)
from core.llm.usage import dollars
from core.runs import Run, unknown_calls
from core.safe_text import safe_line, safe_text
from core.session import Session, Step
from tui.drafts import bound
from tui.others import other_than
from tui.permissions import known_since
from tui.plain import of_rows
from tui.views import (
    ANSWER,
    NO_FINDINGS,
    SIGNS,
    Answer,
    Chip,
    Plan,
    Question,
    Remark,
    Row,
    State,
    Status,
    Support,
)

_DID: dict[Verb, str] = {
    "approve": "approved",
    "edit": "edited",
    "reject": "rejected",
    "skip": "skipped",
    "stop": "stopped",
}


def status(session: Session, now: int) -> Status:
    """Return the status line of `session` at `now`, in milliseconds since the epoch."""
    target = session.target
    if target is None:
        account = region = role = "…"
    else:
        account = f"{target.alias} {target.account}".strip()
        region = ", ".join(target.regions) or "no region"
        role = role_name(target.role)
    seconds = max(0, (session.last_at if session.finished else now) - session.started_at) // 1000
    hours, minutes = divmod(seconds // 60, 60)
    elapsed = f"{minutes:02d}:{seconds % 60:02d}"
    return Status(
        account=safe_line(account),
        region=safe_line(region),
        role=safe_line(role),
        mode=session.mode.upper(),
        cost=_cost(session),
        elapsed=f"{hours}:{elapsed}" if hours else elapsed,
        label=safe_line(_label(session)),
        production=session.account.production,
    )


def _label(session: Session) -> str:
    """Return what the settings call the account: people see it before they see a number."""
    rules = session.account
    if rules.production:
        return f"PRODUCTION {rules.label}".strip()
    return rules.label


def role_name(arn: str) -> str:
    """Return what people call a caller: the role of arn:…:assumed-role/ROLE/SESSION, or the end."""
    parts = arn.rpartition(":")[2].split("/")
    return parts[1] if len(parts) > 1 else parts[0]


def chips(session: Session) -> tuple[Chip, ...]:
    """Return the strip: a chip for each step, and one for the answer when there is one."""
    steps = [
        Chip(
            number,
            step.plan.step,
            safe_line(step.plan.title),
            state(session, step),
            len(step.drafts),
        )
        for number, step in enumerate(session.steps, 1)
    ]
    if session.answer:
        steps.append(Chip(ANSWER, "Answer", "", "done"))
    return tuple(steps)


def state(session: Session, step: Step) -> State:
    """Return how a step stands."""
    if step.closed:
        cards = [card for card in session.cards if card.step == step.plan.step]
        return "done" if cards and not cards[-1].errors else "gap"
    if session.finished or session.answer:
        return "stopped"
    if step.run and step.run.ended is None:
        return "running"
    if _waits(step):
        return "asked"
    return "working"


def latest_page(session: Session) -> int:
    """Return the page where something happens now."""
    return ANSWER if session.answer else len(session.steps)


def step_of(session: Session, page: int) -> Step | None:
    """Return the step on a page; None for the answer and for pages that don't exist."""
    return session.steps[page - 1] if 0 < page <= len(session.steps) else None


def plan(session: Session, step: Step | None) -> Plan:
    """Return the plan pane of a step."""
    if step is None:
        return Plan("", asked(session), (), "", (), ())
    own = step.plan.step if step.closed else ""
    card = next((card for card in session.cards if card.step == own), None)
    remarks = [gap.reason for gap in session.gaps if gap.step == own]
    if card:
        remarks += chain(card.errors, card.warnings, card.coverage)
    return Plan(
        title=safe_line(f"{step.plan.step}  {step.plan.title}"),
        why=safe_text(step.plan.why),
        rows=(*_plan_rows(session, step), *bound(session, step)),
        outcome=_outcome(step, card),
        found=tuple(_found(card)) if card else (),
        remarks=tuple(safe_text(each) for each in remarks),
    )


def findings(step: Step | None) -> tuple[Remark, ...]:
    """Return the findings of the latest draft, the worst first."""
    if step is None or step.review is None:
        return ()
    found = (*step.review.findings, *known_since(step))
    ordered = sorted(found, key=lambda one: SEVERITIES.index(one.severity))
    return tuple(_remark(one) for one in ordered)


def findings_caption(step: Step | None) -> str:
    """Return the counters of the findings, words included."""
    if step is None or step.review is None:
        return "not reviewed yet" if step else ""
    severities = [one.severity for one in step.review.findings]
    counted = [
        f"{severities.count(each)} {each}{'s' * (severities.count(each) > 1)}"
        for each in SEVERITIES
        if each in severities
    ]
    return ", ".join(counted) or NO_FINDINGS


def findings_counter(step: Step | None) -> str:
    """Return the same in four letters: blockers, warnings, notes."""
    if step is None or step.review is None:
        return ""
    severities = [one.severity for one in step.review.findings]
    return " ".join(f"{severities.count(each)}{each[0].upper()}" for each in SEVERITIES)


def question(session: Session, request: DecisionRequested) -> Question:
    """Return what a request asks."""
    step = session.step
    found = step.review.findings if step and step.review else ()
    purpose = "" if request.purpose == "run" else f" · to {request.purpose}"
    handed = step.turn.handed if step and step.turn else None
    folder = safe_line(handed.folder) if handed and request.rule == "hand over" else ""
    waits = "lies in a folder" if folder else "awaits you"
    blockers = tuple(_remark(one).text for one in found if one.severity == "blocker")
    return Question(
        request=request.request,
        digest=request.digest,
        page=len(session.steps),
        head=f"{request.step} v{request.version} {waits}{purpose} · tier {request.tier}",
        because=_because(session, request, folder),
        second_stage=request.second_stage,
        blockers=blockers,
        account=account_name(session),
        folder=folder,
        other=safe_line(other_than(session, request)),
    )


def _because(session: Session, request: DecisionRequested, folder: str) -> str:
    if folder:
        return f"b brings back what it found, Y copies all of it; run it by hand in {folder}"
    told = safe_line("asks because " + "; ".join(request.asks_because))
    other = safe_line(other_than(session, request))
    return f"somebody else than {other} has to decide it: o tells how; {told}" if other else told


def account_name(session: Session) -> str:
    """Return what is typed for the account: its alias, or its number where it has none."""
    target = session.target
    return safe_line((target.alias or target.account) if target else "")


def answer(session: Session) -> Answer | None:
    """Return the answer, with what was done to find it."""
    given = session.answer
    if given is None:
        return None
    return Answer(
        status=given.status,
        cause=safe_text(given.cause or "Nothing could be concluded."),
        claims=tuple(_supports(given)),
        gaps=tuple(safe_text(gap) for gap in given.gaps),
        steps=tuple(_history(session)),
    )


def asked(session: Session) -> str:
    """Return what the session was started for."""
    return safe_line(session.started.question)


def work_sign(session: Session) -> str:
    """Return the sign of what goes on now."""
    if session.finished:
        return SIGNS["done" if session.finished.exit_code == 0 else "stopped"]
    return SIGNS["running" if session.open_run else "working"]


def work(session: Session) -> str:
    """Return what goes on now, when nobody is asked."""
    if session.finished:
        reason = safe_line(session.finished.reason)
        return f"Finished: {reason} (exit code {session.finished.exit_code})"
    if session.stopping:
        return _stopping(session)
    if session.target is None:
        return "Finding out who we are in AWS"
    if run := session.open_run:
        return f"{run.started.run} runs in {run.started.engine} · {_calls(run)}"
    step = session.step
    if step is None:
        return "Thinking about the next step"
    if step.draft is None:
        return f"{step.plan.step}: writing the script"
    if step.review is None:
        return f"{step.plan.step}: reviewing version {step.draft.version}"
    if step.request and _waits(step):
        return f"{step.request.request} needs a decision"
    if step.decision and step.decision.verb == "edit":
        return f"{step.plan.step}: taking the edited script"
    return f"{step.plan.step}: preparing the run"


# ------------------------------------------------------------------ parts
def _waits(step: Step) -> bool:
    """Tell whether a person is wanted: to decide, or to bring back what they found."""
    turn = step.turn
    return turn is not None and turn.is_open and turn.request.rule in ("ask", "hand over")


def _stopping(session: Session) -> str:
    """Return how far stopping has come: a run is called dead only when that is on record."""
    if run := session.open_run:
        return f"Stopping: {run.started.run} is being ended"
    run = session.steps[-1].run if session.steps else None
    dead = f"{run.started.run} is dead (confirmed); " if run and run.ended else ""
    return f"Stopped: {dead}concluding from what there is"


def _cost(session: Session) -> str:
    """Return what models cost; answers whose price nobody knows make it a lower bound."""
    return dollars(session.model_cost) + (" + ?" if session.unpriced else "")


def _plan_rows(session: Session, step: Step) -> Iterator[Row]:
    if step.plan.workflow:
        yield Row("Workflow", safe_line(step.plan.workflow))
    if step.review:
        regions = session.target.regions if session.target else None
        yield Row("Review", one_line(step.review, regions))
        calls = dict.fromkeys(f"{call.service}.{call.operation}" for call in step.review.calls)
        yield Row("Tier", f"{step.review.tier}, {TIER_NAMES[step.review.tier]}")
        yield Row("Calls", safe_text("\n".join(calls) or "none"))
    draft = step.draft
    for name, value in (draft.parameters if draft else step.plan.parameters).items():
        yield Row(safe_line(name), safe_text(_spelled(value)))


def _spelled(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_spelled(each) for each in value)
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else spell(value)


def _outcome(step: Step, card: EvidenceAdded | None) -> str:
    decision, run = step.decision, step.run
    parts = []
    if decision:
        by = {"mode": "the mode", "grant": f"grant {decision.grant}"}
        who = by.get(decision.by, decision.identity)
        parts.append(f"{_DID[decision.verb]} by {who}")
    match run.ended if run else None:
        case RunFinished() as ended if run:
            parts.append(f"{describe_end(ended)}, {_calls(run)}")
        case RunInterrupted(_, reason):
            parts.append(f"interrupted: {reason}")
    if run and run.ended and run.unsettled:
        parts.append(unknown_calls(run))
    if card:
        parts.append(card.card)
    return safe_line(" · ".join(parts))


def _calls(run: Run) -> str:
    calls = f"{run.calls} AWS call{'s' * (run.calls != 1)}"
    return f"{calls}, {run.denied} denied" if run.denied else calls


def _found(card: EvidenceAdded) -> Iterator[Row]:
    for name, value in card.facts.items():
        yield Row(safe_line(name), safe_text(spell(value)))
    for table in card.tables:
        yield Row(safe_line(table.name), of_rows(len(table.rows), table.total_rows))


def _remark(one: Finding) -> Remark:
    elsewhere = f"{one.place}: " if one.file in ("rollback", "post-check", "tests") else ""
    return Remark(
        severity=one.severity,
        line=None if elsewhere else one.line,
        text=safe_text(f"{elsewhere}{one.message}"),
        fix=safe_text(one.fix),
        rule=safe_line(f"{one.source} {one.rule}"),
    )


def _supports(given: AnswerGiven) -> Iterator[Support]:
    for claim in given.claims:
        evidence = tuple(safe_line(_pointer(each)) for each in claim.evidence)
        yield Support(safe_text(claim.text), evidence)


def _pointer(pointer: Pointer) -> str:
    name = pointer.pointer.removeprefix("/facts/").replace("~1", "/").replace("~0", "~")
    return f"{pointer.card} {name} = {spell(pointer.value)}"


def _history(session: Session) -> Iterator[str]:
    cards = {card.step: card for card in session.cards}
    for step in session.steps:
        card = cards.get(step.plan.step)
        sign = SIGNS[state(session, step)]
        outcome = _outcome(step, card)
        yield safe_line(f"{sign} {step.plan.step}  {step.plan.title}  ({outcome})")
