"""What is wrong with a policy by itself, and what it is good for in the wrong hands.

Pure: a document in, remarks out, the same for whoever shows them. What the code calls plays no
part here (`core.iam.compare`), and nothing of this decides what may run: that is the judge's.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from core.iam.actions import CHANGE, NEVER, find, names, prefixes
from core.iam.dangers import CREDENTIALS, ESCALATIONS, EXFILTRATIONS, EXPOSURES, PASS_ROLE
from core.iam.document import Document, Statement
from core.iam.globs import UNKNOWN_PART, action_match, touches
from core.iam.session_policy import session_policy
from core.iam.table import load_table
from core.iam.tiers import tier_of_pattern
from sandbox.job import Json, Tier

_SHOWN = 4
_WILD = re.compile(r"[*?]")
_HOLE = re.compile(r"\{[^}]*\}")
_FORMS = {
    reader: form.replace("*", UNKNOWN_PART)
    for reader, form in {
        "bucket": "arn:*:s3:::*",
        "function": "arn:*:lambda:*:*:function:*",
        "key": "arn:*:kms:*:*:key/*",
        "queue": "arn:*:sqs:*:*:*",
        "secret": "arn:*:secretsmanager:*:*:secret:*",
        "source": "arn:*:s3:::*/*",
    }.items()
}
"""What readers of `core.iam.names` make whole ARNs of."""


@dataclass(frozen=True, slots=True)
class Remark:
    """One remark on a policy."""

    rule: str
    severity: Literal["blocker", "warning", "note"]
    message: str
    fix: str


@dataclass(frozen=True, slots=True)
class Ceilings:
    """The highest tiers that a run can reach: what is above them the gateway refuses."""

    now: Tier = CHANGE
    """In the mode in which the session is."""
    ever: Tier = CHANGE
    """In that account, whatever the mode and whoever approves."""


NO_CEILINGS = Ceilings()


def lint(document: Document, ceilings: Ceilings = NO_CEILINGS) -> Iterator[Remark]:
    """Say what is wrong with a policy. Raises MachineUnfit when the action table can't be read."""
    for problem in document.all_problems():
        yield Remark("malformed", "blocker", problem, "correct the policy's form")
    allows = [one for one in document.statements if one.effect == "Allow" and not one.problems]
    for statement in allows:
        yield from _inversions(statement)
        if not statement.actions.inverted:
            yield from _reach(statement)
            yield from _above(statement, ceilings)
            yield from _resources(statement)
    if not document.problems:
        yield from _dangers(allows)
        yield from _doubles(allows)


def lint_size(policy: Json) -> Iterator[Remark]:
    """Say whether AWS takes a well-formed policy for a session."""
    try:
        made = session_policy(policy)
    except ValueError as error:
        yield Remark("too-long", "warning", str(error), "join statements or shorten resources")
        return
    if made.told:
        yield Remark("too-long", "note", made.told, "join statements or shorten resources")


# ------------------------------------------------------------------ one statement
def _inversions(statement: Statement) -> Iterator[Remark]:
    for what, patterns in (("Action", statement.actions), ("Resource", statement.resources)):
        if patterns.inverted:
            yield Remark(
                f"not-{what.lower()}",
                "blocker",
                f"{statement.name} allows everything but what its Not{what} names",
                f"name what is needed with {what}",
            )


def _reach(statement: Statement) -> Iterator[Remark]:
    for pattern in statement.actions.values:
        tier, reason = tier_of_pattern(pattern)
        told = f"{statement.name}: {reason}"
        if tier == NEVER:
            yield Remark("never", "blocker", told, "remove it: nobody can approve it here")
        elif _WILD.search(pattern):
            whole = pattern.partition(":")[2] == "*" and tier >= CHANGE
            rule = "whole-service" if whole else "wildcard"
            fix = f"name the actions one by one{_examples(pattern)}"
            yield Remark(rule, "blocker" if whole else "warning", told, fix)
        elif find(pattern) is None:
            yield Remark("unknown-action", "warning", told, _suggestion(pattern))


def _above(statement: Statement, ceilings: Ceilings) -> Iterator[Remark]:
    """What the gateway would refuse, whatever the policy says."""
    for pattern in statement.actions.values:
        tier, _ = tier_of_pattern(pattern)
        told = f"{statement.name}: {pattern} is tier {tier}, above the ceiling of"
        if ceilings.ever < tier < NEVER:
            message = f"{told} {ceilings.ever} that the settings give this account"
            yield Remark("ceiling", "blocker", message, "do without it: nobody can approve it here")
        elif ceilings.now < tier < NEVER:
            message = f"{told} {ceilings.now} that this mode has"
            yield Remark("ceiling", "warning", message, "do without it, or go on in another mode")


def _examples(pattern: str) -> str:
    """Some of what a pattern with wildcards reaches, the worst first."""
    reached = [
        action
        for name in names(pattern.partition(":")[0])
        if action_match(pattern, name) and (action := find(name))
    ]
    worst = sorted(reached, key=lambda one: (-one.tier, one.name))[:_SHOWN]
    listed = ", ".join(one.name for one in worst)
    more = f", and {len(reached) - _SHOWN} more" if len(reached) > _SHOWN else ""
    return f"; it reaches {listed}{more}" if listed else ""


@lru_cache(maxsize=4096)
def _suggestion(pattern: str) -> str:
    written = pattern.partition(":")[0].lower()
    prefix = difflib.get_close_matches(written, sorted(prefixes()), n=1)
    near = difflib.get_close_matches(pattern, sorted(names(prefix[0])), n=1) if prefix else []
    return f"did you mean {near[0]}?" if near else "check its name"


