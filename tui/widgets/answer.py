"""The answer: cause, claims, gaps and timeline left, and right what the marked claim rests on.

The mark goes from claim to claim. Enter opens the evidence, Escape comes back; neither decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.answering import AnswerPage, Proof
from tui.folding import folded
from tui.searching import Hit
from tui.views import Answer
from tui.widgets.panes import rows
from tui.widgets.text_pane import TextPane, hanging

_STATUS = {
    "confirmed": ("✓", "$success"),
    "likely": ("≈", "$success"),
    "healthy": ("✓", "$success"),
}


class ClaimsPane(OptionList):
    """The answer as a list whose claims can be marked."""

    def __init__(self, **settings: str) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]  # id and classes, as texts
        self._shown: tuple[AnswerPage, int] | None = None
        self._places: list[int] = []
        """Place in the list of each claim."""

    @property
    def marked(self) -> int | None:
        """Number of the claim on which the mark stands."""
        place = self.highlighted
        return self._places.index(place) if place in self._places else None

    def searched(self) -> list[str]:
        """Return what a search looks through, row by row; it is what is copied, too."""
        return [row for each in self.options for row in str(each.prompt).split("\n")]

    def show_hit(self, hit: Hit) -> None:
        """Bring what was found into view, and mark its claim."""
        row = 0
        for place, each in enumerate(self.options):
            row += str(each.prompt).count("\n") + 1
            if hit.row < row:
                if place in self._places:
                    self.highlighted = place
                break
        self.scroll_to(y=max(0, hit.row - self.size.height // 3), animate=False)

    def paint(self, page: AnswerPage) -> None:
        """Show an answer; the mark stays on its claim."""
        width = self.scrollable_content_region.width
        if width <= 0 or (page, width) == self._shown:
            return
        marked, self._shown = self.marked or 0, (page, width)
        options: list[Option] = [Option(_head(page.answer), disabled=True)]
        self._places = []
        for claim in page.answer.claims:
            self._places.append(len(options))
            lines = [*hanging("• ", claim.text, width)]
            for each in claim.evidence:
                lines += hanging("    ", each, width, "$text-dim")
            options.append(Option(Content("\n").join(lines)))
        rest = Content("\n").join(list(_rest(page, width)))
        with self.prevent(OptionList.OptionHighlighted):
            self.set_options([*options, Option(rest, disabled=True)])
            if self._places:
                self.highlighted = self._places[min(marked, len(self._places) - 1)]
        self.scroll_home(animate=False)


class ProofPane(TextPane):
    """What one claim rests on."""

    _proof: Proof | None = None

    def paint(self, proof: Proof | None) -> None:
        if proof != self._proof:
            self._proof = proof
            self.fill()
            self.scroll_home(animate=False)

    def text(self, width: int) -> Iterator[Content]:
        if self._proof is None:
            yield Content.styled("No claim is marked.", "$text-dim")
            return
        yield Content.styled(self._proof.title, "bold $primary")
        yield Content("")
        yield from rows(self._proof.rows, width)
        yield Content("")
        for line in self._proof.lines:
            yield from (Content(row) for row in folded(line, width, 0))


class AnswerBoard(Horizontal):
    """The answer's page."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "claims", show=False)]
    _page: AnswerPage | None = None

    def compose(self) -> ComposeResult:
        yield ClaimsPane(id="claims", classes="pane")
        yield ProofPane(id="proof", classes="pane")

    def on_mount(self) -> None:
        self.query_one(ClaimsPane).border_title = "Answer"
        self.query_one(ProofPane).border_title = "Evidence of the marked claim"
        self.query_one(ClaimsPane).border_subtitle = "Enter opens the evidence"
        self.query_one(ProofPane).border_subtitle = "Escape goes back"

    def on_resize(self, event: events.Resize) -> None:
        del event
        self.call_after_refresh(self._fill)

    def paint(self, page: AnswerPage | None) -> None:
        """Show an answer; nothing while there is none."""
        if page is not None and page != self._page:
            self._page = page
            self._fill()

    def settle(self) -> None:
        """Take the focus, once there is room for it."""
        self.call_after_refresh(self.query_one(ClaimsPane).focus)
        self.call_after_refresh(self._fill)

    def action_claims(self) -> None:
        self.remove_class("-proof")
        self.query_one(ClaimsPane).focus()

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        event.stop()
        self._prove()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self.add_class("-proof")
        self.query_one(ProofPane).focus()

    def _fill(self) -> None:
        if self._page is not None:
            self.query_one(ClaimsPane).paint(self._page)
            self._prove()

    def _prove(self) -> None:
        marked = self.query_one(ClaimsPane).marked
        known = self._page is not None and marked is not None
        proof = self._page.proofs[marked] if known and self._page and marked is not None else None
        self.query_one(ProofPane).paint(proof)


def _head(answer: Answer) -> Content:
    sign, style = _STATUS.get(answer.status, ("?", "$warning"))
    return Content("\n").join(
        [
            Content.styled(f"{sign} {answer.status.upper()}", f"bold {style}"),
            Content.styled(answer.cause, "bold $foreground"),
            Content(""),
            Content.styled("CLAIMS" if answer.claims else "NO CLAIMS", "bold $primary"),
        ]
    )


def _rest(page: AnswerPage, width: int) -> Iterator[Content]:
    yield from _section("GAPS")
    for gap in page.answer.gaps:
        yield from hanging("- ", gap, width, "$warning")
    if not page.answer.gaps:
        yield Content.styled("none", "$text-dim")
    yield from _section("STEPS")
    for step in page.answer.steps:
        yield from hanging(step[:6], step[6:], width, "$foreground")
    yield from _section("TIMELINE")
    for row in page.timeline:
        yield from hanging(f"{row.name}  ", row.value, width, "$foreground")


def _section(title: str) -> Iterator[Content]:
    yield Content("")
    yield Content.styled(title, "bold $primary")
