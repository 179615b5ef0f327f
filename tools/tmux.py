"""The program in a terminal of its own, as tmux has it: press keys, wait for text, read the screen.

The walk through the demo (tests/walks/test_demo_at_the_keys.py) and the readme's picture
(tools/make_picture.py) are made with it, so what is pictured is what was walked through.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

_PAUSE_S = 0.05
_ENDED = "ended with code "
_STAYS = f'"$@"; printf "\\n{_ENDED}%d." $?; exec cat'
"""Runs a program and tells how it ended; the window stays until its server is ended."""


class NeverShown(Exception):
    """A text that was waited for did not come."""


class Tmux:
    """One program in one window of a tmux server of its own; leaving the block ends both."""

    def __init__(
        self, command: Sequence[str], environment: Mapping[str, str], size: tuple[int, int]
    ) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="cs-tmux-"))
        self._environment = {**os.environ, "LC_ALL": "C.UTF-8", **environment}
        for name in ("TMUX", "COLUMNS", "LINES"):  # of the terminal that this one is started from
            self._environment.pop(name, None)
        columns, rows = map(str, size)
        options = ["set-option", "-s", "default-terminal", "tmux-256color", ";"]
        options += ["set-option", "-g", "status", "off", ";"]
        program = ["env", "COLORTERM=truecolor", "sh", "-c", _STAYS, "sh", *command]
        self._ask(*options, "new-session", "-d", "-x", columns, "-y", rows, *program)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._tmux("kill-server")
        shutil.rmtree(self._folder, ignore_errors=True)

    # ------------------------------------------------------------------ reading
    @property
    def screen(self) -> str:
        """What stands in the window."""
        return self._ask("capture-pane", "-p")

    @property
    def coloured(self) -> str:
        """The same with the sequences that colour it."""
        return self._ask("capture-pane", "-p", "-e", "-N")

    def until(self, *texts: str, seconds: float = 120) -> str:
        """Wait until the window shows each of some texts at once; returns what it shows."""
        deadline = time.monotonic() + seconds
        while not all(text in (shown := self.screen) for text in texts):
            if time.monotonic() > deadline or _ENDED in shown:
                raise NeverShown(f"{texts} never came:\n{shown}")
            time.sleep(_PAUSE_S)
        return shown

    def ended(self) -> int:
        """Wait until the program has ended; returns its exit code."""
        said = self.until(_ENDED)
        return int(said.rpartition(_ENDED)[2].partition(".")[0])

    # ------------------------------------------------------------------ pressing
    def press(self, *keys: str) -> None:
        """Press keys, by tmux's names: `a`, `Enter`, `C-End`, `F2`."""
        self._ask("send-keys", *keys)

    def type(self, text: str) -> None:
        """Type a text."""
        self._ask("send-keys", "-l", text)

    def press_for(self, key: str, *texts: str) -> str:
        """Press a key and wait for what it brings; returns what the window shows then."""
        self.press(key)
        return self.until(*texts)

    # ------------------------------------------------------------------ parts
    def _ask(self, *arguments: str) -> str:
        done = self._tmux(*arguments)
        if done.returncode:
            raise OSError(f"tmux {arguments[0]}: {done.stderr.strip()}")
        return done.stdout

    def _tmux(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        socket = str(self._folder / "socket")
        return subprocess.run(
            ["tmux", "-u", "-f", "/dev/null", "-S", socket, *arguments],
            capture_output=True, check=False, env=self._environment, text=True, timeout=30,
        )  # fmt: skip
