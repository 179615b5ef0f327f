"""What is taken out of a work folder, and what becomes a sentence instead."""

from __future__ import annotations

import os
import socket
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path

import pytest

from sandbox.collect import MOST_ENTRIES, MOST_PROBLEMS, Collected, collect, is_plain_name

Take = Callable[..., Collected]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Return the folder where a script leaves its files."""
    made = tmp_path / "out"
    made.mkdir()
    return made


@pytest.fixture
def take(tmp_path: Path) -> Iterator[Take]:
    """Return a function that collects what lies there; keywords as of `collect`."""
    work = os.open(tmp_path, os.O_RDONLY | os.O_DIRECTORY)
    yield lambda **options: collect(work, **{"result_bytes": 100, "artifact_bytes": 100} | options)
    os.close(work)


def fill(folder: Path, **files: str) -> None:
    """Write files; "__" in a name stands for a folder."""
    for name, content in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)


def test_files_in_folders_come_out(out: Path, take: Take) -> None:
    """Artifacts are named by their path below the folder, what lies at the top first."""
    fill(out, tables__hosts="a", tables__more__ports="b", tables__result="c", zebra="d")
    (out / "tables" / "result.json").write_text("{}")
    (out / "result.json").write_text("[]")
    (out / "empty").mkdir()

    found = take()

    assert found.result == b"[]"
    assert list(found.artifacts.items()) == [
        ("zebra", b"d"),
        ("tables/hosts", b"a"),
        ("tables/result", b"c"),
        ("tables/result.json", b"{}"),
        ("tables/more/ports", b"b"),
    ]
    assert found.problems == []


def test_folders_have_a_depth(out: Path, take: Take) -> None:
    """A path of eight parts is taken, a folder that could hold longer ones is not."""
    deep = out / "1/2/3/4/5/6/7"
    (deep / "8").mkdir(parents=True)
    (deep / "file").write_text("x")
    (deep / "8" / "file").write_text("y")

    found = take()

    assert found.artifacts == {"1/2/3/4/5/6/7/file": b"x"}
    assert found.problems == [
        "'1/2/3/4/5/6/7/8' is a folder that lies too deep, 8 levels can be taken"
    ]


def test_files_and_folders_have_a_number(out: Path, take: Take) -> None:
    """Folders count like files, wherever they lie; the result counts never and is never lost."""
    fill(out, **{f"{number:03}__file": "" for number in range(MOST_ENTRIES - 20)})
    (out / "result.json").write_text("[]")

    found = take()

    assert found.result == b"[]"
    assert list(found.artifacts) == [f"{number:03}/file" for number in range(20)]
    assert found.problems == ["more than 200 files and folders, the others were left"]


def test_a_folder_that_is_too_full_is_not_read_whole(out: Path, take: Take) -> None:
    """Of a folder with too many files as many as may be are taken, and the result is found."""
    fill(out, **{str(number): "" for number in range(MOST_ENTRIES + 50)})
    (out / "result.json").write_text("[]")

    found = take()

    assert (found.result, len(found.artifacts)) == (b"[]", MOST_ENTRIES)
    assert found.problems == ["more than 200 files and folders, the others were left"]


def test_bytes_have_one_budget(out: Path, take: Take) -> None:
    """What does not fit any more stays behind, smaller ones after it still come out."""
    fill(out, a="x" * 60, b="x" * 41, c__d="x" * 40)

    found = take()

    assert sorted(found.artifacts) == ["a", "c/d"]
    assert found.problems == ["'b' has 41 bytes, 40 can be taken"]


def test_a_sparse_file_counts_with_all_it_claims(out: Path, take: Take) -> None:
    """A file without content is judged by its size before a byte of it is read."""
    with (out / "sparse").open("wb") as file:
        file.truncate(10**12)
    with (out / "result.json").open("wb") as file:
        file.truncate(101)

    found = take()

    assert (found.result, found.artifacts) == (None, {})
    assert found.problems == [
        "'result.json' has 101 bytes, 100 can be taken",
        "'sparse' has 1000000000000 bytes, 100 can be taken",
    ]


def test_time_has_a_budget(out: Path, take: Take) -> None:
    """When time is up the rest stays behind, and how much that is is told."""
    fill(out, a="", b="", c="")

    # One second for each look at the clock: one at the start, one before each file.
    found = take(clock=count().__next__)

    assert list(found.artifacts) == ["a", "b"]
    assert found.problems == ["time was up with 1 files and folders left to look at"]


def test_a_long_file_has_no_more_time(out: Path, take: Take) -> None:
    """The clock is looked at while a file is read, not only before."""
    with (out / "sparse").open("wb") as file:
        file.truncate(3 * 1024 * 1024)

    found = take(clock=count().__next__, artifact_bytes=10**9)

    assert found.artifacts == {}
    assert found.problems == ["'sparse' could not be read in time"]


def test_hard_links_are_files(out: Path, take: Take) -> None:
    """A second name of a file of the script's own is a second artifact."""
    fill(out, a="x")
    (out / "b").hardlink_to(out / "a")

    assert take().artifacts == {"a": b"x", "b": b"x"}


