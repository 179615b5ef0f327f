"""docs/environments.md against the code: the runtime's packages, the variables, the digest."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

from core.config import Settings
from sandbox.environments import environment_digest
from sandbox.job import Sha
from sandbox.packages import INDEX, VARIABLES, is_locked
from sandbox.runtime import PACKAGES

PAGE = (Path(__file__).parents[2] / "docs" / "environments.md").read_text(encoding="utf-8")


def test_the_example_is_a_locked_line() -> None:
    """What the page shows as a requirement is one."""
    (line,) = re.findall(r"^    (openpyxl==\S+ \S+)$", PAGE, re.MULTILINE)

    assert is_locked(line)


def test_the_runtimes_packages_are_named() -> None:
    """Exactly those that need no line."""
    (named,) = re.findall(r"sealed runtime \(([^)]+)\)", PAGE)

    assert tuple(re.split(r",\s+", named)) == PACKAGES


def test_the_list_of_the_settings_names_none_of_them() -> None:
    """Each name there is one that a script has to bring."""
    assert set(Settings().requirements.allowed) & set(PACKAGES) == set()


def test_the_variables_are_named() -> None:
    """What is handed to uv is on the page, and nothing else is."""
    named = set(re.findall(r"`([A-Z][A-Z_]+)`", PAGE))

    assert named == {*VARIABLES, INDEX, "UV_INDEX_NAME_USERNAME", "UV_INDEX_NAME_PASSWORD"}


def test_the_digest_is_that_of_the_page() -> None:
    """The JSON that the page shows, with whole lines in it, hashes to the digest."""
    (shown,) = re.findall(r"^    (\{.*\})$", PAGE, re.MULTILINE)
    line, runtime = "openpyxl==3.1.5 --hash=sha256:" + "a" * 64, "5a05917f" * 8
    text = shown.replace("openpyxl==3.1.5 --hash=sha256:...", line).replace("5a05917f...", runtime)

    expected = hashlib.sha256(text.encode()).hexdigest()
    assert environment_digest(Sha(runtime), [line]) == expected
