"""What stays of a crash: one line on the terminal, and a report in a file of one's own.

The report is the traceback as Python writes it, without any frame's variables, and redacted: what
a message of an error quotes can be a credential. Nothing of it is printed.
"""

from __future__ import annotations

import os
import platform
import secrets
import sys
import traceback
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from core.redact import Redactor
from core.safe_text import safe_text


def redacted(text: str) -> str:
    """Return a text of an error without anything that looks like a credential."""
    # A key of this moment: reports are read one by one, so their tags need not be comparable.
    return Redactor(key=secrets.token_bytes(32), patterns=()).redact(text)


def report(error: BaseException, folder: Path) -> Path | None:
    """Write the report to a new file that only its owner can read; None where none can be."""
    told = "".join(traceback.format_exception(error))
    head = f"countersign {version('countersign')}, Python {platform.python_version()}, "
    body = f"{head}{sys.platform}\n\n{redacted(told)}"
    path = folder / f"crash-{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}.txt"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(safe_text(body))
    except OSError:
        return None
    return path


def reports_folder() -> Path:
    """Return where reports are kept: in the data directory, as far as it is known this late."""
    import platformdirs

    named = os.environ.get("COUNTERSIGN_DATA", "")
    data = Path(named) if named else platformdirs.user_data_path("countersign")
    return data / "crashes"
