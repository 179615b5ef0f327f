"""What the checks look at: a draft, with what was read from its code.

A draft has up to three scripts (the script, its rollback, its post-check), which all run under the
same policy. `syntax.parse` and `aws_calls.extract` read each of them; a check is a function from
the whole to findings.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass

from core.approval.draft import Draft
from core.checks.finding import Call, Finding


@dataclass(frozen=True, slots=True)
class Subject:
    """A draft as the checks see it."""

    draft: Draft
    calls: tuple[Call, ...]
    """AWS calls of the script."""
    later_calls: tuple[Call, ...]
    """AWS calls of its rollback and post-check."""
    complete: bool
    """Whether nothing was noticed that could hide more calls."""
    allowed: Collection[str] = ()
    """Normal names of the packages that scripts may use."""


Check = Callable[[Subject], Iterable[Finding]]
"""One check: changes nothing and never raises for what is in the subject."""
