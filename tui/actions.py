"""Everything a person can do on the screen: one registry for keys, key bar and help.

An action says which keys name it and when it makes sense; the screen does it. Keys that decide
(`decides`) work only once the request has been on the screen for a moment (tui/arming.py). Enter,
Space and Escape name no action, and a test holds that.

Does not: decide. What an approval may do is settled in core/, whatever is pressed here.
"""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Group = Literal["decide", "session", "look", "read", "replay", "home"]
GROUPS: dict[Group, str] = {
    "decide": "Decide on the request that is shown",
    "session": "The session",
    "look": "Look around",
    "read": "Read in a pane",
    "replay": "Walk through a recorded session",
}


@dataclass(frozen=True, slots=True)
class Situation:
    """What the screen knows when it asks whether an action makes sense."""

    asked: bool = False
    """A request waits for a person at this screen."""
    here: bool = False
    """Its step is the page that is shown."""
    replay: bool = False
    finished: bool = False
    pages: int = 0
    versions: int = 0
    """Of the step that is shown."""
    ran: bool = False
    """The step that is shown has a run, gone on or ended."""
    handed: bool = False
    """What waits is handed over: it is run by hand, and not here."""
    answered: bool = False
    """There is an answer, and it is the page that is shown."""
    home: bool = False
    """There is a home that lists all sessions, to go back to."""
    others: int = 0
    """Other sessions that are open at this screen."""
    waiting: int = 0
    """How many of them wait for a decision."""


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
        if self.decides:
            return _why_no_decision(now) or _why_not_so(self.name, handed=now.handed)
        if self.name == "copy_out" and not now.asked:
            return "nothing waits that somebody else could decide or run"
        if self.name in ("stop", "mode", "grants", "note") and now.finished:
            return "the session has ended"
        if self.name in ("previous", "next") and now.pages < MORE_THAN_ONE:
            return "there is one page so far"
        if self.name in ("older", "newer", "diff") and now.versions < MORE_THAN_ONE:
            return "this step has one version so far"
        if self.name == "run" and not now.ran:
            return "nothing ran in this step yet"
        if self.name in ("markdown", "json") and not now.answered:
            return "there is no answer on this page"
        return _why_not_elsewhere(self.name, now)


MORE_THAN_ONE = 2
_NAMES_OF_SIGNS = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}
"""Where Textual names a key otherwise than Unicode names its sign."""


def _key_of(sign: str) -> str:
    name = unicodedata.name(sign).lower().replace("-", "_").replace(" ", "_")
    return _NAMES_OF_SIGNS.get(name, name)


_SIGNS = {_key_of(sign): sign for sign in string.punctuation}
_KEYS = {sign: key for key, sign in _SIGNS.items()}


def spelled(key: str) -> str:
    """Return how people read a key: the sign itself, or its name."""
    return _SIGNS.get(key, key)


def key_named(text: str) -> str:
    """Return Textual's name of a key that people wrote."""
    return _KEYS.get(text, text)


