"""What ruff finds: errors that would end the script (blockers), and likely mistakes (warnings).

`# noqa` is not honoured: whoever wrote the script does not decide what its reader is told. What
can't be parsed is told by `core.checks.syntax`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from core.checks import ruff
from core.checks.finding import Finding, Severity
from core.errors import MachineUnfit

_SOURCE = "lint"
_BLOCKING = ("E9", "F", "PLE")
_ADVISORY = ("B",)
RULES = ",".join((*_BLOCKING, *_ADVISORY))


def check(script: bytes) -> tuple[Finding, ...]:
    """Return ruff's findings of a script that parses; raises MachineUnfit."""
    return tuple(_findings(ruff.check(script, RULES)))


def _findings(report: bytes) -> Iterator[Finding]:
    try:
        found: list[dict[str, Any]] = json.loads(report)
    except ValueError as error:
        raise MachineUnfit("ruff gave no report", hint="reinstall countersign") from error
    for each in found:
        rule = each["code"] or ""
        if rule.startswith((*_BLOCKING, *_ADVISORY)):
            severity: Severity = "warning" if rule.startswith(_ADVISORY) else "blocker"
            fix = (each["fix"] or {}).get("message") or ""
            yield Finding(_SOURCE, rule, severity, each["location"]["row"], each["message"], fix)
