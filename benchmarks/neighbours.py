"""Other programs of this kind, measured beside ours: installed for one run, and thrown away.

They are no dependency of the product. Where they can't be installed nothing is measured of them,
and nothing is claimed.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory


@dataclass(frozen=True, slots=True)
class Program:
    """A program for the terminal, and what its first whole frame shows."""

    command: tuple[str, ...]
    titles: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Neighbour:
    packages: tuple[str, ...]
    """With versions: another one is another program."""
    titles: tuple[str, ...]


NEIGHBOURS = {
    "posting": _Neighbour(
        # tree-sitter 0.26, which it would get, has it crash before its first frame.
        ("posting==2.11.1", "tree-sitter==0.25.2"),
        ("Collection", "Request", "Response"),
    ),
    "harlequin": _Neighbour(
        ("harlequin==2.17.0",), ("Data Catalog", "Query Editor", "Query Results")
    ),
}


@contextmanager
def installed() -> Iterator[dict[str, Program]]:
    """Yield the programs that could be installed, by name, and tell of those that could not."""
    with TemporaryDirectory() as folder:
        found = {}
        for name, neighbour in NEIGHBOURS.items():
            home = Path(folder) / name
            if why := _install(home, neighbour.packages):
                print(f"{name}: not measured, it can't be installed here: {why}", flush=True)
            else:
                found[name] = Program((str(home / "bin" / name),), neighbour.titles)
        yield found


def _install(home: Path, packages: tuple[str, ...]) -> str:
    """Install packages into an environment of their own; returns why not, or nothing."""
    for argv in (
        [sys.executable, "-m", "venv", str(home)],
        [str(home / "bin" / "pip"), "install", "--quiet", *packages],
    ):
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode:
            return (done.stderr.strip().splitlines() or ["no word"])[-1]
    return ""
