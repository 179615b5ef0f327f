"""The rows around the panes: status, steps, tabs, the banner of a request, and the keys."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from textual.content import Content
from textual.widgets import Static

from tui.action import Action, bar_key
from tui.consent import MODE_SIGNS
from tui.situation import Situation
from tui.views import Chip, Question, Status

_LEAST_OF_A_TITLE = 3
_MODE_SIGNS = {mode.upper(): sign for mode, sign in MODE_SIGNS.items()}
WHOLE = 100
"""Percent."""
_STATE_STYLES = {
    "asked": "bold $warning",
    "running": "bold $primary",
    "working": "$primary",
    "done": "$success",
    "gap": "$error",
    "stopped": "$error",
}


class Bar(Static):
    """A row or two of fixed height: only what is new is painted, and nothing is laid out anew."""

    _content: Content | None = None

    def put(self, content: Content) -> None:
        """Show `content`."""
        if self._content is None or not content.is_same(self._content):
            self._content = content
            self.update(content, layout=False)


class PartsBar(Bar):
    """Some words each about one thing: a row breaks between them, and never within one."""

    def paint(self, parts: Sequence[Content]) -> None:
        """Show `parts` in the rows that there are; what has no room is told by an ellipsis."""
        room, most = max(1, self.size.width - 1), max(1, self.size.height)
        rows: list[list[Content]] = [[]]
        for part in parts:
            if rows[-1] and len(rows) < most and _joined(*rows[-1], part).cell_length > room:
                rows.append([])
            rows[-1].append(part)
        fitted = [_joined(*row).truncate(room, ellipsis=True) for row in rows]
        self.put(Content("\n").join(Content.assemble(" ", row) for row in fitted))


class StatusBar(Bar):
    """Whose account this is, as whom, in which mode, at what cost, for how long. Never scrolls."""

    def paint(self, status: Status | None, question: str, place: str, elsewhere: int = 0) -> None:
        """Show `status`, or the question while there is none; `place` marks a replay.

        `elsewhere` is how many other sessions wait for a decision.
        """
        width = self.size.width
        if status is None:
            self.put(Content.assemble((" countersign  ", "bold $primary"), question))
            return
        right = self._right(status, place, elsewhere)
        self.set_class(status.production, "-production")
        named = f" {status.label} " if status.label else ""
        colour = "$error" if status.production else "$accent"
        left = _joined(
            Content.styled(named, f"bold reverse {colour}"),
            Content.styled(status.account, "bold"),
            Content.styled(status.region, "$text-dim"),
            Content.styled(status.role, "$text-dim"),
        )
        room = max(0, width - right.cell_length - 3)
        fitted = left.truncate(room, ellipsis=True)
        gap = " " * max(1, width - fitted.cell_length - right.cell_length - 2)
        self.put(Content.assemble(" ", fitted, gap, right, " "))

    def _right(self, status: Status, place: str, elsewhere: int) -> Content:
        sign = _MODE_SIGNS.get(status.mode, "?")
        colour = "$warning" if status.mode in ("AUTOMATED", "HYBRID") else "$primary"
        mode = Content.styled(f"{sign} {status.mode}", f"bold {colour}")
        parts = [mode, Content(status.cost), Content(status.elapsed)]
        if elsewhere:
            parts.insert(
                0, Content.styled(f" ▲ {elsewhere} elsewhere: W ", "bold reverse $warning")
            )
        if place:
            parts.insert(0, Content.styled(" REPLAY ", "bold reverse $accent"))
        return _joined(*parts)


class StepStrip(Bar):
    """All steps, and the answer; the one that is shown stands in brackets."""

    def paint(self, chips: Sequence[Chip], page: int, version: int | None) -> None:
        """Show the strip; `version` is the one that is shown of this page, None the latest."""
        if not chips:
            self.put(Content.styled(" no step yet", "$text-dim"))
            return
        room = _room_for_titles(chips, page, self.size.width)
        shown = [_chip(chip, chip.page == page, version, room) for chip in chips]
        self.put(Content(" ").join([Content(""), *shown]))


class PaneTabs(Bar):
    """Where there is no room for panes side by side: their names, with counters."""

    def paint(self, tabs: Iterable[tuple[str, str, str]], shown: str) -> None:
        """Take (pane, name, counter) of each."""
        parts = []
        for number, (pane, name, counter) in enumerate(tabs, 1):
            style = "bold reverse" if pane == shown else "$text-dim"
            label = f" {number} {name}{' ' + counter if counter else ''} "
            parts.append(Content.styled(label, style))
        self.put(Content("").join(parts))


class Banner(Bar):
    """What goes on, or what is asked; it appears, and takes nothing."""

    def ask(
        self, question: Question, counters: tuple[str, str], share: int, note: str, *, urgent: bool
    ) -> None:
        """Show a request, with a note below that is `urgent` or mere context.

        `counters` are the findings in words and in letters, `share` is how much was on the screen.
        """
        for findings, length in ((counters[0], 12), (counters[1], 12), (counters[1], 8)):
            head = _request(question, findings, share, question.digest[:length])
            if head.cell_length < self.size.width:
                break
        self._show(head, note, urgent)
        self.set_class(True, "-asked")

    def tell(self, sign: str, text: str, note: str, *, urgent: bool) -> None:
        """Show what goes on when nothing is asked."""
        self._show(Content.assemble((f" {sign} ", "bold $primary"), text), note, urgent)
        self.set_class(False, "-asked")

    def _show(self, head: Content, note: str, urgent: bool) -> None:
        room = max(0, self.size.width - 1)
        first = head.truncate(room, ellipsis=True)
        styled = Content.styled(f"   {note}", "bold $warning" if urgent else "$text-dim")
        second = styled.truncate(room, ellipsis=True)
        self.put(Content("\n").join([first, second]))


class KeyBar(Bar):
    """The keys that make sense now."""

    def paint(self, actions: Sequence[Action], situation: Situation, *, armed: bool) -> None:
        """Show which of `actions` make sense; those that decide are dim until they are `armed`.

        Where there is no room for all, those that can best be spared go.
        """
        useful = [one for one in actions if one.label and one.keys and not one.why_not(situation)]
        shown = [(one, bar_key(one, actions)) for one in useful]
        width = max(1, self.size.width)
        while len(bar := self._bar(shown, armed)) > width and any(one.spare for one, _ in shown):
            shown.remove(max(shown, key=lambda each: each[0].spare))
        self.put(bar.truncate(width, ellipsis=True))

    def _bar(self, actions: Iterable[tuple[Action, str]], armed: bool) -> Content:
        parts: list[Content] = []
        for action, keys in actions:
            style = "bold $warning" if action.decides else "bold $primary"
            dim = action.decides and not armed
            parts.append(
                Content.assemble(
                    (f" {keys}", "$text-dim" if dim else style),
                    (f" {action.label} ", "$text-dim" if dim else ""),
                )
            )
        return Content("").join(parts)


def _request(question: Question, findings: str, share: int, digest: str) -> Content:
    dot = (" · ", "$text-dim")
    return Content.assemble(
        (f" ▲ {question.request} ", "bold reverse $warning"),
        "  ",
        (question.head, "bold"),
        dot,
        findings,
        dot,
        (f"seen {share}%", "" if share == WHOLE else "$warning"),
        dot,
        f"digest {digest}",
    )


def _joined(*parts: Content) -> Content:
    return Content.styled(" · ", "$text-dim").join([part for part in parts if part.plain])


def _room_for_titles(chips: Sequence[Chip], page: int, width: int) -> int:
    """Return how long the titles of the pages that are not shown may be; all of it if they fit."""
    fixed = sum(len(chip.name) + 6 + 8 * (chip.versions > 1) for chip in chips)
    shown = sum(len(chip.title) for chip in chips if chip.page == page)
    others = [len(chip.title) for chip in chips if chip.page != page]
    left = width - fixed - shown
    if not others or sum(others) <= left:
        return max(others, default=0)
    return max(0, left // len(others))


def _chip(chip: Chip, shown: bool, version: int | None, room: int) -> Content:
    title = chip.title
    if not shown and len(title) > room:
        title = f"{title[: room - 1]}…" if room > _LEAST_OF_A_TITLE else ""
    cut = f" {title}" if title else ""
    text = Content.assemble(
        (chip.sign, _STATE_STYLES.get(chip.state, "")),
        (f" {chip.name}", "bold"),
        cut,
        _version(chip, version) if shown else "",
    )
    return Content.assemble(("[", "bold"), text, ("]", "bold")) if shown else _padded(text)


def _version(chip: Chip, version: int | None) -> str:
    """Return which version is shown, where there are several."""
    if chip.versions <= 1:
        return ""
    return f" v{version or chip.versions} of {chip.versions}"


def _padded(text: Content) -> Content:
    return Content.assemble(" ", text, " ").stylize("$text-dim")
