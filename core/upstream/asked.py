"""What a request names, so that an invented answer can speak of the same things.

A script that asks for two instances looks for both in the answer, by their ids. Names of members
are compared by their stem: `InstanceIds` of a request and `InstanceId` of an answer are the same,
and so are `services` and `serviceArn`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.model import Shape

Asked = Mapping[str, tuple[str, ...]]
"""Texts by the stem of their name, each once and in their order."""

_ENDS = ("identifier", "name", "arn", "id")
_FILTER = (("Name", "Values"), ("name", "values"), ("Key", "Values"), ("key", "values"))


def stem_of(name: str) -> str:
    """Return what the names of one thing have in common."""
    plain = re.sub(r"[^a-z0-9]", "", name.lower())
    plain = plain.removesuffix("s")
    for end in _ENDS:
        if plain.endswith(end) and plain != end:
            return plain.removesuffix(end)
    return plain


def asked(shape: Shape | None, parameters: Mapping[str, Any]) -> Asked:
    """Return the texts of a call's parameters, keys of its maps included."""
    found: dict[str, dict[str, None]] = {}
    if shape is not None:
        for name, text in _texts(shape, dict(parameters), ""):
            found.setdefault(stem_of(name), {})[text] = None
    return {stem: tuple(texts) for stem, texts in found.items()}


def earliest(value: Any) -> datetime | None:
    """Return the earliest time in a call's parameters, None when there is none."""
    if isinstance(value, datetime):
        return value
    inner = value.values() if isinstance(value, Mapping) else value
    if not isinstance(value, Mapping | list):
        return None
    return min(filter(None, map(earliest, inner)), default=None)


def _texts(shape: Shape, value: Any, name: str) -> Iterator[tuple[str, str]]:
    """Yield each text with the name of the member that it stands in."""
    if isinstance(value, str):
        yield name, value
    elif shape.type_name == "list":
        for item in value:
            yield from _texts(shape.member, item, name)
    elif shape.type_name == "map":
        for key, item in value.items():
            yield shape.key.name, key
            yield from _texts(shape.value, item, name)
    elif shape.type_name == "structure" and not shape.is_document_type:
        yield from _of_filter(value) or _of_members(shape, value)


def _of_members(shape: Shape, value: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for member, item in value.items():
        yield from _texts(shape.members[member], item, member)


def _of_filter(value: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the texts of a filter by the name of what it filters, nothing when it is none."""
    for name, values in _FILTER:
        if isinstance(value.get(name), str) and isinstance(value.get(values), list):
            return [(value[name], text) for text in value[values] if isinstance(text, str)]
    return []
