"""Each further signal leaves sooner: in order, broken off, at once; the run dies every time."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from core.journal.store import read

AWS = ("--aws", "recorded:checkout-503", "--ui", "json")
CALLING = """\
# {name}
import boto3, time
boto3.client("cloudwatch").describe_alarms(AlarmTypes=["MetricAlarm"])
print("begun", flush=True)
time.sleep(60)
"""


@pytest.fixture
def running(countersign: Any, script: Path) -> Iterator[subprocess.Popen[str]]:
    """Return the program in the middle of a run that has called AWS."""
    script.write_text(CALLING.format(name=script))
    given = ("run", script, "--policy", script.with_name("policy.json"), *AWS)
    digest = countersign(*given).facts[-1]["digest"]
    process = countersign.start(*given, "--approve", digest)
    while "begun" not in (line := process.stdout.readline()):
        assert line, process.stderr.read()
    yield process
    with suppress(ProcessLookupError):
        process.kill()
    process.communicate()


def below(pid: int) -> dict[int, str]:
    """Return every process that descends from another, with its command line."""
    found: dict[int, str] = {}
    for children in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, children.read_text().split()):
            command = Path(f"/proc/{child}/cmdline").read_bytes()
            found |= {child: command.decode().replace("\0", " "), **below(child)}
    return found


def wait_until_dead(pids: list[int]) -> None:
    """Return when none of the processes is there any more, zombies of nobody aside."""
    deadline = time.monotonic() + 20
    while alive := [pid for pid in pids if is_alive(pid)]:
        assert time.monotonic() < deadline, f"still alive: {alive}"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Return whether a process runs."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_a_second_signal_does_not_wait_for_what_does_not_answer(
    running: subprocess.Popen[str],
) -> None:
    """With a gateway that hangs, the first signal would wait for it; the second does not."""
    family = below(running.pid)
    (gateway,) = (pid for pid, command in family.items() if "gateway_main" in command)
    os.kill(gateway, signal.SIGSTOP)

    running.send_signal(signal.SIGINT)
    time.sleep(0.5)
    running.send_signal(signal.SIGINT)
    _, err = running.communicate(timeout=15)

    assert running.returncode == 130
    assert "stays open" in err
    wait_until_dead([*family])


def test_a_third_signal_ends_the_process_at_once_and_the_run_with_it(
    running: subprocess.Popen[str], countersign: Any
) -> None:
    """Nothing more is said, everything below is dead, and the interruption is on record once.

    By resuming, or by what the first signal began: a busy machine may deliver the third late.
    """
    family = below(running.pid)

    # Held still until all three have come: the second could otherwise do its work in between.
    held = (signal.SIGSTOP, signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCONT)
    for number in held:
        running.send_signal(number)
    _, err = running.communicate(timeout=15)

    assert (running.returncode, err) == (130, "")
    assert len(family) > 2
    wait_until_dead([*family])
    resumed = countersign("ask", "--resume", countersign.sessions()[-1].stem, "--ui", "json")
    assert resumed.of("run.started") == []
    with read(countersign.sessions()[-1]) as journal:
        kinds = [entry.kind for entry in journal.entries()]
    assert kinds.count("run.interrupted") == 1
