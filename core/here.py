"""Who sits here, and what time it is. It loads nothing, so that a screen can ask at once."""

from __future__ import annotations

import os
import pwd
import time
from pathlib import Path


def now_ms() -> int:
    """Return the time in milliseconds since the epoch, UTC."""
    return time.time_ns() // 1_000_000


def working_folder() -> Path:
    """Return the folder that we were started in; the root where somebody has removed it."""
    try:
        return Path.cwd()
    except OSError:
        return Path("/")


def identity() -> str:
    """Return the operating-system user, from the user id and not from the environment."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return f"uid {os.getuid()}"
