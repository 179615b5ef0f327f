"""How long a review takes: warm, and the first of a session.

Twenty different scripts of about a hundred lines over ten services, each reviewed once, so that no
review is known before; the first ten also load their service's model. The process is warm, as it is
when the first draft of a session arrives: it was started with the session. For comparison: a `ruff
check` of the same scripts as a process, which is the least that any review could take; and the
first review when nothing was started ahead. The same scripts are rehearsed too.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median, quantiles

from benchmarks.page import Bar, Found, arguments, report, rows
from benchmarks.rehearsing import rehearsals
from benchmarks.reviewed_scripts import drafts
from core.approval.draft import Draft
from core.checks import lint, ruff
from core.checks.process import ReviewProcess
from core.checks.standards import DEFAULT

FIRST_ROUNDS = 5

WARM = Bar("a review of a script of 100 lines, median", 150, "ms", 0)
WARM_P95 = Bar("the same, one in twenty takes longer than", None, "ms", 0)
FIRST = Bar("the first review of a session, median", 500, "ms", 0)
UNREADY = Bar("the first review when no process was started ahead, median", None, "ms", 0)
KNOWN = Bar("a review that is known, median", None, "ms")
RUFF = Bar("a review, in runs of `ruff check`", None, digits=1)
FOUND = Bar("blockers in these twenty scripts", 0, digits=0)
REHEARSED = Bar("a rehearsal of such a script, with a spare, median", 1000, "ms", 0)
REHEARSED_FIRST = Bar("the first rehearsal of a session", None, "ms", 0)
BARS = (WARM, WARM_P95, FIRST, UNREADY, KNOWN, RUFF, FOUND, REHEARSED, REHEARSED_FIRST)


def main() -> int:
    """Measure, tell, and return 1 when a bar is missed."""
    options = arguments(__doc__)
    several = list(drafts())
    firsts = [_first(several[number], ready=True) for number in range(FIRST_ROUNDS)]
    unready = [_first(several[number], ready=False) for number in range(FIRST_ROUNDS)]
    process = ReviewProcess(DEFAULT)
    try:
        process.review(replace(several[0], script=b"x = 1\n"))
        warm, alone, known, blockers = [], [], [], 0
        for draft in several:
            alone.append(_milliseconds(ruff.check, draft.script, lint.RULES))
            warm.append(_milliseconds(process.review, draft))
            known.append(_milliseconds(process.review, draft))
            blockers += len(process.review(draft).blockers)
    finally:
        process.close()
    rehearsed = rehearsals(several)
    values = {
        WARM.what: median(warm),
        WARM_P95.what: quantiles(warm, n=20)[-1],
        FIRST.what: median(firsts),
        UNREADY.what: median(unready),
        KNOWN.what: median(known),
        RUFF.what: median(warm) / median(alone),
        FOUND.what: blockers,
        REHEARSED.what: median(rehearsed),
        REHEARSED_FIRST.what: rehearsed[0],
    }
    found = Found("bench_review", "review", rows(BARS, values))
    return int(report(found, BARS, values, options) > 0)


def _first(draft: Draft, *, ready: bool) -> float:
    """Return how long the first review of a session takes, of a process that is ready or not."""
    process = ReviewProcess(DEFAULT)
    try:
        if ready:
            process.review(replace(draft, script=b"x = 1\n"))
        return _milliseconds(process.review, draft)
    finally:
        process.close()


def _milliseconds(work: Callable[..., object], *given: object) -> float:
    begin = time.perf_counter()
    work(*given)
    return (time.perf_counter() - begin) * 1000


if __name__ == "__main__":
    sys.exit(main())
