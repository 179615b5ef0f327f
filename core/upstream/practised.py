"""The upstream of a change that is rehearsed in a simulated account: a copy of its world.

The copy begins as the session's earlier runs left the account: what changed it is done again, from
the world file on. It is nobody else's, and is gone after the rehearsal, so what the change does
there is seen by no run. What the simulator can't tell is made up from its shape, as in any other
rehearsal. Which calls may be made is the judge's matter, and not settled here.
"""

from __future__ import annotations

from core.simulator.refusals import NOT_IMPLEMENTED
from core.upstream.rehearsal import Rehearsal
from core.upstream.simulated import Simulated
from sandbox.job import AwsCall, Response

_SAYS_SO = NOT_IMPLEMENTED.encode("ascii")


class Practised:
    """Answers from a copy of a simulated account, and makes up what that can't tell."""

    def __init__(self, copy: Simulated, rehearsal: Rehearsal) -> None:
        """Take a copy that only this rehearsal uses; `close` ends it."""
        self._copy = copy
        self._rehearsal = rehearsal

    def send(self, call: AwsCall) -> Response:
        """Return an answer; raises ValueError when no request can be made of `call`."""
        response = self._copy.send(call)
        return self._rehearsal.send(call) if _SAYS_SO in response.body else response

    def close(self) -> None:
        """End the copy; may be called again."""
        self._copy.close()
