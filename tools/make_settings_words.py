"""Makes tui/settings_words.json: what docs/settings.md says of each key, for the screen."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

HOUSE = Path(__file__).parent.parent
PAGE = HOUSE / "docs" / "settings.md"
WORDS = HOUSE / "tui" / "settings_words.json"
_ROW = re.compile(r"^\| `([a-z_.]+)` \| [^|]+ \| `[^|]+` \| ([^|]{20,}) \|$", re.MULTILINE)
_ASIDE = re.compile(r" ?\(\[[^\]]+\]\([^)]*\)\)")
_LINK = re.compile(r"\[([^\]]+)\]\([^)]*\)")


def words() -> dict[str, str]:
    """Return the meaning of each key as plain text."""
    found = _ROW.findall(PAGE.read_text(encoding="utf-8"))
    return {key: _LINK.sub(r"\1", _ASIDE.sub("", said)).replace("`", "") for key, said in found}


def main() -> int:
    """Make the file anew."""
    WORDS.write_text(json.dumps(words(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    print(f"made {WORDS.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
