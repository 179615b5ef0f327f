"""The engine's handle on the gateway process: starts it, attaches runs to it, ends it.

The process is started at the first run of a session or ahead of it, and is one for the whole
session. Its environment is empty, but for what it needs to find credentials and reach AWS where it
has to; a run is attached by two descriptors (its listener and a channel). When the process is gone
its descriptors are closed and no call can be answered: losing it can't leave a run open. A call
that waits for its intent to be on disk waits for a word on the channel; without that word, whatever
becomes of us, it is never sent.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from socket import AF_UNIX, SOCK_STREAM, send_fds, socket, socketpair
from tempfile import TemporaryFile
from typing import IO

from sandbox.errors import GatewayLost
from sandbox.gateway.frames import ACKNOWLEDGEMENT, HEADER, MOST_BYTES, read_event
from sandbox.job import GatewayEvent

COMMAND = (sys.executable, "-I", "-m", "core.gateway_main")

_OPEN_SECONDS = 30.0
_CLOSE_SECONDS = 20.0
_MOST_WORDS = 300


class GatewayProcess:
    """The gateway as a process of its own; implements `sandbox.job.Gateway`.

    Used from one event loop. `close` it at the end of the session.
    """

    def __init__(
        self, command: Sequence[str] = COMMAND, environment: Mapping[str, str] | None = None
    ) -> None:
        """`command` is given the number of its control socket as one more argument.

        `environment` is all that the process sees of one: what it needs to reach AWS, else nothing.
        """
        self._command = command
        self._environment = dict(environment or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._control: socket | None = None
        self._complaints: IO[bytes] | None = None

    def prepare(self) -> None:
        """Start the process ahead of the first run: a hint, never an error."""
        with suppress(OSError):
            self._running()

    @asynccontextmanager
    async def attach(
        self, run: str, spec: bytes, listener: socket
    ) -> AsyncIterator[AsyncIterator[GatewayEvent]]:
        """Have the calls on `listener` judged by `spec`; see `sandbox.job.Gateway`.

        Calls come with their parameters in plain form: times and bytes as texts. They may still be
        taken from the iterator after the block has been left.
        """
        with listener:
            process, channel = self._hand_over(listener)
        reader, writer = await asyncio.open_connection(sock=channel)
        confirmed = False
        try:
            refusal = await self._open(run, spec, reader, writer)
            calls = _Calls(run, reader, writer)
            try:
                if refusal:
                    raise GatewayLost(f"the gateway refused run {run}: {refusal}")
                yield calls
            finally:
                calls.leave()
                with suppress(OSError):
                    writer.write_eof()
                confirmed = await calls.confirmed(_CLOSE_SECONDS)
        finally:
            writer.close()
            if not confirmed:  # only its death closes everything for certain
                _kill(process)

    async def close(self) -> None:
        """End the process and all its runs; may be called again. Cancelled, it kills at once."""
        process, control, complaints = self._process, self._control, self._complaints
        self._process = self._control = self._complaints = None
        if control is not None:
            control.close()
        try:
            if process is not None:
                await asyncio.to_thread(_reap, process)
        finally:
            if process is not None:
                _kill(process)  # where nobody has waited: a cancelled thread may not have begun
            if complaints is not None:
                complaints.close()

    def _hand_over(self, listener: socket) -> tuple[subprocess.Popen[bytes], socket]:
        """Give the process the listener and one end of a new channel; return the other end."""
        process, control = self._running()
        ours, theirs = socketpair(AF_UNIX, SOCK_STREAM)
        with theirs:
            try:
                send_fds(control, [b"+"], [listener.fileno(), theirs.fileno()])
            except OSError as error:
                ours.close()
                raise self._lost("the gateway process is gone") from error
        ours.setblocking(False)
        return process, ours

    def _running(self) -> tuple[subprocess.Popen[bytes], socket]:
        """Return a process that runs and its control socket; started now if there is none."""
        if self._control is not None:
            if self._process is not None and self._process.poll() is None:
                return self._process, self._control
            self._control.close()
        if self._complaints is None:
            self._complaints = TemporaryFile()  # noqa: SIM115 - lives as long as we do
        self._control, theirs = socketpair(AF_UNIX, SOCK_STREAM)
        with theirs:
            self._process = subprocess.Popen(
                [*self._command, str(theirs.fileno())],
                cwd="/",
                env=self._environment,
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._complaints,
            )
        return self._process, self._control

    async def _open(
        self, run: str, spec: bytes, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> str:
        """Send the specification; return why it is refused, or nothing. Raises GatewayLost."""
        try:
            async with asyncio.timeout(_OPEN_SECONDS):
                writer.write(HEADER.pack(len(spec)) + spec)
                await writer.drain()
                frame = await _read_frame(reader)
        except (OSError, ValueError) as error:  # a TimeoutError is an OSError
            raise self._lost(f"the gateway did not take run {run}") from error
        if frame is None:
            raise self._lost(f"the gateway did not take run {run}")
        return str(json.loads(frame).get("refused", ""))

    def _lost(self, message: str) -> GatewayLost:
        """Return the error, with the last words of the process if it had any."""
        words = ""
        if self._complaints is not None:
            self._complaints.seek(0)
            last = self._complaints.read().strip().rpartition(b"\n")[2]
            words = last.decode("utf-8", "replace")[:_MOST_WORDS]
        return GatewayLost(f"{message}: {words}" if words else message)


class _Calls:
    """What the calls of one run come to; it ends when the gateway closes the channel."""

    def __init__(
        self, run: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self._run = run
        self._reader = reader
        self._writer = writer
        self._leaving = False
        self._broken_off = False
        self._arrived: asyncio.Queue[GatewayEvent | None] = asyncio.Queue()
        self._pump = asyncio.create_task(self._take_in())

    def __aiter__(self) -> AsyncIterator[GatewayEvent]:
        return self

    async def __anext__(self) -> GatewayEvent:
        event = await self._arrived.get()
        if event is not None:
            return event
        self._arrived.put_nowait(None)  # for whoever asks again
        if self._broken_off:
            raise GatewayLost(f"the gateway let go of run {self._run} before its end")
        raise StopAsyncIteration

    def leave(self) -> None:
        """Say that the end is wanted, and no loss."""
        self._leaving = True

    async def confirmed(self, seconds: float) -> bool:
        """Wait for the end of the channel; False when it came unasked, or does not come."""
        done, _ = await asyncio.wait({self._pump}, timeout=seconds)
        return bool(done) and not self._broken_off

    def _go(self, number: int) -> None:
        """Let a call be sent, unless its run is over."""
        if not self._leaving:
            self._writer.write(ACKNOWLEDGEMENT.pack(number))

    async def _take_in(self) -> None:
        """Queue all events up to the end of the channel."""
        try:
            while (frame := await _read_frame(self._reader)) is not None:
                self._arrived.put_nowait(read_event(frame, self._go))
            self._broken_off = not self._leaving
        except (OSError, ValueError):
            self._broken_off = True
        finally:
            self._arrived.put_nowait(None)


async def _read_frame(reader: asyncio.StreamReader) -> bytes | None:
    """Return the next frame, None at the end; raises OSError, ValueError when it is broken."""
    header = await reader.read(HEADER.size)
    if not header:
        return None
    try:
        header += await reader.readexactly(HEADER.size - len(header))
        (length,) = HEADER.unpack(header)
        if length > MOST_BYTES:
            raise ValueError(f"a frame of {length} bytes")
        return await reader.readexactly(length)
    except asyncio.IncompleteReadError as error:
        raise ValueError("a frame is broken off") from error


def _reap(process: subprocess.Popen[bytes]) -> None:
    """Wait for a process that was told to end, and end it when it does not."""
    try:
        process.wait(_CLOSE_SECONDS)
    except subprocess.TimeoutExpired:
        _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
