"""The guard at the door: a foreign `core` or `sandbox` in the operator's folder never runs.

Each test starts a real process in a folder that holds the foreign code, which would leave a canary.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tui import guard

HOUSE = Path(__file__).parents[2]
MODULE = [sys.executable, "-m", "tui"]
COMMAND = [str(Path(sys.executable).parent / "countersign")]


def start(
    argv: list[str], folder: Path, *, python_path: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run a process in `folder` and wait for its end."""
    environment = {**os.environ, "PYTHONPATH": python_path} if python_path else {**os.environ}
    return subprocess.run(
        argv, cwd=folder, env=environment, check=False, capture_output=True, text=True
    )


def foreign(folder: Path, file: str) -> Path:
    """Put code that leaves a canary when it runs into `folder`; return the path of the code."""
    code = folder / file
    code.parent.mkdir(exist_ok=True)
    code.write_text("import pathlib\npathlib.Path('canary').touch()\n", encoding="utf-8")
    return code


FILES = ["core/__init__.py", "core.py", "sandbox/__init__.py", "sandbox.py"]
STARTS = [
    pytest.param(MODULE, "", id="module"),
    pytest.param(MODULE, ".", id="module-and-path"),
    pytest.param(COMMAND, ".", id="command-and-path"),
]


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize(("argv", "python_path"), STARTS)
def test_a_foreign_floor_never_runs(
    tmp_path: Path, argv: list[str], python_path: str, file: str
) -> None:
    """A shadowing package or module is refused by name and place, and none of its code runs."""
    code = foreign(tmp_path, file)

    ended = start([*argv, "--help"], tmp_path, python_path=python_path)

    name = file.split("/", maxsplit=1)[0].removesuffix(".py")
    line = f"countersign: refusing to start: `{name}` would come from {code}\n"
    assert (6, "", line) == (ended.returncode, ended.stdout, ended.stderr[: len(line)])
    assert ended.stderr[len(line) :].startswith("hint: ")
    assert not (tmp_path / "canary").exists()


def test_the_canary_sings(tmp_path: Path) -> None:
    """Without the guard the foreign code does run, so the tests above can fail."""
    foreign(tmp_path, "core/__init__.py")

    start([sys.executable, "-c", "import core"], tmp_path)

    assert (tmp_path / "canary").exists()


@pytest.mark.parametrize("argv", [MODULE, COMMAND], ids=["module", "command"])
def test_a_start_as_usual(tmp_path: Path, argv: list[str]) -> None:
    """In a folder without foreign floors both ways to start work."""
    ended = start([*argv, "--help"], tmp_path)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert "countersign" in ended.stdout


def test_the_command_does_not_look_where_it_is_typed(tmp_path: Path) -> None:
    """`countersign` starts in a folder with a foreign `core`, and runs nothing of it."""
    foreign(tmp_path, "core/__init__.py")

    ended = start([*COMMAND, "--help"], tmp_path)

    assert (ended.returncode, ended.stderr) == (0, "")
    assert not (tmp_path / "canary").exists()


def test_a_folder_that_is_no_package_is_harmless(tmp_path: Path) -> None:
    """A folder that happens to be called `core` and holds no package shadows nothing."""
    (tmp_path / "core").mkdir()

    assert start([*MODULE, "--help"], tmp_path).returncode == 0


def test_a_missing_floor(tmp_path: Path) -> None:
    """A `tui` without its floors, as after another package removed them, is refused."""
    shutil.copytree(HOUSE / "tui", tmp_path / "tui")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); from tui import guard; guard.check()"
    )

    ended = start([sys.executable, "-I", "-S", "-c", code], tmp_path)

    assert ended.returncode == 6
    assert "`core` would come from nowhere" in ended.stderr


def test_a_module_without_origin(tmp_path: Path) -> None:
    """A module that something put under our name beforehand is refused too."""
    code = (
        "import sys, types; sys.modules['core'] = types.ModuleType('core'); "
        "from tui import guard; guard.check()"
    )

    ended = start([sys.executable, "-c", code], tmp_path)

    assert ended.returncode == 6
    assert "`core` would come from nowhere" in ended.stderr


def test_our_own_floors_pass(capsys: pytest.CaptureFixture[str]) -> None:
    """Where the floors lie beside `tui`, the guard says nothing."""
    guard.check()

    assert capsys.readouterr() == ("", "")
