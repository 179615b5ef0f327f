"""Runs the ruff that is installed with countersign: on bytes, without settings or environment.

A script's own folder, home and configuration have no say: `--isolated`, no cache, stdin to stdout.
"""

from __future__ import annotations

import os
import subprocess
from functools import cache
from threading import Lock

from core.checks.standards import WIDEST_LINE
from core.errors import MachineUnfit

_VERSION = "py311"
_MOST_SECONDS = 20
_FINDING = Lock()
_TRIVIAL = "F401,F541,I001,W,E7,UP"
"""Rules whose safe fixes change nothing that a script does."""


def check(script: bytes, rules: str, options: tuple[str, ...] = ()) -> bytes:
    """Return ruff's findings under `rules` as JSON; raises MachineUnfit."""
    return _run(
        script,
        "check",
        *options,
        f"--select={rules}",
        "--ignore-noqa",
        "--output-format=json",
        "--exit-zero",
    )


def formatted(script: bytes, width: int = WIDEST_LINE) -> bytes:
    """Return a script formatted, or as it is when it can't be parsed; raises MachineUnfit."""
    return _run(script, "format", f"--line-length={width}") or script


def tidied(script: bytes, width: int = WIDEST_LINE) -> bytes:
    """Return a new script without what is trivially wrong with it; raises MachineUnfit.

    Only for what has just been written and was shown to nobody: a review changes no byte.
    """
    fixed = _run(script, "check", "--fix-only", f"--select={_TRIVIAL}", "--exit-zero")
    return formatted(fixed or script, width)


def find() -> str:
    """Return where ruff is; raises MachineUnfit.

    Looked for once, by one thread: while another one asks `sysconfig` for the first time, what it
    knows is incomplete.
    """
    with _FINDING:
        return _found()


@cache
def _found() -> str:
    from ruff import find_ruff_bin  # type: ignore[import-untyped]  # ships no types

    try:
        return os.fsdecode(find_ruff_bin())
    except OSError as error:
        raise MachineUnfit(f"ruff can't be run: {error}", hint="reinstall countersign") from error


def _run(script: bytes, command: str, *options: str) -> bytes:
    common = ("--isolated", "--no-cache", "--quiet", f"--target-version={_VERSION}")
    place = ("--stdin-filename=script.py", "-")
    try:
        ended = subprocess.run(
            [find(), command, *common, *options, *place],
            input=script,
            capture_output=True,
            check=False,
            env={},
            cwd="/",
            timeout=_MOST_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise MachineUnfit(f"ruff can't be run: {error}", hint="reinstall countersign") from error
    return ended.stdout
