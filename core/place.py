"""Small files that are there whole or not at all, whenever the process or the machine dies.

Written under another name in the same folder, flushed, and only then given their name. What a kill
in between leaves is a file `.NAME.xxxxxxxx` that nobody reads.
"""

from __future__ import annotations

import os
import tempfile
from pathlib import Path


def place(path: Path, body: bytes, *, over: bool = False) -> None:
    """Make the file `path`, mode 0600, durable when this returns; `over` replaces one that exists.

    Without `over` exactly one of many that race gets the name; raises FileExistsError for the
    others, and OSError.
    """
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(body)
            file.flush()
            os.fsync(file.fileno())
        if over:
            Path(draft).replace(path)
        else:
            path.hardlink_to(draft)
    finally:
        Path(draft).unlink(missing_ok=True)
    sync(path.parent)


def sync(path: Path) -> None:
    """Return when a file, or the names in a folder, are on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
