"""Telling somebody who looks elsewhere: a decision is wanted, or the answer is there.

By bell, window title, the terminal's own notification (OSC 9), or a command of the operator's; each
is a setting. Whatever the text holds, no control character of it reaches the terminal, and the
command gets it as one argument and never through a shell.
"""

from __future__ import annotations

import asyncio
from asyncio.subprocess import DEVNULL
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from core.events import DecisionRequested
from core.safe_text import safe_line
from core.session import Session

_MOST: Final = 120
_PATIENCE_S: Final = 10.0
"""A command that takes longer is ended."""


@dataclass(frozen=True, slots=True)
class Attention:
    """How somebody is told."""

    bell: bool = True
    title: bool = True
    terminal: bool = False
    command: tuple[str, ...] = ()

    def sequences(self, text: str) -> str:
        """Return what is written to the terminal to tell `text`."""
        told = safe_line(text, _MOST)
        return "".join(
            [
                "\x07" if self.bell else "",
                f"\x1b]2;{told}\x07" if self.title else "",
                f"\x1b]9;{told}\x07" if self.terminal else "",
            ]
        )

    async def call(self, text: str) -> None:
        """Run the command, if there is one, with the text as its last argument."""
        if self.command:
            await _run([*self.command, safe_line(text, _MOST)])


def wanted(session: Session, asked: DecisionRequested | None) -> str:
    """Return what is worth telling of a session now; the same text, nothing new."""
    question = session.started.question
    if asked is not None:
        return f"▲ {asked.request} awaits you: {question}"
    if session.finished is not None:
        status = session.answer.status if session.answer else session.finished.reason
        return f"✓ {status}: {question}"
    return ""


async def _run(command: Sequence[str]) -> None:
    with suppress(OSError, ValueError):  # one that is not there tells nobody, and breaks nothing
        process = await asyncio.create_subprocess_exec(
            *command, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL
        )
        try:
            await asyncio.wait_for(process.wait(), _PATIENCE_S)
        except TimeoutError:
            process.kill()
        except asyncio.CancelledError:
            process.kill()
            raise
        finally:
            await process.wait()
