"""The pages that open over home: what a session begins with, the settings, the keys."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from textual import work
from textual.command import CommandPalette
from textual.screen import Screen

from core.sessions import Overview
from tui import homing
from tui.action import Action
from tui.home_actions import HOME_GROUPS
from tui.homing import Pick
from tui.house import House
from tui.screens.commands import Commands
from tui.screens.dialogs import Help
from tui.screens.new_session import NewSession
from tui.screens.picking import PickScreen
from tui.screens.settings import SettingsScreen

if TYPE_CHECKING:
    from tui.app import CountersignApp


class HomePages(Screen[None]):
    """Opens pages over the list of sessions."""

    def __init__(self, house: House) -> None:
        super().__init__()
        self._house = house
        self._files: tuple[Overview, ...] | None = None
        """None before they have been read."""

    @property
    def actions(self) -> Sequence[Action]:
        """What can be done here, with the keys that the settings give it."""
        return cast("CountersignApp", self.app).look.at_home

    def _do_begin(self) -> None:
        form = NewSession(self._house, homing.recent(self._files or ()))
        self.app.push_screen(form)

    @work(group="home-picks", exclusive=True)
    async def _do_workflow(self) -> None:
        library = await asyncio.to_thread(self._house.workflows)
        picks = homing.picks(library, self._files or ())

        def picked(pick: Pick | None) -> None:
            if pick is not None:
                recent = homing.recent(self._files or ())
                self.app.push_screen(NewSession(self._house, recent, pick))

        self.app.push_screen(PickScreen(picks), picked)

    def why_not_now(self, action: Action) -> str:
        """Return why an action makes no sense now, a sentence; empty when it does."""
        raise NotImplementedError

    def command(self, action: Action) -> None:
        """Do an action that was chosen by its name."""
        if not self.why_not_now(action):
            getattr(self, f"_do_{action.name}")()

    def _do_palette(self) -> None:
        self.app.push_screen(CommandPalette([Commands], placeholder="what to do"))

    def _do_settings(self) -> None:
        self.app.push_screen(SettingsScreen(cast("CountersignApp", self.app).look.effective))

    def _do_help(self) -> None:
        self.app.push_screen(Help(self.actions, HOME_GROUPS))
