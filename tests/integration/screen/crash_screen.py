"""A screen that breaks while it paints, with a secret in reach; run as a program by a test."""

from __future__ import annotations

import sys

from tui.app import CountersignApp
from tui.bridge import Bridge
from tui.cli import _report


class Broken(Bridge):
    """A scene whose session can't be shown."""

    @property
    def asked(self) -> None:
        secret = "wJalrXUtnFEMI" + "/K7MDENG"
        raise RuntimeError(f"broken, and {len(secret)} letters are in this frame")


if __name__ == "__main__":
    try:
        CountersignApp(Broken(), "why?").show()
    except RuntimeError as error:
        sys.exit(_report(error))
