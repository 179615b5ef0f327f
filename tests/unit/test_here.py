"""Where we were started, whatever has become of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from core.aws import open_source
from core.here import working_folder
from core.llm.outgoing import paths_of_this_machine


def test_a_folder_that_was_removed_stops_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Live sessions and models can be used from a folder that is gone; it counts as the root."""
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    assert working_folder() == tmp_path / "gone"
    (tmp_path / "gone").rmdir()

    assert working_folder() == Path("/")
    assert open_source("live", tmp_path).name == "live"
    assert "/" not in paths_of_this_machine(tmp_path)