def test_nothing_but_files_is_taken(out: Path, take: Take, tmp_path: Path) -> None:
    """Links lead nowhere, at the top and in folders; pipes and sockets are not waited for."""
    fill(tmp_path, elsewhere__secret="x")
    (out / "folder").mkdir()
    (out / "folder" / "link").symlink_to(tmp_path / "elsewhere" / "secret")
    (out / "link").symlink_to("/etc")
    (out / "up").symlink_to("..")
    (out / "magic").symlink_to("/proc/self/cwd")
    os.mkfifo(out / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        here = Path.cwd()
        os.chdir(out)  # a socket's path has to be short
        listener.bind("socket")
        os.chdir(here)
        found = take()

    assert (found.result, found.artifacts) == (None, {})
    assert found.problems == [
        "'link' can't be read: it is a symbolic link",
        "'magic' can't be read: it is a symbolic link",
        "'pipe' is a pipe, not a file",
        "'socket' can't be read: No such device or address",
        "'up' can't be read: it is a symbolic link",
        "'folder/link' can't be read: it is a symbolic link",
    ]


def test_a_result_that_is_a_folder_is_none(out: Path, take: Take) -> None:
    """A folder in the place of the result is told of, and nothing in it is taken."""
    fill(out / "result.json", inside="x")

    found = take()

    assert (found.result, found.artifacts) == (None, {})
    assert found.problems == ["'result.json' is a folder, not a file"]


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (b"two\nlines", r"'two\nlines'"),
        (b"\x1b]0;title\x07", r"'\x1b]0;title\x07'"),
        (b"not utf-8 \xff", r"'not utf-8 \udcff'"),
        ("turned \u202e around".encode(), r"'turned \u202e around'"),
        ("invisible \u200b".encode(), r"'invisible \u200b'"),
        (b"x" * 101, f"'{'x' * 100}'"),
        ("ü".encode() * 51, "'" + r"\xfc" * 51 + "'"),
    ],
)
@pytest.mark.parametrize("folder", ["", "ü/"])
def test_odd_names_stay_behind(out: Path, take: Take, folder: str, name: bytes, shown: str) -> None:
    """A name that could fool a terminal or a reader is refused in plain ASCII, folders too."""
    (out / folder).mkdir(exist_ok=True)
    Path(os.fsdecode(os.fsencode(out / folder) + b"/" + name)).mkdir()

    found = take()

    assert found.artifacts == {}
    assert found.problems == [f"'{ascii(folder)[1:-1]}{shown[1:]} has a name that can't be kept"]
    assert found.problems[0].isascii()


def test_sentences_have_a_number(out: Path, take: Take) -> None:
    """A script can't fill the report with its refused files."""
    for number in range(50):
        (out / f"{number:02}").symlink_to("/")

    found = take()

    assert len(found.problems) == MOST_PROBLEMS + 1
    assert found.problems[-2:] == [
        "'19' can't be read: it is a symbolic link",
        "30 more files and folders could not be taken",
    ]


def test_a_folder_that_is_gone_is_a_sentence(out: Path, take: Take) -> None:
    """A script may remove what it should have written to."""
    out.rmdir()

    assert take().problems == ["/job/out can't be read: No such file or directory"]


def test_rights_and_owners_stay_behind(out: Path, take: Take) -> None:
    """Of a file that would run with rights of its owner only the content comes out."""
    fill(out, tool="x")
    (out / "tool").chmod(0o6755)

    assert take().artifacts == {"tool": b"x"}


@pytest.mark.parametrize(
    ("name", "plain"),
    [("größe 1.txt", True), ("x" * 100, True), ("x" * 101, False), ("\x7f", False), ("", True)],
)
def test_plain_names(name: str, plain: bool) -> None:
    """Letters of any language are plain, control characters and long names are not."""
    assert is_plain_name(name) is plain
