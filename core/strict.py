"""Documents held to a dataclass: strict types, unknown keys refused.

Making what reads a form takes longer than reading several documents with it, so it is made once;
pydantic is loaded with the first.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from pydantic import ConfigDict, TypeAdapter


def reader(form: type, **more: object) -> TypeAdapter[Any]:
    """Return what reads documents of a form; `more` are settings of pydantic."""
    return _made(form, tuple(more.items()))


@cache
def _made(form: type, more: tuple[tuple[str, object], ...]) -> TypeAdapter[Any]:
    from pydantic import TypeAdapter, with_config

    settings = cast("ConfigDict", {"strict": True, "extra": "forbid", **dict(more)})
    return TypeAdapter(with_config(settings)(form))
