"""The gateway as a server: runs are attached over a control socket, each with its own listener.

Whoever holds the control socket sends one byte with two descriptors: the listener on which the
run's calls arrive, and a channel. On the channel the specification comes in and
`{"ready": true}` or `{"refused": reason}` goes out, then a frame for every call that was answered,
and one for every call that waits until its intent is on disk; in come acknowledgements of these.
Shutting down the channel, or closing the control socket, ends the run: first its listener and all
its connections are closed, then the channel. Its end is the confirmation.

One thread per run and one per connection: a call mostly waits for AWS, and blocking code is the
easiest to get right. Everything a script can ask for is bounded: connections, bytes, time.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from select import POLLIN, poll
from socket import (
    MSG_CMSG_CLOEXEC,
    SHUT_RD,
    SHUT_RDWR,
    SO_SNDTIMEO,
    SOL_SOCKET,
    recv_fds,
    socket,
)
from threading import BoundedSemaphore, Lock, Thread, current_thread

from sandbox.errors import GatewayLost
from sandbox.gateway.channel import INTENT_SECONDS, Channel
from sandbox.gateway.connection import WRITE_SECONDS, Connection, Gone
from sandbox.gateway.frames import receive_frame, send_frame
from sandbox.gateway.run import Run, RunOver, RunPorts

MOST_CONNECTIONS = 64
"""At the same time, per run. For one more the longest idle one is closed; where all are busy, the
new one is, unless another ends or becomes idle within a second."""
MOST_UPLOADS = 64 * 1024 * 1024
"""Bytes of request bodies that the connections of a run may hold at the same time."""
PATIENCE_SECONDS = 10.0
"""For a whole request to arrive, and for the specification of a run."""

_MOST_SPEC = 16 * 1024 * 1024
_SLOT_SECONDS = 1.0
_SLOT_TRIES = 20
_TELL_SECONDS = 10
_STOP_SECONDS = 15.0

OpenRun = Callable[[bytes], RunPorts]
"""Makes the ports of a run from its specification; raises GatewayLost(reason) to refuse it."""


@dataclass(frozen=True, slots=True)
class _Patience:
    """How long others are waited for, in seconds."""

    request: float
    write: float
    intent: float


def serve(
    control: socket,
    open_run: OpenRun,
    *,
    patience_s: float = PATIENCE_SECONDS,
    write_s: float = WRITE_SECONDS,
    intent_s: float = INTENT_SECONDS,
) -> None:
    """Serve runs until the other end of `control` is closed; every run is over when it returns.

    A request arrives within `patience_s`, an answer or a piece of it is taken within `write_s`, an
    intent is on disk within `intent_s`.
    """
    patience = _Patience(patience_s, write_s, intent_s)
    runs: list[_AttachedRun] = []
    with control:
        while (sockets := _next_attachment(control)) is not None:
            runs = [run for run in runs if run.is_alive()]
            runs.append(_AttachedRun(*sockets, open_run, patience))
            runs[-1].start()
    for run in runs:
        run.stop()
    for run in runs:
        run.join(_STOP_SECONDS)


def _next_attachment(control: socket) -> tuple[socket, socket] | None:
    """Return listener and channel of the next run, None at the end of `control`."""
    with suppress(ConnectionResetError):
        message, descriptors, _, _ = recv_fds(control, 1, 2, MSG_CMSG_CLOEXEC)
        if message:
            listener, channel = (socket(fileno=descriptor) for descriptor in descriptors)
            return listener, channel
    return None


class _AttachedRun(Thread):
    """The thread of one run: opens it, listens to its channel, ends it."""

    def __init__(
        self, listener: socket, channel: socket, open_run: OpenRun, patience: _Patience
    ) -> None:
        super().__init__(name="run", daemon=True)
        self._listener = listener
        self._socket = channel
        self._channel = Channel(channel, patience.intent)
        self._open_run = open_run
        self._patience = patience

    def stop(self) -> None:
        """Make the run end soon, from any thread."""
        self._channel.stop()

    def run(self) -> None:
        """Serve the run; the channel is closed last, which is how the other end knows."""
        with self._socket, self._listener:
            try:
                ports = self._open()
                if ports is not None:
                    self._attend(ports)
            finally:
                _shut(self._listener)

    def _attend(self, ports: RunPorts) -> None:
        """Have connections served for as long as the channel says nothing else."""
        run = Run(ports, self._channel.tell, self._channel.intend)
        door = _Door(self._listener, run, self.stop, self._patience)
        door.start()
        try:
            self._channel.listen()
        finally:
            self._channel.end()
            door.shut()
            run.end(_STOP_SECONDS)

    def _open(self) -> RunPorts | None:
        """Return the ports of the run, None when it was refused or nobody waits for it."""
        spec = self._receive_spec()
        if spec is None:
            return None
        ports: RunPorts | None = None
        answer: dict[str, object] = {"ready": True}
        try:
            ports = self._open_run(spec)
        except GatewayLost as error:
            answer = {"refused": str(error)}
        self._socket.settimeout(None)
        self._socket.setsockopt(SOL_SOCKET, SO_SNDTIMEO, struct.pack("ll", _TELL_SECONDS, 0))
        with suppress(OSError):
            send_frame(self._socket, json.dumps(answer).encode())
            return ports
        return None

    def _receive_spec(self) -> bytes | None:
        with suppress(OSError, ValueError):
            self._socket.settimeout(self._patience.request)
            return receive_frame(self._socket, _MOST_SPEC)
        return None


class _Door(Thread):
    """The thread that takes the connections of a run; each is served in one of its own."""

    def __init__(
        self, listener: socket, run: Run, stop: Callable[[], None], patience: _Patience
    ) -> None:
        super().__init__(name="door", daemon=True)
        self._listener = listener
        self._run = run
        self._stop = stop
        self._patience = patience
        self._slots = BoundedSemaphore(MOST_CONNECTIONS)
        self._uploads = _Uploads(MOST_UPLOADS)
        self._lock = Lock()
        self._peers: dict[Thread, socket] = {}
        self._idle: dict[socket, None] = {}

    def run(self) -> None:
        """Take connections until the listener is shut down."""
        # A script may hold the listener too, and could take the connection, or have us block.
        self._listener.setblocking(False)
        arrivals = poll()
        arrivals.register(self._listener, POLLIN)
        while True:
            try:
                arrivals.poll()
                peer, _ = self._listener.accept()
            except (BlockingIOError, ConnectionAbortedError):
                continue
            except OSError:
                self._stop()
                return
            self._take(peer)

    def shut(self) -> None:
        """Take no connection any more, and cut all there are."""
        _shut(self._listener)
        self.join()
        with self._lock:
            peers = list(self._peers.values())
        for peer in peers:
            with suppress(OSError):
                peer.shutdown(SHUT_RDWR)

    def _take(self, peer: socket) -> None:
        if not self._slots.acquire(blocking=False) and not self._make_place():
            peer.close()
            return
        thread = Thread(target=self._converse, args=(peer,), daemon=True)
        with self._lock:
            thread.start()
            self._peers[thread] = peer

    def _converse(self, peer: socket) -> None:
        over = True
        try:
            with peer, suppress(Gone):
                connection = Connection(peer, self._patience.request, self._patience.write)
                self._serve(connection)
                while connection.kept:
                    with self._idling(peer):
                        connection.wait()
                    self._serve(connection)
            over = False
        except RunOver:
            pass
        finally:
            if over:  # also by a defect of ours: what became of the call is on no record
                self._stop()
            with self._lock:
                del self._peers[current_thread()]
            self._slots.release()

    @contextmanager
    def _idling(self, peer: socket) -> Iterator[None]:
        with self._lock:
            self._idle[peer] = None
        try:
            yield
        finally:
            with self._lock:
                self._idle.pop(peer, None)

    def _make_place(self) -> bool:
        """Take the slot of a connection that ends or becomes idle within a while, if one does."""
        closed = False
        for _ in range(_SLOT_TRIES):
            closed = closed or self._close_an_idle_one()
            if self._slots.acquire(timeout=_SLOT_SECONDS / _SLOT_TRIES):
                return True
        return False

    def _close_an_idle_one(self) -> bool:
        """End the wait of the connection that waits longest; what has arrived is still read."""
        with self._lock:
            peer = next(iter(self._idle), None)
            if peer is None:
                return False
            del self._idle[peer]
            with suppress(OSError):
                peer.shutdown(SHUT_RD)
        return True

    def _serve(self, connection: Connection) -> None:
        request = connection.read_head()
        with self._uploads.taking(connection.length) as fits:
            if not fits:
                request = replace(request, problem=f"the run's requests hold {MOST_UPLOADS} bytes")
            elif not (connection.waits and self._run.denies(request)):
                request = connection.read_body(request)
            with self._run.answer(request) as response:
                connection.write(response)


def _shut(listener: socket) -> None:
    """Have nobody listen any more, whoever else holds the listener."""
    with suppress(OSError):
        listener.shutdown(SHUT_RDWR)


class _Uploads:
    """How much of the requests' bodies is in memory; threads share it."""

    def __init__(self, most: int) -> None:
        self._left = most
        self._lock = Lock()

    @contextmanager
    def taking(self, size: int) -> Iterator[bool]:
        """Tell whether `size` bytes more fit; they count until the block is left."""
        with self._lock:
            fits = size <= self._left
            self._left -= size if fits else 0
        try:
            yield fits
        finally:
            with self._lock:
                self._left += size if fits else 0
