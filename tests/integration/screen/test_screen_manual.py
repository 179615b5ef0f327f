"""Manual mode at the screen: what is handed over, copied, and brought back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from textual.events import Paste
from textual.widgets import Input, TextArea

from core.events import EvidenceAdded, ResultTaken
from tui.screens.bring import BringScreen

Play = Callable[..., Any]
RESULT = json.dumps({"facts": {"firing": 3}})


async def open_bring(screen: Any) -> None:
    """Open the page on which something is brought back."""
    await screen.asked()
    await screen.until(lambda: "b brings back" in screen.text, "the keys are awake")
    await screen.press("b")
    await screen.until(lambda: isinstance(screen.app.screen, BringScreen), "it is open")


async def paste(screen: Any, text: str) -> None:
    """Paste a text as a terminal does."""
    area = screen.app.screen.query_one(TextArea)
    screen.app.post_message(Paste(text))
    await screen.until(lambda: text in area.text, "it is pasted")


def write(path: Path) -> None:
    """Have the script have found something."""
    path.write_text(RESULT)


def events(screen: Any, kind: type) -> list[Any]:
    """Return the events of a kind that are on record."""
    return [fact.event for fact in screen.facts if isinstance(fact.event, kind)]


def test_what_was_found_by_hand_is_pasted_and_becomes_evidence(play: Play) -> None:
    """Nothing runs and `a` approves nothing; what is no result is told, and nothing of it lost."""

    async def walk(screen: Any) -> None:
        await open_bring(screen)
        await paste(screen, '{"facts": 1}')
        await screen.press("f2")
        await screen.until(lambda: "not taken: result.json" in screen.text, "it says why")
        assert screen.app.screen.query_one(TextArea).text == '{"facts": 1}'
        await screen.press("escape")
        assert "Escape again drops" in screen.text
        screen.app.screen.query_one(TextArea).clear()
        await paste(screen, RESULT)
        await screen.press("f2")
        await screen.ended()
        [taken], [card] = events(screen, ResultTaken), events(screen, EvidenceAdded)
        assert (taken.surface, card.by_hand, card.facts) == ("tui", True, {"firing": 3})
        assert (screen.decisions, screen.bridge.session.runs) == ([], 0)

    play(walk, mode="manual")


def test_what_is_handed_over_is_not_approved(play: Play) -> None:
    """The keys that approve say why they make no sense; those that turn it down work."""

    async def walk(screen: Any) -> None:
        await screen.asked()
        await screen.until(lambda: "b brings back" in screen.text, "the keys are awake")
        for key in ("a", "w", "o"):
            await screen.press(key)
            await screen.until(lambda: "nothing runs here" in screen.text, "it says why")
        assert (Path(screen.bridge.session.step.turn.handed.folder) / "script.py").exists()
        await screen.press("s")
        await screen.ended()
        assert [each.verb for each in screen.decisions] == ["skip"]
        assert screen.bridge.session.runs == 0

    play(walk, mode="manual")


def test_what_was_found_lies_in_a_file(play: Play) -> None:
    """The path of the folder's own result stands there; a file that is missing is told."""

    async def walk(screen: Any) -> None:
        await open_bring(screen)
        await screen.press("f2")
        await screen.until(lambda: "No such file" in screen.text, "it says why")
        path = Path(screen.app.screen.query_one(Input).value)
        write(path)
        await screen.press("f2")
        await screen.ended()
        assert events(screen, EvidenceAdded)[0].facts == {"firing": 3}

    play(walk, mode="manual")


def test_what_is_handed_over_goes_to_the_clipboard(play: Play) -> None:
    """All that a person needs, as one text: instructions with the digest, script and policy."""

    async def walk(screen: Any) -> None:
        await screen.asked()
        await screen.press("Y")
        await screen.until(lambda: "what is handed over went to" in screen.text, "it is told")
        copied = screen.app.clipboard
        for part in ("===== INSTRUCTIONS.md", "import boto3", "cloudwatch:DescribeAlarms"):
            assert part in copied
        assert screen.bridge.asked.digest in copied

    play(walk, mode="manual")


def test_what_is_too_long_for_the_clipboard_is_not_cut(play: Play) -> None:
    """Terminals drop what is too long without a word: it is refused with one, and lies there."""

    async def walk(screen: Any) -> None:
        await screen.asked()
        await screen.press("Y")
        await screen.until(lambda: "too long for a terminal" in screen.text, "it is told")
        assert screen.app.clipboard == ""

    play(walk, mode="manual", lines=5_000)
