"""Takes a rule out of the code that runs, to see that a test misses it."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib import import_module
from types import FunctionType
from typing import Any

Edit = tuple[str, Callable[..., Any] | tuple[str, str]]
"""A function by module and name, and what takes its place; or a text in it, and another."""


@contextmanager
def without(edit: Edit) -> Iterator[None]:
    """Take a rule out of the code that runs, and put it back."""
    place, instead = edit
    module, _, path = place.partition(":")
    found: Any = import_module(module)
    for name in path.split("."):
        found = inspect.getattr_static(found, name)
    function: FunctionType = getattr(found, "fget", None) or found
    before = function.__code__
    if isinstance(instead, tuple):
        source = textwrap.dedent(inspect.getsource(function))
        assert source.count(instead[0]) == 1, f"{place}: {instead[0]!r} is not there once"
        made: dict[str, Any] = {}
        text = "from __future__ import annotations\n" + source.replace(*instead)
        exec(compile(text, place, "exec"), function.__globals__, made)
        instead = made[function.__name__]
    function.__code__ = instead.__code__
    try:
        yield
    finally:
        function.__code__ = before
