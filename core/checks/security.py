"""What bandit finds: medium and high severity block, low is shown.

`# nosec` is not honoured. Left out are rules that only ever speak against good scripts:
assert (B101), words that look like passwords (B105), `except: pass` (B110) and `random` (B311).
Trade-off: supporting evidence and no wall; what may happen is decided by policy, gateway and
sandbox.
"""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from core.checks.finding import Finding, Severity

_SOURCE = "security"
logging.getLogger("bandit").addHandler(logging.NullHandler())
_SKIPPED = ("B101", "B105", "B110", "B311")


def check(script: bytes) -> tuple[Finding, ...]:
    """Return bandit's findings of a script that parses."""
    with TemporaryDirectory(prefix="countersign-") as folder:
        path = Path(folder, "script.py")
        path.write_bytes(script)
        return tuple(_findings(path))


def _findings(path: Path) -> Iterator[Finding]:
    with warnings.catch_warnings():
        # What it depends on warns about itself while it loads; stderr belongs to the screen.
        warnings.simplefilter("ignore", DeprecationWarning)
        from bandit.core.config import BanditConfig  # type: ignore[import-untyped]  # ships no types
        from bandit.core.manager import BanditManager  # type: ignore[import-untyped]  # likewise

    profile = {"exclude": list(_SKIPPED)}
    manager = BanditManager(BanditConfig(), "file", quiet=True, profile=profile, ignore_nosec=True)
    manager.discover_files([str(path)])
    manager.run_tests()
    for _, reason in manager.get_skipped():
        yield Finding(_SOURCE, "not-checked", "warning", None, f"bandit gave up: {reason}", "")
    for issue in manager.get_issue_list():
        severity: Severity = "note" if issue.severity == "LOW" else "blocker"
        message = " ".join(issue.text.split())
        yield Finding(_SOURCE, issue.test_id, severity, issue.lineno, message, "")
