"""A review in one line, the same on every surface: what a script would do, and what is wrong.

Pure. What it says about reads and changes comes from the tier, which is the policy's; how many
operations there are comes from the code, and has a `+` where calls may be hidden.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from core.checks.finding import Reviewed, Severity
from sandbox.job import Tier

WORDS: dict[Tier, str] = {
    0: "NO AWS",
    1: "READ-ONLY",
    2: "READ-ONLY",
    3: "SECRETS",
    4: "CHANGES",
    5: "NEVER RUNS",
}
"""What a tier means, in a word that is read first."""
_HIDING = (("aws-calls", "cannot-tell"), ("aws-calls", "resource"))
"""Findings after which there may be more calls than are known."""


def one_line(found: Reviewed, regions: Sequence[str] | None = None) -> str:
    """Return the line; `regions` are those that the run may call, None when they are not known."""
    return " · ".join(_parts(found, regions))


def _parts(found: Reviewed, regions: Sequence[str] | None) -> Iterator[str]:
    more = any((one.source, one.rule) in _HIDING for one in found.findings)
    yield WORDS[found.tier]
    operations = {(call.service, call.operation) for call in found.calls}
    yield _counted(len(operations), "operation", more=more)
    yield _counted(len({call.service for call in found.calls}), "service", more=more)
    if regions is not None:
        yield _counted(len(regions), "region")
    yield _counted(_number(found, "blocker"), "blocker")
    yield _counted(_number(found, "warning"), "warning")
    yield f"policy {_fit(found)}"


def _number(found: Reviewed, severity: Severity) -> int:
    return sum(one.severity == severity for one in found.findings)


def _counted(number: int, what: str, *, more: bool = False) -> str:
    return f"{number}{'+' if more else ''} {what}{'' if number == 1 and not more else 's'}"


def _fit(found: Reviewed) -> str:
    lacks = [f"lacks {len(found.missing)}"] if found.missing else []
    spare = [f"allows {len(found.excess)} unused"] if found.excess else []
    return " and ".join(lacks + spare) or "exact"
