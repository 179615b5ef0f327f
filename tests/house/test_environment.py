"""The tests themselves: nothing of the machine they run on reaches them."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from pytest_socket import SocketConnectBlockedError


def test_other_machines_are_out_of_reach() -> None:
    """Connecting to anything but loopback is refused before a packet leaves."""
    with (
        socket.socket() as connection,
        pytest.warns(UserWarning, match=r"192\.0\.2\.1"),
        pytest.raises(SocketConnectBlockedError),
    ):
        connection.connect(("192.0.2.1", 80))


def test_loopback_is_in_reach() -> None:
    """Real servers on loopback can be used."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        with socket.create_connection(server.getsockname(), timeout=10) as connection:
            expected = connection.getsockname()
        accepted, address = server.accept()
        accepted.close()

    assert expected == address


def test_no_credentials_and_no_settings() -> None:
    """No variable that names credentials, settings, a proxy or a path of Python is left."""
    prefixes = ("AWS_", "ANTHROPIC_", "PYTHON", "COUNTERSIGN_", "HTTP_", "HTTPS_", "ALL_PROXY")
    left = {name for name in os.environ if name.upper().startswith(prefixes)}

    assert left == {"AWS_EC2_METADATA_DISABLED"}


def test_a_process_sees_the_same(tmp_path: Path) -> None:
    """A process that a test starts has the test's home, not that of the operator."""
    seen = subprocess.run(
        [sys.executable, "-c", "import pathlib; print(pathlib.Path.home())"],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
    ).stdout.strip()

    assert str(Path.home()) == seen
    assert tmp_path.parent.parent in Path(seen).parents


@pytest.mark.parametrize("name", ["CONFIG", "DATA", "STATE", "CACHE"])
def test_the_home_is_new(name: str) -> None:
    """Each test has empty folders of its own for what applications keep."""
    folder = Path(os.environ[f"XDG_{name}_HOME"])

    assert Path.home() in folder.parents
    assert list(folder.iterdir()) == []
