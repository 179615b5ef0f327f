"""Editing a draft on the screen, part by part; what is kept is a new version, asked anew.

What can't be read is told with its place, and everything that was typed stays.
"""

from __future__ import annotations

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import TextArea

from core.approval.approvers import Decision
from core.safe_text import safe_line, safe_text
from tui.editing import FILES, Part, Parts, Unreadable, changed
from tui.widgets.code_colours import colour

_HINT = "F2 keeps it as a new version · F3 the next part · Escape goes back"
_EDGES = 6
"""Columns around the names of the parts."""
_HINTS: dict[Part, str] = {
    "requirements": "name==version --hash=sha256:… · F2 keeps · F3 next part · Escape goes back",
    "rollback": "empty = none · F2 keeps · F3 the next part · Escape goes back",
    "post_check": "empty = none · F2 keeps · F3 the next part · Escape goes back",
    "tests": "empty = none · F2 keeps · F3 the next part · Escape goes back",
}
"""Where a part has a form that is not to be seen in it."""


def editable(body: bytes) -> str | None:
    """Return a text that a screen can hold without changing it; None when it can't."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    plain = "\r" not in text and safe_text(text) == text
    return text if plain else None


def hidden(before: Parts, typed: Parts, first: Part) -> Part | None:
    """Return a part that has to be shown and can't be; None when the screen can hold all it must.

    One that is as it was may stay out, but for the first: nobody keeps a change they don't see.
    """
    for part, text in typed.texts().items():
        matters = part == first or text != getattr(before, part)
        if matters and editable(text) is None:
            return part
    return None


class EditScreen(ModalScreen[Decision | None]):
    """The parts of a draft, to change; returns the edit, or None when nothing is to change."""

    covers = True
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2,ctrl+s", "keep", show=False, priority=True),
        Binding("f3,ctrl+n", "turn", show=False, priority=True),
        Binding("escape", "back", show=False, priority=True),
        Binding("ctrl+home", "go('start')", show=False, priority=True),
        Binding("ctrl+end", "go('end')", show=False, priority=True),
    ]

    def __init__(self, title: str, before: Parts, typed: Parts, first: Part = "script") -> None:
        """`typed` is what is there to begin with, `before` what it is held against."""
        super().__init__()
        self._title, self._before, self._typed = title, before, typed
        self._texts = {
            part: text
            for part, body in typed.texts().items()
            if (text := editable(body)) is not None
        }
        self._part: Part = first
        self._warned = False

    def compose(self) -> ComposeResult:
        for part, text in self._texts.items():
            area = TextArea(
                text,
                language="python" if FILES[part].endswith(".py") else None,
                show_line_numbers=True,
                soft_wrap=True,
                tab_behavior="indent",
                compact=True,
                id=f"edit-{part}",
                classes="pane",
            )
            area.cursor_blink = False
            yield area

    def on_mount(self) -> None:
        for area in self.query(TextArea):
            colour(area)
        self._show(self._part)

    @property
    def _area(self) -> TextArea:
        return self.query_one(f"#edit-{self._part}", TextArea)

    def _show(self, part: Part, said: str = "") -> None:
        """Bring a part to the front, and say something at its lower edge."""
        self._part = part
        for area in self.query(TextArea):
            area.display = area.id == f"edit-{part}"
        self._area.border_title = self._names(part)
        self._area.border_subtitle = said or _HINTS.get(part, _HINT)
        self._area.focus()

    def _names(self, part: Part) -> Content:
        """Return the names of the parts, or where there is no room for them, which one this is."""
        parts = [each.replace("_", "-") for each in self._texts]
        place = list(self._texts).index(part)
        styled = [Content(each) for each in parts]
        styled[place] = styled[place].stylize("bold reverse")
        names = Content("  ").join([Content(f"{self._title}:"), *styled])
        if names.cell_length + _EDGES <= self.app.size.width:
            return names
        return Content(f"{self._title}: {parts[place]} ({place + 1} of {len(parts)})")

    def action_turn(self) -> None:
        """Go on to the next part, once the keys that were pressed before have been typed."""
        self._area.call_later(self._turn)

    def _turn(self) -> None:
        parts = list(self._texts)
        self._show(parts[(parts.index(self._part) + 1) % len(parts)])

    def action_go(self, where: str) -> None:
        """Go to the start or the end of the part."""
        self._area.call_later(self._go, where)

    def _go(self, where: str) -> None:
        area = self._area
        area.move_cursor(area.document.end if where == "end" else area.document.start)

    def action_keep(self) -> None:
        """Keep it all, once the keys that were pressed before have all been typed into it."""
        self._area.call_later(self._keep)

    def _keep(self) -> None:
        if not self.is_current:
            return
        try:
            self.dismiss(changed(self._before, self._now()))
        except Unreadable as error:
            self._show(error.part, f"not kept: {safe_line(str(error))}")
            if error.line:
                self._area.move_cursor((error.line - 1, 0), center=True)

    def _now(self) -> Parts:
        """Return what is typed now; a part that can't be shown is as it was."""
        files = self._typed.files()
        for part in self._texts:
            files[FILES[part]] = self.query_one(f"#edit-{part}", TextArea).text.encode()
        return self._typed.edited(files)

    def action_back(self) -> None:
        """Go back; what was changed is dropped only when told twice."""
        self._area.call_later(self._back)

    def _back(self) -> None:
        if not self.is_current:
            return
        if self._now() == self._before or self._warned:
            self.dismiss(None)
            return
        self._warned = True
        self._area.border_subtitle = "Escape again drops what you changed · F2 keeps it"

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        self._warned = False
        event.text_area.border_subtitle = _HINTS.get(self._part, _HINT)
