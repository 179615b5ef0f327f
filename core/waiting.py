"""What else can become of a draft or a request while it waits; a part of core/events.py.

The packages of a draft are fetched while somebody reads it, which can fail. A request that nobody
answers in time decides nothing: it is made anew. One that is handed over (in manual mode) is
answered with what a person brings back, and nothing of it was run or seen by us.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from sandbox.job import Sha


@dataclass(frozen=True, slots=True)
class PackagesMissing:
    """The packages of a draft can't be had on this machine: nothing of it can run."""

    kind: ClassVar = "packages.missing"
    step: str
    version: int
    reason: str


@dataclass(frozen=True, slots=True)
class RequestExpired:
    """A request stood too long: it decides nothing, and the same is asked anew."""

    kind: ClassVar = "request.expired"
    request: str


@dataclass(frozen=True, slots=True)
class ScriptHanded:
    """The script of a request lies in a folder, with all that a person needs to run it."""

    kind: ClassVar = "script.handed"
    request: str
    folder: str
    files: dict[str, Sha]
    """Name in the folder to the hash of what was written."""


@dataclass(frozen=True, slots=True)
class ResultTaken:
    """A person brought back what a script that was handed over has found."""

    kind: ClassVar = "result.taken"
    request: str
    digest: Sha
    identity: str
    surface: Literal["tui", "plain", "json", "flag", "command", "file", "none"]
    result: Sha | None
    """A result.json, in the form of docs/result.md."""
    text: Sha | None
    """Other text, as it was pasted and redacted."""
