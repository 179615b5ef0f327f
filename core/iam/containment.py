"""Is everything that a policy can allow within a grant? Containment, and unknown means no.

Each pattern of each Allow must lie within one permission of the grant, action and resource
together. Conditions and Deny statements only make a policy narrower, so they are not looked at; a
policy that can't be understood, that allows by exception (NotAction, NotResource) or by a policy
variable is never covered. The comparison errs towards no: two patterns that mean the same and are
written differently may not be seen as the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.iam.document import Statement, parse
from core.iam.globs import SIGNS, UNKNOWN_PART
from core.iam.globs import covers as matches_all_of
from sandbox.job import Json


@dataclass(frozen=True, slots=True)
class Permission:
    """Actions that are allowed on resources, as patterns in IAM's form."""

    actions: tuple[str, ...]
    resources: tuple[str, ...]


class Granting(Protocol):
    """Whatever allows something in the form of permissions."""

    @property
    def permissions(self) -> Sequence[Permission]: ...


def covers(grant: Granting, policy: Json) -> bool:
    """Tell whether the grant surely allows all that `policy` does; pure."""
    document = parse(policy)
    if document.all_problems():
        return False
    allows = [one for one in document.statements if one.effect == "Allow"]
    return all(_within(grant.permissions, statement) for statement in allows)


def permissions_of(policy: Json) -> tuple[Permission, ...] | None:
    """Return what a policy allows, exactly; None where permissions can't say just that.

    They can't where a policy has conditions, exceptions, variables, or denies something.
    """
    document = parse(policy)
    if document.all_problems():
        return None
    if not all(_is_plain(statement) for statement in document.statements):
        return None
    return tuple(
        Permission(statement.actions.values, statement.resources.values)
        for statement in document.statements
    )


def as_policy(permissions: Sequence[Permission]) -> Json:
    """Return the policy document that allows exactly these permissions."""
    statements = [
        {"Effect": "Allow", "Action": list(one.actions), "Resource": list(one.resources)}
        for one in permissions
    ]
    return {"Version": "2012-10-17", "Statement": statements}


def _is_plain(statement: Statement) -> bool:
    inverted = statement.actions.inverted or statement.resources.inverted
    variables = any("${" in one for one in statement.resources.values)
    return statement.effect == "Allow" and not (inverted or variables or statement.condition)


def _within(permissions: Sequence[Permission], statement: Statement) -> bool:
    if statement.actions.inverted or statement.resources.inverted:
        return False
    return all(
        any(_allows(one, action, resource) for one in permissions)
        for action in statement.actions.values
        for resource in statement.resources.values
    )


def _allows(permission: Permission, action: str, resource: str) -> bool:
    lower = action.lower()
    return any(_contains(wide.lower(), lower) for wide in permission.actions) and any(
        _contains(wide, resource) for wide in permission.resources
    )


def _contains(wide: str, narrow: str) -> bool:
    """Tell whether `wide` surely matches all that `narrow` does.

    A `?` in the narrow one is read as a character that only a wildcard matches, since no pattern
    can name it.
    """
    if "${" in wide + narrow or not SIGNS.isdisjoint(wide + narrow):
        return False
    return matches_all_of(wide, narrow.replace("*", UNKNOWN_PART))
