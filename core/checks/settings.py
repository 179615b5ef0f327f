"""The `checks` section of the settings file, read strictly: what reviews hold drafts to.

Only whoever owns the settings sets it, never a draft. Two checks can't be left out: without
`syntax` nothing could be said about a script, and without `policy` nothing about what it may do.
Trade-off: the names of rules are not known here, only those of checks, so that a misspelt rule in
`severities` changes nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from core.checks.finding import Severity
from core.checks.standards import (
    FIXED,
    MOST_COMPLEXITY,
    MOST_QUALITY,
    NAMES,
    WIDEST_LINE,
    Gate,
    GateKind,
    Standards,
)
from core.config_values import pattern, sequence

KINDS: Mapping[str, GateKind] = {
    "pattern": "pattern",
    "call": "call",
    "import_": "import",
    "attribute": "attribute",
    "action": "action",
    "resource": "resource",
}
"""Fields of a gate, each with the key that it has in the file."""
GATE_KEYS = ("name", "severity", "message", *KINDS.values())
_RULE = re.compile(r"([a-z-]+)/[A-Za-z0-9-]+")


def _check(value: str) -> str:
    if value in FIXED:
        raise ValueError("can't be left out")
    if value not in NAMES:
        raise ValueError(f"must be one of {', '.join(each for each in NAMES if each not in FIXED)}")
    return value


def _rule(value: str) -> str:
    found = _RULE.fullmatch(value)
    if found is None or found[1] not in NAMES:
        raise ValueError("must be CHECK/RULE, such as lint/B006")
    if found[1] in FIXED:
        raise ValueError(f"what {found[1]} says can't be rated otherwise")
    return value


def _named(value: str) -> str:
    if re.fullmatch(r"[a-z][a-z0-9-]{0,39}", value) is None:
        raise ValueError("must be a name of small letters, digits and hyphens")
    return value


_Pattern = Annotated[str, Field(max_length=500), AfterValidator(pattern)]
_Name = Annotated[str, Field(min_length=1, max_length=200)]


class GateSettings(BaseModel):
    """One entry of `gates`."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    name: Annotated[str, AfterValidator(_named)]
    severity: Severity
    message: str = Field(min_length=1, max_length=200)
    pattern: _Pattern | None = None
    call: _Name | None = None
    import_: _Name | None = Field(default=None, alias="import")
    attribute: _Name | None = None
    action: _Name | None = None
    resource: _Name | None = None

    @model_validator(mode="after")
    def _looks_at_one_thing(self) -> GateSettings:
        if len(self._given()) != 1:
            raise ValueError(f"must have exactly one of {', '.join(KINDS.values())}")
        return self

    def _given(self) -> list[tuple[GateKind, str]]:
        found = ((kind, getattr(self, name)) for name, kind in KINDS.items())
        return [(kind, value) for kind, value in found if value is not None]

    def gate(self) -> Gate:
        """Return it as a review takes it."""
        ((kind, match),) = self._given()
        return Gate(self.name, self.severity, self.message, kind, match)


class CheckSettings(BaseModel):
    """`checks`: which are made, and from when on they speak."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    left_out: Annotated[
        tuple[Annotated[str, AfterValidator(_check)], ...], BeforeValidator(sequence)
    ] = ()
    widest_line: int = Field(default=WIDEST_LINE, ge=40, le=400)
    most_quality: int = Field(default=MOST_QUALITY, ge=0, le=1000)
    most_complexity: int = Field(default=MOST_COMPLEXITY, ge=1, le=100)
    severities: dict[Annotated[str, AfterValidator(_rule)], Severity] = Field(default_factory=dict)
    gates: Annotated[tuple[GateSettings, ...], BeforeValidator(sequence)] = ()

    def standards(self, allowed: tuple[str, ...]) -> Standards:
        """Return what a review takes; `allowed` are the packages that scripts may use."""
        values: dict[str, Any] = {name: getattr(self, name) for name in _SAME}
        gates = tuple(each.gate() for each in self.gates)
        return Standards(allowed=allowed, gates=gates, **values)


_SAME = ("left_out", "widest_line", "most_quality", "most_complexity", "severities")
