"""YAML as a file that somebody else may have written is read: plain values and nothing else.

No tags and no aliases. A few lines of aliases to aliases stand for more than any machine holds, as
soon as somebody walks over what they mean.
"""

from __future__ import annotations

from typing import Any

import yaml


class PlainLoader(yaml.SafeLoader):
    """Plain YAML: no aliases, no tags."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]  # the stubs leave it untyped
        if isinstance(event, yaml.AliasEvent) or event.tag is not None:
            raise yaml.composer.ComposerError(
                None, None, "aliases and tags are not allowed here", event.start_mark
            )
        return super().compose_node(parent, index)


def plain(text: str | bytes) -> Any:
    """Return what a text says; raises yaml.YAMLError, and RecursionError where it is too deep."""
    return yaml.load(text, PlainLoader)  # noqa: S506  a subclass of SafeLoader


def complaint(error: yaml.YAMLError) -> str:
    """Return what is wrong, in one line."""
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None)
    first = problem or str(error).splitlines()[0]
    return f"line {mark.line + 1}: {first}" if mark else first
