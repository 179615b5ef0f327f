"""What every test stands on: an empty environment, a home, repeatable examples, every engine.

Sockets to anything but loopback are refused by pytest-socket (options in pyproject.toml). That
holds in the process of the tests; processes that a test starts have no credentials to use and no
proxy to ask.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from sandbox.engines.bubblewrap import PROGRAM, Bubblewrap
from sandbox.engines.namespaces import Namespaces
from sandbox.job import Sandbox
from sandbox.runtime import Runtime, build_runtime

_FORGOTTEN = ("AWS_", "ANTHROPIC_", "PYTHON", "XDG_", "COUNTERSIGN_", "UV_")
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")

settings.register_profile(
    "countersign", deadline=None, derandomize="CI" in os.environ, database=None
)
settings.load_profile("countersign")


@pytest.fixture(scope="session")
def new_home(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Path]:
    """Return a function that makes a folder for one test; much cheaper than a tmp_path each."""
    homes = tmp_path_factory.mktemp("homes")
    numbers = itertools.count()

    def make() -> Path:
        home = homes / str(next(numbers))
        for name in (".config", ".local/share", ".local/state", ".cache"):
            (home / name).mkdir(parents=True)
        (home / "run").mkdir(mode=0o700)
        return home

    return make


@pytest.fixture(autouse=True)
def _alone(monkeypatch: pytest.MonkeyPatch, new_home: Callable[[], Path]) -> None:
    """Hide the machine's settings and credentials from the test and the processes it starts."""
    for name in list(os.environ):
        if name.startswith(_FORGOTTEN) or name.lower() in _PROXIES:
            monkeypatch.delenv(name)
    home = new_home()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("XDG_CONFIG_HOME", str(home / ".config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(home / ".local/share"))
    monkeypatch.setenv("XDG_STATE_HOME", str(home / ".local/state"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(home / ".cache"))
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(home / "run"))
    # A machine in AWS would hand its role to whoever asks on the link-local address.
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="session")
def runtime(tmp_path_factory: pytest.TempPathFactory) -> Runtime:
    """Return a sealed runtime."""
    return build_runtime(tmp_path_factory.mktemp("runtime") / "runtimes")


def _engines() -> list[type[Namespaces | Bubblewrap]]:
    """Return every engine that this user can have; where all must run, that includes bubblewrap."""
    if os.geteuid() == 0:
        return [Namespaces]
    return [Namespaces, Bubblewrap] if "CI" in os.environ or PROGRAM.exists() else [Namespaces]


@pytest.fixture(params=_engines(), ids=lambda engine: engine.engine)
def engine(request: pytest.FixtureRequest) -> Sandbox:
    """Return an engine; whoever asks for it runs on each."""
    made: Sandbox = request.param()
    return made
