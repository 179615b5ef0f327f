"""The settings as they hold, with their source; and the file in the operator's editor.

What comes back from the editor is checked as a whole before it takes the file's place, so that no
mistake waits there for the next start.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.binding import Binding, BindingType
from textual.content import Content

from core.errors import ConfigError
from core.safe_text import safe_line
from tui.editor import EditorFailed, edit
from tui.effective import Effective, Setting
from tui.look import why_wrong
from tui.screens.paper import Paper
from tui.widgets.text_pane import TextPane, wrapped

if TYPE_CHECKING:
    from tui.app import CountersignApp

_STYLES = {"default": "$text-dim", "file": "$success"}
_INDENT = "    "
_BAR = 2
"""Columns that the scroll bar may take."""


class SettingsPane(TextPane):
    """Each setting: name, value, source, and what it is for."""

    def __init__(self, effective: Effective) -> None:
        super().__init__(classes="pane")
        self._effective = effective
        self._settings: tuple[Setting, ...] = ()
        self._problem = ""
        self.again()

    def again(self) -> None:
        """Read the settings anew."""
        try:
            self._settings, self._problem = self._effective.settings(), ""
        except ConfigError as error:
            self._problem = safe_line(str(error))
        if self.is_attached:
            self.fill()

    def text(self, width: int) -> Iterator[Content]:
        file = self._effective.file
        missing = "" if file.exists() else " (not there: every default holds)"
        yield Content.styled(safe_line(f"{file}{missing}"), "$text-dim")
        yield Content.styled(
            "New sessions get what stands here; keys and theme, the next start.", ""
        )
        if self._problem:
            yield Content.styled(f"✗ {self._problem}", "bold $error")
        section = ""
        for setting in self._settings:
            if (first := setting.name.partition(".")[0]) != section:
                section = first
                yield Content("")
            yield from _lines(setting, width)


class SettingsScreen(Paper):
    """All settings, to read; `e` opens the file."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("e", "edit", show=False),
        Binding("comma", "back", show=False),
    ]
    hint = "e edits the file · / finds · Escape goes back"

    def __init__(self, effective: Effective) -> None:
        self._effective = effective
        self._settings = SettingsPane(effective)
        super().__init__("Settings", self._settings)

    @work(group="editor", exclusive=True)
    async def action_edit(self) -> None:
        try:
            with cast("CountersignApp", self.app).away():
                edited = await edit(self._effective.read(), "config.yaml")
            if edited is None:
                self.say("nothing was changed")
            elif wrong := why_wrong(edited, self._effective.environment):
                self.say(f"not kept: {wrong}")
            else:
                self._effective.write(edited)
                self._settings.again()
                self.say("kept")
        except EditorFailed as error:
            self.say(f"nothing changed: {safe_line(str(error))}")
        except OSError as error:
            self.say(f"not kept: {error.strerror}")


def _lines(setting: Setting, width: int) -> Iterator[Content]:
    style = _STYLES.get(setting.source, "bold $warning")
    head = [(setting.name, "bold"), ("  ", ""), (setting.value, ""), ("  ", "")]
    yield Content.assemble(*head, (setting.source, style))
    for line in wrapped(setting.meaning, width - len(_INDENT) - _BAR):
        yield Content.styled(f"{_INDENT}{line}", "$text-dim")
