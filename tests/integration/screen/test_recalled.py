"""What a screen that resumes a session knows of what was before it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from core.events import ReviewFinished
from core.session import Step
from tui.bridge import Bridge

Play = Callable[..., Any]


def test_earlier_versions_keep_their_findings(play: Play) -> None:
    """After a resume the version before the operator's edit has its own review and decision."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("e", "ctrl+end")
        await screen.type("# looked at by a person")
        await screen.press("enter", "f2")
        await screen.armed("R2")
        resumed = Bridge()
        resumed.session = screen.bridge.session
        resumed.recall(screen.facts)
        step: Step = screen.bridge.session.step
        reviews = [f.event for f in screen.facts if isinstance(f.event, ReviewFinished)]
        before = resumed.versions.at(step, 1)
        assert before.review is reviews[0]
        assert [turn.decision.verb for turn in before.turns if turn.decision] == ["edit"]
        assert resumed.versions.at(step, 2).review is reviews[1]

    play(walk)
