"""Everything the sandbox raises.

SandboxError                 something about running a job; `hint` says what to do
├── NoEngine                 no engine passed its trial run on this machine
├── RuntimeUnusable          the sealed runtime can't be built or was tampered with
├── LaunchFailed             the walls could not be put up, or the listener never came
├── CollectFailed            the work folder held something that can't be taken out
└── GatewayLost              the gateway process is gone, or refused the run
Unidentified                 a request that is not exactly one known AWS operation
ValueError
└── Unanswered               a call was paid for, and no answer came
"""

from __future__ import annotations


class SandboxError(Exception):
    """A job can't be run. `str(error)` is one line for the operator, `hint` the way out."""

    hint = "run `countersign doctor` to see what this machine can do"

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        if hint is not None:
            self.hint = hint


class NoEngine(SandboxError):
    """No engine passed its trial run: nothing may run on this machine."""


class RuntimeUnusable(SandboxError):
    """The sealed runtime that scripts see is missing, incomplete or writable by others."""


class LaunchFailed(SandboxError):
    """The walls could not be put up, so the script was never started."""


class CollectFailed(SandboxError):
    """Something in the work folder can't be taken out safely."""

    hint = "the script must write plain files of ordinary size and name into /job/out"


class GatewayLost(SandboxError):
    """The gateway process is gone or refused the run; no AWS call can be made."""

    hint = "run the step again; if it keeps happening, `countersign doctor`"


class Unidentified(Exception):
    """A request that can't be read as exactly one known AWS operation; it is refused.

    `reason` is one sentence; `candidates` are what it could have meant ("service.Operation").
    """

    def __init__(self, reason: str, candidates: tuple[str, ...] = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.candidates = candidates


class Unanswered(ValueError):
    """A call without an answer, for which AWS may charge `cost` (micro-dollars, estimated)."""

    def __init__(self, message: str, cost: int) -> None:
        super().__init__(message)
        self.cost = cost
