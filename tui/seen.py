"""How much of a draft has been on the screen: counted in rows, pane by pane.

A row counts once it was painted where a person could read it. When a pane gets another width its
rows are others, and what was not complete is counted anew. Pure.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class _Part:
    """The rows of one pane."""

    total: int = 0
    rows: set[int] = field(default_factory=set)
    complete: bool = False


@dataclass(slots=True)
class Seen:
    """What has been on the screen of the one thing that is asked about."""

    parts: tuple[str, ...]
    """The panes that count."""
    what: str = ""
    """Digest of what is asked about; another one begins anew."""
    _seen: dict[str, _Part] = field(default_factory=dict)

    def about(self, what: str) -> None:
        """Note what is asked about; what was seen of anything else counts no more."""
        if what != self.what:
            self.what, self._seen = what, {}

    def saw(self, part: str, first: int, last: int, total: int) -> None:
        """Note that rows from `first` to before `last`, of `total`, are on the screen."""
        found = self._seen.setdefault(part, _Part())
        if found.total != total:
            found.total, found.rows = total, set()
        found.rows.update(range(max(0, first), min(last, total)))
        found.complete = found.complete or len(found.rows) == total

    def share(self) -> int:
        """Return how much of it was on the screen, in percent; 100 only when all of it was."""
        if all(self._complete(part) for part in self.parts):
            return 100
        rows = sum(len(each.rows) for each in self._seen.values())
        unseen = sum(not self._complete(part) and part not in self._seen for part in self.parts)
        total = sum(each.total for each in self._seen.values()) + unseen
        return min(99, 100 * rows // total) if total else 0

    def missing(self) -> tuple[str, ...]:
        """Return what was not on the screen, for people: "12 rows of code", "all of policy"."""
        return tuple(self._lack(part) for part in self.parts if not self._complete(part))

    def _complete(self, part: str) -> bool:
        found = self._seen.get(part)
        return found is not None and found.complete

    def _lack(self, part: str) -> str:
        found = self._seen.get(part)
        if found is None or not found.rows:
            return f"the {part}"
        lacking = found.total - len(found.rows)
        return f"{lacking} row{'s' * (lacking > 1)} of {part}"
