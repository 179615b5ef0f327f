"""What a yes to a draft binds, for every surface: rows of names and values, and all of its code.

The digest holds more than the script: whoever approves must have been able to see each part of it.
What is not here stands beside it: the parameters, the policy and the findings.

Every text in here is safe to show.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from core.approval.modes import TIER_NAMES
from core.checks.finding import SEVERITIES, Finding, Severity
from core.events import DraftGenerated
from core.safe_text import safe_line, safe_text
from core.session import Session, Step
from sandbox.job import Sha
from sandbox.limits import MEBIBYTE, Limits
from tui.views import Code, Row

Script = Callable[[Sha], bytes]
"""Returns stored bytes by hash."""

_KIBIBYTE = 1024


def bound(session: Session, step: Step) -> Iterator[Row]:
    """Yield what a yes to the latest draft of `step` binds besides code, parameters and policy."""
    draft, target, started = step.draft, session.target, session.started
    if draft is None:
        return
    yield Row("Kind", draft.work)
    if target:
        yield Row("Account", safe_line(f"{target.alias} {target.account}".strip()))
        yield Row("Role", safe_text(target.role, newlines=False))
        yield Row("Regions", safe_text(", ".join(target.regions) or "none", newlines=False))
        yield Row("Source", safe_text(target.source, newlines=False))
    ceiling = step.request.ceiling if step.request else session.ceiling
    yield Row("Ceiling", f"tier {ceiling}, {TIER_NAMES[ceiling]}")
    yield Row("Limits", limits(started.limits))
    yield Row("Requirements", safe_text("\n".join(draft.requirements) or "none"))
    for name, sha in (("Rollback", draft.rollback), ("Post-check", draft.post_check)):
        yield Row(name, "none" if sha is None else f"below the script; sha256 {sha}")
    if draft.tests is not None:
        yield Row("Tests", f"below the script, for its rehearsal only; sha256 {draft.tests}")
    for name, sha in sorted(draft.inputs.items()):
        yield Row(safe_line(f"Input {name}"), f"sha256 {sha}")
    yield Row("Runtime", safe_line(started.runtime))
    if step.request:
        yield Row("Digest", safe_line(step.request.digest))


def limits(given: Limits) -> str:
    """Return the limits of a run in words."""
    return (
        f"{_seconds(given.wall_ms)}, {_seconds(given.cpu_ms)} of processor, "
        f"{_size(given.memory_bytes)} of memory, {_size(given.run_memory_bytes)} of all together, "
        f"{given.processes} processes, {given.descriptors} descriptors, "
        f"{given.files} files of {_size(given.work_bytes)}, "
        f"{given.aws_calls} AWS calls with {_size(given.aws_bytes)} of answers, "
        f"{_size(given.output_bytes)} printed, {_size(given.result_bytes)} of result"
    )


def code(step: Step | None, script: Script) -> Code:
    """Return all code of a step's latest draft: the script, and what goes with it below."""
    if step is None or step.draft is None:
        return Code("", "", {}, "")
    draft = step.draft
    text = shown(script(draft.script))
    caption = f"version {draft.version} by {draft.author} · {len(text.splitlines())} lines"
    parts = [text]
    for name, content in attached(draft):
        caption += f" · {name.lower()} below"
        body = shown(script(content))
        parts.append(f"\n# {'=' * 20} {name.upper()}, sha256 {content[:8]} {'=' * 20}\n{body}")
    return Code(
        key=f"{draft.step}.{draft.version}.{draft.code_digest}",
        text="\n".join(parts),
        marks=_marks(step.review.findings if step.review else ()),
        caption=f"{caption} · sha256 {draft.script[:8]}",
    )


def attached(draft: DraftGenerated) -> Iterator[tuple[str, Sha]]:
    """Yield name and hash of each script that goes with the draft's own."""
    several = (
        ("Rollback", draft.rollback),
        ("Post-check", draft.post_check),
        ("Tests", draft.tests),
    )
    yield from ((name, content) for name, content in several if content is not None)


def shown(body: bytes) -> str:
    """Return the text of a script as it can be shown."""
    return safe_text(body.decode("utf-8", errors="replace"))


def _seconds(milliseconds: int) -> str:
    return f"{milliseconds / 1000:g} s"


def _size(size: int) -> str:
    return f"{size // MEBIBYTE} MiB" if size % MEBIBYTE == 0 else f"{size / _KIBIBYTE:g} KiB"


def _marks(found: tuple[Finding, ...]) -> dict[int, Severity]:
    marks: dict[int, Severity] = {}
    for one in sorted(found, key=lambda each: SEVERITIES.index(each.severity)):
        if one.line is not None and one.file == "script":
            marks.setdefault(one.line, one.severity)
    return marks
