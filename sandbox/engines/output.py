"""What a script prints: read as fast as it comes, kept up to a limit, handed on in stretches.

Kept are the beginning, where a script says what it is about to do, and the end, where it says what
went wrong: half of the limit each. What lies between is dropped and counted. Reading never stops
before the end of the stream, so a script is neither blocked nor killed for printing.

Trade-off: the beginning is handed on as it comes, the end only once the stream has ended, since
until then nobody knows what it is. In between a reader is told how much was dropped, each time that
has doubled: a stream of any length tells of it a few dozen times at most.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from typing import Literal

from sandbox.job import Output

STRETCH = 64 * 1024
"""Bytes after which output is handed on at once; also the longest piece of the end."""
WAIT = 0.05
"""Seconds that less than a stretch may wait for more."""


class Keeper:
    """Counts one stream; pure, so that its rules can be tested without a process.

    The `offset` of whatever it hands on is the bytes handed on before plus those dropped.
    """

    def __init__(self, stream: Literal["stdout", "stderr"], most: int) -> None:
        self._stream: Literal["stdout", "stderr"] = stream
        self._most_end = most // 2
        self._left = most - self._most_end
        self._given = 0
        self._dropped = 0
        self._told = 0
        self._waiting = bytearray()
        self._end = bytearray()

    def take(self, data: bytes) -> None:
        """Keep of `data` what the limit allows and count the rest."""
        first = data[: self._left]
        self._left -= len(first)
        self._waiting += first
        self._end += data[len(first) :]
        excess = len(self._end) - self._most_end
        if excess > 0:
            del self._end[:excess]
            self._dropped += excess

    @property
    def waiting(self) -> int:
        """Bytes that `flush` would hand on."""
        return len(self._waiting)

    def flush(self) -> Output | None:
        """Return what waits, else, without data, how much was dropped if that has doubled."""
        if self._waiting:
            return self._hand_on(self._waiting, dropped=0)
        if self._dropped and self._dropped >= 2 * self._told:
            return self._hand_on(bytearray(), self._dropped)
        return None

    def finish(self) -> Iterator[Output]:
        """Yield all that is left when the stream has ended, and with it all that was dropped."""
        if self._waiting:
            yield self._hand_on(self._waiting, dropped=0)
        if self._dropped > self._told and not self._end:
            yield self._hand_on(bytearray(), self._dropped)
        while self._end:
            piece = self._end[:STRETCH]
            del self._end[:STRETCH]
            yield self._hand_on(piece, self._dropped)

    def _hand_on(self, piece: bytearray, dropped: int) -> Output:
        output = Output(self._stream, self._given + dropped, bytes(piece), dropped)
        self._given += len(piece)
        self._told = dropped
        piece.clear()
        return output


class Tap:
    """Reads one stream of a running script from `descriptor` and puts its output with `put`."""

    def __init__(self, keeper: Keeper, descriptor: int, put: Callable[[Output], None]) -> None:
        self._keeper = keeper
        self._descriptor = descriptor
        self._put = put
        self._timer: asyncio.TimerHandle | None = None
        os.set_blocking(descriptor, False)
        asyncio.get_running_loop().add_reader(descriptor, self._read)

    def finish(self) -> None:
        """Read to the end and put the rest; call it when nobody can write any more."""
        while self._read():
            pass
        self.close()
        for output in self._keeper.finish():
            self._put(output)

    def close(self) -> None:
        """Stop reading; the descriptor stays the caller's."""
        asyncio.get_running_loop().remove_reader(self._descriptor)
        if self._timer is not None:
            self._timer.cancel()

    def _read(self) -> bool:
        """Take what is there; False at the end of the stream, or when there is nothing."""
        try:
            data = os.read(self._descriptor, STRETCH)
        except BlockingIOError:
            return False
        self._keeper.take(data)
        if not data:
            asyncio.get_running_loop().remove_reader(self._descriptor)
        elif self._keeper.waiting >= STRETCH:
            self._hand_on()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(WAIT, self._hand_on)
        return bool(data)

    def _hand_on(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        output = self._keeper.flush()
        if output is not None:
            self._put(output)
