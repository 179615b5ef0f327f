"""The upstream that answers from a recording: an AWS account as it was, without AWS.

A recording is a finished session; what it holds of AWS are the responses to the calls that were
made then. The same call (service, operation, region, parameters) gets them in their order, the last
one for ever; any other call gets the error `NotInRecording`. Requests are built all the same, so a
call that could not be sent live can't be answered here either.

It does not know which calls belong together: a script that changes something and looks again sees
what was seen then.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

from core.errors import JournalAltered, JournalError
from core.journal.chain import genesis, link
from core.journal.store import Reader, read
from core.upstream.same_call import Key, key_of
from sandbox.gateway.deny import S3, error
from sandbox.gateway.plain import plain
from sandbox.gateway.rebuild import Rebuilder
from sandbox.gateway.services import service_named
from sandbox.job import AwsCall, Response, Sha

_BROKEN = (ArithmeticError, AttributeError, KeyError, RecursionError, TypeError, ValueError)
"""What reading raises where a record is not what its form says."""
_MOST_SHOWN = 500


class Recorded:
    """Answers calls from a recording; threads may share it."""

    def __init__(self, answers: Mapping[Key, Sequence[Response]]) -> None:
        """Each key has one answer at least."""
        self._answers = {key: list(responses) for key, responses in answers.items()}
        self._rebuilder = Rebuilder()
        self._lock = Lock()
        self.sent = 0
        """Requests that were built and reached the recording, answered from it or not."""

    @classmethod
    def from_session(cls, path: Path, head: Sha) -> Recorded:
        """Read the session file at `path`, whose last hash must be `head`.

        Raises JournalAltered when it has another head or its chain does not hold, JournalError when
        it can't be read as a recording.
        """
        with read(path) as reader:
            if reader.head != head:
                raise JournalAltered(f"the recording {path} is not the approved one: other head")
            try:
                return cls(_answers(reader))
            except _BROKEN as broken:
                raise JournalError(f"the recording {path} can't be used: {broken!r}") from broken

    def send(self, call: AwsCall) -> Response:
        """Return the recorded answer. Raises ValueError when no request can be made of `call`."""
        return self._rebuilder.send(call, lambda _: self._answer(call))

    def _answer(self, call: AwsCall) -> Response:
        key = key_of(call.service, call.operation, call.region, call.parameters)
        with self._lock:
            self.sent += 1
            answers = self._answers.get(key)
            if answers is not None:
                return answers.pop(0) if len(answers) > 1 else answers[0]
        return _not_in_recording(call)


def _not_in_recording(call: AwsCall) -> Response:
    parameters = json.dumps(plain(call.parameters), sort_keys=True)
    if len(parameters) > _MOST_SHOWN:
        parameters = parameters[:_MOST_SHOWN] + "..."
    said = f"{call.service}.{call.operation} in {call.region} with {parameters}"
    dialect = S3 if call.service == "s3" else service_named(call.service).protocol
    return error(dialect, 400, "NotInRecording", f"{said} is not in the recording")


def _answers(reader: Reader) -> dict[Key, list[Response]]:
    """Return every answered call of a session; each link of its chain is checked on the way.

    An answer that was streamed and is not kept whole is none.
    """
    found: dict[Key, list[Response]] = {}
    head = genesis(reader.session)
    for seq, entry in enumerate(reader.entries(), 1):
        head = link(head, seq, entry.at, entry.kind, entry.text)
        if head != entry.hash:
            raise JournalAltered(f"event {seq} of {reader.path} is not what was recorded")
        event = json.loads(entry.text) if entry.kind == "aws.called" else {}
        whole = event.get("response") is not None and not event.get("dropped")
        if whole and event["verdict"] == "allowed":
            key = key_of(event["service"], event["operation"], event["region"], event["parameters"])
            found.setdefault(key, []).append(_response(event, reader.payload(event["response"])))
    if head != reader.head:
        raise JournalAltered(f"events are missing from {reader.path}")
    return found


def _response(event: Mapping[str, Any], body: bytes) -> Response:
    status, headers = int(event["status"]), dict(event["headers"])
    if not (200 <= status <= 599 and all(isinstance(value, str) for value in headers.values())):  # noqa: PLR2004 - the statuses that HTTP answers have
        raise ValueError(f"no HTTP answer has the status {status} and these headers")
    return Response(status, headers, body)
