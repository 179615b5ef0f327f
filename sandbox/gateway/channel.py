"""The gateway's end of a run's channel: tells what happens, and waits until an intent is on disk.

Out go the events of the run, in comes nothing but acknowledgements: the number of a call that may
be sent now, since its intent is durable. Whatever else comes in ends the run. So does a frame that
can't be handed over: nothing may be forwarded that nobody records.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from socket import SHUT_RD, socket
from threading import Event, Lock

from sandbox.gateway.frames import (
    ACKNOWLEDGEMENT,
    receive_exactly,
    send_frame,
    write_called,
    write_intended,
)
from sandbox.gateway.sensitive import sensitive_parameters
from sandbox.job import AwsCall, Called, Verdict

INTENT_SECONDS = 30.0
"""How long a call waits for its intent to be on disk."""


class Channel:
    """The channel of one run that was opened; threads share it."""

    def __init__(self, peer: socket, patience_s: float = INTENT_SECONDS) -> None:
        """Whoever sends on `peer` must not wait for ever: it has a time limit for sending."""
        self._peer = peer
        self._patience_s = patience_s
        self._telling = Lock()
        self._mute = False
        self._lock = Lock()
        self._waiting: dict[int, Event] = {}
        self._over = False

    def tell(self, called: Called) -> None:
        """Hand over a call that was answered; raises OSError when nobody listens any more."""
        self._send(write_called(_with_secrets(called)))

    def intend(self, number: int, call: AwsCall, verdict: Verdict) -> None:
        """Return when the intent of a call is on disk; raises OSError when it is not.

        Raises ValueError when what is secret in the call can't be kept out of the record.
        """
        payload = write_intended(number, call, verdict, sensitive_parameters(call))
        acknowledged = Event()
        with self._lock:
            if self._over:
                raise BrokenPipeError("the run has ended")
            self._waiting[number] = acknowledged
        self._send(payload)
        in_time = acknowledged.wait(self._patience_s)
        if self._over:
            raise BrokenPipeError("the run has ended")
        if not in_time:
            raise TimeoutError(f"nobody put it there within {self._patience_s:g} s")

    def listen(self) -> None:
        """Take in acknowledgements; return at the end, or at anything that is none."""
        with suppress(OSError):
            while (data := receive_exactly(self._peer, ACKNOWLEDGEMENT.size)) is not None:
                (number,) = ACKNOWLEDGEMENT.unpack(data)
                with self._lock:
                    acknowledged = self._waiting.pop(number, None)
                if acknowledged is None:
                    return
                acknowledged.set()

    def stop(self) -> None:
        """Make `listen` return, from any thread."""
        with suppress(OSError):
            self._peer.shutdown(SHUT_RD)

    def end(self) -> None:
        """Send no call that still waits, nor any later one."""
        with self._lock:
            self._over = True
            waiting = list(self._waiting.values())
        for acknowledged in waiting:
            acknowledged.set()

    def _send(self, payload: bytes) -> None:
        with self._telling:
            if self._mute:
                raise BrokenPipeError("an earlier event could not be told")
            self._mute = True
            send_frame(self._peer, payload)
            self._mute = False


def _with_secrets(called: Called) -> Called:
    """Return a call with what is secret in it where no answer tells, or without its parameters."""
    if called.call is None or called.response is not None:
        return called
    try:
        return replace(called, sensitive=sensitive_parameters(called.call))
    except ValueError as error:
        call = replace(called.call, parameters={})
        reason = f"{called.verdict.reason}; its parameters are not recorded: {error}"
        return replace(called, call=call, verdict=replace(called.verdict, reason=reason))
