"""Requirements: locked to hashes, of the packages that the settings allow, and those in use.

Every line counts, also one that another package brought along: what is on the list can be read
there, and nothing else comes in behind it. Packages of the sealed runtime are no requirements:
scripts have them in the runtime's version. That a package exists is what its lock says and what
building its environment proves: hashes come from the index alone, and a review asks nobody. A
person may override what is not on the list, never what is not locked, since nothing can be fetched
for that.

Trade-off: what a package brings along, and what its modules are called, is known here for common
ones only; about others the check keeps silent rather than guessing.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator

from core.checks.finding import Finding, Severity
from core.checks.imports import RUNTIME, imports_of, is_standard, package_of
from core.checks.subject import Script, Subject
from sandbox.packages import is_locked, name_of, normal_name
from sandbox.runtime import PACKAGES

_BRINGS: dict[str, tuple[str, ...]] = {
    "et-xmlfile": (),
    "idna": (),
    "jinja2": ("markupsafe",),
    "lxml": (),
    "markupsafe": (),
    "numpy": (),
    "openpyxl": ("et-xmlfile",),
    "pandas": ("numpy", "tzdata", "openpyxl", "xlsxwriter", "lxml", "tabulate", "jinja2"),
    "pillow": (),
    "python-docx": ("lxml", "typing-extensions"),
    "pyyaml": (),
    "reportlab": ("pillow", "charset-normalizer"),
    "requests": ("certifi", "charset-normalizer", "idna"),
    "tabulate": (),
    "xlsxwriter": (),
}
"""What each package needs, or uses when it is there."""
_TESTED = "script"
"""What tests import of what they test."""
_FAMOUS = frozenset(
    (
        *("aiohttp", "attrs", "beautifulsoup4", "boto3", "botocore", "click", "cryptography"),
        *("django", "fastapi", "flask", "httpx", "matplotlib", "paramiko", "psycopg2", "pydantic"),
        *("pyjwt", "pymysql", "pytest", "python-dateutil", "redis", "rich", "s3transfer", "scipy"),
        *("setuptools", "six", "sqlalchemy", "tqdm", "urllib3", "wheel", "certifi", "tzdata"),
        *("charset-normalizer", "typing-extensions", *_BRINGS),
    )
)
"""Names that others like to be mistaken for."""
_LONG_NAME = 8
_SHORT_NAME = 4


def check(subject: Subject) -> Iterator[Finding]:
    """Yield what is wrong with the requirements by themselves, then against the imports."""
    for line in subject.draft.requirements:
        yield from _line(line, subject.standards.allowed)
    required = [_name(line) for line in subject.draft.requirements]
    wanted, tested = dict(_packages(subject.permitted)), dict(_packages(subject.scripts))
    yield from _missing(tested, required, set(subject.standards.allowed) & set(wanted))
    yield from _unused(set(wanted), required, set(tested))
    yield from _not_looked_up(subject)


def _not_looked_up(subject: Subject) -> Iterator[Finding]:
    """Say of which packages nobody has asked yet whether they exist: a review asks no index."""
    lines = [each for each in subject.draft.requirements if is_locked(each)]
    known = [each for each in lines if name_of(each) in subject.standards.allowed]
    if known:
        named = ", ".join(each.partition(" ")[0] for each in known)
        message = f"whether the index has {named} with these hashes was not looked up here"
        fix = "it is asked when their environment is built, and nothing runs without them"
        yield _finding("not-looked-up", "note", message, fix)


def _line(line: str, allowed: Collection[str]) -> Iterator[Finding]:
    if not is_locked(line):
        message = f"{line!a} is not locked: it could be another package tomorrow"
        fix = "write name==version --hash=sha256:...; check --lock does"
        yield _finding("unlocked", "blocker", message, fix)
    elif (name := name_of(line)) in PACKAGES:
        message = f"{name} is part of the sealed runtime"
        fix = "leave it out: scripts have the runtime's version"
        yield _finding("in-runtime", "blocker", message, fix)
    elif name in allowed:
        return
    elif near := _famous(name, {*allowed, *_FAMOUS}):
        message = f"{name} looks like {near}, and is another package"
        yield _finding("look-alike", "blocker", message, f"did you mean {near}?")
    else:
        message = (
            f"{name} is not among the packages that scripts may use, and whether there is such a "
            "package was not looked up"
        )
        fix = "do without it; a person can add it to requirements.allowed in the settings"
        yield _finding("not-allowed", "blocker", message, fix)


def _packages(scripts: Iterable[Script]) -> Iterator[tuple[str, str]]:
    """Yield package and module of each import that Python and the runtime do not have."""
    for script in scripts:
        for name, _ in imports_of(script.parsed.tree) if script.parsed.tree else ():
            top = name.partition(".")[0]
            if script.file == "tests" and top == _TESTED:
                continue
            if top and top not in RUNTIME and not is_standard(name):
                yield package_of(name), top


def _missing(
    wanted: dict[str, str], required: list[str], to_require: Collection[str]
) -> Iterator[Finding]:
    for package, module in wanted.items():
        if any(_may_bring(each, package) for each in required):
            continue
        unknown = [each for each in required if each not in _BRINGS and each not in wanted]
        message = f"{module} is imported, and no requirement brings it"
        fix = f"require {package}" if package in to_require else "do without it"
        yield _finding("missing", "warning" if unknown else "blocker", message, fix)


def _may_bring(required: str, package: str) -> bool:
    """Tell whether a package is the wanted one, by one of the names that those take."""
    parts = required.split("-")
    return package in (required, parts[0], parts[-1], required.removeprefix("py"))


def _unused(wanted: set[str], required: list[str], tested: set[str]) -> Iterator[Finding]:
    """Find what goes along with every run though only a rehearsal has a use for it, or nobody."""
    used = wanted & set(required)
    if not used <= set(_BRINGS) or wanted - used:
        return  # another one could bring along any of them
    reached: set[str] = set()
    while used - reached:
        reached |= used
        used = {each for name in reached for each in _BRINGS.get(name, ())}
    for name in required:
        if name not in reached and name not in PACKAGES:
            only = "only the tests import it" if name in tested else "nothing imports it"
            message = f"{name} is required, and {only}"
            yield _finding("unused", "warning", message, "leave it out")


def _name(line: str) -> str:
    return normal_name(re.split(r"[\s=<>!~\[@;]", line, maxsplit=1)[0])


def _famous(name: str, known: Collection[str]) -> str:
    """Return the known name that another one could be mistaken for; empty when there is none."""
    for each in sorted(known):
        most = 2 if len(each) >= _LONG_NAME else 1 if len(each) >= _SHORT_NAME else 0
        same_letters = name.replace("-", "") == each.replace("-", "")
        if name != each and (same_letters or 0 < _distance(name, each) <= most):
            return each
    return ""


def _distance(one: str, other: str) -> int:
    """Return how many letters must be changed, added, left out or swapped with their neighbour."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, above, row = row, before, [i]
        for j, wanted in enumerate(other, 1):
            least = min(before[j] + 1, row[-1] + 1, before[j - 1] + (letter != wanted))
            swapped = i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted
            row.append(min(least, above[j - 2] + 1) if swapped else least)
    return row[-1]


def _finding(rule: str, severity: Severity, message: str, fix: str) -> Finding:
    return Finding("requirements", rule, severity, None, message, fix, "requirements")
