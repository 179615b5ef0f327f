"""Attacks by what a script leaves behind: links, special files, names, sizes and contents.

The control shows what the same files do to whoever reads them from a folder without care.
"""

from __future__ import annotations

import io
import os
import pickle
import signal
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from sandbox.collect import MOST_PROBLEMS

Attack = Callable[..., str]
Behind = Callable[..., Any]
Find = Callable[[str], list[int]]

SECRET = "a-word-that-only-the-host-knows"
LINKS = "Landlock; collected by openat2, through no link"
NODES = "seccomp filter; only plain files are collected"
BUDGETS = "collected within budgets for bytes, entries, depth and time"
BYTES_ONLY = "only bytes come out; nothing outside interprets them"
AS_ROOT = os.geteuid() == 0
OUT = "/job/out"
mark = pytest.mark.attack


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Return the folder that stands for /job/out where there are no walls."""
    folder = tmp_path / "out"
    folder.mkdir()
    return folder


# ------------------------------------------------------------------ links
@mark(113, "leave a link to a file of the host", wall=LINKS)
@pytest.mark.parametrize("way", ["{}", "/proc/self/root{}"], ids=["symbolic", "magic"])
def test_no_link_is_followed(
    outside: Attack, behind: Behind, out: Path, tmp_path: Path, way: str
) -> None:
    """Whoever reads through a link reads the secret; it can't be made, or is left behind."""
    attack = """
    import os
    def attempt():
        target, folder = PARAMETER
        os.symlink(target, os.path.join(folder, "result.json"))
        return "made"
    """
    secret = tmp_path / "secret"
    secret.write_text(SECRET)
    target = way.format(secret)

    assert outside(attack, (target, str(out))) == "made"
    assert (out / "result.json").read_text() == SECRET
    ran = behind(attack, (target, OUT))
    # Where the kernel has no Landlock the link is made, and refused when it is read.
    assert ran.printed in {"EACCES", "made"}
    assert (ran.result.result, ran.result.artifacts) == (None, {})


@mark(114, "leave a second name of a file of the host", wall="mounts of its own")
def test_no_second_name(outside: Attack, walled: Attack, out: Path, tmp_path: Path) -> None:
    """A second name makes a file part of the folder; there is none across mounts."""
    attack = """
    import os
    def attempt():
        file, folder = PARAMETER
        os.link(file, os.path.join(folder, "second"))
        return "made"
    """
    secret = tmp_path / "secret"
    secret.write_text(SECRET)

    assert outside(attack, (str(secret), str(out))) == "made"
    assert (out / "second").read_text() == SECRET
    assert walled(attack, ("/runtime/python/bin/python3", OUT)) == "EXDEV"


@mark(118, "write outside of the folder, by ../ or from the root", wall="read-only mounts")
@pytest.mark.parametrize("way", ["{}/../../left-behind", "{}/../../usr/../left-behind"])
def test_nothing_is_left_elsewhere(
    outside: Attack, behind: Behind, tmp_path: Path, way: str
) -> None:
    """A path that climbs writes where it leads to outside, and nowhere inside."""
    attack = """
    def attempt():
        with open(PARAMETER, "w") as file:
            return file.write("x")
    """
    for folder in tmp_path / "job" / "out", tmp_path / "usr":
        folder.mkdir(parents=True)

    assert outside(attack, way.format(tmp_path / "job" / "out")) == "1"
    assert (tmp_path / "left-behind").exists()
    ran = behind(attack, way.format(OUT))
    assert ran.printed == "EROFS"
    assert ran.result.artifacts == {}


