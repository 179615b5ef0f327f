"""Regions that a change reaches besides the one it is called in: where it copies from or to.

A copy of a snapshot names its source, a replica of a secret or a table its place, a bucket where it
is to lie. Only what a parameter is called tells this, so names count that have "region" in them;
what people write into tags and the like is theirs. ARNs name regions too, and are judged as ARNs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.job import Json

_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-\d{1,2}", re.ASCII)
_OF_OLD = {"eu": "eu-west-1"}
"""How S3 called a region once, and still takes it."""
_OF_PEOPLE = ("tags", "variables", "parameters", "metadata")
"""How members end under which names are not AWS's."""


def regions_in(parameters: Json) -> Iterator[str]:
    """Yield the regions that parameters name, as often as they do."""
    waiting: list[tuple[str, Any]] = [("", parameters)]
    while waiting:
        name, value = waiting.pop()
        means = "region" in name or name == "locationconstraint"
        if isinstance(value, Mapping):
            inner = [(str(key).lower(), item) for key, item in value.items()]
            waiting += [each for each in inner if not each[0].endswith(_OF_PEOPLE)]
            yield from (key for key, _ in inner if means and _REGION.fullmatch(key))
        elif isinstance(value, list | tuple):
            waiting += [(name, item) for item in value]
        elif means and isinstance(value, str):
            region = _OF_OLD.get(value.lower(), value.lower())
            if _REGION.fullmatch(region):
                yield region
