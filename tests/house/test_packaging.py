"""What is shipped: locks with hashes, the wheel is the tree, starting loads nothing heavy."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

HOUSE = Path(__file__).parents[2]
FLOORS = ("core", "tui", "sandbox")
PROJECT: dict[str, Any] = tomllib.loads((HOUSE / "pyproject.toml").read_text(encoding="utf-8"))
RUNTIME: list[str] = PROJECT["project"]["dependencies"]
EXTRA: list[str] = [
    each for extra in PROJECT["project"].get("optional-dependencies", {}).values() for each in extra
]
DEVELOPMENT: list[str] = PROJECT["dependency-groups"]["dev"]
LOCKS = ("requirements.lock", "requirements-dev.lock")
IMPORT = "import tui.cli"
HELP = """\
import contextlib, tui.cli
with contextlib.suppress(SystemExit):
    tui.cli.main(["--help"])
"""
HEAVY = ("boto3", "botocore", "anthropic", "bandit", "moto", "pydantic", "textual")


def name_of(requirement: str) -> str:
    """Return the normal form of the name in a requirement."""
    found = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert found is not None, requirement
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def imports_of(node: ast.AST) -> list[str]:
    """Return the modules that one statement imports."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if isinstance(node, ast.ImportFrom) and node.module else []


def locked(lock: str) -> dict[str, str]:
    """Return name and pinned requirement, hashes included, of everything in a lock file."""
    text = (HOUSE / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return {name_of(line): line for line in lines}


# ------------------------------------------------------------------ locks
@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_requirement_has_hashes(lock: str) -> None:
    """Each line of a lock pins one version with at least one hash, and names no index."""
    pinned = re.compile(
        r"[a-z0-9-]+==[0-9][0-9a-z.]*( ; [^#]+?)?( +--hash=sha256:[0-9a-f]{64})+", re.IGNORECASE
    )

    assert [line for line in locked(lock).values() if not pinned.fullmatch(line)] == []


@pytest.mark.parametrize(
    ("lock", "required"),
    [
        ("requirements.lock", RUNTIME + EXTRA),
        ("requirements-dev.lock", RUNTIME + EXTRA + DEVELOPMENT),
    ],
)
def test_every_dependency_is_locked(lock: str, required: list[str]) -> None:
    """What pyproject.toml asks for is in the lock."""
    assert {name_of(requirement) for requirement in required} - set(locked(lock)) == set()


def test_development_has_what_is_shipped() -> None:
    """The tests run against exactly the versions that users get."""
    development = locked("requirements-dev.lock")

    assert locked("requirements.lock") == {
        name: development[name] for name in locked("requirements.lock")
    }


@pytest.mark.parametrize("name", [name_of(each) for each in RUNTIME + EXTRA + DEVELOPMENT])
def test_every_dependency_has_a_reason(name: str) -> None:
    """Each direct dependency has a line with its licence and its reason among the decisions."""
    page = (HOUSE / "docs/decisions/0006-dependencies.md").read_text(encoding="utf-8")
    lines = re.findall(r"^- `([^`]+)` \([^)]{3,}\): .{20,}$", page, re.MULTILINE)

    assert name in [name_of(line) for line in lines]


def test_only_dependencies_are_imported() -> None:
    """No floor imports a package that pyproject.toml does not ask for."""
    asked_for = {name_of(each).replace("-", "_") for each in RUNTIME + EXTRA}
    # "script" is what the tests of a saved workflow test.
    known = {*sys.stdlib_module_names, *FLOORS, *asked_for, "yaml", "script"}
    imported = {
        name.split(".")[0]
        for floor in FLOORS
        for file in (HOUSE / floor).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        for name in imports_of(node)
    }

    assert imported - known == set()


# ------------------------------------------------------------------ the wheel
def test_the_wheel_is_the_tree(tmp_path: Path) -> None:
    """The wheel has every file of the three floors, data included, and nothing else of ours."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(build, cwd=HOUSE, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    tree = {
        str(file.relative_to(HOUSE))
        for floor in FLOORS
        for file in (HOUSE / floor).rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }

    assert tree == packed
    assert "tui/cli.py" in tree


# ------------------------------------------------------------------ the start
@pytest.mark.parametrize("code", [IMPORT, HELP], ids=["import", "help"])
def test_starting_loads_nothing_heavy(code: str) -> None:
    """Neither importing the command line nor printing its help loads a heavy package."""
    report = f"\nimport sys\nsys.stderr.write(' '.join({set(HEAVY)} & set(sys.modules)))"
    ended = subprocess.run(
        [sys.executable, "-c", code + report], check=True, capture_output=True, text=True
    )

    assert ended.stderr == ""


def test_the_door_loads_no_floor() -> None:
    """Importing the command line imports nothing that the guard has yet to look at."""
    code = "import sys, tui.cli; sys.stdout.write(' '.join({'core', 'sandbox'} & set(sys.modules)))"
    ended = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert ended.stdout == ""


def test_a_starting_gateway_loads_no_source_of_answers() -> None:
    """Each run loads the one that it needs, and only then what goes with it."""
    later = {"botocore", "subprocess", "core.credentials", "core.events", "core.journal"}
    later |= {f"core.upstream.{each}" for each in ("live", "recorded", "rehearsal", "simulated")}
    code = (
        "import sys, core.gateway_runs, sandbox.gateway.serve; "
        f"sys.stdout.write(' '.join({later} & set(sys.modules)))"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert ended.stdout == ""
