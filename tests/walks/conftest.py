"""The program as a user has it: the console script in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PROGRAM = Path(sys.executable).with_name("countersign")


@dataclass(frozen=True, slots=True)
class Ended:
    """How a process ended, and what it said."""

    code: int
    out: str
    err: str

    @property
    def facts(self) -> list[dict[str, Any]]:
        """The JSON lines on stdout."""
        return [json.loads(line) for line in self.out.splitlines()]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """The facts of one kind."""
        return [fact for fact in self.facts if fact["kind"] == kind]


class Countersign:
    """Starts the program with a data directory of its own."""

    def __init__(self, data: Path) -> None:
        self.data = data
        self.environment = {**os.environ, "COUNTERSIGN_DATA": str(data)}

    def __call__(self, *arguments: str | Path, **settings: Any) -> Ended:
        """Run to the end without a terminal."""
        done = subprocess.run(
            self.command(arguments),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            env=self.environment,
            timeout=50,
            text=True,
            **settings,
        )
        return Ended(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str | Path) -> subprocess.Popen[str]:
        """Start without waiting."""
        return subprocess.Popen(
            self.command(arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=self.environment,
            text=True,
        )

    def command(self, arguments: Sequence[str | Path]) -> list[str]:
        """Return the command line."""
        return [str(PROGRAM), *map(str, arguments)]

    def sessions(self) -> list[Path]:
        """Return the session files, oldest first."""
        return sorted((self.data / "sessions").glob("*.db"))


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a data directory that all walks share, so that its runtime is built once."""
    return tmp_path_factory.mktemp("walks") / "data"


@pytest.fixture
def countersign(data: Path) -> Countersign:
    """Return the program."""
    return Countersign(data)


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """Return a script that lists the alarms, with its policy beside it (policy.json)."""
    path = tmp_path / "alarms.py"
    path.write_text(
        "import boto3\n"
        "client = boto3.client('cloudwatch')\n"
        "print(len(client.describe_alarms(AlarmTypes=['MetricAlarm'])['MetricAlarms']))\n"
    )
    write_policy(tmp_path / "policy.json", "cloudwatch:DescribeAlarms")
    return path


def write_policy(path: Path, *actions: str) -> None:
    """Write a policy that allows `actions` everywhere."""
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    path.write_text(json.dumps({"Version": "2012-10-17", "Statement": [statement]}))