# ------------------------------------------------------------------ special files
@pytest.mark.parametrize(
    ("attack", "made"),
    [
        pytest.param(
            """
            import os
            def attempt():
                os.mkfifo(os.path.join(PARAMETER, "pipe"))
                return "made"
            """,
            "made",
            marks=mark(115, "leave a pipe, for the reader to hang on", wall=NODES),
            id="pipe",
        ),
        pytest.param(
            """
            import os, stat
            def attempt():
                os.mknod(os.path.join(PARAMETER, "device"), stat.S_IFCHR | 0o666, os.makedev(1, 5))
                return "made"
            """,
            "made" if AS_ROOT else "EPERM",
            marks=mark(116, "leave a device, for the reader to read without end", wall=NODES),
            id="device",
        ),
        pytest.param(
            """
            import os, socket
            def attempt():
                os.chdir(PARAMETER)
                socket.socket(socket.AF_UNIX).bind("socket")
                return "made"
            """,
            "made",
            marks=mark(117, "leave a unix socket, for somebody to connect to", wall=NODES),
            id="socket",
        ),
    ],
)
def test_no_special_file(
    outside: Attack, behind: Behind, out: Path, attack: str, made: str
) -> None:
    """What is no plain file is made outside, where one may, and not inside."""
    assert outside(attack, str(out)) == made
    assert len(list(out.iterdir())) == (made == "made")
    ran = behind(attack, OUT)
    assert ran.printed == "EPERM"
    assert (ran.result.artifacts, ran.result.problems) == ({}, ())


# ------------------------------------------------------------------ names, rights and sizes
@mark(119, "leave a program with setuid bits", wall=BYTES_ONLY)
def test_no_rights_come_out(outside: Attack, behind: Behind, out: Path) -> None:
    """A folder keeps a file's rights; of a run its content comes out and nothing else."""
    attack = """
    import os
    def attempt():
        path = os.path.join(PARAMETER, "tool")
        with open(path, "w") as file:
            file.write("content")
        os.chmod(path, 0o6755)
        return oct(os.stat(path).st_mode)
    """

    assert outside(attack, str(out)) == "0o106755"
    assert behind(attack, OUT).result.artifacts == {"tool": b"content"}


@mark(120, "leave names that fool a terminal or a shell", wall="only plain names are collected")
def test_no_odd_name_comes_out(outside: Attack, behind: Behind, out: Path) -> None:
    """Any bytes are a name in a folder; what comes out has a plain one or becomes a sentence."""
    attack = r"""
    import os
    ODD = b"line\nfeed", b"\x1b[2Jescape", b"\xff\xfe", b"n" * 255, "\u202etxt.exe".encode()
    def attempt():
        for name in (*ODD, b"plain"):
            open(os.path.join(PARAMETER.encode(), name), "wb").close()
        return len(os.listdir(PARAMETER))
    """

    assert outside(attack, str(out)) == "6"
    assert any(not path.name.isprintable() for path in out.iterdir())
    ran = behind(attack, OUT)
    assert ran.printed == "6"
    assert ran.result.artifacts == {"plain": b""}
    assert len(ran.result.problems) == 5
    assert all(problem.isprintable() for problem in ran.result.problems)


@mark(121, "leave files that are large and empty", wall=BUDGETS)
def test_no_more_bytes_come_out(outside: Attack, behind: Behind, out: Path) -> None:
    """Files without content take no room and read as many bytes; what is read has a budget."""
    attack = """
    import os
    def attempt():
        for number in range(10):
            with open(os.path.join(PARAMETER, f"sparse-{number}"), "wb") as file:
                file.truncate(900_000)
        return "made"
    """

    assert outside(attack, str(out)) == "made"
    assert sum(len(path.read_bytes()) for path in out.iterdir()) == 9_000_000
    ran = behind(attack, OUT, work_bytes=1_000_000)
    assert ran.printed == "made"
    assert sum(map(len, ran.result.artifacts.values())) == 900_000
    assert len(ran.result.problems) == 9


@mark(122, "leave a thousand folders in each other, and one that can't be entered", wall=BUDGETS)
def test_no_folder_without_end(outside: Attack, behind: Behind, out: Path) -> None:
    """Who walks down every folder is led astray; collecting turns round, and takes the rest."""
    attack = """
    import os
    def attempt():
        os.chdir(PARAMETER)
        os.mkdir("closed")
        os.chmod("closed", 0)
        for number in range(60):
            open(f"file-{number:02}", "w").close()
        for depth in range(300):
            os.mkdir("deeper")
            os.chdir("deeper")
        return "made"
    """

    assert outside(attack, str(out)) == "made"
    assert max(len(Path(folder).relative_to(out).parts) for folder, _, _ in os.walk(out)) == 300
    (out / "closed").chmod(0o700)
    ran = behind(attack, OUT)
    assert ran.printed == "made"
    assert len(ran.result.artifacts) == 60
    assert 1 <= len(ran.result.problems) <= MOST_PROBLEMS


