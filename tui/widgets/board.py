"""The panes of a page together: side by side, or one at a time where there is no room."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Container
from textual.widget import Widget

from core.session import Session, Step
from tui import policy_views, viewing
from tui.drafts import code as code_of
from tui.scene import Scene
from tui.searching import Searchable
from tui.seen import Seen
from tui.widgets.bars import PaneTabs
from tui.widgets.code_pane import CodePane
from tui.widgets.lists import FindingsPane, ListPane, PolicyPane
from tui.widgets.panes import ActivityPane, PlanPane
from tui.widgets.text_pane import TextPane

NAMES = {
    "plan": "Plan",
    "code": "Code",
    "findings": "Findings",
    "policy": "IAM policy",
    "activity": "Activity",
}


class Board(Container):
    """Plan, code, findings, policy and activity of one page."""

    shown = "code"
    """The pane that is shown where there is room for one."""

    def __init__(self, **settings: str) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]  # id and classes, as texts
        self._captions: dict[str, str] = {}

    def compose(self) -> ComposeResult:
        yield PlanPane(id="plan", classes="pane")
        yield CodePane(id="code", classes="pane -shown")
        yield FindingsPane(id="findings", classes="pane")
        yield PolicyPane(id="policy", classes="pane")
        yield ActivityPane(id="activity", classes="pane")

    def on_mount(self) -> None:
        for number, (pane, name) in enumerate(NAMES.items(), 1):
            self.query_one(f"#{pane}").border_title = f"{number} {name}"

    def paint(self, scene: Scene, session: Session, step: Step | None) -> None:
        """Show a step as it is, or was."""
        code, policy = code_of(step, scene.script), policy_views.policy(step)
        remarks, counted = viewing.findings(step), viewing.findings_caption(step)
        self.query_one(PlanPane).paint(viewing.plan(session, step))
        self.query_one(CodePane).paint(code)
        self.query_one(FindingsPane).paint(remarks, counted)
        self.query_one(PolicyPane).paint(policy)
        self.query_one(ActivityPane).paint(scene.lines)
        self._caption("code", code.caption)
        self._caption("findings", counted)
        self._caption("policy", policy_views.policy_caption(policy))

    def paint_tabs(self, tabs: PaneTabs, step: Step | None) -> None:
        """Show the counters of a step where its panes have no room side by side."""
        lines = self.query_one(CodePane).text.count("\n")
        counters = {
            "code": str(lines) if lines else "",
            "findings": viewing.findings_counter(step),
            "policy": policy_views.policy_counter(step),
        }
        tabs.paint(
            ((pane, name, counters.get(pane, "")) for pane, name in NAMES.items()), self.shown
        )

    def show(self, pane: str) -> Widget:
        """Bring a pane to the front and focus it."""
        self.shown = pane
        for each in self.children:
            each.set_class(each.id == pane, "-shown")
        found = self.query_one(f"#{pane}")
        found.focus()
        return found

    def take_focus(self) -> None:
        """Give the keys to the pane that is in front: those of the answer are gone."""
        self.call_after_refresh(self.query_one(f"#{self.shown}").focus)

    def note_seen(self, seen: Seen) -> None:
        """Note which rows of the panes are on the screen now."""
        for part in seen.parts:
            pane = self.query_one(f"#{part}", Widget)
            if pane.is_on_screen and isinstance(pane, (ListPane, TextPane, CodePane)):
                top, room = pane.scroll_offset.y, pane.scrollable_content_region.height
                if rows := pane.virtual_size.height:
                    seen.saw(part, top, top + room, rows)

    def read(self) -> str:
        """Return what the panes hold about the draft, as text."""
        panes = [self.query_one(f"#{name}") for name in ("plan", "code", "findings", "policy")]
        held: list[object] = [*panes]
        return "\n".join(
            line for pane in held if isinstance(pane, Searchable) for line in pane.searched()
        )

    def turn_policy(self) -> None:
        """Show the policy as a table, or as the document that it is."""
        pane = self.query_one(PolicyPane)
        pane.turn()
        pane.border_title = f"4 {NAMES['policy']}{', the document' if pane.raw else ''}"

    def _caption(self, pane: str, text: str) -> None:
        """Tell something at the lower edge of a pane; the pane is painted again where it is new."""
        if self._captions.get(pane) != text:
            self._captions[pane] = text
            self.query_one(f"#{pane}").border_subtitle = text
