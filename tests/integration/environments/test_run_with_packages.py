"""`check --lock` and `run --requirements`: from a file of names to a script that imports them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(sys.executable).with_name("countersign")


@dataclass(frozen=True, slots=True)
class Desk:
    """A script with the names of its packages, and the program to run it with."""

    folder: Path
    variables: dict[str, str]

    def __call__(self, command: str, *options: str) -> subprocess.CompletedProcess[str]:
        given = (str(self.folder / "script.py"), "--requirements", str(self.names))
        settings = ("--kind", "analyse", "--config", str(self.folder / "config.yaml"))
        return subprocess.run(
            [str(PROGRAM), command, *given, "--aws", "recorded:checkout-503", *settings, *options],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            env={**os.environ, **self.variables, "COUNTERSIGN_DATA": str(self.folder / "data")},
            timeout=50,
            text=True,
        )

    @property
    def names(self) -> Path:
        """The file of names."""
        return self.folder / "packages.txt"

    def checked(self, *options: str) -> dict[str, Any]:
        """What `check` says of the script."""
        document: dict[str, Any] = json.loads(self("check", "--json", *options).stdout)
        return document


@pytest.fixture
def desk(tmp_path: Path, wheels: Any) -> Callable[..., Desk]:
    """Return a function that lays a script and its packages out; takes what is allowed."""
    wheels.make("tiny-rows", "1.1", {"tiny_rows.py": "rows = [1, 2]\n"})
    wheels.make("tiny-sheet", "2.0", {"tiny_sheet.py": "import tiny_rows\n"}, needs=["tiny-rows"])
    (tmp_path / "script.py").write_text("import tiny_sheet\nprint(tiny_sheet.tiny_rows.rows)\n")
    (tmp_path / "packages.txt").write_text("# what it needs\ntiny-sheet>=1\n")

    def laid_out(*allowed: str) -> Desk:
        settings = {"requirements": {"allowed": list(allowed)}}
        (tmp_path / "config.yaml").write_text(json.dumps(settings))
        return Desk(tmp_path, wheels.variables)

    return laid_out


def rules(document: dict[str, Any]) -> list[str]:
    """The rules that a script with requirements broke."""
    return [each["rule"] for each in document["findings"] if each["source"] == "requirements"]


def test_a_locked_file_runs(desk: Callable[..., Desk]) -> None:
    """Names are locked in their file; the digest that check prints runs, with its packages."""
    both = desk("tiny-sheet", "Tiny_Rows")
    before, after = both.checked(), both.checked("--lock")
    again = both.checked("--lock")
    ran = both("run", "--approve", after["digest"], "--ui", "json")

    assert (rules(before), rules(after)) == (["unlocked"], ["not-looked-up"])
    assert again["digest"] == after["digest"] != before["digest"]
    assert [line.split("==")[0] for line in both.names.read_text().splitlines()] == [
        *("tiny-rows", "tiny-sheet"),
    ]
    assert (ran.returncode, ran.stderr) == (0, "")
    facts = [json.loads(line) for line in ran.stdout.splitlines()]
    assert [fact["text"] for fact in facts if fact["kind"] == "run.output"] == ["[1, 2]\n"]


def test_what_comes_along_must_be_allowed_too(desk: Callable[..., Desk]) -> None:
    """A package of a package is blocked like any other, until a person overrides it."""
    one = desk("tiny-sheet")
    checked = one.checked("--lock")
    digest = checked["digest"]

    assert rules(checked) == ["not-allowed", "not-looked-up"]
    assert one("run", "--approve", digest).returncode == 3
    assert one("run", "--mode", "automated").returncode == 4
    assert not list((one.folder / "data/runtimes").glob("*/site/tiny_*"))
    ran = one("run", "--approve", digest, "--override-blockers", "--confirm", "shop-prod")
    assert (ran.returncode, ran.stderr, "[1, 2]" in ran.stdout) == (0, "", True)


def test_a_package_that_is_gone_runs_nothing(desk: Callable[..., Desk], wheels: Any) -> None:
    """Approved, but not to be had: one line with a hint, no run on record, the session open."""
    both = desk("tiny-sheet", "tiny-rows")
    digest = both.checked("--lock")["digest"]
    for wheel in wheels.folder.iterdir():
        wheel.unlink()
    ran = both("run", "--approve", digest, "--ui", "json")

    assert ran.returncode == 6
    assert "tiny-" in ran.stderr.splitlines()[0]
    assert ran.stderr.splitlines()[1].startswith("hint: is the package index in reach?")
    kinds = [json.loads(line)["kind"] for line in ran.stdout.splitlines()]
    after = kinds[kinds.index("decision.made") + 1 :]
    assert after in ([], ["packages.missing"])  # told before, after, or too late to be told at all


def test_what_can_not_be_locked_leaves_the_file_alone(desk: Callable[..., Desk]) -> None:
    """A mistake in a name ends with exit code 2, and the file is as it was."""
    one = desk("tiny-sheet")
    one.names.write_text("tiny-shet\n")
    ended = one("check", "--lock")

    assert (ended.returncode, ended.stdout) == (2, "")
    assert "tiny-shet was not found" in ended.stderr
    assert one.names.read_text() == "tiny-shet\n"


def test_lock_needs_a_file(tmp_path: Path) -> None:
    """There is nothing to lock without --requirements."""
    script = tmp_path / "script.py"
    script.touch()
    command = [str(PROGRAM), "check", str(script), "--lock"]
    ended = subprocess.run(command, capture_output=True, check=False, text=True)

    assert (ended.returncode, "--requirements FILE" in ended.stderr) == (2, True)
