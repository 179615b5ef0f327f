"""The sealed runtime: the interpreter, standard library and boto3 that scripts see, and no more.

A copy, made once per version and reused: a script must never see the application's own environment
(its settings, its model client, whatever else is installed beside it). `runtime_digest` names what
would be copied without copying it, since an approval binds it before anything runs.

    <folder>/<digest>/python/bin/python3     the interpreter this process runs on
    <folder>/<digest>/python/lib/pythonX.Y   its standard library, less what no script needs
    <folder>/<digest>/site                   boto3 and what it stands on, each file checked by hash

Trade-offs: 80 MB on disk and some seconds the first time. The digest speaks of the interpreter's
binary and the packages' files; the standard library goes by its version. C libraries (libssl, libc)
stay the host's, so that its security updates reach scripts.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import RuntimeUnusable
from sandbox.job import Sha

if TYPE_CHECKING:
    from importlib.metadata import Distribution

PACKAGES = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")
_LAYOUT = 1
"""Raised when a build would put the same parts into other places."""
_INSIDE = "/runtime"
"""Where scripts see it: what their tracebacks say, and nothing of where it lies outside."""
_LEFT_OUT = frozenset(
    (
        *("dist-packages", "ensurepip", "idlelib", "lib2to3", "site-packages", "test", "tkinter"),
        *("turtledemo", "sitecustomize.py"),
    )
)
_BOOKKEEPING = frozenset(("INSTALLER", "RECORD", "REQUESTED", "direct_url.json"))
_REINSTALL = "install countersign again with uv, pipx or pip, into an environment of its own"


@dataclass(frozen=True, slots=True)
class Runtime:
    """A complete sealed runtime on disk."""

    root: Path
    digest: Sha


def runtime_digest() -> Sha:
    """Return the digest of the runtime that this installation makes, built or not.

    Takes some ten milliseconds. Raises RuntimeUnusable when a package is missing or incomplete.
    """
    try:
        parts = {
            "interpreter": [_sha256(path) for path in (_interpreter(), *_shared_libraries())],
            "layout": _LAYOUT,
            "packages": {name: _package(name) for name in PACKAGES},
            "platform": [sys.platform, os.uname().machine],
            "python": [sys.implementation.name, sys.version],
        }
    except OSError as error:
        raise RuntimeUnusable(f"the interpreter can't be read: {error}") from error
    return Sha(hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest())


def build_runtime(folder: Path) -> Runtime:
    """Return the runtime in `folder`, building it when it is not there yet.

    Several processes may build at once; the first to finish wins. Raises RuntimeUnusable, also for
    a folder that anyone else could change.
    """
    digest = runtime_digest()
    root = folder / digest
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_folder(folder)
        if not root.is_dir():
            _build(folder, root)
    except OSError as error:
        raise RuntimeUnusable(f"the script runtime can't be built: {error}") from error
    check_folder(root)
    return Runtime(root, digest)


def check_folder(folder: Path) -> None:
    """Raise RuntimeUnusable unless `folder` is a real folder that only we can change."""
    try:
        found = folder.lstat()
    except OSError as error:
        raise RuntimeUnusable(f"the script runtime is not there: {error}") from error
    if not stat.S_ISDIR(found.st_mode):
        raise RuntimeUnusable(f"{folder} is not a folder", hint=f"move {folder} away")
    if found.st_uid != os.geteuid():
        raise RuntimeUnusable(f"{folder} belongs to someone else", hint=f"move {folder} away")
    if found.st_mode & 0o022:
        raise RuntimeUnusable(
            f"{folder} can be changed by others", hint=f"remove it, or: chmod go-w {folder}"
        )


# ------------------------------------------------------------------ what goes in
def _interpreter() -> Path:
    return Path(sys.executable).resolve()


def _shared_libraries() -> list[Path]:
    """Return the libpython that this process runs on, when it has one apart from its binary."""
    lines = Path("/proc/self/maps").read_text(encoding="utf-8", errors="replace").splitlines()
    paths = {line.split(maxsplit=5)[5] for line in lines if "/libpython" in line}
    return sorted(Path(path) for path in paths)


def _package(name: str) -> list[str]:
    distribution = _distribution(name)
    rows = "\n".join(f"{path} {digest}" for path, digest in _files(distribution))
    return [distribution.version, hashlib.sha256(rows.encode()).hexdigest()]


def _distribution(name: str) -> Distribution:
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        return distribution(name)
    except PackageNotFoundError as error:
        raise RuntimeUnusable(f"the package {name} is not installed", hint=_REINSTALL) from error


def _files(distribution: Distribution) -> list[tuple[str, str]]:
    """Return path and hash of the package's own files, sorted; not of what its installer added."""
    import csv

    record = distribution.read_text("RECORD")
    rows = csv.reader((record or "").splitlines())
    files = sorted((path, digest) for path, digest, _ in rows if digest and _is_own(path))
    if not files:
        name = distribution.metadata["Name"]
        raise RuntimeUnusable(f"the package {name} has no list of its files", hint=_REINSTALL)
    return files


def _is_own(path: str) -> bool:
    parts = path.split("/")
    return not (path.startswith("/") or ".." in parts or parts[-1] in _BOOKKEEPING)


# ------------------------------------------------------------------ building
def _build(folder: Path, root: Path) -> None:
    import shutil
    import tempfile

    work = Path(tempfile.mkdtemp(prefix=".building-", dir=folder))
    try:
        _copy_python(work / "python")
        for name in PACKAGES:
            _copy_package(_distribution(name), work / "site")
        _compile(work)
        seal(work)
        if not root.is_dir():
            work.rename(root)
    except OSError:
        if not root.is_dir():  # another process was first, between the look and the rename
            raise
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _copy_python(python: Path) -> None:
    import shutil

    (python / "bin").mkdir(parents=True)
    shutil.copy2(_interpreter(), python / "bin/python3")
    standard = Path(os.__file__).parent
    shutil.copytree(
        standard,
        python / sys.platlibdir / standard.name,
        # Static libraries and the like; a package below may well be called `test`.
        ignore=lambda folder, names: (
            {name for name in names if name in _LEFT_OUT or name.startswith("config-")}
            if Path(folder) == standard
            else ()
        ),
        ignore_dangling_symlinks=True,
    )
    (python / "lib").mkdir(exist_ok=True)
    for library in _shared_libraries():
        shutil.copy2(library, python / "lib" / library.name)


def _copy_package(distribution: Distribution, site: Path) -> None:
    import base64

    for path, expected in _files(distribution):
        content = Path(str(distribution.locate_file(path))).read_bytes()
        encoded = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
        if expected != f"sha256={encoded}":
            raise RuntimeUnusable(f"{path} is not what was installed", hint=_REINSTALL)
        target = site / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def _compile(work: Path) -> None:
    """Compile what has no compiled form yet: no script can write one later."""
    import compileall

    # A file that is no valid Python (templates exist) is no reason to fail: nobody can import it.
    compileall.compile_dir(work, quiet=2, workers=1, stripdir=str(work), prependdir=_INSIDE)


def seal(work: Path) -> None:
    """Make files read-only and everything readable by the user that a script runs as."""
    for folder, _, names in os.walk(work):
        Path(folder).chmod(0o755)
        for name in names:
            file = Path(folder, name)
            file.chmod(0o555 if file.stat().st_mode & 0o100 else 0o444)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
