"""Our end of one launcher: starts it, talks with it, and makes sure that all below it is dead.

A tree that is `ready` has its walls up and its interpreter on the way; it may wait like that as
long as it likes, and costs nothing but memory.

Ending is synchronous on purpose. It takes a few milliseconds, and so neither a second cancellation
nor a closing event loop can come between the kill and its confirmation: a pidfd of the first
process inside turns readable only when the kernel has reaped every process of its namespace.
"""

from __future__ import annotations

import asyncio
import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self

from sandbox.engines.plan import MOST_MESSAGE, STOP_SECONDS, Plan
from sandbox.errors import LaunchFailed, SandboxError

_START = (
    "import sys; sys.path.append(sys.argv[1]); "
    "from sandbox.engines.launcher import main; main(int(sys.argv[2]))"
)
_OUR_CODE = Path(__file__).parents[2]
_LAUNCH_SECONDS = 10.0
_KILL_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Ended:
    """How the script's first process ended."""

    status: int
    """As os.wait returns it."""
    cpu_ms: int
    late: bool
    """Its wall time was over."""


class Tree:
    """One run's processes; leaving the block means that all of them are dead."""

    def __init__(self, plan: Plan) -> None:
        self.work = -1
        """Descriptor of /job; -1 before `ready`."""
        self._listener: socket.socket | None = None
        self._child = -1
        self._word = -1
        self._error = ""
        self._ended: Ended | None = None
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            try:
                self._launcher = _start(theirs.fileno())
            except OSError as error:
                self._control.close()
                raise LaunchFailed(f"no launcher could be started: {error}") from error
        self._control.setblocking(False)
        self._plan = plan

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """End it and let go of every descriptor; raises SandboxError as `end` does."""
        try:
            self.end()
        finally:
            self._close()

    @property
    def first_process(self) -> int:
        """Pidfd of the first process inside, which all others are below; -1 before `ready`."""
        return self._child

    @property
    def stdout(self) -> int:
        """Descriptor of what the script prints."""
        return _pipe(self._launcher.stdout).fileno()

    @property
    def stderr(self) -> int:
        """Descriptor of what the script prints as errors."""
        return _pipe(self._launcher.stderr).fileno()

    def take_listener(self) -> socket.socket:
        """Hand over the gateway's listener, once; raises LaunchFailed when it never came."""
        listener, self._listener = self._listener, None
        if listener is None:
            raise LaunchFailed("the listener for the gateway never came out")
        return listener

    async def ready(self) -> None:
        """Have the walls put up; return when `work` is there. Raises LaunchFailed."""
        with suppress(BrokenPipeError, ConnectionResetError):  # its last words tell more
            self._control.send(json.dumps(self._plan).encode())
        try:
            async with asyncio.timeout(_LAUNCH_SECONDS):
                while self.work == -1:
                    if not await self._hear() or self._ended is not None:
                        raise LaunchFailed(f"the walls could not be put up: {self._last_words()}")
        except TimeoutError as error:
            raise LaunchFailed(f"no walls after {_LAUNCH_SECONDS:.0f} s") from error

    @property
    def stands(self) -> bool:
        """Whether, once `ready`, it still is: neither its launcher nor its interpreter ended."""
        return not _readable(self._control.fileno(), 0)

    def load(self, variables: Mapping[str, str], cpu_ms: int) -> None:
        """Have the script that lies in `work` read and compiled, and not run. Raises LaunchFailed.

        `variables` are added to the environment; `cpu_ms` is the processor time it has.
        """
        message = json.dumps({"variables": dict(variables), "cpu_ms": cpu_ms}).encode()
        if len(message) > MOST_MESSAGE:
            raise LaunchFailed("the job's variables are too large")
        self._say(message)

    def go(self) -> None:
        """Let the script start; its wall time runs from here."""
        with suppress(BrokenPipeError, ConnectionResetError):  # `ended` will tell
            self._control.send(b"go")
        self._say(b"go")

    async def ended(self) -> None:
        """Return when the script has ended, or the launcher died; `end_told` says which."""
        while self._ended is None and await self._hear():
            pass

    @property
    def end_told(self) -> Ended | None:
        """How the script ended; None when the launcher died and could not tell."""
        return self._ended

    def stop(self) -> None:
        """Have everything killed, without waiting for it; may be called at any time."""
        with suppress(OSError):  # whoever should hear it is gone already
            if self._child != -1:
                signal.pidfd_send_signal(self._child, signal.SIGKILL)
            elif self._launcher.returncode is None:
                # The walls are not up yet; whoever builds them is in the launcher's group.
                os.killpg(self._launcher.pid, signal.SIGKILL)

    async def ask_to_end(self) -> None:
        """Have the script told that it is to end, and give it a little time for that."""
        if self._child == -1 or self._ended is not None:
            return
        with suppress(ProcessLookupError):
            signal.pidfd_send_signal(self._child, signal.SIGTERM)
            with suppress(TimeoutError):
                async with asyncio.timeout(STOP_SECONDS):
                    await until_readable(self._child)

    def end(self) -> None:
        """Kill everything and return when the kernel confirms it; raises SandboxError if never."""
        deadline = time.monotonic() + _KILL_SECONDS
        self.stop()
        with suppress(OSError):
            self._control.shutdown(socket.SHUT_WR)
        # The launcher reaps its child before it ends. Should it be killed itself, what it sent
        # before is still to be read, and the socket stays open until its child is gone too.
        heard = True
        while heard and _readable(self._control.fileno(), deadline):
            heard = self._note()
            self.stop()
        self._launcher.kill()
        self._launcher.wait()
        if heard or (self._child != -1 and not _readable(self._child, deadline)):
            raise SandboxError("a process of the run could not be ended; its memory stays in use")

    def _say(self, message: bytes) -> None:
        """Tell the interpreter, past the launcher: it would have to be woken first."""
        with suppress(BrokenPipeError, ConnectionResetError):  # `ended` will tell
            os.write(self._word, message)

    def _close(self) -> None:
        self._control.close()
        if self._listener is not None:
            self._listener.close()
        for descriptor in (self._child, self._word, self.work):
            if descriptor != -1:
                os.close(descriptor)
        self._child = self._word = self.work = -1
        _pipe(self._launcher.stdout).close()
        _pipe(self._launcher.stderr).close()

    async def _hear(self) -> bool:
        """Wait for one message; False when there will be no more. Raises LaunchFailed."""
        await until_readable(self._control.fileno())
        heard = self._note()
        if self._error:
            raise LaunchFailed(f"the walls could not be put up: {self._error}")
        return heard

    def _note(self) -> bool:
        """Read one message that is there; False at the end of all messages."""
        try:
            data, descriptors, _, _ = socket.recv_fds(
                self._control, MOST_MESSAGE, 2, socket.MSG_CMSG_CLOEXEC
            )
        except ConnectionResetError:
            return False
        message: dict[str, Any] = json.loads(data or b"{}")
        if "child" in message:
            self._child, self._word = descriptors
        elif "ready" in message:
            self.work, *listener = descriptors
            self._listener = socket.socket(fileno=listener[0]) if listener else None
        elif "ended" in message:
            self._ended = Ended(message["ended"], message["cpu_ms"], message["late"])
        elif "error" in message:
            self._error = message["error"]
        return bool(data)

    def _last_words(self) -> str:
        os.set_blocking(self.stderr, False)
        with suppress(BlockingIOError):
            lines = os.read(self.stderr, MOST_MESSAGE).decode(errors="replace").split("\n")
            return next((line for line in reversed(lines) if line), "no reason was given")
        return "no reason was given"


