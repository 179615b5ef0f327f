"""The parts of the bootstrap that need no sandbox, and how a trial run is judged."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox.engines.choose import MUST_FAIL, judge
from sandbox.engines.environment import script_environment
from sandbox.inside.bootstrap import exit_code, without_tls
from sandbox.job import Finished, JobEvent, JobResult, Output

HELD: dict[str, object] = {
    **dict.fromkeys(MUST_FAIL, False),
    "variables": sorted({**script_environment(aws=True), "TRIAL": "1"}),
    "gateway": True,
    "modules": True,
}


def told(found: object) -> list[JobEvent]:
    """Return the events of a trial run that found this."""
    return [Finished(JobResult("exited", 0, None, json.dumps(found).encode(), {}))]


@pytest.mark.parametrize(
    ("code", "expected"), [(None, 0), (0, 0), (3, 3), (256, 0), (-1, 255), ("words", 1)]
)
def test_exit_codes(code: object, expected: int, capsys: pytest.CaptureFixture[str]) -> None:
    """SystemExit becomes the code that python makes of it; anything but a number is printed."""
    assert exit_code(SystemExit(code)) == expected
    assert capsys.readouterr().err == ("words\n" if code == "words" else "")


@pytest.mark.parametrize(
    ("given", "options"),
    [
        (("sts",), {}),
        (("sts",), {"use_ssl": True}),
        (("sts", "eu-west-1", None, True), {}),
        (("sts", "eu-west-1", None, True, "verify"), {}),
    ],
)
def test_no_client_uses_tls(given: tuple[Any, ...], options: dict[str, Any]) -> None:
    """However create_client is called, by position or by name, use_ssl is False."""

    class Session:
        def create_client(
            self,
            service_name: str,
            region_name: str | None = None,
            api_version: str | None = None,
            use_ssl: bool = True,
            verify: object = None,
        ) -> tuple[str, bool, object]:
            return service_name, use_ssl, verify

    create_client = without_tls(Session.create_client)

    assert create_client(Session(), *given, **options) == (
        "sts",
        False,
        None if len(given) < 5 else "verify",
    )


def test_walls_that_held_are_found_good() -> None:
    """Nothing is wrong with a trial in which all failed that must fail, and the rest worked."""
    printed: list[JobEvent] = [Output("stdout", 0, b"x", 0)]

    assert judge(printed + told(HELD)) == []


@pytest.mark.parametrize("name", [name for name, value in HELD.items() if value is False])
@pytest.mark.parametrize("change", ["open", "missing"])
def test_each_hole_is_found(name: str, change: str) -> None:
    """Each thing that must fail counts as open when it worked, and when the trial is silent."""
    found = {**HELD, name: True}
    if change == "missing":
        del found[name]

    assert judge(told(found)) == [f"the walls let through: {name}"]


@pytest.mark.parametrize("name", ["gateway", "modules"])
def test_each_missing_part_is_found(name: str) -> None:
    """A sandbox in which scripts can't work is no good either."""
    assert judge(told({**HELD, name: False})) == [f"does not work inside: {name}"]


def test_a_stray_variable_is_found() -> None:
    """One variable more than was given is a hole."""
    found = {**HELD, "variables": ["HOST_SECRET"]}

    assert judge(told(found)) == ["the walls let through: variables"]


def test_a_trial_without_a_result_says_why() -> None:
    """The last line that the interpreter printed is the reason, such as a missing library."""
    events: list[JobEvent] = [
        Output("stderr", 0, b"Traceback\nImportError: libssl.so.3\n", 0),
        Finished(JobResult("exited", 1, None, None, {})),
    ]

    assert judge(events) == [
        "the trial run ended without a result (exited, 1): ImportError: libssl.so.3"
    ]
    assert judge([]) == ["the trial run told nothing"]