ACTIONS = (
    Action("approve", ("a",), "Approve", "Approve exactly this version, once.", "decide"),
    Action(
        "approve_with",
        ("w",),
        "With comment…",
        "Approve it, with a comment that goes on record.",
        "decide",
        spare=5,
    ),
    Action(
        "edit",
        ("e",),
        "Edit",
        "Edit the script here; what you keep is a new version, reviewed and asked anew.",
        "decide",
    ),
    Action(
        "edit_outside",
        ("E",),
        "",
        "The same in $VISUAL or $EDITOR; an editor that fails changes nothing.",
        "decide",
    ),
    Action(
        "tighten",
        ("u",),
        "",
        "Take what nothing needs out of the policy: a new version, reviewed and asked anew.",
        "decide",
    ),
    Action("reject", ("r",), "Reject…", "Reject it and say why; asks for the reason.", "decide"),
    Action(
        "bring",
        ("b",),
        "Bring back…",
        "Manual mode: paste what the script found, or name the file.",
        "decide",
    ),
    Action(
        "signed",
        ("o",),
        "",
        "What somebody else signs to decide it elsewhere; takes the file they signed.",
        "decide",
    ),
    Action(
        "skip",
        ("s",),
        "Skip",
        "Leave this step out; the gap is told in the answer.",
        "decide",
        spare=1,
    ),
    Action(
        "stop",
        ("x",),
        "Stop",
        "Press twice: end what runs, and conclude from what there is.",
        "session",
    ),
    Action(
        "note",
        ("i",),
        "",
        "Ask or tell something about this step: on record, and read by a model that plans.",
        "session",
    ),
    Action(
        "mode",
        ("m",),
        "Mode",
        "Choose how much runs by itself; shows ceiling and budget, and answers nothing.",
        "session",
        spare=5,
    ),
    Action(
        "grants",
        ("p",),
        "",
        "Standing grants: what they are, give one, revoke one.",
        "session",
    ),
    Action("event_back", ("h",), "", "To the event before.", "replay"),
    Action("event_on", ("l",), "Events", "To the next event.", "replay", beside="event_back"),
    Action("event_first", ("0",), "", "To the first event.", "replay"),
    Action(
        "event_last", ("dollar_sign",), "Ends", "To the last event.", "replay", beside="event_first"
    ),
    Action("step_back", ("left_parenthesis",), "", "To where the step before began.", "replay"),
    Action(
        "step_on",
        ("right_parenthesis",),
        "Plans",
        "To where the next step, or the answer, began.",
        "replay",
        beside="step_back",
        spare=1,
    ),
    Action("decision_back", ("less_than_sign",), "", "To the decision before.", "replay"),
    Action(
        "decision_on",
        ("greater_than_sign",),
        "Decisions",
        "To the next decision.",
        "replay",
        beside="decision_back",
        spare=2,
    ),
    Action("error_back", ("minus",), "", "To the error, denial or gap before.", "replay"),
    Action(
        "error_on",
        ("exclamation_mark",),
        "Error",
        "To the next error, denial or gap.",
        "replay",
        spare=2,
    ),
    Action("time", ("T",), "Time…", "To a time: 12:04:30 in UTC, or +02:30.", "replay", spare=3),
    Action("seek", ("F",), "Seek…", "To the next event that says a text.", "replay", spare=3),
    Action("previous", ("left_square_bracket",), "", "Show the step before.", "look"),
    Action(
        "next",
        ("right_square_bracket",),
        "Steps",
        "To the next step, or the answer.",
        "look",
        beside="previous",
        spare=2,
    ),
    Action("follow", ("f",), "", "Show the step that is worked on, and follow from here.", "look"),
    Action("older", ("left_curly_bracket",), "", "Show the version before.", "look"),
    Action(
        "newer",
        ("right_curly_bracket",),
        "Versions",
        "Show the version after.",
        "look",
        beside="older",
        spare=4,
    ),
    Action(
        "diff",
        ("d",),
        "Diff",
        "What changed since the version before: code, requirements, policy.",
        "look",
        spare=1,
    ),
    Action("plan", ("1",), "", "To the plan.", "look"),
    Action("code", ("2",), "", "To the code.", "look"),
    Action("findings", ("3",), "", "To the findings; Enter marks the line in the code.", "look"),
    Action("policy", ("4",), "", "To the IAM policy; Enter marks the line that calls.", "look"),
    Action("activity", ("5",), "", "To the activity.", "look"),
    Action(
        "run",
        ("6",),
        "Run",
        "What the step's run prints, calls and finds, as it goes on.",
        "look",
        spare=3,
    ),
    Action("raw", ("t",), "", "The policy as a table, or the whole document.", "look"),
    Action("digest", ("D",), "", "The whole digest of what is asked.", "look"),
    Action("zoom", ("z",), "Zoom", "Show the focused pane alone, and back.", "look", spare=3),
    Action("down", ("j",), "", "A row down.", "read"),
    Action("up", ("k",), "", "A row up.", "read"),
    Action("top", ("g",), "", "To the first row.", "read"),
    Action("bottom", ("G",), "", "To the last row.", "read"),
    Action("half_down", ("ctrl+d",), "", "Half a page down.", "read"),
    Action("half_up", ("ctrl+u",), "", "Half a page up.", "read"),
    Action("find", ("slash",), "Find", "Find a text in the focused pane.", "read", spare=3),
    Action("find_next", ("n",), "", "To the next place where it stands.", "read"),
    Action("find_previous", ("N",), "", "To the place before.", "read"),
    Action(
        "markdown",
        ("M",),
        "Export",
        "Write the answer as Markdown into the folder you are in.",
        "look",
        beside="json",
    ),
    Action("json", ("J",), "", "Write the answer as JSON into the folder you are in.", "look"),
    Action("home", ("H",), "", "Home: all sessions. What goes on here goes on.", "look"),
    Action(
        "waiting",
        ("W",),
        "Waiting",
        "To the session that has waited longest for a decision.",
        "look",
    ),
    Action("other", ("S",), "", "To the next session that is open at this screen.", "look"),
    Action(
        "palette",
        ("colon", "ctrl+p"),
        "Commands",
        "Every action by its name; type to find it.",
        "look",
        spare=6,
    ),
    Action("copy", ("c",), "", "Copy what is selected, or the pane, to the clipboard.", "look"),
    Action("copy_digest", ("C",), "", "Copy the whole digest to the clipboard.", "look"),
    Action(
        "copy_out",
        ("Y",),
        "",
        "Copy what is handed over, or the lines by which somebody else signs a decision.",
        "look",
    ),
    Action("picture", ("P",), "", "Keep a picture (SVG) of the screen in the data folder.", "look"),
    Action("help", ("question_mark", "f1"), "Help", "This page.", "look"),
    Action(
        "leave",
        ("q", "ctrl+q"),
        "Leave",
        "Leave; a session that goes on stays open and can be resumed (press twice).",
        "session",
    ),
)
BY_NAME = {action.name: action for action in ACTIONS}


def _why_not_elsewhere(name: str, now: Situation) -> str:
    if name == "home" and not now.home:
        return "this screen was opened for one session"
    if name == "other" and not now.others:
        return "no other session is open here"
    if name == "waiting" and not now.waiting:
        return "no other session waits"
    return ""


def bar_key(action: Action, actions: Iterable[Action]) -> str:
    """Return what the key bar shows of an action: its first key, and that of the one beside it."""
    both = [each for each in actions if each.name == action.beside and each.keys]
    return " ".join(spelled(each.keys[0]) for each in (*both, action) if each.keys)


def _why_not_so(name: str, *, handed: bool) -> str:
    """Return why a request is not answered in this way: it is run by hand, or it is run here."""
    if handed and name in ("approve", "approve_with", "signed"):
        return "nothing runs here: b brings back what it found"
    if name == "bring" and not handed:
        return "it is not handed over: it runs here, once it is approved"
    return ""


def _why_no_decision(now: Situation) -> str:
    if not now.asked:
        return "nothing waits for a decision"
    if not now.here:
        return "the request is on another page, or about another version: press f to see it"
    return ""
