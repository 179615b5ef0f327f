"""Runs a script and then its own tests, in the place of a script: a rehearsal's is of this form.

Both lie in /job/in, to the byte as they were approved. The script runs as `__main__`, as it would
alone but for its end: the process goes on, so threads that it left run on beside its tests, and its
exit handlers come after them. When it fails, nothing is tested. A test is a function without
parameters whose name begins with `test_`; it may import from `script`, and read what the script
left in out/. Standard library only, and nothing of ours: delivered as the text of a job's script.
"""

from __future__ import annotations

import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

SCRIPT, TESTS = "/job/in/script.py", "/job/in/tests.py"


def went_well(does: Callable[[], Any], said: str) -> bool:
    """Tell whether something came to its end; what it raised is printed from its own lines on."""
    try:
        does()
    except SystemExit as end:
        if end.code in (None, 0):
            return True
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it raises is its own to show
        trace = error.__traceback__
        while trace is not None and trace.tb_frame.f_code.co_filename == __file__:
            trace = trace.tb_next
        print(said, file=sys.stderr, end="")  # noqa: T201 - for people
        traceback.print_exception(type(error), error, trace)
        return False
    return True


def loaded(path: str, name: str) -> Callable[[], None]:
    """Return what runs a file as a module of this name; others can import it from then on."""
    module = ModuleType(name)
    module.__file__ = path
    sys.modules[Path(path).stem] = sys.modules[name] = module
    sys.argv = [path]

    def run() -> None:
        code = compile(Path(path).read_bytes(), path, "exec", dont_inherit=True)
        exec(code, vars(module))  # noqa: S102 - the job

    return run


def tests() -> dict[str, Callable[[], Any]]:
    """Return the tests by name, in the order of the file."""
    found = vars(sys.modules["tests"])
    return {name: each for name, each in found.items() if name[:5] == "test_" and callable(each)}


def failed() -> int:
    """Return how many tests failed, and say so; a file without any is one that failed."""
    if not went_well(loaded(TESTS, "tests"), "The script's own tests can't be read:\n"):
        return 1
    several = tests()
    if not several:
        print("The script's own tests: no function is called test_...", file=sys.stderr)  # noqa: T201
        return 1
    bad = [n for n, each in several.items() if not went_well(each, f"Its own {n} failed:\n")]
    print(f"tests: {len(several) - len(bad)} of {len(several)} passed")  # noqa: T201 - for people
    return len(bad)


if __name__ == "__main__":
    if not went_well(loaded(SCRIPT, "__main__"), "") or failed():
        sys.exit(1)
