"""The look of the screen, known before the settings are read where they say nothing of it.

Reading the settings strictly takes longer than painting the first frame. So a file is first asked
only whether it could speak of theme, keys, notifications or the data directory; when it could, it
is read before the screen opens, as it always is before anything is worked on.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import platformdirs

from tui.effective import Effective
from tui.look import PLAIN_LOOK, Look

_APPLICATION: Final = "countersign"
_VARIABLE: Final = "COUNTERSIGN_CONFIG"
_DATA_VARIABLE: Final = "COUNTERSIGN_DATA"
_OF_THE_LOOK: Final = ("theme", "keys", "notify", "data_directory", "\\")
"""Names in the settings that change the look; a backslash could spell any of them."""


def early_look(effective: Effective) -> Look | None:
    """Return the look that a person without such settings has; None = read the settings first."""
    environment = effective.environment
    data = environment.get(_DATA_VARIABLE) or str(platformdirs.user_data_path(_APPLICATION))
    if effective.named or environment.get(_VARIABLE) or not Path(data).is_absolute():
        return None
    file = platformdirs.user_config_path(_APPLICATION) / "config.yaml"
    if file.exists() and not _says_nothing(file):
        return None
    return replace(PLAIN_LOOK, pictures=Path(data) / "pictures", effective=effective)


def _says_nothing(file: Path) -> bool:
    """Tell whether no setting in a file can be one of the look; in doubt, one can."""
    try:
        text = file.read_text("utf-8") if file.is_file() else "\\"
    except (OSError, ValueError):
        return False
    return not any(word in text for word in _OF_THE_LOOK)
