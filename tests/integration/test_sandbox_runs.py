"""What a script sees and what comes out of it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

Run = Callable[..., Any]

HOSTILE = """
import os
os.chdir("/job/out")
os.mkdir("folder")
open("folder/inside", "w").close()
open(b"not utf-8 \\xff", "w").close()
open("two\\nlines", "w").close()
open("turned \\u202e around", "w").close()
open("long" * 30, "w").close()
with open("sparse", "wb") as file:
    file.truncate(3 * 1024 * 1024)
with open("kept.csv", "w") as file:
    file.write("a,b")
"""


@pytest.mark.parametrize(
    ("script", "code", "error"),
    [
        ("pass", 0, ""),
        ("raise SystemExit", 0, ""),
        ("raise SystemExit(3)", 3, ""),
        ("import sys; sys.exit(-1)", 255, ""),
        ("import sys; sys.exit('no region')", 1, "no region\n"),
        ("exit(4)", 4, ""),
        ("import os; os._exit(5)", 5, ""),
    ],
)
def test_exit_codes(run: Run, script: str, code: int, error: str) -> None:
    """A script ends with the code, and the words, that python gives it."""
    ran = run(script)

    assert ran.ending == ("exited", code, None)
    assert ran.printed("stderr") == error


def test_a_traceback_shows_the_scripts_own_lines(run: Run) -> None:
    """An uncaught exception is told as python tells it, without any frame of ours."""
    ran = run("def ask():\n    return {}['region']\n\nask()\n")

    assert ran.ending == ("exited", 1, None)
    lines = ran.printed("stderr").splitlines()
    assert [line for line in lines if set(line.strip()) - set("~^")] == [
        "Traceback (most recent call last):",
        '  File "/job/script.py", line 4, in <module>',
        "    ask()",
        '  File "/job/script.py", line 2, in ask',
        "    return {}['region']",
        "KeyError: 'region'",
    ]


def test_a_script_that_is_no_python_says_where(run: Run) -> None:
    """A syntax error names the line of the script."""
    ran = run("print(1)\nif\n")

    assert ran.ending == ("exited", 1, None)
    assert ran.printed("stderr").startswith('  File "/job/script.py", line 2\n    if\n')


def test_threads_and_exit_handlers_finish_first(run: Run) -> None:
    """Ending without the interpreter's teardown loses nothing that python would have done."""
    ran = run(
        """
        import atexit, threading, time
        atexit.register(print, "handler")
        def work():
            time.sleep(0.1)
            print("thread")
        threading.Thread(target=work).start()
        print("main")
        """
    )

    assert ran.printed() == "main\nthread\nhandler\n"


def test_a_killed_script_tells_its_signal(run: Run) -> None:
    """A crash of the interpreter is a signal, not an exit code."""
    assert run("import ctypes; ctypes.string_at(0)").ending == ("killed", -11, None)


