"""One key takes what nothing needs out of the policy, and never runs or widens anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

Play = Callable[..., Any]


def test_a_tighter_policy_is_the_next_version(play: Play) -> None:
    """The key says so where nothing can go; else the next version has less, and is asked anew."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("u")
        await screen.until(lambda: "nothing can be taken out" in screen.text, "it says why not")
        assert screen.decisions == []
        session = screen.bridge.session
        review = replace(
            session.step.review, calls=(), proposed={}, excess=("cloudwatch:DescribeAlarms",)
        )
        step = replace(session.step, review=review)
        screen.bridge.session = replace(session, steps=(step,))
        await screen.press("4", "u")  # the same key twice in a moment is one that is held down
        await screen.asked("R2")
        [decision] = screen.decisions
        assert (decision.verb, decision.edited) == ("edit", None)
        before, after = screen.bridge.session.step.drafts
        assert decision.policy == after.policy == {**before.policy, "Statement": []}
        assert (after.script, after.author) == (before.script, before.author)

    play(walk)
