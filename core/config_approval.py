"""The settings about consent: how requests are put, and what holds in which account.

A part of core/config.py; what they mean is in docs/approval.md.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from core.approval.house import Rehearse
from core.approval.modes import MODES, Mode
from core.config_values import Section, file, sequence, whole_number


def _modes(value: tuple[Mode, ...]) -> tuple[Mode, ...]:
    if not {"guided", "manual"} & set(value):
        raise ValueError("must have guided or manual, which a session can fall back to")
    return value


class Account(Section):
    """`accounts.NAME`: what holds in one account, by its number or alias."""

    label: str = Field(default="", max_length=40)
    production: bool = False
    ceiling: Annotated[Literal[0, 1, 2, 3, 4], BeforeValidator(whole_number)] = 4
    """The highest tier that runs there, whoever approves it."""
    modes: Annotated[tuple[Mode, ...], BeforeValidator(sequence), AfterValidator(_modes)] = MODES


class Approval(Section):
    """`approval`: how requests are put."""

    rehearse: Rehearse = "change"
    minutes: int = Field(default=60, ge=0, le=10_080)
    """How long a request stands before it is made anew; 0 = until it is answered."""
    second_person: bool = False
    allowed_signers: Annotated[Path | None, BeforeValidator(file)] = None
    """Keys of those who may decide by a signed file, in the form of ssh-keygen."""
