"""`python -m tui`: the same as `countersign`, for a checkout that is not installed."""

from __future__ import annotations

import sys

if __name__ == "__main__":
    from tui import guard

    guard.check()
    from tui import cli

    sys.exit(cli.main())
