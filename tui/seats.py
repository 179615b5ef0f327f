"""The sessions at one screen: what is shown of each, and the work on it.

A seat is a session that goes on (a bridge, with a task of its own that works on it) or a recorded
one. Who waits for a decision is asked in the order in which the requests arrived.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import TYPE_CHECKING

from tui.bridge import Bridge
from tui.playback import Playback

if TYPE_CHECKING:
    from textual.worker import Worker

Work = Callable[[], Coroutine[None, None, int]]
"""Works on the session; returns its exit code."""


class Seat:
    """One session at the screen."""

    def __init__(self, scene: Bridge | Playback, title: str, work: Work | None = None) -> None:
        self.scene = scene
        self.title = title
        self.work = work
        self.worker: Worker[int] | None = None
        self.failure: BaseException | None = None
        """What ended the work on it, other than its end."""
        self.name = f"seat-{id(self)}"

    @property
    def working(self) -> bool:
        """The session is still being worked on; what widgets do by the side is no work on it."""
        return self.worker is not None and not self.worker.is_finished

    @property
    def ended(self) -> bool:
        """The session has come to its end; it may still be being sealed."""
        session = self.scene.session
        return bool(session and session.finished)

    @property
    def code(self) -> int:
        """The exit code as far as it is known."""
        session = self.scene.session
        return session.finished.exit_code if session and session.finished else 0

    @property
    def session_id(self) -> str:
        """The name of its session; empty before it has begun."""
        return self.scene.session.id if self.scene.session else ""

    @property
    def waits_since(self) -> float | None:
        """When its request arrived; None when it waits for nobody."""
        if isinstance(self.scene, Bridge) and self.scene.asked:
            return self.scene.asked_at
        return None

    def leave(self) -> bool:
        """Have the work end in order; False when there is none that could be left."""
        if not isinstance(self.scene, Bridge) or not self.working or self.ended:
            return False
        self.scene.leave()
        return True

    def close(self) -> None:
        """Let go of a recording."""
        if isinstance(self.scene, Playback):
            self.scene.close()


def queue(seats: Iterable[Seat]) -> list[Seat]:
    """Return the seats that wait for a decision, the one that has waited longest first."""
    waiting = [(each.waits_since, each) for each in seats]
    found = [(since, each) for since, each in waiting if since is not None]
    return [each for _, each in sorted(found, key=lambda one: one[0])]
