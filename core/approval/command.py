"""An approver that asks a program of the operator's: for chat, tickets, or a house rule in code.

The program gets the request as one line of JSON on stdin (core/approval/shown.py) and answers with
its exit status; what it prints is the comment, or an object with more (docs/approval.md). A status
that means nothing decides nothing. Its words about who decided are recorded as the surface
`command`, under the name of the user of this process: a program can say any name.
"""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from core.approval.approvers import Decision, yes
from core.approval.redeem import Payload
from core.approval.shown import text
from core.errors import NoApprover, UsageError
from core.events import DecisionRequested, Surface, Verb
from core.state import Session

VERBS: Final[Mapping[int, Verb]] = {0: "approve", 1: "reject", 2: "skip", 4: "stop"}
"""Exit status to decision; any other status means that nobody decided."""
_MOST_COMMENT = 2_000
_KEYS = frozenset({"comment", "confirm", "override_blockers"})


@dataclass(frozen=True, slots=True)
class FromCommand:
    """Asks a program once for each request."""

    command: tuple[str, ...]
    surface: Surface = "command"

    @classmethod
    def of(cls, line: str) -> FromCommand:
        """Return the approver of a command line, which no shell sees; raises UsageError."""
        try:
            command = tuple(shlex.split(line))
        except ValueError as error:
            raise UsageError(f"--approver: {error}") from error
        if not command:
            raise UsageError("--approver: name a program")
        return cls(command)

    async def __call__(
        self, request: DecisionRequested, session: Session, payload: Payload
    ) -> Decision:
        """Return what the program decides; raises NoApprover when it decides nothing."""
        status, printed = await self._run(text(request, session, payload))
        verb = VERBS.get(status)
        if verb is None:
            raise NoApprover(f"{self.command[0]} ended with status {status}, which decides nothing")
        said = _said(printed)
        comment = str(said.get("comment", "")).strip()[:_MOST_COMMENT]
        if verb != "approve":
            return Decision(verb, comment=comment)
        typed, over = str(said.get("confirm", "")), said.get("override_blockers") is True
        return replace(yes(request, session, typed=typed, over=over), comment=comment)

    async def _run(self, request: bytes) -> tuple[int, bytes]:
        try:
            process = await asyncio.create_subprocess_exec(
                *self.command, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
            )
        except OSError as error:
            raise NoApprover(f"{self.command[0]}: {error.strerror}") from error
        try:
            printed, _ = await process.communicate(request)
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
        return process.returncode or 0, printed


def _said(printed: bytes) -> Mapping[str, Any]:
    """Return what a program printed: an object of known keys, or a comment."""
    text = printed.decode("utf-8", errors="replace").strip()
    try:
        said = json.loads(text)
    except ValueError:
        return {"comment": text}
    return said if isinstance(said, dict) and set(said) <= _KEYS else {"comment": text}
