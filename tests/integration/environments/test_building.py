"""Environments on disk: built once from locked wheels, sealed, and never out of anything else."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox.environments import Environments, build_environment, check_fetched, environment_digest
from sandbox.errors import RuntimeUnusable
from sandbox.packages import Index
from sandbox.runtime import Runtime

Build = Callable[..., Runtime]
RunIn = Callable[..., str]


def files(folder: Path) -> set[str]:
    """Return the paths of all files below a folder."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def begun(folder: Path) -> bool:
    """Return whether anything lies in a folder yet."""
    return folder.exists() and any(folder.iterdir())


# ------------------------------------------------------------------ what is in it
def test_the_folder_has_the_name_that_was_approved(
    wheels: Any, little: Runtime, build: Build
) -> None:
    """What an approval binds before the build is the name of what is built."""
    line = wheels.make("tiny-rows", "1.1", {"tiny_rows.py": ""})
    made = build(line)

    assert made.digest == environment_digest(little.digest, [line])
    assert made.root.name == made.digest


def test_without_packages_it_is_the_runtime(little: Runtime, build: Build, folder: Path) -> None:
    """Nothing is built for a script that needs nothing."""
    assert build() == little
    assert not folder.exists()


def test_it_is_the_runtime_and_the_wheels(wheels: Any, little: Runtime, build: Build) -> None:
    """Every file of the runtime is there, and besides only what the wheels hold, compiled."""
    made = build(wheels.make("tiny-rows", "1.1", {"tiny_rows.py": "x = 1\n"}))
    added = files(made.root) - files(little.root)

    assert files(little.root) - files(made.root) == set()
    assert {name for name in added if ".dist-info/" not in name} == {
        "site/tiny_rows.py",
        f"site/__pycache__/tiny_rows.{sys.implementation.cache_tag}.pyc",
    }


def test_compiled_files_name_no_folder_of_this_machine(wheels: Any, build: Build) -> None:
    """Scripts can read compiled files, and could learn from them who works here."""
    made = build(wheels.make("tiny-rows", "1.1", {"tiny_rows.py": "def f(): pass\n"}))
    (compiled,) = (made.root / "site/__pycache__").glob("tiny_rows.*")

    assert b"/runtime/site/tiny_rows.py" in compiled.read_bytes()
    assert str(made.root.parent).encode() not in compiled.read_bytes()


def test_it_is_sealed(wheels: Any, build: Build) -> None:
    """No file can be written, everything can be read by the user that a script runs as."""
    made = build(wheels.make("tiny-rows", "1.1", {"tiny/__init__.py": ""}))
    everything = [made.root, *made.root.rglob("*")]

    assert {path.stat().st_mode & 0o777 for path in everything if path.is_dir()} == {0o755}
    assert {path.stat().st_mode & 0o777 for path in everything if path.is_file()} <= {0o444, 0o555}


def test_the_runtime_stays_as_it_was(wheels: Any, little: Runtime, build: Build) -> None:
    """An environment has the runtime's files under a second name; building changes none."""
    before = {path: (path.stat().st_mode, path.stat().st_mtime_ns) for path in _files(little)}
    build(wheels.make("tiny-rows", "1.1", {"tiny_rows.py": ""}))

    assert {p: (p.stat().st_mode, p.stat().st_mtime_ns) for p in _files(little)} == before


def _files(little: Runtime) -> list[Path]:
    return [path for path in little.root.rglob("*") if path.is_file()]


# ------------------------------------------------------------------ behind the walls
def test_a_script_imports_the_package(wheels: Any, build_whole: Build, run_in: RunIn) -> None:
    """On each engine, beside boto3."""
    rows = wheels.make("tiny-rows", "1.1", {"tiny_rows/__init__.py": "from .a import x\n"
                                            , "tiny_rows/a.py": "x = 41\n"})  # fmt: skip

    printed = run_in(
        build_whole(rows), "import boto3, tiny_rows\nprint(tiny_rows.x, tiny_rows.__file__)"
    )
    assert printed == "41 /runtime/site/tiny_rows/__init__.py\n"


