"""How the screen looks and which keys it hears: what the settings say of it, checked."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tui.actions import ACTIONS, Action
from tui.themes import DARK


@dataclass(frozen=True, slots=True)
class Look:
    """Theme, keys, and where pictures of the screen are kept."""

    theme: str = DARK.name
    actions: tuple[Action, ...] = ACTIONS
    pictures: Path | None = None
    """None = nowhere: no picture can be taken."""


PLAIN_LOOK: Final = Look()
