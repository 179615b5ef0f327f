"""The engine that has bubblewrap put up the walls, for ordinary users.

The program is a distribution's own, looked at by many, and the only one that AppArmor lets make
user namespaces on Ubuntu. What it can't do is done before the script starts (see `builder` and
`sandbox.inside.threshold`); what nobody can do without rights, a limit for the number of files, is
told as `degraded`.

Never as root: to bubblewrap's script root's user id is root's, with all that /proc offers to it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from sandbox.engines.run import Walled
from sandbox.errors import LaunchFailed
from sandbox.job import Gateway, Job, JobEvent, Shape

PROGRAM = Path("/usr/bin/bwrap")
"""Never searched for: what lies in the operator's PATH could be anyone's."""


class Bubblewrap(Walled):
    """`Sandbox` by bubblewrap; use `choose` to learn whether this machine allows it."""

    engine = "bubblewrap"

    def __init__(self) -> None:
        super().__init__(bubblewrap=str(PROGRAM))
        self.degraded += ("a limit for the number of files that a script writes",)

    def prepare(self, shape: Shape, services: Sequence[str] = ()) -> None:
        """See `Sandbox.prepare`; does nothing where `run` would refuse."""
        if not why_not(PROGRAM, os.getresuid()):
            super().prepare(shape, services)

    def run(
        self, job: Job, gateway: Gateway | None, spec: bytes
    ) -> AbstractAsyncContextManager[AsyncIterator[JobEvent]]:
        """See `Sandbox.run`."""
        reason = why_not(PROGRAM, os.getresuid())
        if reason:
            raise LaunchFailed(reason)
        return super().run(job, gateway, spec)


def why_not(program: Path, user_ids: tuple[int, ...]) -> str:
    """Return why the program can't be trusted, or not by this user; empty when nothing is wrong.

    Its version is not asked: one older than 0.8 does not know an option that it is given, so it
    fails its trial run.
    """
    if 0 in user_ids:
        return "bubblewrap is never used by root"
    for path in (program, *program.parents):
        try:
            found = path.lstat()
        except OSError as error:
            return f"{path}: {error.strerror}"
        if found.st_uid != 0 or found.st_mode & 0o022:
            return f"{path} can be changed by others than root"
    found = program.lstat()
    if not stat.S_ISREG(found.st_mode):
        return f"{program} is not a plain file"
    if found.st_mode & (stat.S_ISUID | stat.S_ISGID):
        return f"{program} runs with rights of its own, which walls need not have"
    return ""