def test_a_script_sees_its_job_and_little_else(run: Run) -> None:
    """Parameters, inputs and variables go in; the rest of the view is short and the same always."""
    ran = run(
        """
        import json, os, pwd, socket, sys
        json.dump({
            "parameters": json.load(open("/job/in/parameters.json")),
            "input": json.load(open("/job/in/E1.json")),
            "folder": os.getcwd(),
            "argv": sys.argv,
            "stdin": sys.stdin.read(),
            "host": socket.gethostname(),
            "root": sorted(os.listdir("/")),
            "devices": sorted(os.listdir("/dev")),
            "etc": sorted(set(os.listdir("/etc")) - {"ld.so.cache"}),
            "variables": sorted(os.environ),
            "rights": [line.split()[1] for line in open("/proc/self/status")
                             if line.startswith(("Cap", "NoNewPrivs"))],
            "home": pwd.getpwuid(os.getuid()).pw_dir,
        }, open("/job/out/result.json", "w"))
        """
    )

    expected = {
        "parameters": {"name": "value"},
        "input": [1, 2],
        "folder": "/job",
        "argv": ["/job/script.py"],
        "stdin": "",
        "host": "sandbox",
        "devices": ["full", "null", "random", "urandom"],
        "etc": ["group", "hosts", "nsswitch.conf", "passwd"],
        "rights": [*["0" * 16] * 5, "1"],
        "home": "/job",
    }
    found = json.loads(ran.result.result)
    root, variables = set(found.pop("root")), set(found.pop("variables"))
    assert found == expected
    assert root - {"lib64"} == {"dev", "etc", "job", "lib", "proc", "runtime", "tmp", "usr"}
    assert variables == {
        *("AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION", "HOME", "LANG", "LD_LIBRARY_PATH"),
        *("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "PATH", "TMPDIR", "TZ"),
    }


def test_result_and_artifacts_come_out(run: Run) -> None:
    """result.json is the result, other plain files of /job/out are artifacts, the rest stays."""
    ran = run(
        """
        open("/job/out/result.json", "w").write("{}")
        open("/job/out/hosts.csv", "w").write("a,b")
        open("/job/out/größe.txt", "w").write("ü")
        open("/job/tmp/elsewhere", "w").write("gone")
        """
    )

    assert ran.result.result == b"{}"
    assert ran.result.artifacts == {"größe.txt": "ü".encode(), "hosts.csv": b"a,b"}
    assert ran.result.problems == ()


def test_files_can_be_moved(run: Run) -> None:
    """A result that is written elsewhere first and moved at once is taken like any other."""
    ran = run(
        """
        import os
        with open("/job/tmp/half", "w") as file:
            file.write("{}")
        os.rename("/job/tmp/half", "/job/out/result.json")
        """
    )

    assert ran.result.result == b"{}"


def test_no_result_is_no_result(run: Run) -> None:
    """A script that only prints has neither result nor artifacts nor problems."""
    result = run("print('hello')").result

    assert (result.result, result.artifacts, result.problems) == (None, {}, ())


def test_hostile_artifacts_become_sentences(run: Run) -> None:
    """Unprintable names are told of, and plain files still come out, of folders too."""
    result = run(HOSTILE).result

    assert list(result.artifacts) == ["kept.csv", "sparse", "folder/inside"]
    assert result.artifacts["sparse"] == bytes(3 * 1024 * 1024)
    assert sorted(result.problems) == [
        f"'{'long' * 25}' has a name that can't be kept",
        "'not utf-8 \\udcff' has a name that can't be kept",
        "'turned \\u202e around' has a name that can't be kept",
        "'two\\nlines' has a name that can't be kept",
    ]


@pytest.mark.parametrize(
    ("script", "problem"),
    [
        (
            "open('/job/out/result.json', 'w').truncate(2000)",
            "'result.json' has 2000 bytes, 1000 can be taken",
        ),
        (
            "for number in range(201): open(f'/job/out/{number}', 'w').close()",
            "more than 200 files and folders, the others were left",
        ),
    ],
)
def test_a_hostile_result_becomes_a_sentence(run: Run, script: str, problem: str) -> None:
    """Nothing that a script does to its result makes collecting fail or leave the folder."""
    result = run(script, result_bytes=1000).result

    assert result.outcome == "exited"
    assert result.result is None
    assert result.problems == (problem,)


@pytest.mark.parametrize(
    "attempt",
    [
        "os.symlink('/etc/passwd', '/job/out/link')",
        "os.mkfifo('/job/out/pipe')",
        "os.rmdir('/job/out')",
        "os.rename('/job/out', '/job/tmp/out')",
        "open('/job/elsewhere', 'w')",
        "open('/job/in/parameters.json', 'a')",
    ],
)
def test_only_files_and_folders_are_left_behind(run: Run, attempt: str) -> None:
    """Links and pipes can't be made, nor can anything be put or moved beside /job/out and /tmp."""
    ran = run(f"import os\ntry:\n    {attempt}\nexcept PermissionError:\n    print('refused')")

    assert ran.printed() == "refused\n"
    assert (ran.result.artifacts, ran.result.problems) == ({}, ())


def test_artifacts_have_one_budget(run: Run) -> None:
    """Sparse files can claim far more than the work folder holds; all together may not."""
    result = run(
        """
        for name in ("a", "b", "c"):
            with open(f"/job/out/{name}", "wb") as file:
                file.truncate(600_000)
        """,
        work_bytes=1_000_000,
    ).result

    assert list(result.artifacts) == ["a"]
    assert result.problems == (
        "'b' has 600000 bytes, 400000 can be taken",
        "'c' has 600000 bytes, 400000 can be taken",
    )


def test_boto3_is_there(run: Run) -> None:
    """Scripts find boto3, and nothing of the application's other packages."""
    ran = run(
        """
        import importlib.util
        import boto3
        print(boto3.__file__, importlib.util.find_spec("pydantic"))
        """
    )

    assert ran.printed() == "/runtime/site/boto3/__init__.py None\n"


def test_no_memory_that_nobody_counts(run: Run) -> None:
    """Memory that is shared and anonymous belongs to no process; private memory is there."""
    ran = run(
        """
        import mmap
        mmap.mmap(-1, 4096, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS).close()
        try:
            mmap.mmap(-1, 4096)
        except OSError as error:
            print(error.strerror)
        """
    )

    assert ran.printed() == "Operation not permitted\n"
