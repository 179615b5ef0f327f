"""What leaves the screen on purpose: a text for the clipboard, and a picture for a file.

The text goes through the terminal (OSC 52, in base64), so that it works over ssh and inside tmux;
terminals drop what is too long without a word, so that is refused here with one.
"""

from __future__ import annotations

import base64
import os
import re
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

MOST_ENCODED: Final = 74_994
"""Bytes in base64: what terminals and tmux take at least."""


def why_not_copied(text: str) -> str:
    """Return why a text can't be copied, a sentence; empty when it can."""
    if not text:
        return "there is nothing to copy here"
    size = len(base64.b64encode(text.encode()))
    if size > MOST_ENCODED:
        return f"too long for a terminal's clipboard: {size // 1024} KiB of at most 73"
    return ""


def keep_picture(picture: str, folder: Path) -> Path:
    """Write a picture of the screen to a new file that only its owner can read; returns it.

    Raises OSError. Fonts are left to whoever looks: no address of a font server stays in it.
    """
    plain = re.sub(r"@font-face \{.*?\}", "", picture, flags=re.DOTALL)
    spaced = plain.replace("<text ", '<text xml:space="preserve" ')
    named = spaced.replace("Fira Code", "Fira Code, DejaVu Sans Mono, Menlo, Consolas")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"screen-{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(2)}.svg"
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(named.encode())
    return path
