"""Pages on which a person says what holds from here on: the mode, and standing grants.

They open by a key of theirs only. Choosing opens a second stage that shows the whole of it, with
its focus on Cancel; ending a grant needs none, since it only takes away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from core.approval.modes import Mode
from tui.consent import Choice, StandingGrant, Wanted
from tui.screens.dialogs import Asks, Dialog, Final
from tui.widgets.text_pane import hanging


def entering(choice: Choice, account: str) -> Dialog:
    """Return the second stage of a mode: what it means, and the account where it is needed."""
    fields = (f"Type the account to go on: {account}",) if choice.types_account else ()
    final = Final("m", f"goes on in {choice.mode} mode")
    return Dialog(Asks(f"Mode: {choice.mode}", choice.said, fields, careful=True), final)


def granting(name: str, lines: Sequence[str], *, lasting: bool = False) -> Dialog:
    """Return the second stage of a grant: the object itself, and nothing else."""
    end = (
        f"It outlives this session, for this code only; countersign grants --revoke {name} ends it."
        if lasting
        else "It ends with this session, or before."
    )
    said = (*lines, f"{end} It answers no request that is open.")
    return Dialog(Asks(f"Grant {name}", said, careful=True), Final("g", "grants exactly this"))


class ModeScreen(ModalScreen[Mode | None]):
    """The modes; a number chooses one, and opens its second stage."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,m", "back", show=False),
        *(Binding(str(place), f"choose({place})", show=False) for place in range(1, 5)),
    ]

    def __init__(self, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._choices = choices

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = "Mode"
            box.border_subtitle = "a number chooses · Escape goes back"
            for place, choice in enumerate(self._choices, 1):
                style = "$text-dim" if choice.why_not else "bold"
                here = "  (now)" if choice.current else ""
                head = f"{place}  {choice.sign} {choice.mode.upper()}{here}"
                yield Static(Content.styled(head, style))
                said = Content.styled(choice.why_not or choice.promise, "$text-dim")
                yield Static(said, classes="meant")

    def action_choose(self, place: int) -> None:
        choice = self._choices[place - 1]
        box = self.query_one("#box")
        if choice.why_not:
            box.border_subtitle = f"{choice.mode}: {choice.why_not}"
        elif choice.current:
            box.border_subtitle = f"the session is in {choice.mode} mode"
        else:
            self.dismiss(choice.mode)

    def action_back(self) -> None:
        self.dismiss(None)


class GrantsScreen(ModalScreen[None]):
    """Every grant of the session, with what became of it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,p", "back", show=False),
        Binding("r", "revoke", show=False),
        Binding("o", "offer('this')", show=False),
        Binding("O", "offer('rehearsals')", show=False),
        Binding("L", "offer('code')", show=False),
    ]

    def __init__(
        self,
        grants: Callable[[], Sequence[StandingGrant]],
        revoke: Callable[[str], str],
        offer: Callable[[Wanted], str],
    ) -> None:
        super().__init__()
        self._grants, self._revoke, self._offer = grants, revoke, offer
        self._shown: Sequence[StandingGrant] = ()

    def compose(self) -> ComposeResult:
        with Vertical(id="box") as box:
            box.border_title = "Standing grants"
            box.border_subtitle = "r revokes · Escape goes back"
            yield Static(
                Content.styled(
                    "o offers one for what is asked now, O one for rehearsals: for this session, "
                    "for an hour. L offers one for a saved script, in later sessions too, for a "
                    "week. Only reads are granted.",
                    "$text-dim",
                )
            )
            yield OptionList()

    def on_mount(self) -> None:
        self._paint()
        self.set_interval(1.0, self._paint)
        self.query_one(OptionList).focus()

    def on_resize(self) -> None:
        self._shown = ()  # they are laid out for another width
        self.call_after_refresh(self._paint)

    def _paint(self) -> None:
        grants = self._grants()
        if grants == self._shown and grants:
            return
        listed = self.query_one(OptionList)
        chosen = listed.highlighted
        self._shown = grants
        listed.clear_options()
        room = listed.scrollable_content_region.width - 2  # of an option, without its edges
        texts = [Content("\n").join(list(_grant(each, room))) for each in grants]
        listed.add_options([Option(text) for text in texts])
        if not grants:
            none = Content.styled("Nothing is granted: every request is asked.", "$text-dim")
            listed.add_option(Option(none, disabled=True))
        elif chosen is not None:
            listed.highlighted = min(chosen, len(grants) - 1)

    def action_revoke(self) -> None:
        chosen = self.query_one(OptionList).highlighted
        if chosen is not None and chosen < len(self._shown) and self._shown[chosen].holds:
            name = self._shown[chosen].name
            self.query_one("#box").border_subtitle = (
                self._revoke(name) or f"{name} is being revoked"
            )

    def action_offer(self, wanted: Wanted) -> None:
        if why := self._offer(wanted):
            self.query_one("#box").border_subtitle = why

    def action_back(self) -> None:
        self.dismiss(None)


def _grant(one: StandingGrant, width: int) -> Iterator[Content]:
    sign, style = ("✓", "bold $success") if one.holds else ("■", "bold $text-dim")
    yield Content.styled(f"{sign} {one.name}  {one.state}", style)
    for line in one.lines:
        yield from hanging("   ", line, width)