# ------------------------------------------------------------------ time
@mark(123, "go on writing what is being read", wall="collected when every process is dead")
def test_nothing_is_written_any_more(
    outside: Attack, behind: Behind, named: Find, out: Path
) -> None:
    """A process that was left behind writes on outside; of a run nobody is left to write."""
    attack = """
    import ctypes, os, time
    def attempt():
        folder, name = PARAMETER
        if os.fork() == 0:
            ctypes.CDLL(None).prctl(15, name.encode(), 0, 0, 0)  # PR_SET_NAME
            for standard in 0, 1, 2:
                os.close(standard)
            for _ in range(2000):
                with open(os.path.join(folder, "log"), "ab") as file:
                    file.write(b"a line" + bytes((10,)))
                time.sleep(0.01)
            os._exit(0)
        while not os.path.exists(os.path.join(folder, "log")):
            time.sleep(0.01)
        return "left behind"
    """
    free, caught = f"writer-{uuid4()}"[:15], f"writer-{uuid4()}"[:15]

    assert outside(attack, (str(out), free)) == "left behind"
    [writer] = named(free)
    os.kill(writer, signal.SIGKILL)
    ran = behind(attack, (OUT, caught))
    assert ran.printed == "left behind"
    assert named(caught) == []
    assert set(ran.result.artifacts["log"].split(b"\n")) <= {b"a line", b""}


# ------------------------------------------------------------------ contents
@mark(124, "leave an archive that unpacks to very much", wall=BYTES_ONLY)
def test_nothing_is_unpacked(outside: Attack, behind: Behind, out: Path) -> None:
    """An archive is as large as what is in it for whoever unpacks it; it stays one small file."""
    attack = """
    import os, zipfile
    def attempt():
        path = os.path.join(PARAMETER, "bomb.zip")
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("much", bytes(5_000_000))
        return "made"
    """

    assert outside(attack, str(out)) == "made"
    with zipfile.ZipFile(out / "bomb.zip") as archive:
        assert len(archive.read("much")) == 5_000_000
    [(name, content)] = behind(attack, OUT).result.artifacts.items()
    assert name == "bomb.zip"
    assert len(content) < 10_000
    assert zipfile.is_zipfile(io.BytesIO(content))


class Executes:
    """Whoever unpickles one of these runs what it holds."""

    def __init__(self, code: str) -> None:
        self.code = code

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (self.code,)


@mark(125, "leave a pickle or a module, for the host to load", wall=BYTES_ONLY)
def test_nothing_is_loaded(outside: Attack, behind: Behind, out: Path, tmp_path: Path) -> None:
    """Loading a pickle or importing a module runs it; what comes out of a run is not loaded."""
    attack = """
    import os
    def attempt():
        folder, pickled, module = PARAMETER
        for name, content in ("result.json", pickled), ("sitecustomize.py", module):
            with open(os.path.join(folder, name), "wb") as file:
                file.write(content)
        return "made"
    """
    trace = tmp_path / "it-ran"
    module = f"import pathlib; pathlib.Path({str(trace)!r}).touch()"
    pickled = pickle.dumps(Executes(module))

    assert outside(attack, (str(out), pickled, module.encode())) == "made"
    load = f"import pickle; pickle.loads(open({str(out / 'result.json')!r}, 'rb').read())"
    for code, path in (load, ""), ("import sitecustomize", str(out)):
        subprocess.run([sys.executable, "-c", code], check=True, env={"PYTHONPATH": path})
        trace.unlink()  # it ran
    ran = behind(attack, (OUT, pickled, module.encode()))
    assert ran.result.result == pickled
    assert ran.result.artifacts == {"sitecustomize.py": module.encode()}
    assert not trace.exists()
