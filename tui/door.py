"""Home's way into the program: files, workflows, and seats for sessions that are opened.

Sessions go the way of `countersign ask` and `countersign replay`, with the same checks.
"""

from __future__ import annotations

from argparse import Namespace
from pathlib import Path
from typing import get_args

from core.aws import LIVE, SHIPPED, find_session
from core.config import Settings
from core.events import Mode
from core.here import now_ms
from core.journal.verify import verify
from core.sessions import Overview, overviews
from core.simulator.world_file import WORLDS
from core.start import sessions_folder
from core.workflows.model import Workflow
from core.workflows.planner import WorkflowPlanner, load_library
from tui import work
from tui.house import Wish
from tui.live import seat_of
from tui.playback import Playback
from tui.seats import Seat


class Door:
    """The `House` of the program itself."""

    def __init__(self, settings: Settings, plain: Namespace) -> None:
        """`plain` are the arguments of an `ask` that was told nothing."""
        self._settings = settings
        self._plain = plain

    @property
    def mode(self) -> str:
        return self._settings.mode

    @property
    def modes(self) -> tuple[str, ...]:
        return get_args(Mode)

    @property
    def place(self) -> str:
        folder = self._settings.data_directory
        home = Path.home()
        return f"~/{folder.relative_to(home)}" if folder.is_relative_to(home) else str(folder)

    def now(self) -> int:
        return now_ms()

    def sessions(self) -> tuple[Overview, ...]:
        return (*overviews(sessions_folder(self._settings)), *overviews(SHIPPED))

    def workflows(self) -> tuple[Workflow, ...]:
        return tuple(load_library().values())

    def sources(self) -> tuple[str, ...]:
        worlds = [f"simulated:{path.stem}" for path in sorted(WORLDS.glob("*.yaml"))]
        recorded = [f"recorded:{path.stem}" for path in sorted(SHIPPED.glob("*.db"))]
        return (LIVE, *worlds, *recorded)

    def verify(self, path: Path) -> str:
        found = verify(path)
        return "; ".join([f"record {found.verdict}", *found.notes])

    def begin(self, wish: Wish) -> Seat:
        arguments = self._arguments(
            question=wish.question or None,
            aws=wish.source,
            mode=wish.mode,
            profile=wish.profile or None,
        )
        first, _ = work.planners(self._settings, arguments.planner)
        if wish.workflow:
            library = load_library()
            first = lambda: WorkflowPlanner(library, wish.workflow)  # noqa: E731 (a Choose)
        opened = work.beginning(arguments, self._settings, first, wish.question, "ask")
        return seat_of(arguments, lambda: opened, wish.question or wish.source)

    def resume(self, session: str) -> Seat:
        arguments = self._arguments(resume=session)
        _, again = work.planners(self._settings, arguments.planner)
        path, opened = work.going_on(arguments, self._settings, again)
        return seat_of(arguments, lambda: opened, path.stem)

    def replay(self, session: str) -> Seat:
        path = find_session(session, (sessions_folder(self._settings), SHIPPED))
        return Seat(Playback(path), path.stem)

    def _arguments(self, **told: str | None) -> Namespace:
        return Namespace(**{**vars(self._plain), **told})
