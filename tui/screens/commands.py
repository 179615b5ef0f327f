"""Every action by its name, from the one registry: what the command palette offers.

Enter in a list decides nothing: an action that decides is listed with its key, and choosing it only
says to press that, at the request.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Protocol, cast

from textual.command import DiscoveryHit, Hit, Hits, Provider

from tui.action import Action


class Acting(Protocol):
    """A screen with actions: a session's, or home."""

    @property
    def actions(self) -> Sequence[Action]: ...

    def why_not_now(self, action: Action) -> str: ...

    def say(self, text: str) -> None: ...

    def command(self, action: Action) -> None: ...

    def call_later(self, callback: Callable[..., Any], *args: Any) -> bool: ...


class Commands(Provider):
    """The actions that make sense now."""

    async def discover(self) -> Hits:
        for title, action, act in self._offered():
            yield DiscoveryHit(title, act, help=action.help)

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        for title, action, act in self._offered():
            score = max(matcher.match(title), matcher.match(action.help) / 2)
            if score > 0:
                yield Hit(score, matcher.highlight(title), act, help=action.help)

    def _offered(self) -> Iterator[tuple[str, Action, Callable[[], Any]]]:
        screen = cast("Acting", self.screen)
        for action in screen.actions:
            if action.name == "palette" or screen.why_not_now(action):
                continue
            title = f"{action.title}  ({action.key})" if action.keys else action.title
            if action.decides:
                said = f"to {action.title.lower()}, press {action.key} at the request"
                yield title, action, partial(screen.say, said)
            else:
                yield title, action, partial(screen.call_later, screen.command, action)
