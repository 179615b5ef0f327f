"""What can be done at home; the registry there, as tui/actions.py is that of a session.

Nothing here decides on a request: sessions are opened, looked at, begun and left.
"""

from __future__ import annotations

from dataclasses import dataclass

from tui.action import Action, Group


@dataclass(frozen=True, slots=True)
class AtHome:
    """What home knows when it asks whether an action makes sense."""

    chosen: bool = False
    """A session is marked."""
    here: bool = False
    """It is open at this screen."""
    resumable: bool = False
    waiting: int = 0


HOME_ACTIONS = (
    Action(
        "open", ("o",), "Open", "Open the marked session: where it goes on, or its replay.", "home"
    ),
    Action("begin", ("n",), "New", "A new question: account or world, mode.", "home"),
    Action(
        "workflow",
        ("w",),
        "Workflows",
        "Begin with a saved workflow, or with a question that was asked before.",
        "home",
        spare=1,
    ),
    Action("resume", ("u",), "Resume", "Go on with the marked session.", "home"),
    Action("replay", ("r",), "Replay", "Read the marked session, event by event.", "home"),
    Action(
        "verify",
        ("v",),
        "Verify",
        "Tell whether the marked session is what was written.",
        "home",
        spare=3,
    ),
    Action("waiting", ("W",), "Waiting", "To the session that has waited longest.", "home"),
    Action(
        "filter", ("slash",), "Filter", "List only sessions that hold each word.", "home", spare=2
    ),
    Action("reload", ("R",), "", "Read the list anew.", "home"),
    Action("down", ("j",), "", "To the next session.", "home"),
    Action("up", ("k",), "", "To the session before.", "home"),
    Action(
        "palette",
        ("colon", "ctrl+p"),
        "Commands",
        "Every action by its name; type to find it.",
        "home",
        spare=6,
    ),
    Action(
        "settings",
        ("comma",),
        "",
        "The settings as they hold, each with its source; e there edits the file.",
        "home",
    ),
    Action("help", ("question_mark", "f1"), "Help", "This page.", "home"),
    Action(
        "leave",
        ("q", "ctrl+q"),
        "Leave",
        "Leave; sessions that go on stay open and can be resumed (press twice).",
        "home",
    ),
)
HOME_GROUPS: dict[Group, str] = {"home": "At home, where all sessions are listed"}
HOME_BY_NAME = {action.name: action for action in HOME_ACTIONS}


def why_not(name: str, now: AtHome) -> str:
    """Return why an action makes no sense now, a sentence; empty when it does."""
    if name in ("open", "resume", "replay", "verify") and not now.chosen:
        return "no session is marked"
    if name == "resume" and now.here:
        return "it is open here: press o"
    if name == "resume" and not now.resumable:
        return "it has ended: press r to read it"
    if name == "verify" and now.here:
        return "it is open here; verify it when it has ended"
    if name == "waiting" and not now.waiting:
        return "no session waits"
    return ""
