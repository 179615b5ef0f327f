"""A page that has a row to tell things in, so that nothing has to lie over what is read."""

from __future__ import annotations

from typing import Protocol, runtime_checkable


@runtime_checkable
class Telling(Protocol):
    """A page with such a row."""

    @property
    def how_to_leave(self) -> str:
        """What ctrl+c is answered with: it ends nothing."""
        ...

    def say(self, text: str) -> None:
        """Tell something for a moment."""
        ...
