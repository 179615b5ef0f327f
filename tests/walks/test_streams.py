"""Standard streams that are closed, full, or of another encoding: a line and a code, never more."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

REPLAY = ("replay", "checkout-503")


def ended(countersign: Any, redirections: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Start the program from a shell that redirects its streams."""
    return subprocess.run(
        ["/bin/sh", "-c", f'exec "$@" {redirections}', "sh", *countersign.command(arguments)],
        capture_output=True,
        check=False,
        env=countersign.environment,
        timeout=50,
        text=True,
    )


@pytest.mark.parametrize("redirections", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_no_error(countersign: Any, redirections: str) -> None:
    """What is closed is as good as /dev/null."""
    done = ended(countersign, redirections, *REPLAY)

    assert (done.returncode, done.stderr) == (0, "")


def test_nothing_is_written_into_a_file_that_took_the_number_of_a_stream(
    countersign: Any, tmp_path: Path
) -> None:
    """With every stream closed a session is worked on, recorded, and whole."""
    countersign.environment["COUNTERSIGN_DATA"] = str(tmp_path / "data")
    script = tmp_path / "script.py"
    script.write_text("print('hello')\n")

    done = ended(countersign, "<&- >&- 2>&-", "run", str(script), "--aws", "recorded:checkout-503")

    (session,) = (tmp_path / "data" / "sessions").glob("*.db")
    assert done.returncode == 3
    assert countersign("replay", session).out.endswith(
        "asks before every run; tier 0, analysis without network\n"
    )


@pytest.mark.parametrize("arguments", [REPLAY, (*REPLAY, "--ui", "json"), ("--help",)])
def test_a_full_disk_is_told_in_one_line(countersign: Any, arguments: tuple[str, ...]) -> None:
    """Output that can't be written ends with exit code 6, not with a traceback."""
    done = ended(countersign, ">/dev/full", *arguments)

    message, hint = done.stderr.splitlines()
    assert done.returncode == 6
    assert message == "countersign: what is printed can't be written: No space left on device"
    assert hint == "hint: is the disk full?"


@pytest.mark.parametrize("arguments", [("frobnicate",), ("replay", "nope")])
def test_when_nobody_can_be_told_the_code_still_says_it(
    countersign: Any, arguments: tuple[str, ...]
) -> None:
    """Even with stderr on a full disk the exit code is the documented one."""
    assert ended(countersign, "2>/dev/full", *arguments).returncode == 2


def test_an_encoding_that_lacks_characters_shows_their_numbers(
    countersign: Any, tmp_path: Path
) -> None:
    """In an ASCII terminal a session is listed with its question, nothing raises."""
    countersign.environment |= {
        "COUNTERSIGN_DATA": str(tmp_path / "data"),
        "PYTHONIOENCODING": "ascii",
    }
    asked = ("ask", "Why é?", "--aws", "recorded:checkout-503", "--mode", "guided", "--ui", "plain")
    assert countersign(*asked).err == ""

    listed = countersign("sessions")

    assert (listed.code, listed.err) == (0, "")
    assert "Why \\xe9?" in listed.out
