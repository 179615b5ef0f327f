"""Parameters as JSON can hold them: what leaves the gateway process, is recorded and is looked up.

Times become `2026-01-31T12:00:00Z` (with six digits of a second where there are any), bytes become
base64, more than MOST_SPELLED of them their hash: no journal is to hold every upload. Everything
else already is JSON. There is no way back without the operation's shape.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

MOST_SPELLED = 64 * 1024
"""Bytes; of a longer value only hash and length are told."""


def plain(value: Any) -> Any:
    """Return `value` with nothing in it but dicts, lists, texts, numbers, booleans and None."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    if isinstance(value, bytes):
        if len(value) > MOST_SPELLED:
            return f"sha256:{sha256(value).hexdigest()} ({len(value)} bytes)"
        return base64.b64encode(value).decode("ascii")
    return value
