"""Reading in panes with keys that hands know from vim and less: moving, and finding a text.

Both the session and the pages that open over it are read with these. They move what is shown, and
can neither change nor decide anything.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeVar, cast

from textual import work
from textual.screen import Screen
from textual.widget import Widget
from textual.widgets import OptionList

from tui.searching import SLICE, Hit, Searchable, after, hits, looking
from tui.widgets.find_bar import FindBar

Result = TypeVar("Result")


class Reading(Screen[Result]):
    """A screen with panes to read."""

    covers = False
    """Nothing can be seen of the screen below it."""
    _sought = ""
    _searching: Widget | None = None
    """The pane that was focused when a search began."""
    _hit: tuple[Widget, int] | None = None
    """The pane and the number of the place that was found last."""
    _found: tuple[tuple[Sequence[str], str], Sequence[Hit]] = (((), ""), ())
    """What was looked through last bit by bit, for what, and what was found."""

    def reading_pane(self) -> Widget | None:
        """Return the pane that is read: the one with the focus."""
        return self.focused

    if TYPE_CHECKING:

        def say(self, text: str) -> None:
            """Tell the reader something for a moment; each page has a place for it."""

    # ------------------------------------------------------------------ moving
    def _do_down(self) -> None:
        self._step(+1)

    def _do_up(self) -> None:
        self._step(-1)

    def _step(self, by: int) -> None:
        pane = self.reading_pane()
        if isinstance(pane, OptionList) and pane.option_count:
            pane.action_cursor_down() if by > 0 else pane.action_cursor_up()
        elif pane is not None:
            pane.scroll_relative(y=by, animate=False)

    def _do_top(self) -> None:
        pane = self.reading_pane()
        if isinstance(pane, OptionList):
            pane.action_first()
        elif pane is not None:
            pane.scroll_home(animate=False)

    def _do_bottom(self) -> None:
        pane = self.reading_pane()
        if isinstance(pane, OptionList):
            pane.action_last()
        elif pane is not None:
            pane.scroll_end(animate=False)

    def _do_half_down(self) -> None:
        self._half(+1)

    def _do_half_up(self) -> None:
        self._half(-1)

    def _half(self, by: int) -> None:
        if pane := self.reading_pane():
            half = max(1, pane.scrollable_content_region.height // 2)
            pane.scroll_relative(y=by * half, animate=False)

    # ------------------------------------------------------------------ finding
    def _do_find(self) -> None:
        pane = self.reading_pane()
        if isinstance(cast("object", pane), Searchable):
            self._searching = pane
            self.query_one(FindBar).open()

    def on_find_bar_sought(self, event: FindBar.Sought) -> None:
        event.stop()
        pane, self._sought = self._searching, event.text
        if pane is not None:
            pane.focus()
        if pane is not None and event.text:
            self._hit = None
            self._go(pane, +1)

    def _do_find_next(self) -> None:
        self._find_again(+1)

    def _do_find_previous(self) -> None:
        self._find_again(-1)

    def _find_again(self, by: int) -> None:
        pane = self.reading_pane()
        if not self._sought:
            self.say("nothing was looked for yet: press / first")
        elif pane is not None:
            self._go(pane, by)

    def _go(self, pane: Widget, by: int) -> None:
        """Show the next place in a pane, or the one before; many rows are searched bit by bit."""
        self.workers.cancel_group(self, "find")
        rows = cast("Searchable", pane).searched()
        known, found = self._found
        if rows is known[0] and self._sought == known[1]:
            self._show(pane, by, found)
        elif len(rows) <= SLICE:
            self._show(pane, by, hits(rows, self._sought))
        else:
            self.say(f"looking for {self._sought} …")
            self._look(pane, by, rows)

    @work(group="find", exclusive=True)
    async def _look(self, pane: Widget, by: int, rows: Sequence[str]) -> None:
        """Look through many rows while the screen goes on; another search takes its place."""
        sought, found = self._sought, list[Hit]()
        for _ in looking(rows, sought, found):
            await asyncio.sleep(0)
        self._found = ((rows, sought), found)
        self._show(pane, by, found)

    def _show(self, pane: Widget, by: int, found: Sequence[Hit]) -> None:
        """Show one place of those that were found; round and round."""
        searchable = cast("Searchable", pane)
        if not found:
            self.say(f"not in this pane: {self._sought}")
            return
        if self._hit and self._hit[0] is pane:
            number = (self._hit[1] + by) % len(found)
        else:
            number = after(found, (pane.scroll_offset.y, 0))
        self._hit = (pane, number)
        searchable.show_hit(found[number])
        self.say(f"{number + 1} of {len(found)}: {self._sought}")
