"""Walking through a recorded session: event by event, to what is looked for, to a time or a text.

It moves where one stands in the record, and can do nothing else: no key here reaches an engine.
"""

from __future__ import annotations

from tui.action import pressing
from tui.playback import Playback
from tui.screens.among import AmongScreen
from tui.screens.dialogs import Asks, Dialog, Final
from tui.walking import Mark

_FAR = 1_000_000
_STEPS = {"event_back": -1, "event_on": 1, "event_first": -_FAR, "event_last": _FAR}
_MARKS: dict[str, tuple[Mark, int]] = {
    "step_back": ("step", -1),
    "step_on": ("step", +1),
    "decision_back": ("decision", -1),
    "decision_on": ("decision", +1),
    "error_back": ("error", -1),
    "error_on": ("error", +1),
}
_GO = "goes there"


class ReplayingScreen(AmongScreen):
    """The pages of a session that may be a recorded one."""

    def _walk(self, name: str) -> None:
        scene = self._scene
        if not isinstance(scene, Playback):
            return
        if name in _STEPS:
            scene.move(_STEPS[name])
            self._stand("")
        else:
            mark, by = _MARKS[name]
            self._stand("" if scene.move_to(mark, by) else self._none(scene, mark, by))

    def _none(self, scene: Playback, mark: Mark, by: int) -> str:
        """Return that nothing so marked is that way, and the key for the way where there is."""
        after, before = ("after", "before") if by > 0 else ("before", "after")
        told = f"no {mark} {after} this event"
        if not scene.has(mark, -by):
            return told
        back = next(name for name, way in _MARKS.items() if way == (mark, -by))
        return f"{told}: {pressing(self.actions, back)} goes to one {before} it"

    def _do_time(self) -> None:
        said = ("The time of an event in UTC, or the time since the session began.",)
        asks = Asks("Go to a time", said, ("12:04, 12:04:30, +02:30 or +1:02:30",))
        self._open(Dialog(asks, Final("g", _GO)), lambda typed: self._to_time(typed[0]))

    def _to_time(self, text: str) -> None:
        if isinstance(self._scene, Playback):
            self._stand("" if self._scene.move_to_time(text) else f"no time: {text}")

    def _do_seek(self) -> None:
        said = ("The next event that says this, in small letters or capitals; round and round.",)
        asks = Asks("Seek in the record", said, ("Text",))
        self._open(Dialog(asks, Final("g", _GO)), lambda typed: self._to_text(typed[0]))

    def _to_text(self, text: str) -> None:
        if isinstance(self._scene, Playback):
            self._stand("" if self._scene.move_to_text(text) else f"no event says: {text}")

    def _stand(self, trouble: str) -> None:
        """Show where one stands now, or say why it is no other place."""
        if trouble:
            self.say(trouble)
        else:
            self._page = self._version = None
            self.paint()
