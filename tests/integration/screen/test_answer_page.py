"""The answer's page by keys: claims open their evidence, and the answer is handed on from there."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Play = Callable[..., Any]


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
def test_a_claim_opens_its_evidence(
    play: Play, size: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Enter shows the card with the claim's fact marked, Escape comes back, M and J write files."""
    monkeypatch.chdir(tmp_path)

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("a")
        await screen.ended()
        await screen.until(lambda: "LIKELY" in screen.text, "the answer")
        await screen.until(lambda: "2 alarms fire" in screen.text, "its claim")
        await screen.press("enter")
        await screen.until(lambda: "→ firing" in screen.text, "the evidence")
        await screen.press("escape")
        await screen.until(lambda: "TIMELINE" in screen.text or size == (80, 24), "back")
        await screen.press("c")
        await screen.until(lambda: "went to the terminal's clipboard" in screen.text, "copied")
        for part in ("The disk is full.", "2 alarms fire", "GAPS", "TIMELINE"):
            assert part in screen.app.clipboard
        await screen.press("slash")
        await screen.type("disk is")
        await screen.press("enter")
        await screen.until(lambda: "1 of 2: disk is" in screen.text, "it is found")
        await screen.press("M")
        await screen.until(lambda: "wrote countersign-" in screen.text, "it is written")
        await screen.press("J")
        await screen.until(lambda: ".json" in screen.text, "it is written again")
        assert len(screen.decisions) == 1

    play(walk, size=size)

    [report, document] = sorted(tmp_path.glob("countersign-*"), reverse=True)
    assert "The disk is full." in report.read_text(encoding="utf-8")
    assert json.loads(document.read_text(encoding="utf-8"))["status"] == "likely"


def test_only_an_answer_is_handed_on(play: Play, tmp_path: Path) -> None:
    """While a step is worked on the keys say why not, and write nothing."""

    async def walk(screen: Any) -> None:
        await screen.asked()
        await screen.press("M")
        await screen.until(lambda: "there is no answer" in screen.text, "it says why not")

    play(walk)
    assert list(tmp_path.glob("countersign-*")) == []
