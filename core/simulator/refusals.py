"""How a simulated call can fail: as AWS would refuse it, or because the simulator can't tell."""

from __future__ import annotations

NOT_IMPLEMENTED = "SimulatorNotImplemented"
"""Code of the error that says: this is a limit of the simulator, and not what AWS would answer."""


class AwsError(Exception):
    """What AWS itself would answer: a code and a message."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


class NotSimulated(Exception):
    """The simulator can't answer this truthfully; `what` names the part that it lacks."""

    def __init__(self, what: str = "") -> None:
        super().__init__(what)
        self.what = what
