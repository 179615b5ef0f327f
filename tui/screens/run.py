"""A run over the session: what it prints as it prints it, its calls with verdicts, and its result.

It opens over the session and decides nothing; a request that arrives meanwhile is told in its top
row, and waits.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import ClassVar, Final

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widget import Widget

from core.errors import CountersignError
from core.safe_text import safe_line
from sandbox.job import Sha
from tui import results
from tui.bridge import Bridge
from tui.plain import of_rows
from tui.playback import Playback
from tui.results import VIEWS, Result, Tree, TreeRows, folded_at_first
from tui.running import Watched, summary
from tui.screens.pages import SAID_S
from tui.screens.paper import bindings
from tui.screens.reading import Reading
from tui.widgets.bars import Bar, PaneTabs, PartsBar
from tui.widgets.find_bar import FindBar
from tui.widgets.lines import LinesView

_PAINTED_S: Final = 0.1
_PANES = ("output", "calls", "result")


class RunScreen(Reading[None], ModalScreen[None]):
    """The latest run of one step."""

    covers = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,6", "back", show=False),
        Binding("1", "show('output')", show=False),
        Binding("2", "show('calls')", show=False),
        Binding("3", "show('result')", show=False),
        Binding("t", "turn", show=False),
        *bindings("read"),
    ]

    def __init__(self, scene: Bridge | Playback, step: str) -> None:
        super().__init__()
        self._scene, self._of = scene, step
        self._result: Result = results.NOTHING
        self._read: Sha | None = None
        """The result that was read, or is being read."""
        self._view = 0
        self._said_at = float("inf")
        """When something was told last that stands where the keys do."""
        self._shown = "output"
        """The pane that is shown where there is room for one."""
        self._folded: frozenset[int] = frozenset()
        self._tree: TreeRows | None = None
        """The rows of the tree as it is folded now."""

    def compose(self) -> ComposeResult:
        yield PartsBar(id="run-head")
        yield PaneTabs()
        with Horizontal(id="run"):
            yield LinesView(id="output", classes="pane -shown")
            with Vertical(id="run-right"):
                yield LinesView(id="calls", classes="pane")
                yield LinesView(id="result", classes="pane", cursor=True)
        yield FindBar()
        yield Bar(id="run-keys")

    def on_mount(self) -> None:
        for number, pane in enumerate(_PANES, 1):
            self.query_one(f"#{pane}").border_title = f"{number} {pane.capitalize()}"
        self.query_one("#result").border_subtitle = "none yet"
        self.query_one("#output").focus()
        self.set_interval(_PAINTED_S, self.paint)
        self.say("")
        self.call_after_refresh(self.paint)

    def say(self, text: str) -> None:
        """Tell something beside the keys, or which keys there are."""
        here = "Enter folds" if VIEWS[self._view] == "tree" else "← → sideways"
        keys = f"1 2 3 panes · t table, tree, raw · {here} · / finds · Escape goes back"
        self.query_one("#run-keys", Bar).put(Content.styled(f" {text or keys}", "$text-dim"))
        self._said_at = time.monotonic() if text else float("inf")

    # ------------------------------------------------------------------ painting
    def paint(self) -> None:
        """Show how far the run has come."""
        if time.monotonic() - self._said_at > SAID_S:
            self.say("")
        session, watched = self._scene.session, self._scene.runs.of(self._of)
        if session is None or watched is None or not self.is_mounted:
            return
        told = summary(watched, session, self._scene.now())
        head = [Content.styled(each, "bold") for each in told]
        if self._scene.asked:
            waits = f"▲ {self._scene.asked.request} awaits you: Escape"
            head.insert(0, Content.styled(waits, "bold reverse $warning"))
        self.query_one(PartsBar).paint(head)
        self._paint_tabs(watched)
        self._lines("output").paint(watched.output, follow=True)
        self._lines("calls").paint(watched.calls, follow=True)
        if watched.result is not None and watched.result != self._read:
            self._read = watched.result
            self.read_result(watched.result)

    @work(group="result", exclusive=True)
    async def read_result(self, content: Sha) -> None:
        """Read a result beside the screen, and show it."""
        self.query_one("#result").border_subtitle = "reading"
        try:
            body = await asyncio.to_thread(self._scene.body, content)
            self._result = await asyncio.to_thread(results.read, body)
        except CountersignError as error:
            self._result = Result((safe_line(str(error)),), Tree(), (safe_line(str(error)),))
        self._folded = await asyncio.to_thread(folded_at_first, self._result.tree)
        self._paint_result()

    @work(group="view", exclusive=True)
    async def _paint_result(self) -> None:
        view, result = VIEWS[self._view], self._result
        rows: Sequence[str] = result.table if view == "table" else result.raw
        if view == "tree":
            rows = self._tree = await asyncio.to_thread(TreeRows, result.tree, self._folded)
        self._lines("result").paint(rows)
        self.query_one("#result").border_subtitle = f"{view}, {of_rows(len(rows), len(rows))}"

    def _paint_tabs(self, watched: Watched) -> None:
        """Tell what the panes hold where there is room for one of them only."""
        counters = {
            "output": str(watched.output.total),
            "calls": str(watched.calls.total),
            "result": "none yet" if watched.result is None else "",
        }
        tabs = ((pane, pane.capitalize(), counters[pane]) for pane in _PANES)
        self.query_one(PaneTabs).paint(tabs, self._shown)

    def _lines(self, pane: str) -> LinesView:
        return self.query_one(f"#{pane}", LinesView)

    # ------------------------------------------------------------------ keys
    def action_act(self, name: str) -> None:
        """Do what a key of the registry names."""
        pane = self.reading_pane()
        if name in ("down", "up") and isinstance(pane, LinesView):
            pane.move(+1 if name == "down" else -1)
        else:
            getattr(self, f"_do_{name}")()

    def reading_pane(self) -> Widget | None:
        return self.focused or self._lines("output")

    def action_show(self, pane: str) -> None:
        self._shown = pane
        for each in _PANES:
            self.query_one(f"#{each}").set_class(each == pane, "-shown")
        self.query_one("#run-right").set_class(pane != "output", "-shown")
        self._lines(pane).focus()
        self.paint()

    def action_turn(self) -> None:
        self._view = (self._view + 1) % len(VIEWS)
        self.say("")
        self._paint_result()

    def on_lines_view_chosen(self, event: LinesView.Chosen) -> None:
        """Fold or unfold the marked row of the tree."""
        event.stop()
        if event.view.id != "result" or VIEWS[self._view] != "tree":
            return
        if self._tree and event.row < len(self._tree):
            self._folded ^= {self._tree.numbers[event.row]}
            self._paint_result()

    def action_back(self) -> None:
        self.dismiss(None)
