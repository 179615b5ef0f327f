"""Editing packages and policy of a draft: on the screen, and in the operator's editor."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import TextArea

from core.events import DraftGenerated
from tui.screens.edit import EditScreen

Play = Callable[..., Any]
WIDER = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "cloudwatch:Describe*", "Resource": "*"}],
}


def drafts(screen: Any) -> list[DraftGenerated]:
    """Return every version that is on record."""
    return [fact.event for fact in screen.facts if isinstance(fact.event, DraftGenerated)]


def area(screen: Any, part: str) -> TextArea:
    """Return the field in which a part is edited."""
    found: TextArea = screen.app.screen.query_one(f"#edit-{part}")
    return found


def test_a_policy_is_edited_on_the_screen(play: Play) -> None:
    """What is no policy is told with its line and stays; what is one is asked anew, never a yes."""

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("4", "e")
        await screen.until(lambda: isinstance(screen.app.screen, EditScreen), "it is open")
        await screen.until(lambda: screen.app.focused is area(screen, "policy"), "the policy")
        area(screen, "policy").text = json.dumps(WIDER, indent=1) + ","
        await screen.press("f3")
        await screen.until(lambda: screen.app.focused is area(screen, "script"), "the next part")
        await screen.press("f2")
        await screen.until(lambda: "not kept: policy.json: line 10" in screen.text, "it says why")
        assert area(screen, "policy").text.endswith("},")
        assert screen.app.focused is area(screen, "policy")
        assert screen.decisions == []
        area(screen, "policy").text = json.dumps(WIDER)
        await screen.press("f2")
        await screen.armed("R2")
        assert [each.verb for each in screen.decisions] == ["edit"]
        first, second = drafts(screen)
        assert (second.version, second.author, second.policy) == (2, "operator", WIDER)
        assert second.script == first.script
        assert screen.bridge.asked.digest != screen.decisions[0].digest
        assert screen.bridge.session.runs == 0

    play(walk)


def test_an_editor_is_given_three_files(
    play: Play, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it gave back and can't be read is told; the next time, the editor is given that."""
    path = tmp_path / "editor"
    path.write_text(
        "#!/bin/sh\n"
        'if grep -q six "$2"; then : > "$2"; echo "# x" >> "$1"; else echo six==1 >> "$2"; fi\n'
    )
    path.chmod(0o755)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", str(path))

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("E")
        await screen.until(lambda: "requirements.txt: line 1: six==1 is not" in screen.text, "why")
        assert screen.decisions == []
        await screen.press("E")
        await screen.armed("R2")
        assert [each.verb for each in screen.decisions] == ["edit"]
        assert [each.author for each in drafts(screen)] == ["workflow", "operator"]

    play(walk)
