"""The panes that are lists: findings and policy. Enter on a row shows its line in the code."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from core.approval.modes import SECOND_STAGE_FROM
from core.checks.finding import Severity
from tui.searching import Hit
from tui.views import NO_FINDINGS, Need, Permission, Policy, Remark

SEVERITY_STYLES: Final[dict[Severity, str]] = {
    "blocker": "bold $error",
    "warning": "bold $warning",
    "note": "$text-dim",
}
SEVERITY_SIGNS: Final[dict[Severity, str]] = {"blocker": "✗", "warning": "!", "note": "·"}
"""The same in the gutter of the code, so that list and code speak of the same thing."""
_SEVERITY_WORDS: Final[dict[Severity, str]] = {
    "blocker": "BLOCKER",
    "warning": "WARNING",
    "note": "note",
}
_NEEDS: Final[dict[Need, tuple[str, str]]] = {
    "needed": ("✓", "$success"),
    "missing": ("✗", "bold $error"),
    "excess": ("?", "bold $warning"),
    "unread": (" ", ""),
    "denied": ("✗", "bold $error"),
    "surprise": ("?", "bold $warning"),
    "untaken": ("·", "$text-dim"),
    "wide": ("!", "$warning"),
    "unseeable": ("?", "$text-dim"),
}
_WORDS: Final[dict[Need, str]] = {
    "excess": "never called",
    "surprise": "not in the code",
    "untaken": "not taken",
    "wide": "too wide",
    "unseeable": "not in sight",
}
_PLAIN: Final = ("needed", "unread", "untaken", "unseeable")
_OUTSIDE: Final[dict[Need, str]] = {
    "missing": "Not allowed, but called: it will be denied",
    "denied": "Not allowed, and was called: it was denied",
}
_MOST_LINES_NAMED: Final = 3
_TIER_WIDTH: Final = 4
_LEAST_OF_A_NAME: Final = 12
_BREAK: Final = ":\n    "


class LineChosen(Message):
    """A row that speaks of a line of the code was chosen."""

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line


class ListPane(OptionList):
    """Rows, each with the line of the code that it speaks of, or None."""

    def __init__(self, **settings: str) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]  # id and classes, as texts
        self._targets: list[int | None] = []
        self._wide = 0

    def on_resize(self) -> None:
        if self._wide != self.scrollable_content_region.width:
            self.fill()

    def fill(self) -> None:
        """Show the rows anew, in the room that there is; keeps the chosen one."""
        self._wide = self.scrollable_content_region.width
        if not self._wide:
            return
        chosen = self.highlighted
        rows = list(self.rows(self._wide))
        self._targets = [line for _, line, _ in rows]
        self.clear_options()
        self.add_options([Option(text, disabled=not live) for text, _, live in rows])
        if chosen is not None and chosen < len(rows):
            self.highlighted = chosen

    def searched(self) -> list[str]:
        """Return what a search looks through, row by row."""
        return [str(each.prompt).replace(_BREAK, ":") for each in self.options]

    def show_hit(self, hit: Hit) -> None:
        """Choose the row in which something was found."""
        self.highlighted = hit.row

    def rows(self, width: int) -> Iterator[tuple[Content, int | None, bool]]:
        """Yield text, line of the code, and whether it can be chosen, for so many columns."""
        del width
        yield from ()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        line = self._targets[event.option_index]
        if line is not None:
            self.post_message(LineChosen(line))


class FindingsPane(ListPane):
    """What the review found, the worst first."""

    _found: tuple[tuple[Remark, ...], str] = ((), "")

    def paint(self, remarks: tuple[Remark, ...], caption: str) -> None:
        if (remarks, caption) != self._found:
            self._found = (remarks, caption)
            self.fill()

    def rows(self, width: int) -> Iterator[tuple[Content, int | None, bool]]:
        del width
        remarks, caption = self._found
        yield from ((_remark(each), each.line, True) for each in remarks)
        if not remarks:
            words = "The checks have nothing to say." if caption == NO_FINDINGS else caption
            yield Content.styled(words, "$text-dim"), None, False


class PolicyPane(ListPane):
    """What the policy allows, by resource, with tier and reason; or the whole document."""

    raw = False
    """Show the document, not the table."""
    _policy: Policy | None = None

    def paint(self, policy: Policy) -> None:
        if policy != self._policy:
            self._policy = policy
            self.fill()

    def turn(self) -> None:
        """From the table to the document, and back."""
        self.raw = not self.raw
        self.highlighted = None
        self.fill()

    def rows(self, width: int) -> Iterator[tuple[Content, int | None, bool]]:
        if self._policy is None:
            return
        if self.raw:
            for each in self._policy.document.split("\n"):
                yield Content(each), None, True
            return
        for each in self._policy.remarks:
            yield Content.styled(f"! {each}: t shows it", "bold $warning"), None, False
        if not self._policy.permissions and self._policy.document:
            yield Content.styled("It allows nothing.", "$text-dim"), None, False
        yield from _table(self._policy.permissions, width)


def _table(
    permissions: Sequence[Permission], width: int
) -> Iterator[tuple[Content, int | None, bool]]:
    names = max((len(each.action) for each in permissions), default=0)
    reasons = max((len(_why(each)) for each in permissions), default=0)
    room = max(_LEAST_OF_A_NAME, min(names, width - 2 - 2 - _TIER_WIDTH - 1 - reasons))
    for key, group in groupby(permissions, _heading_of):
        yield _heading(*key, room), None, False
        for each in group:
            yield _permission(each, room, width), next(iter(each.lines), None), True


def _heading_of(one: Permission) -> tuple[str, str, str, str]:
    return one.effect, one.resource, one.condition, _OUTSIDE[one.need] if one.outside else ""


def _heading(effect: str, resource: str, condition: str, outside: str, room: int) -> Content:
    if outside:
        return Content.styled(outside, "bold $error")
    place = f"{effect} on {resource}"
    columns = "tier" if len(place) <= room else ""
    head = Content.assemble(
        (effect, "bold"), (" on ", "$text-dim"), resource, " " * (room + 4 - len(place))
    )
    line = Content.assemble(head, (columns, "$text-dim"))
    if not condition:
        return line
    return Content.assemble(line, "\n", (f"  if {condition}", "$text-dim"))


def _permission(one: Permission, room: int, width: int) -> Content:
    sign, style = _NEEDS[one.need]
    tier = "?" if one.tier is None else str(one.tier)
    known = tier if one.effect == "Allow" else ""
    grave = (one.tier or 0) >= SECOND_STAGE_FROM or one.tier is None
    facts = [
        (f"{known:<{_TIER_WIDTH}} ", "bold $error" if grave else ""),
        (_why(one), "$text-dim" if one.need in _PLAIN else style),
    ]
    if len(one.action) <= room:
        return Content.assemble((f"{sign} ", style), f"{one.action:<{room}}  ", *facts)
    below = f"\n    tier {known}  " if known else "\n    "
    # A name without room would go below its sign: it breaks where its service ends.
    name = one.action if len(one.action) <= width - 2 else one.action.replace(":", _BREAK, 1)
    return Content.assemble((f"{sign} ", style), name, below, facts[1])


def _why(one: Permission) -> str:
    """Return why an action stands in the policy, or what is odd about it."""
    parts = [_places(one), _WORDS.get(one.need, "")]
    if one.denied:
        parts.append(f"{one.denied} of {one.called} denied")
    elif one.called:
        parts.append(f"{one.called} call{'s' * (one.called > 1)}")
    return ", ".join(each for each in parts if each)


def _places(one: Permission) -> str:
    if not one.lines:
        return ""
    named = ", ".join(str(each) for each in one.lines[:_MOST_LINES_NAMED])
    more = len(one.lines) - _MOST_LINES_NAMED
    return f"line{'s' * (len(one.lines) > 1)} {named}{f' +{more}' if more > 0 else ''}"


def _remark(remark: Remark) -> Content:
    place = f" line {remark.line}" if remark.line is not None else ""
    style = SEVERITY_STYLES[remark.severity]
    head = Content.assemble(
        (f"{SEVERITY_SIGNS[remark.severity]} ", style),
        (f"{_SEVERITY_WORDS[remark.severity]}{place}", style),
        f"  {remark.text}",
        (f"  {remark.rule}", "$text-dim"),
    )
    if not remark.fix:
        return head
    return Content.assemble(head, "\n", (f"  → {remark.fix}", "$text-dim"))