def test_another_environment_does_not_have_it(
    wheels: Any, build_whole: Build, run_in: RunIn
) -> None:
    """Packages of one draft are not those of the next."""
    build_whole(wheels.make("tiny-rows", "1.1", {"tiny_rows.py": ""}))
    other = build_whole(wheels.make("tiny-other", "1", {"tiny_other.py": ""}))

    assert "No module named 'tiny_rows'" in run_in(other, "import tiny_other, tiny_rows")


def test_neither_pth_files_nor_console_scripts_do_anything(
    wheels: Any, build_whole: Build, run_in: RunIn
) -> None:
    """Such a `.pth` file runs code where Python's site module reads it; inside nothing does."""
    line = wheels.make(
        "tiny-rows",
        "1.1",
        {
            "tiny_rows.py": "",
            "tiny.pth": "import sys; sys.path_file = 'ran'\n",
            "sitecustomize.py": "import sys; sys.path_file = 'ran'\n",
            "tiny_rows-1.1.dist-info/entry_points.txt": "[console_scripts]\ntiny = a:b\n",
            "tiny_rows-1.1.data/scripts/tiny": "#!python\n",
        },
    )
    made = build_whole(line)
    code = f"import site, sys; site.addsitedir({str(made.root / 'site')!r}); print(sys.path_file)"
    control = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)

    assert control.stdout == b"ran\n"
    script = "import os, sys, tiny_rows\nprint(hasattr(sys, 'path_file'), 'bin' in os.listdir("
    assert run_in(made, f"{script}'/runtime/site'))") == "False False\n"


# ------------------------------------------------------------------ what is refused
def test_another_hash_is_refused(wheels: Any, build: Build, folder: Path) -> None:
    """A wheel that was exchanged after the lock is no package of this draft; nothing is left."""
    line = wheels.make("tiny-rows", "1.1", {"tiny_rows.py": "x = 1\n"})
    wheels.make("tiny-rows", "1.1", {"tiny_rows.py": "x = 2\n"})

    with pytest.raises(RuntimeUnusable, match="Hash mismatch"):
        build(line)
    assert list(folder.iterdir()) == []


def test_a_known_wheel_of_another_hash_is_refused(wheels: Any, build: Build) -> None:
    """What lies in the cache under the same name and version does not count."""
    line = wheels.make("tiny-rows", "1.1", {"tiny_rows.py": "x = 1\n"})
    build(line)

    with pytest.raises(RuntimeUnusable, match="Hash mismatch"):
        build(line[:-4] + ("0000" if line[-4:] != "0000" else "1111"))


@pytest.mark.parametrize("line", ["tiny-rows", "tiny-rows==1.1", "--index-url http://127.0.0.1/"])
def test_what_is_not_locked_is_refused(wheels: Any, build: Build, line: str) -> None:
    """Also when a person overrode the blocker: there is nothing that could be held to a hash."""
    wheels.make("tiny-rows", "1.1", {"tiny_rows.py": ""})

    with pytest.raises(RuntimeUnusable, match="is not locked"):
        build(line)


@pytest.mark.parametrize("path", ["six.py", "six/__init__.py", "six.abi3.so", "boto3/more.py"])
def test_no_package_lies_on_the_runtimes_own(tmp_path: Path, little: Runtime, path: str) -> None:
    """boto3 and what it stands on are those of the runtime, whatever form would hide them."""
    file = tmp_path / "fetched" / path
    file.parent.mkdir(parents=True)
    file.touch()

    with pytest.raises(RuntimeUnusable, match="take the place of the runtime's own"):
        check_fetched(tmp_path / "fetched", little.root / "site")


def test_compiled_files_of_a_wheel_are_left_out(wheels: Any, little: Runtime, build: Build) -> None:
    """They would run instead of the source beside them, or instead of the runtime's own."""
    name = f"__pycache__/six.{sys.implementation.cache_tag}.pyc"
    made = build(wheels.make("tiny-rows", "1.1", {"tiny_rows.py": "", name: "forged"}))

    assert (made.root / "site" / name).samefile(little.root / "site" / name)
    assert b"forged" not in (little.root / "site" / name).read_bytes()


def test_a_wheel_that_would_replace_boto3_is_refused(wheels: Any, build: Build) -> None:
    """Whatever its hash, and whoever overrode the blocker."""
    with pytest.raises(RuntimeUnusable, match="the runtime's own boto3"):
        build(wheels.make("boto3", "99", {"boto3/__init__.py": ""}))


