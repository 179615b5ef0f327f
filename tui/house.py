"""What home needs of the program around it: files, workflows, and ways to open sessions.

`tui/door.py` is the real one; a test has its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from core.sessions import Overview
from core.workflows.model import Workflow
from tui.seats import Seat


@dataclass(frozen=True, slots=True)
class Wish:
    """What a new session is to be."""

    question: str
    source: str
    """As after --aws."""
    mode: str
    profile: str = ""
    """Empty: the settings', then AWS's."""
    workflow: str = ""
    """Name of the saved workflow that it begins with; empty: the planner chooses."""


class House(Protocol):
    """The program around home."""

    @property
    def mode(self) -> str:
        """The mode of new sessions, by the settings."""
        ...

    @property
    def modes(self) -> tuple[str, ...]: ...

    @property
    def place(self) -> str:
        """Where session files lie, as a short text."""
        ...

    def now(self) -> int:
        """Return milliseconds since the epoch."""
        ...

    def sessions(self) -> tuple[Overview, ...]:
        """Return the session files, newest first; slow."""
        ...

    def workflows(self) -> tuple[Workflow, ...]:
        """Return the saved workflows; slow."""
        ...

    def sources(self) -> tuple[str, ...]:
        """Return what may stand after --aws, the usual first."""
        ...

    def verify(self, path: Path) -> str:
        """Return the verdict on a file in a line; slow."""
        ...

    def begin(self, wish: Wish) -> Seat:
        """Return a seat for a new session; raises UsageError."""
        ...

    def resume(self, session: str) -> Seat:
        """Return a seat that goes on with a session; raises UsageError."""
        ...

    def replay(self, session: str) -> Seat:
        """Return a seat that shows a recorded session; slow; raises JournalError."""
        ...
