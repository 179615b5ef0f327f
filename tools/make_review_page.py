"""Makes the tables of docs/review.md: mistakes planted in the corpus, and who finds them.

Each mutant of `tools/mutate_scripts.py` is looked at by our checks of calls and policy, and by what
else there is for a script: ruff, bandit, and mypy with the stubs of boto3. A mutant counts as found
when something is said about it, a blocker or a warning, that is not said about its original. The
stubs go into an environment of their own, made for this run and thrown away (some 40 packages).
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

from core.approval.draft import Draft
from core.checks import policy
from core.checks.aws_calls import extract
from core.checks.review import review
from core.checks.subject import subject_of
from tools.mutate_scripts import Mutant, Original, mutants, originals

HOUSE = Path(__file__).parents[1]
PAGE = HOUSE / "docs" / "review.md"
BEGIN, END = "<!-- made by `make review` -->\n", "<!-- made by `make review`: end -->\n"
KINDS = (
    "rename an operation",
    "rename a parameter",
    "rename a key of an answer",
    "change a type",
    "drop a required parameter",
    "drop a paginator",
    "hide a call",
    "make a call that AWS bills",
    "allow everywhere what could be limited",
    "widen the policy",
)
_IN_THE_SCRIPT = 7
"""So many kinds come first: in the others the policy says too much as well."""
CHANGES = ("copy_evidence", "resume_consumer", "roll_back_service", "scale_out")
"""The scripts that change something."""
_RUFF = ("check", "--isolated", "--no-cache", "--select=E9,F,PLE,B", "--output-format=json")

_NOTES = ("could-limit", "price")
"""Rules whose notes count: they are never more than notes."""

Said = frozenset[tuple[str, str]]
"""Rules and messages, without the lines that they are about."""


def main() -> None:
    """Write the tables into the page."""
    goods = list(originals())
    planted = [mutant for original in goods for mutant in mutants(original)]
    found = {
        "this review": ours(goods, planted),
        "ruff": theirs(goods, planted, ruff),
        "bandit": theirs(goods, planted, bandit),
        "mypy with boto3-stubs": theirs(goods, planted, mypy),
    }
    made = [*figures(goods), "", *table(planted, found), ""]
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    _, after = rest.split(END)
    lines = "".join(f"{line}\n" for line in made)
    PAGE.write_text(f"{before}{BEGIN}\n{lines}{END}{after}", encoding="utf-8")
    print("\n".join(made))


# ------------------------------------------------------------------ ours
def draft_of(name: str, script: str, rules: Mapping[str, Any]) -> Draft:
    """Return a script of the corpus as a draft."""
    changes = name in CHANGES
    return Draft(
        step="S1",
        version=1,
        author="file",
        kind="change" if changes else "collect",
        language="python",
        script=script.encode(),
        requirements=(),
        policy=rules,
        rollback=b"print(1)\n" if changes else None,
        post_check=b"print(1)\n" if changes else None,
        parameters={},
        inputs=(),
    )


def said(name: str, script: str, rules: Mapping[str, Any]) -> Said:
    """What the checks of calls and policy say of a script, most notes left out."""
    subject = subject_of(draft_of(name, script, rules))
    told = [*subject.scripts[0].extraction.findings, *policy.check(subject)]
    return frozenset(
        (one.rule, one.message) for one in told if one.severity != "note" or one.rule in _NOTES
    )


def ours(goods: Iterable[Original], planted: Iterable[Mutant]) -> Counter[str]:
    """Count the mutants that our checks find, by kind."""
    known = {one.name: said(one.name, one.script, one.policy) for one in goods}
    found: Counter[str] = Counter()
    for mutant in planted:
        name = mutant.original.name
        if said(name, mutant.script, mutant.policy) - known[name]:
            found[mutant.kind] += 1
        else:
            print(f"not found: {name}, {mutant.kind}, {mutant.what}", file=sys.stderr)
    return found


def figures(goods: list[Original]) -> Iterator[str]:
    """The good scripts: call sites, false alarms and time."""
    calls = unresolved = blockers = warnings = 0
    for one in goods:
        told = review(draft_of(one.name, one.script, one.policy))
        calls += len(told.calls)
        unresolved += told.unresolved
        blockers += len(told.blockers)
        warnings += sum(
            finding.severity == "warning" and finding.source in ("aws-calls", "policy")
            for finding in told.findings
        )
    adapted = sum("aws-doc-sdk-examples" in one.script for one in goods)
    times = [_milliseconds(one.script) for one in goods]
    yield "| the good scripts | |"
    yield "|---|---:|"
    yield f"| scripts | {len(goods)} |"
    yield f"| of them written after published ones | {adapted} |"
    yield f"| call sites | {calls + unresolved} |"
    yield f"| of them resolved | {100 * calls / (calls + unresolved):.1f} % |"
    yield f"| blockers, of all checks | {blockers} |"
    yield f"| warnings about calls and policy | {warnings} |"
    yield f"| milliseconds to read the calls, models loaded: median | {median(times):.0f} |"
    yield f"| the slowest | {max(times):.0f} |"


def _milliseconds(script: str) -> float:
    extract(ast.parse(script))
    before = process_time()
    extract(ast.parse(script))
    return 1000 * (process_time() - before)


# ------------------------------------------------------------------ the others
@dataclass(frozen=True, slots=True)
class Message:
    """Something that a tool says of a file."""

    file: str
    rule: str
    text: str


Tool = Callable[[Path], Iterable[Message]]


def theirs(goods: list[Original], planted: list[Mutant], tool: Tool) -> Counter[str]:
    """Count the mutants that another tool finds, by kind."""
    with tempfile.TemporaryDirectory(prefix="countersign-") as place:
        folder = Path(place)
        for one in goods:
            # Mutants are written by Python's own printer, so their originals are as well.
            source = ast.unparse(ast.parse(one.script))
            (folder / f"{one.name}.py").write_text(source + "\n")
        for number, mutant in enumerate(planted):
            (folder / f"mutant_{number}.py").write_text(mutant.script)
        told: dict[str, set[tuple[str, str]]] = {}
        for message in tool(folder):
            told.setdefault(message.file, set()).add((message.rule, message.text))
    found: Counter[str] = Counter()
    for number, mutant in enumerate(planted):
        known = told.get(mutant.original.name, set())
        if told.get(f"mutant_{number}", set()) - known and mutant.kind != KINDS[-1]:
            found[mutant.kind] += 1
    return found


def ruff(folder: Path) -> Iterator[Message]:
    """What ruff says, by the rules of our own check."""
    told = _run(sys.executable, "-m", "ruff", *_RUFF, "--exit-zero", str(folder))
    for one in json.loads(told):
        yield Message(Path(one["filename"]).stem, one["code"] or "", one["message"])


def bandit(folder: Path) -> Iterator[Message]:
    """What bandit says, whatever the severity."""
    told = _run(sys.executable, "-m", "bandit", "-q", "-r", "-f", "json", str(folder))
    for one in json.loads(told)["results"]:
        yield Message(Path(one["filename"]).stem, one["test_id"], one["issue_text"])


def mypy(folder: Path) -> Iterator[Message]:
    """What mypy says with the stubs of the services that the corpus uses."""
    services = sorted({service for each in folder.glob("*.py") for service in _services(each)})
    with tempfile.TemporaryDirectory(prefix="countersign-stubs-") as place:
        _run(sys.executable, "-m", "venv", place)
        python = str(Path(place, "bin", "python"))
        wanted = f"boto3-stubs[{','.join(services)}]"
        pip = ("-m", "pip", "install", "-q", "--disable-pip-version-check")
        _run(python, *pip, f"mypy=={version('mypy')}", wanted)
        options = ("--check-untyped-defs", "--no-error-summary", "--cache-dir=/dev/null")
        told = _run(python, "-m", "mypy", *options, str(folder))
    for line in told.splitlines():
        found = re.fullmatch(r".*?([\w]+)\.py:\d+: error: (.*?)(?:  \[([\w-]+)\])?", line)
        if found:
            yield Message(found[1], found[3] or "", found[2])


def _services(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
            if name in ("client", "resource") and isinstance(node.args[0].value, str):
                yield node.args[0].value


def _run(*command: str) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode not in (0, 1):
        sys.exit(f"{command[:4]}: {ended.stderr}")
    return ended.stdout


# ------------------------------------------------------------------ the table
def table(planted: list[Mutant], found: Mapping[str, Counter[str]]) -> Iterator[str]:
    """The mutants by kind, and how many of them each tool finds."""
    number = Counter(mutant.kind for mutant in planted)
    yield f"| mistake | planted | {' | '.join(found)} |"
    yield f"|---|---:|{'---:|' * len(found)}"
    for kind in KINDS:
        cells = " | ".join(str(each[kind]) for each in found.values())
        yield f"| {kind} | {number[kind]} | {cells} |"
    for what, kinds in (("all in the script", KINDS[:_IN_THE_SCRIPT]), ("all", KINDS)):
        total = sum(number[kind] for kind in kinds)
        each = [100 * sum(one[kind] for kind in kinds) / total for one in found.values()]
        yield f"| {what} | {total} | {' | '.join(f'{share:.1f} %' for share in each)} |"


if __name__ == "__main__":
    main()
