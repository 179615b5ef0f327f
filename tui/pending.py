"""What waits for somebody at the screen: a request to decide, or a result to take back.

One answer goes through one future, which is bound to one digest: nothing can answer a request that
it does not name, or one that was answered.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from core.events import DecisionRequested, Surface
from core.session import Session

About = TypeVar("About")
"""What the engine hands along: the payloads of a request, or the folder of a hand-over."""
Answer = TypeVar("Answer")


class Pending(Generic[About, Answer]):
    """An `Approver` or a `Taker` whose answer comes from keys and fields."""

    surface: Surface = "tui"

    def __init__(self, changed: Callable[[], None]) -> None:
        self.asked: DecisionRequested | None = None
        self.asked_at = 0.0
        """When the request arrived, by the monotonic clock."""
        self._answer: asyncio.Future[Answer] | None = None
        self._changed = changed

    async def __call__(self, request: DecisionRequested, session: Session, about: About) -> Answer:
        """Wait for a person; leaving the wait withdraws the request from the screen."""
        del session, about
        self.asked, self._answer = request, asyncio.get_running_loop().create_future()
        self.asked_at = time.monotonic()
        self._changed()
        try:
            return await self._answer
        finally:
            self.asked = self._answer = None
            self._changed()

    def answer(self, digest: str, answer: Answer) -> bool:
        """Answer the request that waits; False when it is another one, or was answered."""
        if self.asked is None or self._answer is None or self._answer.done():
            return False
        if self.asked.digest != digest:
            return False
        self._answer.set_result(answer)
        return True
