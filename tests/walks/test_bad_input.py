"""Bad input of every kind: one line, a hint, the documented exit code, and no traceback."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

AWS = "--aws=recorded:checkout-503"
FILES = {
    "good.py": b"print('hello')\n",
    "latin.py": b"print('\xe9')\n",
    "list.json": b"[]",
    "broken.json": b'{"Version": ',
    "twice.json": b'{"Version": "a", "Version": "b"}',
    "deep.json": b'{"a":' * 5_000,
    "float.json": b'{"Version": 1.5}',
    "latin.json": b'{"a": "\xe9"}',
    "not-a-session.db": b"hello",
    "empty.db": b"",
    "unknown-key.yaml": b"limits:\n  wall_second: 3\n",
    "wrong-type.yaml": b"mode: reckless\n",
    "broken.yaml": b"mode: [\n",
}
CASES: list[tuple[list[str], int, str]] = [
    (["frobnicate"], 2, "invalid choice"),
    (["ask", "--frobnicate"], 2, "unrecognized arguments"),
    (["ask"], 2, "--resume SESSION"),
    (["ask", "why?", "--resume", "x", AWS], 2, "give a question, or --resume"),
    (["ask", "why?", AWS, "--profile", "oncall"], 2, "--profile: only --aws live"),
    (["ask", "why?", "--aws", "live:oncall"], 2, "expected live, recorded:SESSION"),
    (["ask", "why?", "--aws", "simulated:shop"], 2, "no such world"),
    (["ask", "why?", "--aws", f"simulated:{'a' * 300}"], 2, "no such world"),
    (["ask", "why?", "--aws", f"simulated:{'a' * 300}.yaml"], 2, "no such world"),
    (["ask", "why?", "--aws", f"recorded:{'a' * 300}.db"], 2, "no such session"),
    (["ask", "why\udcff", AWS], 2, "argument 2 is not UTF-8"),
    (["ask", "why?", AWS, "--region", "mars"], 2, "--region mars: must be the name of a region"),
    (["check", "{f}/good.py", AWS, "--region", "eu-west-1\n"], 2, "the name of a region"),
    (["ask", "why?", AWS, "--config", ""], 2, "can't be read"),
    (["ask", "why?", "--aws", "elsewhere"], 2, "expected live, recorded:SESSION"),
    (["ask", "why?", "--aws", "recorded:"], 2, "expected live, recorded:SESSION"),
    (["ask", "why?", "--aws", "recorded:nope"], 2, "no such session"),
    (["ask", "why?", "--aws", "recorded:{f}/not-a-session.db"], 2, "not-a-session.db"),
    (["ask", "why?", AWS, "--mode", "yolo"], 2, "invalid choice"),
    (["ask", "why?", AWS, "--ui", "web"], 2, "invalid choice"),
    (["ask", "--resume", "nope"], 2, "no such session"),
    (["ask", "--resume", "{f}/not-a-session.db"], 2, "not-a-session.db"),
    (["ask", "why?", AWS, "--limit", "wall_seconds"], 2, "wall_seconds"),
    (["ask", "why?", AWS, "--limit", "wall_second=3"], 2, "wall_seconds"),
    (["ask", "why?", AWS, "--limit", "wall_seconds=0"], 2, "wall_seconds"),
    (["ask", "why?", AWS, "--config", "{f}/nope.yaml"], 2, "nope.yaml"),
    (["ask", "why?", AWS, "--config", "{f}/unknown-key.yaml"], 2, "limits.wall_seconds"),
    (["ask", "why?", AWS, "--config", "{f}/wrong-type.yaml"], 2, "mode"),
    (["ask", "why?", AWS, "--config", "{f}/broken.yaml"], 2, "line"),
    (["run"], 2, "SCRIPT"),
    (["run", "{f}/nope.py", AWS], 2, "nope.py: No such file"),
    (["run", "{f}", AWS], 2, "Is a directory"),
    (["run", "{f}/good.py", AWS, "--policy", "{f}/nope.json"], 2, "nope.json"),
    (["run", "{f}/good.py", AWS, "--policy", "{f}/list.json"], 2, "expected a JSON object"),
    (["run", "{f}/good.py", AWS, "--policy", "{f}/broken.json"], 2, "line 1"),
    (["run", "{f}/good.py", AWS, "--policy", "{f}/twice.json"], 2, "given twice"),
    (["run", "{f}/good.py", AWS, "--policy", "{f}/deep.json"], 2, "deep.json"),
    (["run", "{f}/good.py", AWS, "--policy", "{f}/float.json"], 2, "no canonical JSON"),
    (["run", "{f}/good.py", AWS, "--parameters", "{f}/latin.json"], 2, "not UTF-8"),
    (["run", "{f}/good.py", AWS, "--kind", "destroy"], 2, "invalid choice"),
    (["check", "{f}/nope.py"], 2, "nope.py: No such file"),
    (["check", "{f}/good.py", "--policy", ""], 2, "Is a directory"),
    (["check", "{f}/good.py", "--policy", "{f}/float.json"], 2, "no canonical JSON"),
    (["replay", "nope"], 2, "no such session"),
    (["replay", "{f}/not-a-session.db"], 2, "not-a-session.db"),
    (["replay", "{f}/nope.db"], 2, "no such session file"),
    (["replay", "\udcff.py"], 2, "argument 2 is not UTF-8"),
    (["replay", f"{'a' * 300}.db"], 2, "no such session file"),
    (["verify"], 2, "SESSION"),
    (["verify", "nope"], 2, "no such session"),
]


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Return a folder with the files above."""
    for name, body in FILES.items():
        (tmp_path / name).write_bytes(body)
    return tmp_path


