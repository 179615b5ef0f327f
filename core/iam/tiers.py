"""How dangerous a policy is: the highest tier of any action that it can allow.

0 no AWS access; 1 metadata reads; 2 content and billed reads; 3 reads that return secrets or
credentials, or have side effects; 4 changes; 5 never. Only Allow statements count: a Deny, a
resource or a condition makes a policy narrower, never its tier lower.

`ec2:Describe*` is as dangerous as the worst action that it reaches in the table of all of AWS's
actions. That holds only where the pattern spells a verb of reading (`_EXPANDED`) and its wildcard
stands behind it; any other wildcard is a change at least. AWS may have actions that are newer than
the table: the judge refuses those unless the policy names them (`core.iam.judge`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from core.iam.actions import CHANGE, NEVER, find, meaning, rated
from core.iam.document import Document, Statement, parse
from core.iam.globs import action_match
from core.iam.table import Rating
from sandbox.job import Json, Tier

_EXPANDED = re.compile(r"[\w-]+:(?:describe|list|get)[\w*?]*", re.ASCII | re.IGNORECASE)

_Rated = tuple[Tier, str]


def tier_of_policy(policy: Json) -> tuple[Tier, tuple[str, ...]]:
    """Return the tier and the sentences that explain it, each once, in the policy's order.

    A malformed policy is tier 5: what it allows can't be told. Raises MachineUnfit.
    """
    rated = list(_rate(parse(policy)))
    tier: Tier = max((one for one, _ in rated), default=0)
    return tier, tuple(dict.fromkeys(reason for one, reason in rated if one == tier))


@lru_cache(maxsize=4096)
def tier_of_pattern(pattern: str) -> tuple[Tier, str]:
    """Return the tier of one action pattern of an Allow, and why. Raises MachineUnfit."""
    if "*" not in pattern and "?" not in pattern:
        action = find(pattern)
        if action is None:
            return CHANGE, f"{pattern} is not in the action table, so it counts as a change"
        return action.tier, f"{action.name} is tier {action.tier} ({action.reason})"
    if any(wildcard in pattern.partition(":")[0] for wildcard in "*?"):
        return NEVER, f"{pattern} reaches every service, and so actions that are never allowed"
    return _tier_of_reach(pattern)


def _tier_of_reach(pattern: str) -> _Rated:
    """The tier of a pattern with wildcards, of one service."""
    reached = [one for one in rated(pattern.partition(":")[0]) if action_match(pattern, one[0])]
    if not reached:
        return CHANGE, (
            f"{pattern} reaches nothing that is in the action table, so it counts as a change"
        )
    name, worst = max(reached, key=lambda named: (named[1].tier, bool(named[1].why)))
    if worst.tier == NEVER:
        return NEVER, f"{pattern} reaches {name}, which is never allowed ({meaning(worst)})"
    told = f"{pattern} reaches {_actions(reached)}, at worst {name}"
    if worst.tier >= CHANGE or _EXPANDED.fullmatch(pattern):
        return worst.tier, f"{told}: tier {worst.tier} ({meaning(worst)})"
    return CHANGE, (
        f"{told}, and may reach changes that AWS adds, so it counts as a change; "
        "name the actions one by one"
    )


def _actions(reached: list[tuple[str, Rating]]) -> str:
    return "1 action" if len(reached) == 1 else f"{len(reached)} actions"


def _rate(document: Document) -> Iterator[_Rated]:
    for problem in document.all_problems():
        yield NEVER, f"what the policy allows can't be told: {problem}"
    for statement in document.statements:
        if statement.effect == "Allow" and not statement.problems:
            yield from _rate_allow(statement)


def _rate_allow(statement: Statement) -> Iterator[_Rated]:
    if statement.actions.inverted:
        yield NEVER, f"{statement.name} allows everything but what NotAction names"
        return
    for pattern in statement.actions.values:
        yield tier_of_pattern(pattern)
