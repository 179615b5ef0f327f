"""The narrowest policy for the calls that code shows, as far as their parameters can be told.

Pure. Where a parameter is known, the resource is named; where it is not, the pattern has a `*` in
its place, and where that would leave nothing but a type the resource is `*`. Account and region are
`*`: whoever approves binds them by the target, not by the policy. A name that itself has a wildcard
in it is never put into a policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.iam.actions import lookup
from core.iam.document import VERSIONS
from core.iam.globs import UNKNOWN_PART
from core.iam.resources import Place, needs
from sandbox.job import Json

_PARTS_OF_AN_ARN = 6


@dataclass(frozen=True, slots=True)
class Shown:
    """A call as the code shows it."""

    service: str
    operation: str
    line: int
    parameters: Json
    """UNKNOWN_PART stands for what is not known."""


def resources_of(calls: Iterable[Shown], partition: str = "aws") -> dict[str, tuple[str, ...]]:
    """Return the IAM actions that calls need, each with the patterns of its resources, sorted.

    Raises MachineUnfit when the action table can't be read.
    """
    found: dict[str, set[str]] = {}
    for call in calls:
        action = lookup(call.service, call.operation)
        parameters = _plain(call.parameters)
        for need in needs(action, parameters, _place(action.name, parameters, partition)):
            if not need.action.free:
                patterns = found.setdefault(need.action.name, set())
                patterns |= {_pattern(spellings[0]) for spellings in need.resources}
    return {name: _fewest(patterns) for name, patterns in sorted(found.items())}


def propose(needed: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Return the policy that allows these actions on their resources, and nothing else."""
    groups: dict[tuple[str, ...], list[str]] = {}
    for action, resources in needed.items():
        groups.setdefault(resources, []).append(action)
    statements = [
        {"Effect": "Allow", "Action": actions, "Resource": _alone(resources)}
        for resources, actions in groups.items()
    ]
    statements.sort(key=lambda one: (one["Resource"] != "*", one["Action"]))
    return {"Version": VERSIONS[0], "Statement": statements}


def _place(action: str, parameters: Json, partition: str) -> Place:
    """Anywhere, or where an ARN among the parameters lies."""
    for value in parameters.values():
        parts = value.split(":", _PARTS_OF_AN_ARN - 1) if isinstance(value, str) else []
        is_arn = len(parts) == _PARTS_OF_AN_ARN and parts[0] == "arn"
        if is_arn and parts[2] == action.partition(":")[0] and UNKNOWN_PART not in value:
            return Place(parts[1], parts[3] or "*", parts[4] or "*")
    return Place(partition, "*", "*")


def _plain(value: Any) -> Any:
    """Parameters in which no text has a wildcard, which would mean more than itself in a policy."""
    if isinstance(value, str):
        return UNKNOWN_PART if "*" in value or "?" in value else value
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _pattern(resource: str) -> str:
    """The pattern of a resource; `*` where nothing of its name is known."""
    parts = resource.split(":", _PARTS_OF_AN_ARN - 1)
    if len(parts) < _PARTS_OF_AN_ARN or UNKNOWN_PART in "".join(parts[:3]):
        return "*"
    name = parts[5]
    known = name.replace(UNKNOWN_PART, "").strip(":/")
    kind = name.partition("/")[0] if "/" in name else name.partition(":")[0]
    nothing = UNKNOWN_PART in name and known in ("", kind)
    return "*" if nothing else resource.replace(UNKNOWN_PART, "*")


def _fewest(patterns: set[str]) -> tuple[str, ...]:
    return ("*",) if "*" in patterns else tuple(sorted(patterns))


def _alone(resources: tuple[str, ...]) -> str | list[str]:
    return resources[0] if len(resources) == 1 else list(resources)