def _resources(statement: Statement) -> Iterator[Remark]:
    """Actions on resources that they are never about."""
    if statement.resources.inverted or "*" in statement.resources.values:
        return
    for pattern in statement.actions.values:
        shapes = _shapes(pattern) if not _WILD.search(pattern) else ()
        resources = statement.resources.values
        if shapes and not any(touches(one, shape) for one in resources for shape in shapes):
            about = " or ".join(one.replace(UNKNOWN_PART, "*") for one in shapes[:2])
            message = f"{statement.name}: {pattern} is about {about}, and none of its resources is"
            fix = f"allow it on {about}"
            yield Remark("wrong-resource", "warning", message, fix)


@lru_cache(maxsize=1024)
def _shapes(action: str) -> tuple[str, ...]:
    """The forms of the ARNs that an action is about; "*" where it has no resources."""
    found: dict[str, None] = {}
    for templates in _templates().get(action.lower(), ()):
        for template in templates:
            whole = template == "*" or template.startswith(("arn:", "{"))
            prefix = action.partition(":")[0]
            start = "" if whole else f"arn:{UNKNOWN_PART}:{prefix}:{UNKNOWN_PART}:{UNKNOWN_PART}:"
            found[start + _HOLE.sub(_form, template)] = None
    return tuple(found)


def _form(hole: re.Match[str]) -> str:
    return _FORMS.get(hole[0].rpartition("!")[2].rstrip("}"), UNKNOWN_PART)


def limits(action: str) -> tuple[str, ...]:
    """The forms of the ARNs to which an action can be limited; empty where it can't be."""
    shapes = (one.replace(UNKNOWN_PART, "*") for one in _shapes(action))
    return tuple(one for one in shapes if one != "*")


@lru_cache(maxsize=1)
def _templates() -> dict[str, list[tuple[str, ...]]]:
    """Action, in lower case, to the resources of each operation that needs it."""
    found: dict[str, list[tuple[str, ...]]] = {}
    table = load_table()
    for service, rules in table.services.items():
        for row in rules["rows"]:
            for operation in row["operations"].split(" "):
                action = row.get("action", f"{table.prefix(service)}:{operation}")
                found.setdefault(action.lower(), []).append(tuple(row["on"]))
    return found


# ------------------------------------------------------------------ what it is good for
def _dangers(allows: Iterable[Statement]) -> Iterator[Remark]:
    """Classes of danger: becoming somebody else, opening, handing out, carrying away."""
    named = {
        pattern: one for one in allows if not one.actions.inverted for pattern in one.actions.values
    }
    for actions, told in ESCALATIONS:
        found = {action: _allowed(action, named) for action in actions}
        if all(found.values()):
            listed = " with ".join(sorted(actions, reverse=True))
            role = found.get(PASS_ROLE)
            alone = actions[0] if len(actions) == 1 else ""
            sure = alone.startswith("iam:") or (role and "*" in role.resources.values)
            yield _danger("escalation", "blocker" if sure else "warning", f"{listed} {told}")
    for told, group in _grouped(EXPOSURES, named):
        yield _danger("exposure", "warning", f"{_listed(group)} {told}")
    handing = [action for action in sorted(CREDENTIALS) if _allowed(action, named)]
    if handing:
        yield _danger("credentials", "warning", f"{_listed(handing)} can return credentials")
    for told, group in _grouped(EXFILTRATIONS, named, everywhere=True):
        message = f"{_listed(group)} on * can carry away {told}"
        yield _danger("exfiltration", "warning", message, group[0])


def _grouped(
    actions: Mapping[str, str], named: Mapping[str, Statement], *, everywhere: bool = False
) -> Iterator[tuple[str, list[str]]]:
    """What dangerous actions do, each with those that are allowed (`everywhere`: on all)."""
    groups: dict[str, list[str]] = {}
    for action, told in actions.items():
        statement = _allowed(action, named)
        if statement and (not everywhere or _is_everywhere(statement)):
            groups.setdefault(told, []).append(action)
    yield from groups.items()


def _is_everywhere(statement: Statement) -> bool:
    return "*" in statement.resources.values and not statement.condition


def _listed(actions: list[str]) -> str:
    more = f" and {len(actions) - _SHOWN} more" if len(actions) > _SHOWN else ""
    return ", ".join(actions[:_SHOWN]) + more


def _danger(
    rule: str, severity: Literal["blocker", "warning"], message: str, action: str = ""
) -> Remark:
    forms = limits(action) if action else ()
    fix = f"name the resources: {forms[0]}" if forms else "do without it, or say why it is needed"
    return Remark(rule, severity, message, fix)


def _allowed(action: str, named: Mapping[str, Statement]) -> Statement | None:
    """The statement that allows an action by name or by a wildcard of its service."""
    lower = action.lower()
    for pattern, statement in named.items():
        if pattern.lower() == lower:
            return statement
        if _WILD.search(pattern) and ":" in pattern and action_match(pattern, action):
            return statement
    return None


def _doubles(allows: list[Statement]) -> Iterator[Remark]:
    """Actions that are allowed twice on the same resources."""
    seen: dict[tuple[str, tuple[str, ...], str], str] = {}
    for statement in allows:
        where = (tuple(sorted(statement.resources.values)), repr(statement.condition))
        for pattern in statement.actions.values:
            key = (pattern.lower(), *where)
            if key in seen:
                message = f"{statement.name} allows {pattern} a second time, after {seen[key]}"
                yield Remark("double", "note", message, f"remove one {pattern}")
            seen.setdefault(key, statement.name)
