"""What this installation alone knows: the key of its redaction tags and of its lasting grants."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from core.config import Settings
from core.errors import MachineUnfit
from core.place import place
from core.redact import Redactor

KEY_BYTES = 32
"""Of the key under which secrets are tagged."""


def redactor(settings: Settings, known: Iterable[tuple[str, str]] = ()) -> Redactor:
    """Return what takes secrets out; `known` are further ones: (what it is, value)."""
    key = installation_key(settings.data_directory)
    return Redactor(key=key, secrets=known, patterns=settings.redact.patterns)


def installation_key(folder: Path) -> bytes:
    """Return the key under which equal secrets get equal tags; made whole on first use, 0600."""
    path = folder / "redaction.key"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            with suppress(FileExistsError):  # another one was quicker: its key it is
                place(path, secrets.token_bytes(KEY_BYTES))
        key = path.read_bytes()
    except OSError as error:
        raise MachineUnfit(
            f"{path}: {error.strerror}", hint="is the data directory yours?"
        ) from error
    if len(key) < KEY_BYTES:
        raise MachineUnfit(
            f"{path} holds {len(key)} bytes, which is no key",
            hint="remove it: a new one is made; equal secrets get other tags, and grants that "
            "outlive their sessions hold no more (remove grants.jsonl too)",
        )
    return key
