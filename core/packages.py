"""Packages for scripts: which a coder may name, and where they come from.

A model can't know hashes, so what it names is locked before its draft is put on record, and the
digest binds exact files. What an operator or a workflow brings is taken as it is: a digest can be
told without a network, and nothing that was written down is changed on the way.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from core.config import Settings
from sandbox.errors import RuntimeUnusable
from sandbox.packages import Index, variables_of

Lock = Callable[[Iterable[str]], Awaitable[tuple[str, ...]]]
"""Returns locked lines for names, sorted; raises RuntimeUnusable. See `sandbox.packages.Index`."""


async def _refuse(wanted: Iterable[str]) -> tuple[str, ...]:
    if any(True for _ in wanted):
        raise RuntimeUnusable("scripts get no packages here: do without")
    return ()


@dataclass(frozen=True, slots=True)
class Packages:
    """What a coder may have."""

    allowed: tuple[str, ...]
    """Normal names."""
    lock: Lock


NONE = Packages((), _refuse)


def packages_of(settings: Settings) -> Packages:
    """Return what the settings allow."""
    return Packages(settings.requirements.allowed, index_of(settings).lock)


def index_of(settings: Settings) -> Index:
    """Return the operator's index; what comes from it is kept in the data directory."""
    return Index(settings.data_directory / "packages", variables_of(os.environ))
