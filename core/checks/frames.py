"""What the review's worker is asked and answers, as JSON; both ends are ours, and strict.

Bytes travel as base64. Nothing of it could run: a script is text on its way, in both directions.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from core.approval.draft import Draft
from core.checks.finding import Review
from core.checks.standards import Standards
from core.iam.lint import NO_CEILINGS, Ceilings
from core.strict import reader

if TYPE_CHECKING:
    from pydantic import TypeAdapter

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Asked:
    """A draft, and what to hold it to."""

    draft: Draft
    standards: Standards
    ceilings: Ceilings = NO_CEILINGS


@dataclass(frozen=True, slots=True)
class Answered:
    """Its review, or why this machine can't make one."""

    review: Review | None
    unfit: str = ""
    hint: str = ""


def write(value: Asked | Answered) -> bytes:
    """Return the payload of a frame."""
    written: bytes = _reader(type(value)).dump_json(value)
    return written


def read(form: type[Value], payload: bytes) -> Value:
    """Return what `write` wrote; raises ValueError on anything else."""
    value: Value = _reader(form).validate_json(payload)
    return value


def _reader(form: type) -> TypeAdapter[Any]:
    return reader(form, ser_json_bytes="base64", val_json_bytes="base64")
