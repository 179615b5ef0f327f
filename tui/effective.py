"""The settings as they hold now, each with where it comes from: for the page that shows them.

The file is read when the page is opened, so what somebody has just changed is there. A session that
goes on keeps what it was started with; new ones get what is shown.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from core.safe_text import safe_line

WORDS: Final = Path(__file__).with_name("settings_words.json")
"""What each key is for; made from docs/settings.md, and a test holds them together."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting as it holds."""

    name: str
    value: str
    source: str
    """default, file, flag, or the environment variable."""
    meaning: str


@dataclass(frozen=True, slots=True)
class Effective:
    """Where settings come from: a file, the environment, and what was said with the command."""

    named: Path | None = None
    """As after --config."""
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    flags: Mapping[str, str] = field(default_factory=dict)
    """What was said with the command, by key."""

    @property
    def file(self) -> Path:
        """The settings file, which may be missing."""
        from core.config import file_of

        return file_of(self.named, self.environment)

    def settings(self) -> tuple[Setting, ...]:
        """Return every setting, in the order of the page; raises ConfigError."""
        from core.config import DATA_VARIABLE, given_keys, known_keys, load

        loaded = load(self.named, self.environment)
        given = given_keys(self.named, self.environment)
        words: dict[str, str] = json.loads(WORDS.read_bytes())
        variables = {"data_directory": DATA_VARIABLE}

        def source(key: str) -> str:
            variable = variables.get(key, "")
            if key in self.flags:
                return "flag"
            if variable and self.environment.get(variable):
                return f"${variable}"
            return "file" if key in given else "default"

        values = dict(_values(loaded.model_dump(mode="json", by_alias=True), known_keys()))
        return tuple(
            Setting(
                name=key,
                value=safe_line(self.flags.get(key, values[key])),
                source=source(key),
                meaning=words.get(key, ""),
            )
            for key in known_keys()
        )

    def read(self) -> bytes:
        """Return the file as it is; raises OSError."""
        return self.file.read_bytes() if self.file.exists() else b""

    def write(self, text: bytes) -> None:
        """Put another text in the file's place, whole or not at all; raises OSError."""
        file = self.file
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(handle, "wb") as stream:
                stream.write(text)
            Path(name).replace(file)
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise


def flags_of(arguments: Mapping[str, Any]) -> dict[str, str]:
    """Return what was said with the command of keys that the file has too."""
    found = {"mode": "mode", "profile": "aws.profile"}
    told = {key: str(arguments[name]) for name, key in found.items() if arguments.get(name)}
    if regions := arguments.get("region"):
        told["regions"] = json.dumps(regions)
    for assignment in arguments.get("limit") or ():
        name, _, value = assignment.partition("=")
        told[f"limits.{name.removeprefix('limits.')}"] = value
    return told


def _values(document: Mapping[str, Any], keys: Sequence[str]) -> Iterator[tuple[str, str]]:
    for key in keys:
        value: Any = document
        for part in key.split("."):
            value = value[part]
        yield key, value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
