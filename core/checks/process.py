"""The handle on the review's worker: a process that is not the screen's, warm for the session.

It is started ahead of the first draft and answers one question at a time. A draft is reviewed
once: the same digest under the same standards and ceilings gets the review that is known. When the
process dies it is started anew, once for a question; when it dies again, or does not answer in
time, the draft is not reviewed, and so nothing can be asked about it: a check is never skipped.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from socket import AF_UNIX, SHUT_RDWR, SOCK_STREAM, socket, socketpair
from tempfile import TemporaryFile
from threading import Lock
from typing import IO

from core.approval.draft import Draft
from core.checks.finding import Review
from core.checks.frames import Answered, Asked, read, write
from core.checks.standards import Standards
from core.errors import MachineUnfit
from core.iam.lint import NO_CEILINGS, Ceilings
from sandbox.gateway.frames import receive_frame, send_frame
from sandbox.job import Sha

COMMAND = (sys.executable, "-I", "-m", "core.checks.worker")
_MOST_SECONDS = 60.0
_MOST_WORDS = 300
_A_MOMENT = 5.0
_MOST_KNOWN = 256
_HINT = (
    "nothing was approved and nothing runs; `countersign check` shows what the script does to it"
)


class ReviewProcess:
    """Reviews drafts in a process of its own; used from any thread. `close` it at the end."""

    def __init__(
        self,
        standards: Standards,
        command: Sequence[str] = COMMAND,
        most_seconds: float = _MOST_SECONDS,
    ) -> None:
        """`command` is given the number of its socket as one more argument."""
        self._standards = standards
        self._command = command
        self._most_seconds = most_seconds
        self._known: dict[tuple[Sha, Ceilings], Review] = {}
        self._asking = Lock()
        self._starting = Lock()
        self._child: _Child | None = None
        self._closed = False

    def prepare(self) -> None:
        """Start the process ahead of the first draft: a hint, never an error."""
        with suppress(MachineUnfit):
            self._running()

    def review(self, draft: Draft, *, ceilings: Ceilings = NO_CEILINGS) -> Review:
        """Return the review of a draft; blocks, so call it in a thread. Raises MachineUnfit."""
        key = (draft.digest(), ceilings)
        with self._asking:
            if key not in self._known:
                review = self._ask(Asked(draft, self._standards, ceilings))
                if len(self._known) >= _MOST_KNOWN:
                    self._known.clear()
                self._known[key] = review
            return self._known[key]

    def close(self) -> None:
        """End the process; a review that goes on in another thread ends with an error."""
        with self._starting:
            self._closed = True
            child, self._child = self._child, None
        if child is not None:
            child.end()

    def _ask(self, asked: Asked) -> Review:
        question = write(asked)
        words: list[str] = []
        for _ in range(2):
            child = self._running()
            try:
                payload = child.ask(question, self._most_seconds)
                answered = None if payload is None else read(Answered, payload)
            except TimeoutError as error:
                child.end()
                message = f"the review did not end within {self._most_seconds:g} s"
                raise MachineUnfit(message, hint=_HINT) from error
            except (OSError, ValueError):
                answered = None
            if answered and answered.review:
                return answered.review
            if answered:
                raise MachineUnfit(answered.unfit, hint=answered.hint)
            words.append(child.last_words())
        raise MachineUnfit(f"the review process died twice: {'; '.join(words)}", hint=_HINT)

    def _running(self) -> _Child:
        """Return a process that runs, started now if none does; raises MachineUnfit."""
        with self._starting:
            if self._closed:
                raise MachineUnfit("the session is being closed")
            if self._child is not None and not self._child.lives():
                self._child.end()
                self._child = None
            if self._child is None:
                try:
                    self._child = _started(self._command)
                except OSError as error:
                    message = f"the review process can't be started: {error}"
                    raise MachineUnfit(message, hint=_HINT) from error
            return self._child


@dataclass(frozen=True, slots=True)
class _Child:
    """One life of the worker."""

    process: subprocess.Popen[bytes]
    channel: socket
    complaints: IO[bytes]

    def lives(self) -> bool:
        return self.process.poll() is None

    def ask(self, question: bytes, seconds: float) -> bytes | None:
        """Return the answer, None when the process ended; raises OSError."""
        self.channel.settimeout(seconds)
        send_frame(self.channel, question)
        return receive_frame(self.channel)

    def last_words(self) -> str:
        """Return why the process is no longer there, and end it."""
        try:
            code = self.process.wait(_A_MOMENT)  # its socket closes a moment before
            how = f"signal {-code}" if code < 0 else f"exit code {code}"
        except subprocess.TimeoutExpired:
            how = "it broke off"
        with suppress(ValueError):  # closed already: the session is
            self.complaints.seek(0)
            last = self.complaints.read().strip().rpartition(b"\n")[2]
            how = last.decode("utf-8", "replace")[:_MOST_WORDS] or how
        self.end()
        return how

    def end(self) -> None:
        """Kill the process; may be called again."""
        self.process.kill()
        self.process.wait()
        with suppress(OSError):
            self.channel.shutdown(SHUT_RDWR)  # wakes whoever waits for an answer
        self.channel.close()
        self.complaints.close()


def _started(command: Sequence[str]) -> _Child:
    complaints = TemporaryFile()  # noqa: SIM115 - lives as long as the process
    ours, theirs = socketpair(AF_UNIX, SOCK_STREAM)
    with theirs:
        process = subprocess.Popen(
            [*command, str(theirs.fileno())],
            cwd="/",
            env={},
            pass_fds=[theirs.fileno()],
            start_new_session=True,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=complaints,
        )
    return _Child(process, ours, complaints)
