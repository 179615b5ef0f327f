"""The floors: tui -> core -> sandbox, as import-linter sees them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2]
LINTER = str(Path(sys.executable).parent / "lint-imports")


def lint(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of pyproject.toml in a folder."""
    return subprocess.run(
        [LINTER, "--no-cache"], cwd=folder, check=False, capture_output=True, text=True
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a folder with a copy of the three floors and their contract."""
    for floor in ("core", "tui", "sandbox"):
        shutil.copytree(
            HOUSE / floor, tmp_path / floor, ignore=shutil.ignore_patterns("__pycache__")
        )
    shutil.copy(HOUSE / "pyproject.toml", tmp_path)
    return tmp_path


def test_imports_go_down(copy: Path) -> None:
    """No floor imports from one above it."""
    ended = lint(copy)

    assert ended.returncode == 0, ended.stdout


@pytest.mark.parametrize(
    ("low", "high"), [("sandbox", "core.errors"), ("sandbox", "tui.guard"), ("core", "tui.guard")]
)
def test_an_import_upwards_is_found(copy: Path, low: str, high: str) -> None:
    """The contract fails, and names both modules, when a floor imports from one above it."""
    (copy / low / "intruder.py").write_text(f"import {high}\n", encoding="utf-8")

    ended = lint(copy)

    assert ended.returncode == 1
    assert f"{low}.intruder -> {high}" in ended.stdout
