"""The sealed runtime: what is in it, who may touch it, how it is built and reused."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from sandbox.errors import RuntimeUnusable
from sandbox.runtime import PACKAGES, Runtime, build_runtime, check_folder, runtime_digest


def test_the_digest_is_known_before_the_build(runtime: Runtime) -> None:
    """What an approval binds is the name of the folder that is built later."""
    assert runtime.digest == runtime_digest()
    assert runtime.root.name == runtime.digest


def test_exactly_the_packages_of_scripts_are_in(runtime: Runtime) -> None:
    """boto3 and what it stands on, and nothing else that is installed beside the application."""
    names = {path.name for path in (runtime.root / "site").iterdir()}
    packages = {name for name in names if not name.endswith(".dist-info")}

    assert packages - {"__pycache__"} == {
        *("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six.py", "urllib3"),
    }
    assert len(names) - len(packages) == len(PACKAGES)


def test_the_interpreter_runs_from_where_it_lies(runtime: Runtime) -> None:
    """The copy finds its own standard library and nothing of the original's packages."""
    python = runtime.root / "python" / "bin" / "python3"
    code = "import sys, os, ssl, ctypes; print(sys.prefix, os.__file__, sys.path)"
    done = subprocess.run(
        [python, "-I", "-S", "-B", "-c", code],
        env={"LD_LIBRARY_PATH": str(runtime.root / "python" / "lib")},
        capture_output=True,
        check=True,
    )

    printed = done.stdout.decode()
    assert printed.startswith(f"{runtime.root}/python {runtime.root}/python/")
    assert "site-packages" not in printed
    assert "dist-packages" not in printed


def test_everything_is_read_only_and_compiled(runtime: Runtime) -> None:
    """No file can be written by accident, and no script has to compile boto3 again."""
    files = [Path(folder, name) for folder, _, names in os.walk(runtime.root) for name in names]

    assert [path for path in files if path.stat().st_mode & 0o222] == []
    assert list((runtime.root / "site" / "boto3" / "__pycache__").glob("session.*.pyc"))


def test_a_build_is_reused(runtime: Runtime) -> None:
    """A second call returns the same folder and changes nothing in it."""
    before = runtime.root.stat()

    assert build_runtime(runtime.root.parent) == runtime
    assert runtime.root.stat().st_mtime_ns == before.st_mtime_ns
    assert [path.name for path in runtime.root.parent.iterdir()] == [runtime.digest]


def test_two_may_build_at_once(tmp_path: Path) -> None:
    """Both get the same complete runtime, and no half-built folder stays."""
    built: list[Runtime] = []

    def build() -> None:
        built.append(build_runtime(tmp_path / "runtimes"))

    threads = [threading.Thread(target=build) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert built[0] == built[1]
    assert list((tmp_path / "runtimes").iterdir()) == [built[0].root]


def _by_others(folder: Path) -> Path:
    folder.mkdir()
    folder.chmod(0o777)
    return folder


def _link(folder: Path) -> Path:
    folder.symlink_to(folder.parent)
    return folder


def _not_made(folder: Path) -> Path:
    return folder


def _file(folder: Path) -> Path:
    folder.touch()
    return folder


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_by_others, "can be changed by others"),
        (_link, "is not a folder"),
        (_file, "is not a folder"),
        (_not_made, "is not there"),
    ],
)
def test_a_folder_that_is_not_only_ours_is_refused(
    tmp_path: Path, make: Callable[[Path], Path], reason: str
) -> None:
    """Whoever can change the runtime could change what an approved script does."""
    with pytest.raises(RuntimeUnusable, match=reason):
        check_folder(make(tmp_path / "runtimes"))
