"""Runs in a simulated account: one simulator that they share, and copies of it to rehearse in.

A simulator is started at the first run that needs it and stays, so that all runs of a session share
one world. A change is rehearsed in a copy of that world as earlier runs left it; the copy ends
before the next rehearsal begins.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from threading import Lock

from core.upstream.practised import Practised
from core.upstream.rehearsal import Rehearsal
from core.upstream.simulated import Simulated
from sandbox.job import AwsCall, Sha

_STARTING = Lock()
"""Runs are opened in threads of their own: one simulator is enough."""


def world(path: str, digest: Sha) -> Simulated:
    """Return the account of the world file at `path`, as earlier runs left it."""
    with _STARTING:
        return _simulated(path, digest)


def copy_of_world(path: str, digest: Sha, rehearsal: Rehearsal) -> Practised:
    """Return a copy of the account as earlier runs left it; the copy before it ends."""
    return _PRACTICE.begin(path, digest, rehearsal)


@lru_cache(maxsize=1)
def _simulated(path: str, digest: Sha) -> Simulated:
    return Simulated(Path(path), digest, _changes(path, digest))


@lru_cache(maxsize=1)
def _changes(*_world: str) -> list[AwsCall]:
    """Return what the session's runs changed in a simulated account so far, or tried to."""
    return []


class _Practice:
    """At most one copy of a simulated account, for the rehearsal that goes on."""

    def __init__(self) -> None:
        self._latest: Practised | None = None

    def begin(self, path: str, digest: Sha, rehearsal: Rehearsal) -> Practised:
        """Return a fresh copy that is led to where the account is; the one before it ends."""
        if self._latest is not None:
            self._latest.close()
        copy = Simulated(Path(path), digest)
        copy.catch_up(tuple(_changes(path, digest)))
        self._latest = Practised(copy, rehearsal)
        return self._latest


_PRACTICE = _Practice()
