"""Notices that the terminal is gone, also when no signal says so.

A terminal that closes sends SIGHUP to the leader of its session. When that is a shell or `make`
which waits for us, we never hear of it, while Textual's writer blocks on what nobody reads and its
reader spins. The kernel does tell whoever polls the terminal itself.
"""

from __future__ import annotations

import os
import select
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Thread


@contextmanager
def watched(terminal: int, gone: Callable[[], object]) -> Iterator[None]:
    """Call `gone` in a thread of its own when the terminal hangs up within the block."""
    left, leave = os.pipe()

    def watch() -> None:
        poll = select.poll()
        for descriptor in (terminal, left):
            poll.register(descriptor, 0)  # a hang-up is told unasked
        if left not in dict(poll.poll()):
            gone()

    thread = Thread(target=watch, name="hangup", daemon=True)
    thread.start()
    try:
        yield
    finally:
        os.close(leave)
        thread.join()
        os.close(left)
