"""The look before the settings are read: only where they surely say nothing of it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from core.config import load
from tui import early
from tui.early import early_look
from tui.effective import Effective
from tui.look import look_of

Write = Callable[[str], dict[str, str]]


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Return what writes the user's own settings, and tells the environment they hold in."""

    def write(text: str) -> dict[str, str]:
        environment = {"XDG_CONFIG_HOME": str(tmp_path), "COUNTERSIGN_DATA": str(tmp_path / "data")}
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        file = tmp_path / "countersign" / "config.yaml"
        file.parent.mkdir(exist_ok=True)
        if text:
            file.write_text(text, encoding="utf-8")
        return environment

    return write


@pytest.mark.parametrize("text", ["", "mode: guided\n", "limits:\n  wall_seconds: 60\n"])
def test_it_is_what_the_settings_will_say(written: Write, text: str) -> None:
    """Where a file says nothing of the look, or is not there, the early look is the later one."""
    environment = written(text)

    effective = Effective(None, environment)

    assert early_look(effective) == look_of(load(None, environment), effective)


@pytest.mark.parametrize(
    "text",
    [
        "theme: nord\n",
        "'theme': nord\n",
        '"\\x74heme": nord\n',
        "{theme: nord}\n",
        "keys:\n  approve: [A]\n",
        "notify:\n  bell: false\n",
        "data_directory: /somewhere\n",
    ],
)
def test_a_file_that_speaks_of_the_look_is_read_first(written: Write, text: str) -> None:
    """However it is spelt: the screen never opens in another look than the settings'."""
    assert early_look(Effective(None, written(text))) is None


def test_a_file_that_was_named_is_read_first(written: Write) -> None:
    """On the command line or by the variable: it must exist, and what it says is told at once."""
    environment = written("")

    assert early_look(Effective(Path("/x"), environment)) is None
    for other in ({"COUNTERSIGN_CONFIG": "/x"}, {"COUNTERSIGN_DATA": "~/x"}):
        assert early_look(Effective(None, {**environment, **other})) is None


def test_every_setting_of_the_look_is_known_here() -> None:
    """A setting that `look_of` comes to use has to be named in tui/early.py, too."""
    source = Path(look_of.__code__.co_filename).read_text(encoding="utf-8")

    assert {*re.findall(r"settings\.([a-z_]+)", source), "\\"} == set(early._OF_THE_LOOK)
