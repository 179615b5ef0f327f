"""When a key may decide: not before its request has been visible for a moment.

Somebody who types while a request appears has not read it. So a decision key counts only when it
was pressed at least `ARMING_S` after the request became visible where it is shown now, and not when
it repeats itself because it is held down. What comes too early is dropped, never kept for later.

Times are of one monotonic clock, in seconds; the time of a key is when the terminal delivered it,
not when the screen got round to it.
"""

from __future__ import annotations

from dataclasses import dataclass

ARMING_S = 0.6
HELD_S = 0.15
"""The same key again within this time is a key held down."""


@dataclass(slots=True)
class Arming:
    """Knows the one request that is visible, and since when."""

    visible: str = ""
    """Digest of the request that can be read now; empty = none."""
    since: float = 0.0
    delay_s: float = ARMING_S
    _key: str = ""
    _pressed: float = float("-inf")

    def show(self, what: str, now: float) -> None:
        """Note what is visible now; only a change starts the time anew."""
        if what != self.visible:
            self.visible, self.since = what, now

    def armed(self, what: str, now: float) -> bool:
        """Tell whether this very request has been visible long enough."""
        return bool(what) and what == self.visible and now - self.since >= self.delay_s

    def pressed(self, key: str, at: float) -> bool:
        """Note a key; tells whether a person pressed it, and no key that is held down did."""
        held = key == self._key and at - self._pressed < HELD_S
        self._key, self._pressed = key, at
        return not held

    def shown_ms(self, now: float) -> int:
        """Return for how long the request has been visible."""
        return int((now - self.since) * 1000)
