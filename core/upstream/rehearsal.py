"""The upstream that answers anything, from the shape of its answer: nobody's account, no AWS.

What it is for: a script is run once before it touches anything, and shows whether it comes to its
end and reads what a service really answers. A member that no answer has raises KeyError here and
not at night. It proves nothing about what the account holds. Requests are built all the same, so a
call that could not be sent live can't be answered here either.

Answers are invented by `core.upstream.invented` and written by `core.upstream.written`.
"""

from __future__ import annotations

from core.upstream.cells import led_back
from sandbox.gateway.rebuild import Rebuilder
from sandbox.gateway.shapes import operation_model
from sandbox.job import AwsCall, Response


class Rehearsal:
    """Answers calls with what it makes up; threads may share it."""

    def __init__(self, partition: str, account: str) -> None:
        """`account` is the one that answers speak of."""
        self._partition = partition
        self._account = account
        self._rebuilder = Rebuilder()

    def send(self, call: AwsCall) -> Response:
        """Return an answer of success. Raises ValueError when no request can be made of `call`."""
        return led_back(call, self._rebuilder.send(call, lambda _: self._answer(call)))

    def _answer(self, call: AwsCall) -> Response:
        from core.upstream.invented import invented
        from core.upstream.written import written

        operation = operation_model(call.service, call.operation)
        return written(operation, invented(operation, call, self._partition, self._account))
