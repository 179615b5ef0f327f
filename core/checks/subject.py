"""What the checks look at, and what a check is.

A draft has up to four scripts: the script, its rollback and its post-check, which all run under the
same policy, and its tests, which need no permission. Each is parsed once, and its AWS calls are
read once, for all checks together. A check is a name and a function from the whole to findings;
`each_script` makes one of a function that looks at one script at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from threading import Lock

from core.approval.draft import Draft
from core.checks import syntax
from core.checks.aws_calls import Extraction, extract
from core.checks.finding import Call, File, Finding
from core.checks.standards import DEFAULT, Standards
from core.iam.lint import NO_CEILINGS, Ceilings


class Script:
    """One script of a draft: its bytes, and what they say."""

    def __init__(self, file: File, data: bytes) -> None:
        self.file = file
        self.data = data
        self.parsed = syntax.parse(data)
        self._lock = Lock()
        self._extraction: Extraction | None = None

    @property
    def extraction(self) -> Extraction:
        """Its AWS calls; read when first wanted, by whichever check that is."""
        with self._lock:
            if self._extraction is None:
                tree = self.parsed.tree
                self._extraction = Extraction(complete=False) if tree is None else extract(tree)
            return self._extraction


UNRESOLVED = "cannot-tell"
"""Rule of aws-calls: what may hide a call."""


@dataclass(frozen=True, slots=True)
class Subject:
    """A draft as the checks see it."""

    draft: Draft
    scripts: tuple[Script, ...]
    """The script itself comes first."""
    standards: Standards = DEFAULT
    ceilings: Ceilings = NO_CEILINGS

    @property
    def calls(self) -> tuple[Call, ...]:
        """AWS calls of the script."""
        return self.scripts[0].extraction.calls

    @property
    def permitted(self) -> tuple[Script, ...]:
        """Those that the policy is for: all but the tests, which only a rehearsal runs."""
        return tuple(each for each in self.scripts if each.file != "tests")

    @property
    def unresolved(self) -> int:
        """How many places may hide a call, whichever checks are left out."""
        remarks = (one for each in self.permitted for one in each.extraction.findings)
        return sum(one.rule == UNRESOLVED for one in remarks)

    @property
    def complete(self) -> bool:
        """Whether nothing was noticed that could hide more calls."""
        return all(each.extraction.complete for each in self.permitted)


def subject_of(
    draft: Draft, standards: Standards = DEFAULT, ceilings: Ceilings = NO_CEILINGS
) -> Subject:
    """Return a draft with its scripts parsed."""
    parts: tuple[tuple[File, bytes | None], ...] = (
        ("script", draft.script),
        ("rollback", draft.rollback),
        ("post-check", draft.post_check),
        ("tests", draft.tests),
    )
    scripts = tuple(Script(file, data) for file, data in parts if data is not None)
    return Subject(draft, scripts, standards, ceilings)


@dataclass(frozen=True, slots=True)
class Check:
    """One check: independent of all others, changes nothing."""

    name: str
    """As the settings and the `source` of its findings have it."""
    find: Callable[[Subject], Iterable[Finding]]
    """Never raises for what is in the subject; MachineUnfit when a tool is missing."""


def each_script(
    find: Callable[[Script, Standards], Iterable[Finding]], *, parsed_only: bool = True
) -> Callable[[Subject], Iterator[Finding]]:
    """Return a check's function that looks at each script alone; findings say in which they are.

    With `parsed_only` a script that can't be parsed is left to the check that says so.
    """

    def check(subject: Subject) -> Iterator[Finding]:
        for script in subject.scripts:
            if script.parsed.tree is not None or not parsed_only:
                for finding in find(script, subject.standards):
                    yield replace(finding, file=script.file)

    return check
