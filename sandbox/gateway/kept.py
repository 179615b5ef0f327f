"""How much is kept of what a script makes the gateway load: a script decides which services."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Any, TypeVar

SERVICES_KEPT = 12
_Thing = TypeVar("_Thing")


def kept(
    things: OrderedDict[Any, _Thing], key: Any, make: Callable[[], _Thing], most: int
) -> _Thing:
    """Return the thing of a key, made when it is missing; the longest unused of too many goes.

    Not safe between threads.
    """
    if key not in things:
        things[key] = make()
    things.move_to_end(key)
    while len(things) > most:
        things.popitem(last=False)
    return things[key]
