"""What leaves the screen: reports of crashes, pictures, and texts for the clipboard."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tui import clipboard, crash


def raised(message: str) -> Exception:
    """Return an error that was raised in a frame with a secret in it."""
    password = "hunter2-in-a-variable"
    try:
        return RuntimeError(f"never {int(message)} {password}")
    except ValueError as error:
        return error


def test_a_report_has_the_traceback_and_no_secret(tmp_path: Path) -> None:
    """Where it broke is there; variables, credentials in the message and escapes are not."""
    secret = "wJalrXUtnFEMI" + "/K7MDENG/bPxRfiCYEXAMPLEKEY"
    path = crash.report(raised(f"\x1b[2J SecretAccessKey={secret}"), tmp_path / "crashes")
    assert path is not None
    text = path.read_text(encoding="utf-8")

    assert "ValueError" in text
    assert "in raised" in text
    assert secret not in text
    assert "in-a-variable" not in text
    assert "\x1b" not in text
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_where_nothing_can_be_written_a_crash_is_still_told(tmp_path: Path) -> None:
    """A full or foreign disk costs the report, not the line on the terminal."""
    (tmp_path / "crashes").write_text("a file where a folder should be")

    assert crash.report(raised("x"), tmp_path / "crashes") is None


@pytest.mark.parametrize(
    ("text", "said"), [("", "nothing to copy"), ("x" * 60_000, "too long"), ("ü" * 1_000, "")]
)
def test_what_a_terminal_would_drop_is_not_copied(text: str, said: str) -> None:
    """The cap is on what is sent, not on what is read."""
    why = clipboard.why_not_copied(text)

    assert (said in why) if said else why == ""


def test_a_picture_is_private_and_asks_no_server(tmp_path: Path) -> None:
    """The file is its owner's, and whoever opens it loads nothing from elsewhere."""
    picture = '<svg>@font-face { src: url("https://fonts.example/x") }<text x="1">a</text></svg>'
    path = clipboard.keep_picture(picture, tmp_path / "pictures")

    assert "https" not in path.read_text(encoding="utf-8")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path != clipboard.keep_picture(picture, tmp_path / "pictures")
