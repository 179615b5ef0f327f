"""How the screen looks and which keys it hears: what the settings say of it, checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Final

from textual.theme import BUILTIN_THEMES

from core.errors import ConfigError
from tui.actions import ACTIONS, Action
from tui.attention import Attention
from tui.keymap import remapped
from tui.themes import DARK, THEMES

if TYPE_CHECKING:
    from core.config import Settings


@dataclass(frozen=True, slots=True)
class Look:
    """Theme, keys, and where pictures of the screen are kept."""

    theme: str = DARK.name
    actions: tuple[Action, ...] = ACTIONS
    pictures: Path | None = None
    """None = nowhere: no picture can be taken."""
    attention: Attention = field(default_factory=Attention)
    """How somebody who looks elsewhere is told."""


PLAIN_LOOK: Final = Look()


def look_of(settings: Settings) -> Look:
    """Return the look that the settings ask for; raises ConfigError."""
    known = {*BUILTIN_THEMES, *(theme.name for theme in THEMES)}
    if settings.theme not in known:
        near = get_close_matches(settings.theme, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"
        raise ConfigError(f"theme: no such theme; {hint}")
    return Look(
        theme=settings.theme,
        actions=remapped(ACTIONS, settings.keys),
        pictures=settings.data_directory / "pictures",
        attention=Attention(**settings.notify.model_dump()),
    )
