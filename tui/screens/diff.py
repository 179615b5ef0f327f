"""What changed between two versions of a draft, over the session; nothing is decided here."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import BindingType

from core.events import DraftGenerated
from sandbox.job import Sha
from tui.diffing import difference
from tui.screens.paper import Paper, bindings
from tui.widgets.diff_pane import DiffPane


class DiffScreen(Paper):
    """A version beside the one before it; the keys of versions go from pair to pair."""

    BINDINGS: ClassVar[list[BindingType]] = [
        each for each in bindings("look") if getattr(each, "id", "") in ("older", "newer", "diff")
    ]
    hint = "{ } other versions · / finds · Escape goes back"

    def __init__(
        self, drafts: Sequence[DraftGenerated], version: int, script: Callable[[Sha], bytes]
    ) -> None:
        self._drafts, self._version, self._script = drafts, version, script
        found = difference(drafts[version - 2], drafts[version - 1], script)
        super().__init__(found.title, DiffPane(found))

    def _do_older(self) -> None:
        self._turn(-1)

    def _do_newer(self) -> None:
        self._turn(+1)

    def _do_diff(self) -> None:
        self.dismiss(None)

    def _turn(self, by: int) -> None:
        version = min(max(2, self._version + by), len(self._drafts))
        if version == self._version or not isinstance(self._pane, DiffPane):
            self.say("there is no other pair of versions that way")
            return
        self._version = version
        before, after = self._drafts[version - 2], self._drafts[version - 1]
        self._pane.found = difference(before, after, self._script)
        self._pane.border_title = self._pane.found.title
        self._pane.border_subtitle = self.hint
        self._pane.fill()
        self._pane.scroll_home(animate=False)
