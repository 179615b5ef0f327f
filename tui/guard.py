"""Refuses to start when `core` or `sandbox` would come from a folder that is not beside `tui`.

Three plain names at top level are easy to read and easy to shadow: `python -m tui` in a folder that
has a `core/` of its own, or PYTHONPATH=. there, would run that folder's code with the operator's
credentials in reach. Looking a top-level name up runs no code, so asking first is safe and cheap.

Does not: protect from a shadowed module of another name, such as a `json.py` in the folder where
`python -m tui` is typed. The `countersign` command does not look there at all; use that.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

_FLOORS = ("core", "sandbox")
_MACHINE_UNFIT = 6


def check() -> None:
    """Return when both floors lie beside `tui`, else say so on stderr and exit with code 6.

    Must be called before anything of `core` or `sandbox` is imported.
    """
    house = Path(__file__).resolve().parent.parent
    for name in _FLOORS:
        found = _origin(name)
        if found != house / name / "__init__.py":
            sys.stderr.write(
                f"countersign: refusing to start: `{name}` would come from {found or 'nowhere'}\n"
                "hint: start `countersign` in another folder, without PYTHONPATH; if that does "
                "not help, install it again in an environment of its own\n"
            )
            raise SystemExit(_MACHINE_UNFIT)


def _origin(name: str) -> Path | None:
    """Return the file that `import name` would run first; None when there is none."""
    try:
        spec = importlib.util.find_spec(name)
    except ValueError:  # something has already put a module without an origin under this name
        return None
    return Path(spec.origin).resolve() if spec is not None and spec.origin is not None else None
