"""The page of settings, by keys: what holds and why, and the file in an editor."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tui.effective import Effective
from tui.look import Look
from tui.screens.settings import SettingsScreen

Play = Callable[..., Any]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a settings file that sets one thing."""
    path = tmp_path / "mine.yaml"
    path.write_text("ceiling: 1\n", encoding="utf-8")
    return path


@pytest.fixture
def editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return what makes a shell script the operator's editor."""

    def become(body: str) -> None:
        path = tmp_path / "editor"
        path.write_text(f"#!/bin/sh\n{body}\n", encoding="utf-8")
        path.chmod(0o755)
        monkeypatch.setenv("VISUAL", str(path))

    return become


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
def test_settings_are_shown_with_their_source(play: Play, file: Path, size: object) -> None:
    """What the file sets says so, all else is a default; Escape goes back to the request."""
    look = Look(effective=Effective(file, {}, {"mode": "hybrid"}))

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("comma")
        await screen.until(lambda: isinstance(screen.app.screen, SettingsScreen), "it opens")
        await screen.until(lambda: "ceiling  1  file" in screen.text, "the file")
        assert "mode  hybrid  flag" in screen.text
        assert "regions  []  default" in screen.text
        assert "The highest tier that goes by itself" in screen.text
        await screen.press("escape")
        await screen.armed()
        assert screen.decisions == []

    play(walk, size=size, look=look)


def test_the_file_is_edited_and_checked_before_it_is_kept(
    play: Play, file: Path, editor: Callable[[str], None]
) -> None:
    """A right text takes the file's place and is shown at once."""
    editor('echo "mode: automated" >> "$1"')
    look = Look(effective=Effective(file, {}))

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("comma", "e")
        await screen.until(lambda: "mode  automated  file" in screen.text, "it is kept")

    play(walk, look=look)
    assert file.read_text(encoding="utf-8") == "ceiling: 1\nmode: automated\n"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ('echo "cieling: 2" >> "$1"', "not kept: cieling: unknown key"),
        ("exit 3", "editor ended with code 3"),
        ("exit 0", "nothing was changed"),
    ],
)
def test_a_mistake_is_told_and_not_kept(
    play: Play, file: Path, editor: Callable[[str], None], body: str, said: str
) -> None:
    """What would end the next start, or an editor that failed, leaves the file as it was."""
    editor(body)
    look = Look(effective=Effective(file, {}))

    async def walk(screen: Any) -> None:
        await screen.armed()
        await screen.press("comma", "e")
        await screen.until(lambda: said in screen.text, said)

    play(walk, look=look)
    assert file.read_text(encoding="utf-8") == "ceiling: 1\n"
