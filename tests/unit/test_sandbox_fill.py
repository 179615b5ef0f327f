"""What is written into a work folder is written there, whatever its names have become."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.engines.run import fill
from sandbox.errors import LaunchFailed
from sandbox.job import Job, Sha, Shape
from sandbox.limits import Limits

SCRIPT = b"print('here')"
JOB = Job(
    run="r",
    shape=Shape("python", Path("/some/runtime"), Sha("0" * 64), Limits(), aws=False),
    script=SCRIPT,
    script_digest=Sha(hashlib.sha256(SCRIPT).hexdigest()),
    parameters=b"{}",
    inputs={"E1.json": b"[1]"},
    variables={},
)


@pytest.fixture
def work(tmp_path: Path) -> Iterator[int]:
    """Return the descriptor of a work folder."""
    (tmp_path / "job/in").mkdir(parents=True)
    descriptor = os.open(tmp_path / "job", os.O_RDONLY | os.O_DIRECTORY)
    yield descriptor
    os.close(descriptor)


def test_a_work_folder_is_filled(tmp_path: Path, work: int) -> None:
    """The script, its parameters and inputs, read-only."""
    fill(work, JOB)

    found = {path.name: path.read_bytes() for path in (tmp_path / "job").rglob("*.*")}
    assert found == {"script.py": SCRIPT, "parameters.json": b"{}", "E1.json": b"[1]"}
    assert (tmp_path / "job/script.py").stat().st_mode & 0o777 == 0o444


@pytest.mark.parametrize("name", ["in", "script.py"])
def test_no_link_is_followed(tmp_path: Path, work: int, name: str) -> None:
    """A name that leads elsewhere is refused, and nothing is written where it leads."""
    (tmp_path / "job/in").rmdir()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (tmp_path / "job" / name).symlink_to(elsewhere if name == "in" else elsewhere / "new")

    with pytest.raises(LaunchFailed, match="can't be written"):
        fill(work, JOB)

    assert list(elsewhere.iterdir()) == []
