"""The panes of a page together: side by side, or one at a time where there is no room."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Container
from textual.widget import Widget

from core.session import Session
from tui import viewing
from tui.drafts import code as code_of
from tui.scene import Scene
from tui.widgets.bars import PaneTabs
from tui.widgets.code_pane import CodePane
from tui.widgets.panes import ActivityPane, FindingsPane, PlanPane, PolicyPane

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

    def compose(self) -> ComposeResult:
        yield PlanPane(id="plan", classes="pane")
        yield CodePane(id="code", classes="pane -shown")
        yield FindingsPane(id="findings", classes="pane")
        yield PolicyPane(id="policy", classes="pane")
        yield ActivityPane(id="activity", classes="pane")

    def on_mount(self) -> None:
        for number, (pane, name) in enumerate(NAMES.items(), 1):
            self.query_one(f"#{pane}").border_title = f"{number} {name}"

    def paint(self, scene: Scene, session: Session, page: int) -> None:
        """Show a page of a session."""
        step = viewing.step_of(session, page)
        code, policy = code_of(step, scene.script), viewing.policy(step)
        remarks, counted = viewing.findings(step), viewing.findings_caption(step)
        self.query_one(PlanPane).paint(viewing.plan(session, step))
        self.query_one(CodePane).paint(code)
        self.query_one(FindingsPane).paint(remarks, counted)
        self.query_one(PolicyPane).paint(policy)
        self.query_one(ActivityPane).paint(scene.lines)
        self._caption("code", code.caption)
        self._caption("findings", counted)
        self._caption("policy", viewing.policy_caption(policy))

    def paint_tabs(self, tabs: PaneTabs, session: Session, page: int) -> None:
        """Show the counters of a page where its panes have no room side by side."""
        step = viewing.step_of(session, page)
        lines = self.query_one(CodePane).text.count("\n")
        counters = {
            "code": str(lines) if lines else "",
            "findings": viewing.findings_counter(step),
            "policy": viewing.policy_counter(step),
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

    def _caption(self, pane: str, text: str) -> None:
        self.query_one(f"#{pane}").border_subtitle = text
