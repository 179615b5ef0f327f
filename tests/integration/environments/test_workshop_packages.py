"""The workshop gets the packages of a draft while a person still reads it, if they are allowed."""

from __future__ import annotations

import asyncio
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from core.approval.draft import Draft
from core.workshop import LocalWorkshop
from sandbox.environments import Environments, environment_digest
from sandbox.limits import Limits
from sandbox.packages import Index
from sandbox.runtime import Runtime


def draft(*requirements: str) -> Draft:
    """Return a draft with these requirements."""
    return Draft("S1", 1, "model", "analyse", "python", b"", requirements, {}, None, None, {}, ())


def folders(folder: Path) -> set[str]:
    """Return the names of what is built, as far as it can be used."""
    return {path.name for path in folder.iterdir() if not path.name.startswith(".")}


async def prepared(folder: Path, index: Index, allowed: tuple[str, ...], line: str) -> set[str]:
    """Return what is built once the hint for a draft has been followed to its end."""
    workshop = LocalWorkshop(folder, Environments(folder, index), allowed)
    workshop.prepare(draft(line), Limits(), ())
    (hint,) = workshop._hints
    await hint
    built = await asyncio.to_thread(folders, folder)
    await workshop.close()
    return built


@pytest.fixture
def folder_with_runtime(folder: Path, runtime: Runtime) -> Path:
    """Return a folder of environments with the sealed runtime in it."""
    folder.mkdir(mode=0o700)
    shutil.copytree(runtime.root, folder / runtime.digest, copy_function=os.link)
    return folder


@pytest.fixture
def line(wheels: Any, request: pytest.FixtureRequest) -> str:
    """Return the locked line of a package that there is, another one for each test."""
    made: str = wheels.make("tiny-rows", "1.1", {"tiny_rows.py": f"# {request.node.name}\n"})
    return made


def test_what_is_allowed_is_built_ahead(
    folder_with_runtime: Path, runtime: Runtime, index: Index, line: str
) -> None:
    """The environment stands when the hint has been followed; nothing has to run for that."""
    built = asyncio.run(prepared(folder_with_runtime, index, ("tiny-rows",), line))

    assert environment_digest(runtime.digest, [line]) in built


@pytest.mark.parametrize("allowed", [(), ("tiny-other",)])
def test_what_is_not_allowed_waits_for_a_person(
    folder: Path, index: Index, line: str, allowed: tuple[str, ...]
) -> None:
    """Not a byte of it is fetched before."""
    folder.mkdir(mode=0o700)

    assert asyncio.run(prepared(folder, index, allowed, line)) == set()
    assert not index.cache.exists()


def test_what_is_not_locked_is_no_error(folder: Path, index: Index) -> None:
    """A hint that can't be followed is none."""
    folder.mkdir(mode=0o700)

    assert asyncio.run(prepared(folder, index, ("tiny-rows",), "tiny-rows")) == set()


def test_a_package_that_is_gone_is_no_error_yet(
    folder_with_runtime: Path, runtime: Runtime, index: Index, wheels: Any, line: str
) -> None:
    """It is told when the draft is to run."""
    next(wheels.folder.iterdir()).unlink()
    built = asyncio.run(prepared(folder_with_runtime, index, ("tiny-rows",), line))

    assert built == {runtime.digest}


async def lacks(folder: Path, index: Index, allowed: tuple[str, ...], line: str) -> str:
    """Return why the packages of a draft can't be had."""
    workshop = LocalWorkshop(folder, Environments(folder, index), allowed)
    try:
        return await workshop.lacking([line])
    finally:
        await workshop.close()


def test_why_a_package_cannot_be_had_is_known_before_a_yes(
    folder_with_runtime: Path, index: Index, wheels: Any, line: str
) -> None:
    """What is gone is told; what is there is not, nor what nobody may fetch before a yes."""
    assert asyncio.run(lacks(folder_with_runtime, index, ("tiny-rows",), line)) == ""
    gone = line.replace("tiny-rows==1.1", "tiny-rows==1.2")

    assert "tiny-rows" in asyncio.run(lacks(folder_with_runtime, index, ("tiny-rows",), gone))
    assert asyncio.run(lacks(folder_with_runtime, index, (), gone)) == ""
