"""An index made of a folder of tiny wheels, and environments that are built from it."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import sys
import zipfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from sandbox.environments import build_environment
from sandbox.job import Job, JobEvent, Output, Sandbox, Sha
from sandbox.packages import Index
from sandbox.runtime import Runtime, seal

COMPILED_SIX = f"site/__pycache__/six.{sys.implementation.cache_tag}.pyc"


@dataclass(frozen=True, slots=True)
class Wheels:
    """A folder of wheels that serves as an index."""

    folder: Path

    @property
    def variables(self) -> dict[str, str]:
        """What leads uv here, and nowhere else."""
        return {"UV_OFFLINE": "1", "UV_FIND_LINKS": str(self.folder)}

    def make(
        self,
        name: str,
        version: str,
        files: Mapping[str, str],
        *,
        needs: Iterable[str] = (),
        tag: str = "py3-none-any",
    ) -> str:
        """Put a wheel with these files into the folder and return its locked line."""
        stem = f"{name.replace('-', '_')}-{version}"
        information = f"{stem}.dist-info"
        required = "".join(f"Requires-Dist: {each}\n" for each in needs)
        content = {
            **files,
            f"{information}/METADATA": (
                f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{required}"
            ),
            f"{information}/WHEEL": f"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: {tag}\n",
        }
        rows = [f"{path},sha256={_encoded(text)},{len(text)}" for path, text in content.items()]
        content[f"{information}/RECORD"] = "\n".join([*rows, f"{information}/RECORD,,", ""])
        wheel = self.folder / f"{stem}-{tag}.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for path, text in content.items():
                archive.writestr(zipfile.ZipInfo(path), text)
        return f"{name}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"


def _encoded(text: str) -> str:
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


@pytest.fixture
def wheels(tmp_path: Path) -> Wheels:
    """Return an empty folder of wheels."""
    (tmp_path / "wheels").mkdir()
    return Wheels(tmp_path / "wheels")


@pytest.fixture
def index(tmp_path: Path, wheels: Wheels) -> Index:
    """Return the index that the folder makes."""
    return Index(tmp_path / "cache", wheels.variables)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return where environments are built."""
    return tmp_path / "runtimes"


@pytest.fixture
def little(tmp_path: Path) -> Runtime:
    """Return a runtime of a few files: no script could run on it, but packages can join it."""
    root = tmp_path / ("5" * 64)
    for name in ("python/bin/python3", "site/boto3/__init__.py", "site/six.py", COMPILED_SIX):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)
    seal(root)
    return Runtime(root, Sha(root.name))


@pytest.fixture
def build(folder: Path, little: Runtime, index: Index) -> Callable[..., Runtime]:
    """Return a function that builds the environment of some lines and the little runtime."""

    def built(*lines: str) -> Runtime:
        return asyncio.run(build_environment(folder, little, lines, index))

    return built


@pytest.fixture
def build_whole(folder: Path, runtime: Runtime, index: Index) -> Callable[..., Runtime]:
    """Return a function that builds an environment in which scripts can run."""

    def built(*lines: str) -> Runtime:
        return asyncio.run(build_environment(folder, runtime, lines, index))

    return built


@pytest.fixture
def run_in(engine: Sandbox, make_job: Callable[..., Job]) -> Callable[..., str]:
    """Return a function that runs a script in an environment and returns what it printed."""

    def ran(environment: Runtime, script: str) -> str:
        job = make_job(script)
        shape = replace(
            job.shape, environment=environment.root, environment_digest=environment.digest
        )

        async def collect() -> list[JobEvent]:
            async with engine.run(replace(job, shape=shape), None, b"spec") as events:
                return [event async for event in events]

        happened: list[Any] = asyncio.run(collect())
        return b"".join(each.data for each in happened if isinstance(each, Output)).decode()

    return ran
