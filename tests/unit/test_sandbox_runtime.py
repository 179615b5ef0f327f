"""Which files of a package go into the sealed runtime, and that each is what was installed."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

import pytest

from sandbox.errors import RuntimeUnusable
from sandbox.runtime import _copy_package, _distribution, _files

Install = Callable[..., Distribution]


def hashed(content: str) -> str:
    """Return the hash of a file as RECORD holds it."""
    digest = hashlib.sha256(content.encode()).digest()
    return "sha256=" + base64.urlsafe_b64encode(digest).decode().rstrip("=")


@pytest.fixture
def install(tmp_path: Path) -> Install:
    """Return a function that lays a package with these lines in its RECORD."""

    def lay(*record: str) -> Distribution:
        about = tmp_path / "thing-1.dist-info"
        about.mkdir()
        (about / "METADATA").write_text("Metadata-Version: 2.1\nName: thing\nVersion: 1\n")
        if record:
            (about / "RECORD").write_text("\n".join(record))
        (tmp_path / "thing.py").write_text("x = 1\n")
        return PathDistribution(about)

    return lay


def test_only_the_packages_own_files_count(install: Install) -> None:
    """Programs outside, compiled files and the installer's notes differ by machine and stay out."""
    package = install(
        f"thing.py,{hashed('x = 1')},6",
        "../../bin/thing,sha256=abc,10",
        "/etc/thing,sha256=abc,10",
        "__pycache__/thing.cpython-311.pyc,,",
        "thing-1.dist-info/INSTALLER,sha256=abc,4",
        "thing-1.dist-info/RECORD,,",
        "thing-1.dist-info/METADATA,sha256=def,50",
    )

    assert _files(package) == [
        ("thing-1.dist-info/METADATA", "sha256=def"),
        ("thing.py", hashed("x = 1")),
    ]


def test_a_file_is_copied_as_it_was_installed(install: Install, tmp_path: Path) -> None:
    """The hash in RECORD is that of the copy."""
    _copy_package(install(f"thing.py,{hashed('x = 1' + chr(10))},6"), tmp_path / "site")

    assert (tmp_path / "site" / "thing.py").read_text() == "x = 1\n"


def test_a_changed_file_is_refused(install: Install, tmp_path: Path) -> None:
    """What somebody edited after the installation reaches no script."""
    package = install(f"thing.py,{hashed('x = 2')},6")

    with pytest.raises(RuntimeUnusable, match=r"thing\.py is not what was installed"):
        _copy_package(package, tmp_path / "site")


def test_a_package_without_a_record_is_refused(install: Install) -> None:
    """Nobody could tell what belongs to it."""
    with pytest.raises(RuntimeUnusable, match="the package thing has no list of its files"):
        _files(install())


def test_a_missing_package_is_named() -> None:
    """The operator learns which package is missing and what to do."""
    with pytest.raises(RuntimeUnusable, match="no-such-thing is not installed") as caught:
        _distribution("no-such-thing")
    assert "install countersign again" in caught.value.hint
