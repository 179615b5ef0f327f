"""When two calls are the same: what a recording and the cache know their answers by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from core.canonical import canonical
from sandbox.gateway.plain import plain

Key = tuple[str, str, str, bytes]
"""What makes two calls the same: service, operation, region, canonical JSON of the parameters."""

_TOO_LARGE = 2**53


def key_of(service: str, operation: str, region: str, parameters: Mapping[str, Any]) -> Key:
    """Return the key of a call; its parameters may be as the script gave them or made plain."""
    return service, operation, region, canonical(_whole(plain(parameters)))


def _whole(value: Any) -> Any:
    """Return a plain value with numbers that canonical JSON does not have written as texts."""
    if isinstance(value, dict):
        return {key: _whole(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_whole(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, float) or (isinstance(value, int) and abs(value) >= _TOO_LARGE):
        return repr(value)
    return value
