"""The demo's incident at a terminal of tmux, by keys alone: approve, edit, diff, reject, replay."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tools.tmux import Tmux

DEMO = ("ask", "--aws", "simulated:shop-502")
Opened = Callable[..., Tmux]


@pytest.fixture
def window(countersign: Any) -> Iterator[Opened]:
    """Return what opens `countersign` in a window of its own."""
    with ExitStack() as opened:

        def start(size: tuple[int, int], *arguments: str) -> Tmux:
            command = countersign.command(arguments)
            return opened.enter_context(Tmux(command, countersign.environment, size))

        yield start


def work_the_incident(screen: Tmux) -> None:
    """Approve the first step, edit the second, look at the diff, and reject the last."""
    screen.until("▲ R1", "asks because")
    screen.press_for("a", "▲ R2", "asks because")
    screen.press_for("e", "Edit S2 v1")
    screen.press("C-End")
    screen.type("# looked at by a person")
    screen.press_for("F2", "▲ R3", "S2 v2", "asks because")
    screen.press_for("d", "Code: +1 -0", "looked at by a person")
    screen.press("Escape")
    screen.until("▲ R3", "asks because")
    screen.press_for("a", "▲ R4", "asks because")
    screen.press_for("a", "▲ R5", "asks because")
    screen.press_for("r", "Reject R5")
    screen.type("nobody is to blame")
    screen.until("nobody is to blame")
    screen.press_for("Enter", "rejects R5 with this reason")
    screen.press_for("r", "press q to leave")


def walk_through_the_record(screen: Tmux) -> None:
    """Find the edit and the reject again; the keys that decide do nothing here."""
    screen.until("REPLAY", "LIKELY", "read-only")
    screen.press_for("0", "Event 1 of")
    screen.press(">", ">")
    screen.press_for("5", "decision.made", "R2 edit by")
    screen.press("a", "e", "r", "s", "x")
    screen.press_for("$", "LIKELY", "read-only")


@pytest.mark.timeout(420)
@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
def test_the_demo_by_keys_alone(window: Opened, countersign: Any, size: tuple[int, int]) -> None:
    """Each key does what its label says, and the record tells the same decisions afterwards."""
    screen = window(size, *DEMO)
    work_the_incident(screen)
    screen.press("q")

    assert screen.ended() == 0
    session = countersign.sessions()[-1].stem
    assert f"countersign replay {session}" in screen.screen
    replay = window(size, "replay", session, "--ui", "tui")
    walk_through_the_record(replay)
    replay.press("q")
    assert replay.ended() == 0
    facts = [
        json.loads(each) for each in countersign("replay", session, "--ui", "json").out.splitlines()
    ]
    made = [fact for fact in facts if fact["kind"] == "decision.made"]
    assert [(each["verb"], each["by"], each["surface"]) for each in made] == [
        ("approve", "human", "tui"),
        ("edit", "human", "tui"),
        ("approve", "human", "tui"),
        ("approve", "human", "tui"),
        ("reject", "human", "tui"),
    ]
    assert made[-1]["comment"] == "nobody is to blame"
    [answer] = [fact for fact in facts if fact["kind"] == "answer.given"]
    assert any("nobody is to blame" in gap for gap in answer["gaps"])
    assert countersign("verify", session).code == 0
