"""From one session to others, home, and the files an answer is handed on in."""

from __future__ import annotations

from core.here import working_folder
from tui import viewing
from tui.exporting import export
from tui.screens.deciding import DecidingScreen
from tui.screens.run import RunScreen

TOLD = frozenset({"home", "other", "waiting", "markdown", "json", "run", "ask"})
"""Actions that say why they make no sense, besides those that decide."""


class AmongScreen(DecidingScreen):
    """The pages of a session that may be one of several at this screen."""

    def _do_leave(self) -> None:
        if self.situation.home:
            self._do_home()
        else:
            super()._do_leave()

    def _do_home(self) -> None:
        self._among("to_home")

    def _do_waiting(self) -> None:
        self._among("to_waiting")

    def _do_other(self) -> None:
        self._among("to_other")

    def _among(self, where: str) -> None:
        """Walk among the sessions of a screen that has several."""
        self.app.call_next(getattr(self.app, where))

    def _do_run(self) -> None:
        session = self._scene.session
        step = viewing.step_of(session, self.page) if session else None
        if step is not None:
            self.app.push_screen(RunScreen(self._scene, step.plan.step))

    def _do_markdown(self) -> None:
        self._export("markdown")

    def _do_json(self) -> None:
        self._export("json")

    def _export(self, form: str) -> None:
        if session := self._scene.session:
            self.say(export(session, form, working_folder()))