async def launch(plan: Plan) -> Tree:
    """Return a tree that is ready; raises LaunchFailed. Nothing is left when it can't be."""
    with ExitStack() as stack:
        tree = stack.enter_context(Tree(plan))
        await tree.ready()
        stack.pop_all()
        return tree


async def until_readable(descriptor: int) -> None:
    """Return when there is something to read, or the end."""
    loop = asyncio.get_running_loop()
    arrived = asyncio.Event()
    loop.add_reader(descriptor, arrived.set)
    try:
        await arrived.wait()
    finally:
        loop.remove_reader(descriptor)


def _start(control: int) -> subprocess.Popen[bytes]:
    # Not `-m`: the launcher must be the very code that runs here, wherever that was found.
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-B", "-c", _START, str(_OUR_CODE), str(control)],
        bufsize=0,
        cwd="/",
        env={},
        pass_fds=[control],
        start_new_session=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def _readable(descriptor: int, deadline: float) -> bool:
    """Wait until the descriptor is readable; False when the deadline (0: now) passes first."""
    poller = select.poll()
    poller.register(descriptor, select.POLLIN)
    return bool(poller.poll(max(0.0, deadline - time.monotonic()) * 1000))


def _pipe(stream: IO[bytes] | None) -> IO[bytes]:
    if stream is None:
        raise AssertionError("the launcher is always started with pipes")
    return stream
