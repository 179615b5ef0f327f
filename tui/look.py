"""How the screen looks and which keys it hears: what the settings say of it, checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Final

from textual.theme import BUILTIN_THEMES

from core.errors import ConfigError
from core.safe_text import safe_line
from tui.action import Action
from tui.actions import ACTIONS
from tui.attention import Attention
from tui.effective import Effective
from tui.home_actions import HOME_ACTIONS
from tui.keymap import remapped
from tui.themes import DARK, THEMES

if TYPE_CHECKING:
    from core.config import Settings


@dataclass(frozen=True, slots=True)
class Look:
    """Theme, keys, and where pictures of the screen are kept."""

    theme: str = DARK.name
    actions: tuple[Action, ...] = ACTIONS
    at_home: tuple[Action, ...] = HOME_ACTIONS
    pictures: Path | None = None
    """None = nowhere: no picture can be taken."""
    attention: Attention = field(default_factory=Attention)
    """How somebody who looks elsewhere is told."""
    effective: Effective = field(default_factory=Effective)
    """Where the settings come from."""

    @property
    def keymap(self) -> dict[str, str]:
        """The keys of every action, by the id of its binding."""
        ids = {each.name: each for each in self.actions}
        ids |= {f"{HOME}{each.name}": each for each in self.at_home}
        return {name: ",".join(each.keys) for name, each in ids.items()}


HOME: Final = "home."
"""Before the name of an action of home, where there are others of that name."""
PLAIN_LOOK: Final = Look()


def look_of(settings: Settings, effective: Effective | None = None) -> Look:
    """Return the look that the settings ask for; raises ConfigError."""
    known = {*BUILTIN_THEMES, *(theme.name for theme in THEMES)}
    if settings.theme not in known:
        near = get_close_matches(settings.theme, known, n=1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(known))}"
        raise ConfigError(f"theme: no such theme; {hint}")
    wanted = {name: keys for name, keys in settings.keys.items() if not name.startswith(HOME)}
    home = {name.removeprefix(HOME): settings.keys[name] for name in settings.keys.keys() - wanted}
    return Look(
        theme=settings.theme,
        actions=remapped(ACTIONS, wanted),
        at_home=remapped(HOME_ACTIONS, home, HOME),
        effective=effective or Effective(),
        pictures=settings.data_directory / "pictures",
        attention=Attention(**settings.notify.model_dump()),
    )


def why_wrong(text: bytes, environment: Mapping[str, str]) -> str:
    """Return what is wrong with a text as a settings file; empty when nothing is."""
    from core.config import load

    with TemporaryDirectory(prefix="countersign-") as folder:
        path = Path(folder) / "config.yaml"
        path.write_bytes(text)
        try:
            look_of(load(path, environment))
        except ConfigError as error:
            return safe_line(str(error).removeprefix(f"{path}: "))
    return ""
