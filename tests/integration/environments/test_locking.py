"""Locking: names become lines that bind exact wheels, and nothing else is taken for a name."""

from __future__ import annotations

import asyncio
import io
import tarfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from sandbox.errors import RuntimeUnusable
from sandbox.packages import Index


def lock(index: Index, *wanted: str) -> tuple[str, ...]:
    """Return the locked lines of some names."""
    return asyncio.run(index.lock(wanted))


def test_a_name_brings_what_it_needs(wheels: Any, index: Index) -> None:
    """The lines are those of the package and of what it stands on, sorted, each with its hash."""
    rows = wheels.make("tiny-rows", "1.1", {"tiny_rows.py": ""})
    wheels.make("tiny-rows", "1.0", {"tiny_rows.py": ""})
    sheet = wheels.make("tiny-sheet", "2.0", {"tiny_sheet.py": ""}, needs=["tiny-rows>=1"])

    assert lock(index, "Tiny_Sheet") == (rows, sheet)
    assert lock(index, "tiny-sheet >=1, <3", "tiny-rows==1.1") == (rows, sheet)


def test_nothing_is_locked_without_a_name(index: Index) -> None:
    """No names, no lines."""
    assert lock(index) == ()


def test_the_runtime_keeps_its_versions(wheels: Any, index: Index) -> None:
    """What the runtime has gets no line, and a package that needs another version can't be had."""
    for each in (version("six"), "99.0"):
        wheels.make("six", each, {"six.py": ""})
    old = wheels.make("tiny-old", "1", {"tiny_old.py": ""}, needs=["six"])
    wheels.make("tiny-new", "1", {"tiny_new.py": ""}, needs=["six>=99"])

    assert lock(index, "tiny-old") == (old,)
    with pytest.raises(RuntimeUnusable, match="six>=99"):
        lock(index, "tiny-new")


def test_only_wheels_of_this_interpreter_are_bound(wheels: Any, index: Index) -> None:
    """A wheel for another Python has no hash in the line."""
    wheels.make("tiny-rows", "1.1", {"tiny_rows.py": "1"}, tag="cp27-cp27m-win32")
    ours = wheels.make("tiny-rows", "1.1", {"tiny_rows.py": "2"})

    assert lock(index, "tiny-rows") == (ours,)


def test_an_unknown_package_is_told_in_one_line(index: Index) -> None:
    """The sentence is uv's own, so that whoever asked can do something about it."""
    with pytest.raises(RuntimeUnusable, match="tiny-none was not found") as caught:
        lock(index, "tiny-none")

    assert "\n" not in str(caught.value)


def test_a_package_without_a_wheel_is_refused(wheels: Any, index: Index, tmp_path: Path) -> None:
    """A source archive would have to be built, which runs its code: it never is."""
    ran = tmp_path / "ran"
    setup = f"open({str(ran)!r}, 'w')\nfrom setuptools import setup\nsetup(name='tiny-source')\n"
    with tarfile.open(wheels.folder / "tiny-source-1.0.tar.gz", "w:gz") as archive:
        member = tarfile.TarInfo("tiny-source-1.0/setup.py")
        member.size = len(setup)
        archive.addfile(member, io.BytesIO(setup.encode()))

    with pytest.raises(RuntimeUnusable, match="tiny-source"):
        lock(index, "tiny-source")
    assert not ran.exists()


@pytest.mark.parametrize(
    "wanted",
    [
        "-r /etc/passwd",
        "--index-url=http://127.0.0.1/",
        "tiny @ file:///etc/passwd",
        "git+http://127.0.0.1/tiny",
        "./tiny.whl",
        "tiny\nmore",
        "tiny; python_version > '3'",
        "",
    ],
)
def test_only_names_are_taken(index: Index, wanted: str) -> None:
    """A model's text reaches uv as the name of a package, or not at all."""
    with pytest.raises(RuntimeUnusable, match="is not the name of a package"):
        lock(index, wanted)

    assert not index.cache.exists()


def test_a_cache_that_others_can_change_is_refused(wheels: Any, index: Index) -> None:
    """Nobody hashes again what was fetched before."""
    wheels.make("tiny-rows", "1.1", {"tiny_rows.py": ""})
    index.cache.mkdir()
    index.cache.chmod(0o777)

    with pytest.raises(RuntimeUnusable, match="can be changed by others"):
        lock(index, "tiny-rows")
