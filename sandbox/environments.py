"""Environments: the sealed runtime with a locked set of packages beside boto3.

An environment lies where the runtime lies, looks like it and is sealed like it, so whatever runs a
script in the one can run it in the other. Its digest is a function of the runtime's and of the
locked lines, so an approval binds it before anything is fetched.

    <folder>/<digest>/python    the runtime's, the same files under a second name
    <folder>/<digest>/site      the runtime's, and what the wheels of the locked lines hold

Nothing of a package runs here: wheels are unpacked and compiled. Inside, `.pth` files mean nothing
(the interpreter starts without its site module) and console scripts are left out. A package that
would lie on top of one of the runtime's is refused, whatever its hash.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path

from sandbox.errors import RuntimeUnusable
from sandbox.job import Sha
from sandbox.packages import Index, run_alone
from sandbox.runtime import Runtime, check_folder, seal

_LAYOUT = 1
"""Raised when a build would put the same wheels into other places."""
_LEFT_OUT = (".lock", "bin")
_COMPILED = "__pycache__"
_SITE = "/runtime/site"
"""Where scripts see what is compiled here."""


def environment_digest(runtime: Sha, requirements: Iterable[str]) -> Sha:
    """Return the digest of a runtime with locked lines, in whatever order; without any, its own.

    docs/environments.md says how it is made.
    """
    lines = sorted(set(requirements))
    if not lines:
        return runtime
    parts = {"layout": _LAYOUT, "requirements": lines, "runtime": runtime}
    preimage = json.dumps(parts, sort_keys=True, separators=(",", ":"))
    return Sha(hashlib.sha256(preimage.encode()).hexdigest())


class Environments:
    """Builds each environment once, however many want it; used from one event loop."""

    def __init__(self, folder: Path, index: Index) -> None:
        """`folder` is that of the sealed runtimes."""
        self._folder = folder
        self._index = index
        self._building: dict[Sha, asyncio.Task[Runtime]] = {}

    async def get(self, runtime: Runtime, requirements: Iterable[str]) -> Runtime:
        """Return the runtime with these packages; see `build_environment`.

        Cancelling this does not break the build off; `close` does.
        """
        lines = tuple(requirements)
        digest = environment_digest(runtime.digest, lines)
        building = self._building.get(digest)
        # What is there is found at once, and a failure is tried again.
        if building is None or building.done():
            build = build_environment(self._folder, runtime, lines, self._index)
            building = self._building[digest] = asyncio.create_task(build)
        return await asyncio.shield(building)

    async def close(self) -> None:
        """Break off what is still being built."""
        for building in self._building.values():
            building.cancel()
        await asyncio.gather(*self._building.values(), return_exceptions=True)


async def build_environment(
    folder: Path, runtime: Runtime, requirements: Iterable[str], index: Index
) -> Runtime:
    """Return the environment in `folder`, building it when it is not there yet.

    Takes seconds to minutes the first time. Several processes may build at once; the first to
    finish wins. Raises RuntimeUnusable: for a line that is not locked, a package that can't be had
    as a wheel of that hash, and as `build_runtime` does.
    """
    lines = sorted(set(requirements))
    if not lines:
        return runtime
    digest = environment_digest(runtime.digest, lines)
    root = folder / digest
    try:
        if not _is_there(folder, root):
            await _build(folder, runtime, lines, index, root)
    except OSError as error:
        raise RuntimeUnusable(f"the packages can't be put together: {error}") from error
    check_folder(root)
    return Runtime(root, digest)


def _is_there(folder: Path, root: Path) -> bool:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    check_folder(folder)
    return root.is_dir()


async def _build(
    folder: Path, runtime: Runtime, lines: list[str], index: Index, root: Path
) -> None:
    work = Path(tempfile.mkdtemp(prefix=".building-", dir=folder))
    try:
        fetched = work / "fetched"
        await index.fetch(lines, fetched)
        check_fetched(fetched, runtime.root / "site")
        await _compile(fetched)
        made = work / "made"
        await asyncio.to_thread(_put_together, runtime.root, fetched, made)
        _keep(made, root)  # not in the thread, which goes on when this is cancelled
    finally:
        shutil.rmtree(work, ignore_errors=True)


def check_fetched(fetched: Path, site: Path) -> None:
    """Take out what no script needs; raise RuntimeUnusable for what may not lie beside `site`."""
    for name in _LEFT_OUT:
        path = fetched / name
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for place, folders, names in os.walk(fetched):
        for name in (*folders, *names):
            if Path(place, name).is_symlink():
                raise RuntimeUnusable(f"a package holds a link, {name!a}, which leads elsewhere")
        if _COMPILED in folders:  # of whatever source: ours is compiled here
            shutil.rmtree(Path(place, _COMPILED))
    taken = _modules(site) & _modules(fetched)
    if taken:
        raise RuntimeUnusable(
            f"a package would take the place of the runtime's own {min(taken)}",
            hint="leave it out of the requirements: scripts have the runtime's version",
        )


def _modules(site: Path) -> set[str]:
    """Return what a site's files are imported as: six.so and the folder six would hide six.py."""
    return {path.name.partition(".")[0] for path in site.iterdir()} - {_COMPILED}


def _put_together(runtime: Path, fetched: Path, made: Path) -> None:
    seal(fetched)
    shutil.copytree(runtime, made, copy_function=_link)
    # A file that is there already would lose its name, never its content, which the runtime shares.
    shutil.copytree(fetched, made / "site", copy_function=os.rename, dirs_exist_ok=True)


def _keep(made: Path, root: Path) -> None:
    try:
        made.rename(root)
    except OSError:
        if not root.is_dir():  # another process was first
            raise


async def _compile(fetched: Path) -> None:
    """Compile what scripts can't: they never write here. In a process that can be killed."""
    told = ("-q", "-q", "-j", "0", "-s", str(fetched), "-p", _SITE, str(fetched))
    # Ends with 1 for a file that is no valid Python (templates exist): nobody can import that.
    code = "import compileall, sys; compileall.main(); sys.exit(0)"
    await run_alone((sys.executable, "-I", "-c", code, *told), "", {})


def _link(source: str, target: str) -> str:
    """Give a sealed file of the runtime a second name, or copy it where there can't be one."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
    return target