@pytest.mark.parametrize(("arguments", "code", "said"), CASES, ids=lambda each: str(each)[:60])
def test_bad_input_ends_in_one_line_and_a_hint(
    countersign: Any, files: Path, arguments: list[str], code: int, said: str
) -> None:
    """Nothing is printed but the line and the hint; the exit code is the documented one."""
    before = countersign.sessions()

    ended = countersign(*(each.replace("{f}", str(files)) for each in arguments))

    message, hint = ended.err.splitlines()
    assert ended.code == code
    assert said in message
    assert message.startswith("countersign: ")
    assert hint.startswith("hint: ")
    assert ended.out == ""
    assert countersign.sessions() == before


@pytest.mark.parametrize("name", ["not-a-session.db", "empty.db"])
def test_a_file_that_is_no_session_can_not_be_verified(
    countersign: Any, files: Path, name: str
) -> None:
    """`verify` says that it can't tell, with exit code 2."""
    ended = countersign("verify", files / name)

    assert (ended.code, ended.out[:8], ended.err) == (2, "unknown:", "")


def test_a_script_that_is_not_python_is_a_finding(countersign: Any, files: Path) -> None:
    """What `check` is for is not an error of the command: it reports, with exit code 1."""
    ended = countersign("check", files / "latin.py")

    assert (ended.code, ended.err) == (1, "")
    assert "blocker" in ended.out


def test_no_command_prints_the_help(countersign: Any) -> None:
    """Without a command there is nothing to do: the help, and exit code 2."""
    ended = countersign()

    assert ended.code == 2
    assert ended.out.startswith("usage: countersign")


def test_help_lists_every_command_that_the_parser_knows(countersign: Any) -> None:
    """Each command stands in the help with what it does, and has a help with an example."""
    from tui.cli import parser

    listed = countersign("--help").out
    known = next(action.choices for action in parser()._actions if isinstance(action.choices, dict))

    assert len(known) == 9
    for name in known:
        ended = countersign(name, "--help")
        assert f"\n    {name} " in listed
        assert (ended.code, "example: countersign" in ended.out) == (0, True)


def test_a_data_directory_that_can_not_be_written_refuses(countersign: Any, files: Path) -> None:
    """Without a journal nothing happens: exit code 6."""
    countersign.environment["COUNTERSIGN_DATA"] = str(files / "good.py" / "data")

    ended = countersign("ask", "Why do 503s come?", AWS)

    assert (ended.code, ended.out) == (6, "")
    assert len(ended.err.splitlines()) == 2


def test_a_closed_pipe_ends_quietly(countersign: Any) -> None:
    """Whoever reads only the first line sees no traceback."""
    process = countersign.start("replay", "checkout-503", "--ui", "json")
    process.stdout.readline()
    process.stdout.close()

    assert process.wait(20) in (0, 1)
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()


def test_hostile_names_reach_no_terminal(countersign: Any) -> None:
    """Escape sequences in what was typed come back visible, not alive."""
    ended = countersign("replay", "\x1b]0;owned\x07")

    assert ended.code == 2
    assert "\x1b" not in ended.err
    assert "\x07" not in ended.err


def test_the_module_is_the_program() -> None:
    """`python -m tui` answers like the console script."""
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-m", "tui", "--version"], cwd=root, capture_output=True, check=True
    )

    assert done.stdout.startswith(b"countersign 0.")


def test_one_unreadable_session_hides_no_other(countersign: Any, tmp_path: Path) -> None:
    """A file with a time that has no date is named as unreadable, and can't be replayed."""
    countersign.environment["COUNTERSIGN_DATA"] = str(tmp_path)
    assert countersign("ask", "Why do 503s come?", AWS, "--mode", "automated").code == 0
    (good,) = (tmp_path / "sessions").glob("*.db")
    broken = good.with_name("20000101T000000-bad.db")
    shutil.copy(good, broken)
    broken.chmod(0o600)
    with sqlite3.connect(broken) as database:
        kept = "SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'"
        triggers = database.execute(kept).fetchall()
        for name, _ in triggers:
            database.execute(f"DROP TRIGGER {name}")
        database.execute(f"UPDATE event SET at = {2**60} WHERE seq = 1")
        for _, made in triggers:  # without them it would be refused for its schema
            database.execute(made)
    database.close()

    listed, replayed = countersign("sessions"), countersign("replay", broken.stem)

    first, second = listed.out.splitlines()
    assert (listed.code, listed.err) == (0, "")
    assert "unreadable: event 1 happened at a time that has no date" in first
    assert second.startswith(good.stem)
    assert (replayed.code, len(replayed.err.splitlines())) == (1, 2)
    assert countersign("verify", broken.stem).code == 1
