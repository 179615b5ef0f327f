"""How far this machine's clock is off, by what AWS's answers say: signatures hold for minutes."""

from __future__ import annotations

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from time import time

MOST_SKEW_SECONDS = 240
"""AWS refuses signatures that are five minutes off."""


def clock_offset(headers: Mapping[str, str], now: float | None = None) -> int:
    """Return by how many seconds our clock is ahead of an answer's Date header, 0 without one."""
    named = {name.lower(): value for name, value in headers.items()}
    try:
        there = parsedate_to_datetime(named.get("date", "")).timestamp()
    except (TypeError, ValueError):
        return 0
    return round((time() if now is None else now) - there)


def skew_told(offset: int) -> str:
    """Return what to say of a clock that is off by more than AWS accepts, else nothing."""
    if abs(offset) < MOST_SKEW_SECONDS:
        return ""
    way = "ahead of" if offset > 0 else "behind"
    return f"this machine's clock is {abs(offset)} s {way} AWS's, which makes signatures invalid"