def test_links_are_refused(tmp_path: Path, little: Runtime) -> None:
    """A link would show a script what lies elsewhere, or break when the build is moved."""
    (tmp_path / "fetched").mkdir()
    (tmp_path / "fetched/tiny.py").symlink_to("/etc/passwd")

    with pytest.raises(RuntimeUnusable, match="holds a link"):
        check_fetched(tmp_path / "fetched", little.root / "site")


@pytest.mark.parametrize("where", ["environment", "folder"])
def test_what_others_can_change_is_refused(
    wheels: Any, build: Build, folder: Path, where: str
) -> None:
    """An environment is used only as long as nobody else could have written into it."""
    line = wheels.make("tiny-rows", "1.1", {"tiny_rows.py": ""})
    made = build(line)
    (made.root if where == "environment" else folder).chmod(0o777)

    with pytest.raises(RuntimeUnusable, match="can be changed by others"):
        build(line)


# ------------------------------------------------------------------ once
def test_a_second_use_fetches_nothing(
    folder: Path, little: Runtime, index: Index, wheels: Any
) -> None:
    """What is built stays: neither wheels nor cache are needed any more."""
    line = wheels.make("tiny-rows", "1.1", {"tiny_rows.py": ""})
    made = asyncio.run(build_environment(folder, little, [line], index))
    shutil.rmtree(wheels.folder)
    shutil.rmtree(index.cache)

    assert asyncio.run(build_environment(folder, little, [line], index)) == made
    assert not index.cache.exists()


def test_all_who_build_at_once_have_the_same(
    folder: Path, little: Runtime, index: Index, wheels: Any
) -> None:
    """The first to finish wins, the others take what is there, and nothing else is left."""
    line = wheels.make("tiny-rows", "1.1", {"tiny_rows.py": ""})

    async def all_at_once() -> list[Runtime]:
        builds = (build_environment(folder, little, [line], index) for _ in range(3))
        return await asyncio.gather(*builds)

    (made,) = set(asyncio.run(all_at_once()))
    assert [path.name for path in folder.iterdir()] == [made.digest]


def test_a_build_that_is_broken_off_leaves_nothing(
    folder: Path, little: Runtime, index: Index, wheels: Any
) -> None:
    """Closing ends what fetches; a later build starts anew."""
    line = wheels.make("tiny-rows", "1.1", {"tiny_rows.py": ""})

    async def break_off() -> None:
        environments = Environments(folder, index)
        wanted = asyncio.create_task(environments.get(little, [line]))
        while not begun(folder):  # noqa: ASYNC110 - another task builds, and tells nobody
            await asyncio.sleep(0.001)
        await environments.close()
        with pytest.raises(asyncio.CancelledError):
            await wanted

    asyncio.run(break_off())
    assert list(folder.iterdir()) == []
    assert asyncio.run(build_environment(folder, little, [line], index)).root.is_dir()


def test_a_failure_is_tried_again(folder: Path, little: Runtime, index: Index, wheels: Any) -> None:
    """An index that was out of reach may be there the next time; what worked is kept."""
    line = wheels.make("tiny-rows", "1.1", {"tiny_rows.py": ""})
    wheel = next(wheels.folder.iterdir())
    away = wheel.rename(folder.parent / wheel.name)

    async def twice() -> list[Runtime]:
        environments = Environments(folder, index)
        with pytest.raises(RuntimeUnusable, match="tiny-rows"):
            await environments.get(little, [line])
        await asyncio.to_thread(away.rename, wheel)
        return [await environments.get(little, [line]), await environments.get(little, [line])]

    first, second = asyncio.run(twice())
    assert first == second


def test_nothing_of_a_package_runs_outside(
    folder: Path, little: Runtime, index: Index, wheels: Any, tmp_path: Path
) -> None:
    """Locking, fetching and compiling read a package; no line of it is executed."""
    ran = tmp_path / "ran"
    touch = f"open({str(ran)!r}, 'w').close()\n"
    line = wheels.make(
        "tiny-rows", "1.1", {"tiny_rows.py": touch, "tiny.pth": f"import os; {touch}"}
    )

    locked = asyncio.run(index.lock(["tiny-rows"]))
    asyncio.run(build_environment(folder, little, locked, index))

    assert (locked, ran.exists()) == ((line,), False)
