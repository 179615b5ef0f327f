"""Events to JSON and back: the edge between the journal and frozen values.

Strict: unknown kinds and fields, missing fields and wrong types are refused, so a file that was
changed by hand never folds into something plausible. Trade-off: pydantic is imported on first use.
"""

from __future__ import annotations

import json
from dataclasses import asdict

from core.errors import IllegalEvent
from core.events import KINDS, Event
from core.strict import reader


def write(event: Event) -> str:
    """Return the event's JSON as the journal stores it; `kind` stands beside it, not in it."""
    return json.dumps(
        asdict(event), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def parse(kind: str, text: str) -> Event:
    """Return the event that `write` wrote; raises IllegalEvent on anything else."""
    from pydantic import ValidationError

    if kind not in KINDS:
        raise IllegalEvent(f"unknown kind of event: {kind}")
    try:
        event: Event = reader(KINDS[kind]).validate_json(text)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise IllegalEvent(f"{kind}: {place}: {first['msg']}") from error
    return event
