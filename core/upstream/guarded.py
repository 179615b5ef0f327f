"""The upstream that guards the bill: a call that costs money is counted before it is sent.

What a call is estimated to cost is taken from the session's budget, and stays taken whatever comes
of it: AWS bills requests that fail too, and the error of one without an answer says how much that
is. A call that the budget does not cover is not sent.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from threading import Lock

from core.costs import Estimate, dollars
from sandbox.errors import Unanswered
from sandbox.job import AwsCall, Response, Upstream


class Purse:
    """What may still be spent, in micro-dollars; threads may share it."""

    def __init__(self, left: int, budget: int) -> None:
        """`budget` is what the whole session had, `left` what a run may still spend of it."""
        self._lock = Lock()
        self._left = left
        self.budget = budget

    @property
    def left(self) -> int:
        """What has not been taken yet."""
        return self._left

    def take(self, amount: int) -> bool:
        """Take `amount`, or nothing when there is less."""
        with self._lock:
            if amount > self._left:
                return False
            self._left -= amount
            return True


class Guarded:
    """Sends calls as long as the purse covers them; threads may share it."""

    def __init__(
        self, upstream: Upstream, purse: Purse, estimate: Callable[[AwsCall], Estimate]
    ) -> None:
        self._upstream = upstream
        self._purse = purse
        self._estimate = estimate

    def send(self, call: AwsCall) -> Response:
        """Return the answer with what it cost; raises ValueError, also when it costs too much."""
        expected = self._estimate(call)
        if not self._purse.take(expected.micro_dollars):
            raise ValueError(
                f"estimated {dollars(expected.micro_dollars)} for {call.service}.{call.operation} "
                f"({expected.why}); {dollars(max(0, self._purse.left))} of the session's AWS "
                f"budget of {dollars(self._purse.budget)} is left (budget.aws_cents)"
            )
        try:
            response = self._upstream.send(call)
        except ValueError as error:
            raise Unanswered(str(error), expected.micro_dollars) from error
        return replace(response, cost=response.cost + expected.micro_dollars)
