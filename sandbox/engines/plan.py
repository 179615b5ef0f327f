"""What the launcher is told: one message, plain JSON, no secrets and nothing of the script.

A NamedTuple rather than a dataclass, because the launcher starts anew for every run and importing
dataclasses would make up a fifth of its start.
"""

from __future__ import annotations

from typing import NamedTuple

PORT = 3128
"""Where the gateway is found inside; the network namespace is empty, so no choice is needed."""
INSIDE_ID = 1000
"""User and group inside when the walls are put up by an ordinary user."""
PYTHON = "/runtime/python/bin/python3"
MOST_MESSAGE = 64 * 1024
"""Bytes of the longest message on the control socket."""
STOP_SECONDS = 1.0
"""What a script that is asked to end (SIGTERM) has for cleaning up before it is killed."""


class Plan(NamedTuple):
    """Everything that decides what the walls look like."""

    runtime: str
    """The sealed runtime on the host, with every link resolved."""
    arguments: list[str]
    """What is executed inside, program first."""
    environment: dict[str, str]
    """The environment that the interpreter starts in; the job's own variables come with GO."""
    listen: bool
    """Whether a listener for the gateway is made and handed out."""
    wall_ms: int
    cpu_s: int
    memory_bytes: int
    processes: int
    descriptors: int
    work_bytes: int
    files: int
    """Of /job; bubblewrap can't limit them."""
    bubblewrap: str = ""
    """The bubblewrap program that puts up the walls; empty when the launcher does."""
