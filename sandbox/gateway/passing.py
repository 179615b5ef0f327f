"""An answer that is not held in memory, on its way from an upstream to a script.

Its pieces pass as they come; the first MOST_KEPT bytes are kept for the record and the rest is
counted. However it ends - wholly, broken off, cut off at the run's limit, or with the run - what is
to be told of it stands fixed from then on.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from threading import Lock

from sandbox.job import Response

MOST_KEPT = 1024 * 1024

UNREAD = "the script did not read the answer to its end"


class Passing:
    """An iterator over the bytes of `Response.stream`; one thread reads it, any may end it."""

    def __init__(self, response: Response, fits: Callable[[int], bool], limit: str) -> None:
        """`fits` says whether so many bytes more may be handed over; `limit` why they may not."""
        if response.stream is None:
            raise ValueError("the answer has no stream")
        self._stream = response.stream
        self._response = replace(response, stream=None)
        self._fits = fits
        self._limit = limit
        self._kept = bytearray(response.body[:MOST_KEPT])
        self._dropped = len(response.body) - len(self._kept)
        self._lock = Lock()
        self._ended = False
        self.problem = UNREAD
        """Why not all of the answer was handed over; empty when it was."""
        self.cut_off = False
        """Whether that was our doing, because of a limit."""

    def __iter__(self) -> Passing:
        return self

    def __next__(self) -> bytes:
        """Return what came next; raises OSError when it broke off or may not be handed over."""
        try:
            piece = next(self._stream)
        except StopIteration:
            self.end("")
            raise
        except OSError as error:
            self.end(f"the answer broke off: {error}")
            raise
        if not self._fits(len(piece)):
            self.end(f"the answer was cut off: {self._limit}", cut_off=True)
            raise ConnectionAbortedError(self._limit)
        self._keep(piece)
        return piece

    def close(self) -> None:
        """Let go of the upstream."""
        self.end(UNREAD)
        close = getattr(self._stream, "close", None)
        if close is not None:
            with suppress(OSError):
                close()

    def end(self, problem: str, *, cut_off: bool = False) -> None:
        """Fix what is told of the answer; the first to call it has the say."""
        with self._lock:
            if not self._ended:
                self._ended, self.problem, self.cut_off = True, problem, cut_off

    def told(self) -> Response:
        """Return what is recorded of the answer."""
        with self._lock:
            body = bytes(self._kept)
            return replace(self._response, body=body, dropped=self._dropped)

    def _keep(self, piece: bytes) -> None:
        with self._lock:
            if self._ended:
                raise ConnectionAbortedError(self.problem)
            room = MOST_KEPT - len(self._kept)
            self._kept += piece[:room]
            self._dropped += max(0, len(piece) - room)
