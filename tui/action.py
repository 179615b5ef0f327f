"""What an action of the screen is: its keys, its words, and when it makes sense."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from tui.key_names import spelled
from tui.situation import Situation

Group = Literal["decide", "session", "look", "read", "replay", "home"]
GROUPS: dict[Group, str] = {
    "decide": "Decide on the request that is shown",
    "session": "The session",
    "look": "Look around",
    "read": "Read in a pane",
    "replay": "Walk through a recorded session",
}
"""Of a session; home has its own (tui/home_actions.py)."""


@dataclass(frozen=True, slots=True)
class Action:
    """One thing to do."""

    name: str
    keys: tuple[str, ...]
    label: str
    """In the key bar; empty = only in the help."""
    help: str
    group: Group
    beside: str = ""
    """Name of another action for which it speaks too in the key bar."""
    spare: int = 0
    """Where the key bar has no room, the highest number goes first."""

    @property
    def decides(self) -> bool:
        """Its keys need a request that has been visible for a moment."""
        return self.group == "decide"

    @property
    def title(self) -> str:
        """Its name as people read it."""
        return self.name.replace("_", " ").capitalize()

    @property
    def key(self) -> str:
        """How people read its keys."""
        return " ".join(spelled(key) for key in self.keys)

    def why_not(self, now: Situation) -> str:
        """Return why it makes no sense now, a sentence; empty when it does."""
        if self.group == "replay":
            return "" if now.replay else "this is not a replay"
        if now.replay and self.group in ("decide", "session") and self.name != "leave":
            return "a replay is read-only"
        return now.why_no_decision(self.name) if self.decides else now.why_not(self.name)


def bar_key(action: Action, actions: Iterable[Action]) -> str:
    """Return what the key bar shows of an action: its first key, and that of the one beside it."""
    both = [each for each in actions if each.name == action.beside and each.keys]
    return " ".join(spelled(each.keys[0]) for each in (*both, action) if each.keys)


def how_to_leave(actions: Sequence[Action], *, stops: bool = False) -> str:
    """Return what ctrl+c is answered with where it ends nothing."""
    keys = {each.name: f"{bar_key(each, ())} " for each in actions if each.keys}
    leaves = f"ctrl+c ends nothing: {keys.get('leave', ': ')}leaves"
    return f"{leaves}, {keys.get('stop', ': ')}twice stops the session" if stops else leaves
