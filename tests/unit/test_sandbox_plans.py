"""What a job becomes before anything is started, and what its end is read as."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from sandbox.collect import is_plain_name
from sandbox.engines.environment import script_environment, script_variables
from sandbox.engines.launcher import spare_id
from sandbox.engines.run import cpu_seconds, make_plan, read_end
from sandbox.engines.tree import Ended
from sandbox.job import Sha, Shape
from sandbox.limits import Limits

EVERY_ID = "         0          0 4294967295\n"
CONTAINER = "0 1000 1\n1 100000 65536\n"


def shape(*, aws: bool, limits: Limits) -> Shape:
    """Return a shape with these limits."""
    return Shape("python", Path("/some/runtime"), Sha("0" * 64), limits, aws)


def test_a_plan_holds_the_limits() -> None:
    """Every limit that the kernel knows reaches the launcher in the kernel's unit."""
    limits = Limits(
        wall_ms=1,
        cpu_ms=2001,
        memory_bytes=4,
        processes=5,
        descriptors=6,
        work_bytes=7,
        files=8,
    )
    plan = make_plan(shape(aws=False, limits=limits))

    assert (plan.wall_ms, plan.cpu_s, plan.memory_bytes) == (1, 3, 4)
    assert (plan.processes, plan.descriptors, plan.work_bytes, plan.files) == (5, 6, 7, 8)


@pytest.mark.parametrize(("aws", "mode"), [(True, "aws"), (False, "offline")])
def test_a_plan_says_whether_aws_is_reached(aws: bool, mode: str) -> None:
    """The listener, the proxy variables and the hook come together or not at all."""
    plan = make_plan(shape(aws=aws, limits=Limits()), ["ec2"])

    assert plan.listen is aws
    assert ("HTTP_PROXY" in plan.environment) is aws
    assert plan.arguments[-3:] == [mode, "3", "ec2"]


@pytest.mark.parametrize(("cpu_ms", "seconds"), [(1, 1), (999, 1), (1000, 1), (1001, 2)])
def test_processor_time_is_rounded_up(cpu_ms: int, seconds: int) -> None:
    """The kernel counts whole seconds, and no script gets less than was approved."""
    assert cpu_seconds(Limits(cpu_ms=cpu_ms)) == seconds


def test_the_engine_wins_over_variables() -> None:
    """A job can't send its calls elsewhere by a variable."""
    variables = {"HTTP_PROXY": "http://elsewhere", "LD_LIBRARY_PATH": "/job", "OWN": "1"}

    assert script_variables(variables) == {"OWN": "1"}
    assert script_environment(aws=True)["HTTP_PROXY"] == "http://127.0.0.1:3128"


@pytest.mark.parametrize(
    ("ended", "expected"),
    [
        (None, ("lost", None, None)),
        (Ended(0, 5, late=False), ("exited", 0, None)),
        (Ended(7 << 8, 5, late=False), ("exited", 7, None)),
        (Ended(0, 5, late=True), ("limit", None, "wall_ms")),
        (Ended(143 << 8, 5, late=True), ("limit", None, "wall_ms")),
        (Ended(signal.SIGKILL, 5, late=True), ("limit", None, "wall_ms")),
        (Ended(signal.SIGKILL, 1990, late=False), ("limit", None, "cpu_ms")),
        (Ended(signal.SIGKILL, 1000, late=False), ("killed", -9, None)),
        (Ended(signal.SIGSEGV, 1990, late=False), ("killed", -11, None)),
    ],
)
def test_ends_are_read(ended: Ended | None, expected: tuple[str, int | None, str | None]) -> None:
    """A script whose time was up did not end by itself, however it then cleaned up and ended."""
    assert read_end(ended, Limits(cpu_ms=2000)) == expected


@pytest.mark.parametrize(
    ("pid", "id_map", "expected"),
    [
        (1, EVERY_ID, 0x7F000001),
        (4194303, EVERY_ID, 0x7F3FFFFF),
        (1, CONTAINER, 60001),
        (5003, CONTAINER, 60003),
    ],
)
def test_a_spare_id_fits_the_machine(pid: int, id_map: str, expected: int) -> None:
    """Two launchers alive at once have two ids; a container with few ids has some left."""
    assert spare_id(pid, id_map) == expected


def test_without_a_spare_id_nothing_runs() -> None:
    """Where root is the only user there is, scripts are refused rather than run as root."""
    with pytest.raises(OSError, match="no user id is left"):
        spare_id(1, "0 1000 1\n")


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("hosts.csv", True),
        ("größe 1.txt", True),
        ("a" * 100, True),
        ("a" * 101, False),
        ("ü" * 51, False),
        ("two\nlines", False),
        ("\x1b[31m", False),
        ("turned \u202e", False),
        ("zero\u200bwidth", False),
        ("broken \udcff", False),
    ],
)
def test_names_that_can_be_kept(name: str, plain: bool) -> None:
    """A name is kept when a person can read all of it."""
    assert is_plain_name(name) is plain
