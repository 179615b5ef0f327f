"""A screen that breaks with a secret in reach; run as a program by a test.

usage: crash_screen.py painting|worker
"""

from __future__ import annotations

import asyncio
import sys

from tui.app import CountersignApp
from tui.bridge import Bridge
from tui.cli import _report


def asked() -> None:
    """Break, with a secret among the variables."""
    secret = "wJalrXUtnFEMI" + "/K7MDENG"
    raise RuntimeError(f"broken, and {len(secret)} letters are in this frame")


class Broken(Bridge):
    """A scene whose session can't be shown."""

    @property
    def asked(self) -> None:
        asked()


async def work() -> int:
    """Work on a session that can't be worked on, with the secret in this frame too."""
    key = "wJalrXUtnFEMI" + "/K7MDENG"
    await asyncio.sleep(0)
    asked()
    return len(key)


if __name__ == "__main__":
    try:
        if sys.argv[1:] == ["worker"]:
            CountersignApp(Bridge(), "why?", work).show()
        else:
            CountersignApp(Broken(), "why?").show()
    except RuntimeError as error:
        sys.exit(_report(error))
