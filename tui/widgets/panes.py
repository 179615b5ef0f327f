"""The panes that are not code: plan, findings, policy, activity."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from textwrap import wrap
from typing import ClassVar

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Log, OptionList, Static
from textual.widgets.option_list import Option

from core.approval.modes import SECOND_STAGE_FROM
from core.checks.finding import Severity
from tui.scene import MOST_LINES, Lines
from tui.views import NO_FINDINGS, Plan, Policy, Remark, Row

_MOST_OF_A_NAME = 14
_LEAST_OF_A_LINE = 10
SEVERITY_STYLES: dict[Severity, str] = {
    "blocker": "bold $error",
    "warning": "bold $warning",
    "note": "$text-dim",
}
SEVERITY_WORDS: dict[Severity, str] = {"blocker": "BLOCKER", "warning": "WARNING", "note": "note"}


class TextPane(VerticalScroll):
    """A pane of text that scrolls, and takes the focus so that keys can scroll it."""

    can_focus = True

    def compose(self) -> ComposeResult:
        yield Static(classes="text")

    def on_resize(self) -> None:
        self.fill()

    def fill(self) -> None:
        """Show the text anew, in the room that there is; a pane without any gets its text later."""
        if width := self.scrollable_content_region.width:
            self.query_one(Static).update(Content("\n").join(list(self.text(width))))

    def text(self, width: int) -> Iterator[Content]:
        """Yield the lines for a pane of so many columns."""
        del width
        yield from ()


class PlanPane(TextPane):
    """Why this step, what came of it, what it is given."""

    _plan: Plan | None = None

    def paint(self, plan: Plan) -> None:
        if plan != self._plan:
            self._plan = plan
            self.fill()

    def text(self, width: int) -> Iterator[Content]:
        if self._plan is None:
            return
        if self._plan.title:
            yield Content.styled(self._plan.title, "bold $primary")
        yield Content(self._plan.why)
        if self._plan.outcome:
            yield Content("")
            yield Content.styled(self._plan.outcome, "bold $success")
            yield from rows(self._plan.found, width)
            for each in self._plan.remarks:
                yield from hanging("- ", each, width, "$warning")
        if self._plan.rows:
            yield Content("")
        yield from rows(self._plan.rows, width)


class PolicyPane(TextPane):
    """What the policy allows, by tier and resource; and the whole document below."""

    _policy: Policy | None = None

    def paint(self, policy: Policy) -> None:
        if policy != self._policy:
            self._policy = policy
            self.fill()

    def text(self, width: int) -> Iterator[Content]:
        if self._policy is None:
            return
        for (effect, tier, resource), group in groupby(
            self._policy.permissions, lambda one: (one.effect, one.tier, one.resource)
        ):
            yield _heading(effect, tier, resource)
            yield from (Content(each.action) for each in group)
        for each in self._policy.remarks:
            yield from hanging("! ", each, width, "$warning")
        yield Content("")
        yield from (Content.styled(each, "$text-dim") for each in self._policy.document.split("\n"))


class FindingsPane(OptionList):
    """What the review found; choosing one shows its line."""

    class Chosen(Message):
        """A finding about a line was chosen."""

        def __init__(self, line: int) -> None:
            super().__init__()
            self.line = line

    def __init__(self, **settings: str) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]  # id and classes, as texts
        self._remarks: tuple[Remark, ...] = ()
        self._caption = ""

    def paint(self, remarks: tuple[Remark, ...], caption: str) -> None:
        if (remarks, caption) == (self._remarks, self._caption):
            return
        self._remarks, self._caption = remarks, caption
        self.clear_options()
        self.add_options([Option(_remark(each)) for each in remarks])
        if not remarks:
            words = "The checks have nothing to say." if caption == NO_FINDINGS else caption
            self.add_option(Option(Content.styled(words, "$text-dim"), disabled=True))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        line = self._remarks[event.option_index].line if self._remarks else None
        if line is not None:
            self.post_message(self.Chosen(line))


class ActivityPane(Log):
    """Everything that happened, a line each; follows unless somebody has scrolled back."""

    can_focus = True
    BINDINGS: ClassVar = []

    def __init__(self, **settings: str) -> None:
        super().__init__(max_lines=MOST_LINES, **settings)  # type: ignore[arg-type]  # id, classes
        self._written = 0
        self._era = 0

    def paint(self, lines: Lines) -> None:
        if lines.total < self._written or lines.era != self._era:
            self._era = lines.era
            self.clear()
            self._written = 0
        new: Iterable[str] = lines.after(self._written)
        self.write_lines(new)
        self._written = lines.total


def _heading(effect: str, tier: int | None, resource: str) -> Content:
    known = "" if tier is None else f" tier {tier}"
    colour = "$error" if (tier or 0) >= SECOND_STAGE_FROM else "$success"
    style = f"bold {colour}" if effect == "Allow" else "bold $text-dim"
    return Content.assemble((f"{effect}{known}", style), (" on ", "$text-dim"), resource)


def hanging(head: str, text: str, width: int, style: str = "") -> Iterator[Content]:
    """Yield a text wrapped beside its head."""
    indent = " " * len(head)
    for number, line in enumerate(_wrapped(text, width - len(head))):
        yield Content.styled(f"{indent if number else head}{line}", style)


def rows(found: Iterable[Row], width: int) -> Iterator[Content]:
    """Yield names and values side by side; what is too long goes on below its value."""
    listed = list(found)
    names = min(_MOST_OF_A_NAME, max((len(row.name) for row in listed), default=0))
    for row in listed:
        first, *rest = _wrapped(row.value, width - names - 2)
        yield Content.assemble((f"{row.name:<{names}}  ", "$text-dim"), first)
        yield from (Content(" " * (names + 2) + each) for each in rest)


def _wrapped(text: str, width: int) -> list[str]:
    room = max(_LEAST_OF_A_LINE, width)
    return [part for line in text.split("\n") for part in wrap(line, room) or [""]]


def _remark(remark: Remark) -> Content:
    place = f" line {remark.line}" if remark.line is not None else ""
    style = SEVERITY_STYLES[remark.severity]
    head = Content.assemble(
        (f"{SEVERITY_WORDS[remark.severity]}{place}", style),
        f"  {remark.text}",
        (f"  {remark.rule}", "$text-dim"),
    )
    if not remark.fix:
        return head
    return Content.assemble(head, "\n", (f"  → {remark.fix}", "$text-dim"))
